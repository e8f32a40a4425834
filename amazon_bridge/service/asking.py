"""``amazon-bridge sync`` beside a daemon that listens: the daemon works the rounds.

So Amazon's rates are kept by one process, and the daemon knows at once what was done.
"""

from __future__ import annotations

import time
from typing import Any

import httpx
import structlog

from amazon_bridge.config import Config
from amazon_bridge.engine.errors import AccountError, ConfigError
from amazon_bridge.engine.runner import Counts
from amazon_bridge.service.asked import Results, Wish
from amazon_bridge.service.healthcheck import client

log = structlog.get_logger(__name__)

_PAUSE = 0.25  # seconds, between two questions whether it is done
_TIMEOUT = 60.0  # seconds; answers take milliseconds, but a busy moment must not end a long wait


def sync(config: Config, job: str, account: str | None) -> Results | None:
    """Have the daemon of this configuration work rounds; None when there is none to ask.

    Raises:
        ConfigError: there is no such account.
        AccountError: the daemon stopped, or could not be reached any more, before it was done.
    """
    if config.http is None:
        return None
    wish = Wish(job=job, account=account, configuration=config.digest())
    with client(config.http, _TIMEOUT) as daemon:
        name = _asked(daemon, wish)
        return _awaited(daemon, name) if name else None


def _asked(daemon: httpx.Client, wish: Wish) -> str | None:
    """Under which name to ask for the result; None when the daemon is not there or not ours."""
    try:
        answer = daemon.post(
            "/sync",
            content=wish.model_dump_json(),
            headers={"Content-Type": "application/json"},
        )
    except httpx.ConnectError:
        return None
    except httpx.HTTPError as error:
        log.warning("sync_not_delegated", reason=type(error).__name__)
        return None
    match answer.status_code, _said(answer):
        case 202, {"id": str(name)}:
            log.info("sync_delegated", address=str(daemon.base_url))
            return name
        case 400, {"reason": str(reason)}:
            raise ConfigError(reason)
        case _, {"reason": str(said)}:
            reason = said
        case status, _:
            reason = f"HTTP status {status}"
    log.warning("sync_not_delegated", reason=reason)
    return None


def _said(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:  # something else than the daemon listens there
        return None


def _awaited(daemon: httpx.Client, name: str) -> Results:
    while (answer := _answer(daemon, name)).status_code == httpx.codes.ACCEPTED:
        time.sleep(_PAUSE)
    match _said(answer):
        case {"accounts": told}:
            return {a: {job: Counts(**c) for job, c in done.items()} for a, done in told.items()}
        case {"reason": str(reason)}:
            raise _lost(reason)
        case _:
            raise _lost(f"The daemon answers with HTTP status {answer.status_code}.")


def _answer(daemon: httpx.Client, name: str) -> httpx.Response:
    try:
        return daemon.get(f"/sync/{name}")
    except httpx.HTTPError as error:
        raise _lost(f"The daemon doesn't answer any more ({type(error).__name__}).") from error


def _lost(reason: str) -> AccountError:
    return AccountError(
        reason,
        "What it had begun is safe, and gone on with in the next round: look at its log, then"
        " start it, or sync again.",
    )
