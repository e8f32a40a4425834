"""``amazon-bridge healthcheck``: health of the daemon of a configuration."""

from __future__ import annotations

from typing import Any

import httpx

from amazon_bridge.config import Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, Locked
from amazon_bridge.service.daemon_client import DAEMON_LOCK, connect


def problems(config: Config) -> list[str]:
    """Why the daemon is not healthy; empty if it is.

    Healthy is alive and ready (``/healthz`` and ``/readyz``). Of a daemon without a listener, only
    whether it runs is known.
    """
    if config.http is None:
        return _problems_without_listener(config)
    try:
        with connect(config.http) as daemon:
            alive = _reasons(daemon.get("/healthz", auth=None), "alive")
            return alive or _reasons(daemon.get("/readyz"), "ready")
    except httpx.HTTPError as error:
        return [f"The daemon does not respond at {config.http.listen} ({type(error).__name__})."]


def _problems_without_listener(config: Config) -> list[str]:
    try:
        with lock.held(config.state, *DAEMON_LOCK):
            return ["No daemon runs with this state store."]
    except Locked:
        return []
    except AccountError as error:  # its database is out of reach
        return [str(error)]


def _reasons(response: httpx.Response, field: str) -> list[str]:
    try:
        document: dict[str, Any] = response.json()
        return [] if document[field] else [str(reason) for reason in document["reasons"]]
    except (ValueError, KeyError, TypeError):
        return [f"Something else than this daemon responds (HTTP status {response.status_code})."]
