"""Odoo's JSON-RPC: ``/jsonrpc``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import odoorpc

from amazon_bridge.odoo.transport.address import Address
from amazon_bridge.odoo.transport.connections import Connections
from amazon_bridge.odoo.transport.gateway import Gateway, UnreadableResponse


class JsonRpc(Gateway):
    """odoorpc with our connections, and with support for a path before ``/jsonrpc``."""

    title = "JSON-RPC"

    def __init__(self, address: Address, timeout: float) -> None:
        super().__init__(address, timeout, Connections(address, timeout))

    def ask(self, service: str, method: str, args: Sequence[Any]) -> Any:
        params = {"service": service, "method": method, "args": args}
        try:
            response = odoorpc.ODOO.json(self, f"{self._address.prefix}/jsonrpc", params)
        except (TypeError, LookupError, AttributeError) as error:
            raise UnreadableResponse from error  # JSON, but not JSON-RPC
        if response.get("jsonrpc") != "2.0":
            raise UnreadableResponse
        return response.get("result")  # absent if it is None
