"""What all transports share: an ``odoorpc.ODOO`` whose requests a subclass sends.

``odoorpc`` 0.10.1 speaks JSON-RPC only, but whatever it sends to Odoo 10 or newer goes
through ``ODOO.json("/jsonrpc", {service, method, args})``. A transport translates these.

In all transports a ``urllib.error.URLError`` says that the request never left completely;
any other failure may have come after Odoo began to work on it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any, ClassVar

import odoorpc
import odoorpc.error

from amazon_bridge.odoo.transport.address import Address

# odoorpc 0.10.1 logs every request at DEBUG with all arguments, the password among them.
logging.getLogger("odoorpc.rpc.jsonrpclib").addFilter(lambda _record: False)

READ_METHODS = {
    "check_object_reference",
    "default_get",
    "fields_get",
    "formatted_read_group",
    "get_metadata",
    "get_param",
    "has_access",
    "has_group",
    "name_search",
    "read",
    "read_group",
    "search_count",
    "search_read",
    "web_search_read",
}
"""Methods that change nothing: safe to retry when the response was lost."""

_ANY_VERSION_WITH_JSONRPC = "10.0"
_PASSWORD = 2
"""Position of the password in the arguments of ``login`` and of ``execute_kw``."""


class UnreadableResponse(odoorpc.error.Error):  # type: ignore[misc] # odoorpc has no types
    """The response isn't one of Odoo's."""


class Gateway(odoorpc.ODOO):  # type: ignore[misc] # odoorpc has no types
    """A server of Odoo, with a login to one database. It may be shared by threads."""

    title: ClassVar[str]
    """The transport's name, for people."""

    def __init__(self, address: Address, timeout: float, opener: Any = None) -> None:
        protocol = "jsonrpc+ssl" if address.https else "jsonrpc"
        super().__init__(
            address.host,
            protocol,
            address.port,
            timeout,
            version=_ANY_VERSION_WITH_JSONRPC,
            opener=opener,
        )
        self._address = address
        self.edition = ""
        """Of the server, once its version is known."""

    def look_up_version(self) -> None:
        """Ask the server for its version. Needs no login."""
        response = self.ask("common", "version", [])
        self._connector.version = plain_version(response)  # has no setter
        self.edition = edition(response)

    def ask(self, service: str, method: str, args: Sequence[Any]) -> Any:
        """Send one request, exactly once, and return its result.

        ========  ==============  ===================================================
        service   method          args
        ========  ==============  ===================================================
        common    ``version``
        common    ``login``       database, login, password
        object    ``execute_kw``  database, uid, password, model, method, args, kwargs
        ========  ==============  ===================================================
        """
        raise NotImplementedError

    def json(self, url: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - odoorpc's
        """Send what odoorpc wants to send, by this transport."""
        method, args = params["method"], list(params["args"])
        if method == "execute":
            # Only odoorpc's login uses it, to ask for the user's context. Odoo 14 can't send
            # that over XML-RPC (a frozendict), and our calls bring their own.
            return {"result": {}}
        if len(args) > _PASSWORD:
            # odoorpc's newer source wraps the password in an object that can't be serialised.
            args[_PASSWORD] = str(args[_PASSWORD])
        result = self.ask(params["service"], method, args)
        if method == "login" and result and type(result) is not int:
            raise UnreadableResponse  # neither a user's id, nor a refusal
        return {"result": result}


def edition(response: Any) -> str:
    """``Enterprise`` of ``19.0+e``, ``Community`` of ``19.0``; empty if it isn't known."""
    version = response.get("server_version") if isinstance(response, dict) else None
    if not isinstance(version, str):
        return ""
    return "Enterprise" if re.search(r"\d\+e", version) else "Community"


def plain_version(response: Any) -> str:
    """``19.0`` of ``19.0``, ``18.2`` of Odoo Online's ``saas~18.2+e``."""
    version = response.get("server_version") if isinstance(response, dict) else None
    found = re.search(r"(\d{1,3})(?:\.(\d{1,3}))?", str(version))
    return f"{found[1]}.{found[2] or 0}" if found else _ANY_VERSION_WITH_JSONRPC
