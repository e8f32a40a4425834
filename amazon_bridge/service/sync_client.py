"""``amazon-bridge sync`` beside a running daemon: the daemon runs the jobs.

One process then keeps Amazon's rate limits, and the daemon knows the results at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import structlog

from amazon_bridge.config import Config
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ConfigError
from amazon_bridge.service.daemon_client import connect
from amazon_bridge.service.sync_protocol import Results, SyncRequest

log = structlog.get_logger(__name__)

_PAUSE = 0.25  # seconds between two requests for the result
_TIMEOUT = 60.0  # seconds; responses take milliseconds, but a busy moment must not end a long wait


def sync(
    config: Config,
    job: str,
    account: str | None,
    *,
    show: Callable[[], Callable[[], None]] | None = None,
) -> Results | None:
    """Let the daemon of this configuration run jobs.

    Args:
        config: the configuration.
        job: the job's name, or ``all``.
        account: the account's name; None: all.
        show: called once the daemon has accepted; returns what is called while it runs them.

    Returns:
        The counts by account and job; None if no matching daemon is running.

    Raises:
        ConfigError: there is no such account.
        AccountError: the daemon stopped or became unreachable before it finished.
    """
    if config.http is None:
        return None
    request = SyncRequest(job=job, account=account, configuration=config.digest())
    with connect(config.http, _TIMEOUT) as daemon:
        id_ = _requested(daemon, request)
        return _awaited(daemon, id_, show() if show else None) if id_ else None


def _requested(daemon: httpx.Client, request: SyncRequest) -> str | None:
    """Return the sync request's id, or None if no matching daemon is running."""
    try:
        response = daemon.post(
            "/sync",
            content=request.model_dump_json(),
            headers={"Content-Type": "application/json"},
        )
    except httpx.ConnectError:
        return None
    except httpx.HTTPError as error:
        log.warning("sync_not_delegated", reason=type(error).__name__)
        return None
    match response.status_code, _document(response):
        case 202, {"id": str(id_)}:
            log.info("sync_delegated", address=str(daemon.base_url))
            return id_
        case 400, {"reason": str(reason)}:
            raise ConfigError(reason)
        case _, {"reason": str(given)}:
            reason = given
        case status, _:
            reason = f"HTTP status {status}"
    log.warning("sync_not_delegated", reason=reason)
    return None


def _document(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:  # something else than the daemon listens there
        return None


def _awaited(daemon: httpx.Client, id_: str, refresh: Callable[[], None] | None) -> Results:
    while (response := _response(daemon, id_)).status_code == httpx.codes.ACCEPTED:
        if refresh:
            refresh()
        time.sleep(_PAUSE)
    match _document(response):
        case {"accounts": accounts}:
            return {
                account: {job: Counts(**counts) for job, counts in of_account.items()}
                for account, of_account in accounts.items()
            }
        case {"reason": str(reason)}:
            raise _lost(reason)
        case _:
            raise _lost(f"Unexpected response of the daemon: HTTP {response.status_code}.")


def _response(daemon: httpx.Client, id_: str) -> httpx.Response:
    try:
        return daemon.get(f"/sync/{id_}")
    except httpx.HTTPError as error:
        reason = f"The daemon does not respond any more ({type(error).__name__})."
        raise _lost(reason) from error


def _lost(reason: str) -> AccountError:
    return AccountError(
        reason,
        "What it started is safe and continues in the next run: look at its log, then start it, or"
        " sync again.",
    )
