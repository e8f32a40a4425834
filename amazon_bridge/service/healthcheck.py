"""``amazon-bridge healthcheck``: health of the daemon of a configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from amazon_bridge.config import Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, BridgeError, Locked
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.postgresql import process
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.service.daemon_client import connect


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
    if isinstance(config.state, PostgresqlStore):
        return _problems_of_machine(config.state)
    try:
        with lock.held(config.state, *lock.DAEMON):
            return ["No daemon runs with this state store."]
    except Locked:
        return []
    except AccountError as error:  # its database is out of reach
        return [str(error)]


def _problems_of_machine(store: PostgresqlStore) -> list[str]:
    """Look for a daemon of this machine among those that share the state store."""
    try:
        with Ledger(store, lambda: datetime.now(UTC)) as ledger:
            names = [daemon.name for daemon in ledger.holdings.daemons()]
    except BridgeError as error:
        return [str(error)]
    is_here = any(map(process.is_of_this_machine, names))
    return [] if is_here else ["No daemon of this machine runs with this state store."]


def _reasons(response: httpx.Response, field: str) -> list[str]:
    try:
        document: dict[str, Any] = response.json()
        return [] if document[field] else [str(reason) for reason in document["reasons"]]
    except (ValueError, KeyError, TypeError):
        return [f"Something else than this daemon responds (HTTP status {response.status_code})."]
