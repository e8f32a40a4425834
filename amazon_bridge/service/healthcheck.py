"""``amazon-bridge healthcheck``: asks the daemon of a configuration how it is."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import httpx

from amazon_bridge.config import Config, HttpConfig
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.service.daemon import DAEMON_LOCK

_TIMEOUT = 10.0  # seconds


def problems(config: Config) -> list[str]:
    """Why the daemon isn't healthy; empty when it is.

    Healthy is what is alive and does its work (``/healthz`` and ``/readyz``). Of a daemon that
    doesn't listen only this is known: whether it runs.
    """
    if config.http is None:
        return [] if _runs(config) else ["No daemon runs with this state store."]
    try:
        with client(config.http) as daemon:
            alive = _reasons(daemon.get("/healthz", auth=None), "alive")
            return alive or _reasons(daemon.get("/readyz"), "ready")
    except httpx.HTTPError as error:
        return [f"The daemon doesn't answer at {config.http.listen} ({type(error).__name__})."]


def _runs(config: Config) -> bool:
    try:
        with lock.held(config.state, *DAEMON_LOCK):
            return False
    except AccountError:
        return True


def address_of(http: HttpConfig) -> str:
    """Where to ask on this machine; an address that stands for all is asked as loopback."""
    try:
        address = ip_address(http.host)
    except ValueError:
        return f"http://{http.listen}"
    loopback = {4: "127.0.0.1", 6: "::1"}[address.version]
    host = loopback if address.is_unspecified else http.host
    return f"http://[{host}]:{http.port}" if ":" in host else f"http://{host}:{http.port}"


def client(http: HttpConfig, timeout: float = _TIMEOUT) -> httpx.Client:
    """Asks the daemon that listens there; waits so many seconds for each answer."""
    shown = httpx.BasicAuth("amazon-bridge", http.token.get_secret_value()) if http.token else None
    return httpx.Client(base_url=address_of(http), auth=shown, timeout=timeout, trust_env=False)


def _reasons(answer: httpx.Response, question: str) -> list[str]:
    try:
        said: dict[str, Any] = answer.json()
        return [] if said[question] else [str(reason) for reason in said["reasons"]]
    except (ValueError, KeyError, TypeError):
        return [f"Something else than this daemon answers (HTTP status {answer.status_code})."]
