"""Addresses in the configuration. No message shows one: it may hold a secret."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

_ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})")
_LAST_PORT = 65535


def _split_url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        wrong = url.scheme not in {"http", "https"} or not url.hostname or url.port == 0
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError("must be an address such as https://erp.example.com")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("must hold no login, no ? and no #")
    return url


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def amazon_url(text: str) -> str:
    """Of the Selling Partner API: encrypted, except on this machine."""
    url = _split_url(text)
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ValueError("must begin with https:// (plain http only to this machine itself)")
    return text.rstrip("/")


def ping_url(secret: SecretStr) -> SecretStr:
    """Of a service that is pinged; it is a secret itself."""
    amazon_url(secret.get_secret_value())
    return secret


_WEB_CLIENT = re.compile(r"/(web|xmlrpc|jsonrpc|json)(/|$)")
"""Paths of Odoo itself, as people copy them from a browser."""


def odoo_url(text: str) -> str:
    """Of Odoo: with a path only where a proxy serves it below one."""
    if _WEB_CLIENT.search(_split_url(text).path):
        raise ValueError("must be where Odoo begins: leave /web and what follows out")
    return text.rstrip("/")


def listen_address(text: str) -> str:
    """Host and port to listen on."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise ValueError("must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464")
    return text
