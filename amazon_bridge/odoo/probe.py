"""Checks whether an Odoo server responds at a URL, without logging in."""

from __future__ import annotations

from amazon_bridge.odoo import responses, transport
from amazon_bridge.odoo.faults import FAILURES, explain

_TIMEOUT = 20.0  # seconds


def server(url: str, protocol: str, timeout: float = _TIMEOUT) -> str:
    """The version and edition of the Odoo at an address, such as ``19.0 Community``.

    Raises:
        AccountError, Transient: There is none, or it can't be reached.
    """
    try:
        gateway = transport.connect(url, protocol, timeout)
    except FAILURES as error:
        problem = explain(error)
    else:
        return f"{gateway.version} {gateway.edition}".strip()
    raise problem or responses.unexpected("no readable response to the question for its version")
