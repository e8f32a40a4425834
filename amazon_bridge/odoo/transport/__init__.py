"""How a call travels to Odoo: ``odoorpc`` over XML-RPC, JSON-RPC or JSON-2."""

from __future__ import annotations

from amazon_bridge.odoo.transport.address import Address
from amazon_bridge.odoo.transport.gateway import Gateway
from amazon_bridge.odoo.transport.json2 import Json2
from amazon_bridge.odoo.transport.json_rpc import JsonRpc
from amazon_bridge.odoo.transport.xml_rpc import XmlRpc

__all__ = ["Address", "Gateway", "connect"]

_GATEWAYS: dict[str, type[Gateway]] = {"xmlrpc": XmlRpc, "jsonrpc": JsonRpc, "json2": Json2}


def connect(url: str, protocol: str, timeout: float) -> Gateway:
    """Return a gateway that isn't logged in yet and knows the server's version.

    Args:
        url: Odoo's base URL.
        protocol: ``xmlrpc``, ``jsonrpc`` or ``json2``.
        timeout: Seconds, for connecting and for each response.
    """
    gateway = _GATEWAYS[protocol](Address.parse(url), timeout)
    gateway.look_up_version()
    return gateway
