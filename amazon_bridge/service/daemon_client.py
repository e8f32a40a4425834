"""How a command reaches the daemon of its configuration: its listener and its lock."""

from __future__ import annotations

from ipaddress import ip_address

import httpx

from amazon_bridge.config import HttpConfig

_TIMEOUT = 10.0  # seconds


def connect(http: HttpConfig, timeout: float = _TIMEOUT) -> httpx.Client:
    """Return a client of the daemon's listener; ``timeout`` is in seconds per response."""
    token = http.token
    auth = httpx.BasicAuth("amazon-bridge", token.get_secret_value()) if token else None
    return httpx.Client(base_url=address_of(http), auth=auth, timeout=timeout, trust_env=False)


def address_of(http: HttpConfig) -> str:
    """URL of the listener on this machine; the loopback address if it listens on all."""
    try:
        address = ip_address(http.host)
    except ValueError:
        return f"http://{http.listen}"
    loopback = {4: "127.0.0.1", 6: "::1"}[address.version]
    host = loopback if address.is_unspecified else http.host
    return f"http://[{host}]:{http.port}" if ":" in host else f"http://{host}:{http.port}"
