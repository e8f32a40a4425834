"""How a call travels to Odoo: ``odoorpc`` over XML-RPC or JSON-RPC.

``odoorpc`` 0.10.1 speaks JSON-RPC only, but whatever it sends to Odoo 10 or newer goes
through ``ODOO.json("/jsonrpc", {service, method, args})``, which maps one to one onto
``/xmlrpc/2/<service>``.

In both protocols a ``urllib.error.URLError`` says that the request never left completely;
any other failure may have come after Odoo began to work on it.
"""

from __future__ import annotations

import http.client
import logging
import re
import select
import threading
import xmlrpc.client
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

import odoorpc

# odoorpc 0.10.1 logs every request at DEBUG with all arguments, the password among them.
logging.getLogger("odoorpc.rpc.jsonrpclib").addFilter(lambda _record: False)

_ANY_VERSION_WITH_JSONRPC = "10.0"
_PASSWORD = 2
"""Position of the password in the arguments of ``login`` and of ``execute_kw``."""


@dataclass(frozen=True, slots=True)
class Address:
    """An Odoo server's URL, taken apart."""

    https: bool
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, url: str) -> Address:
        parts = urlsplit(url)
        https = parts.scheme == "https"
        port = parts.port or (443 if https else 80)
        return cls(https, parts.hostname or "", port, parts.path.rstrip("/"))

    @property
    def root(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.https else 'http'}://{host}:{self.port}{self.prefix}"


def connect(url: str, protocol: str, timeout: float) -> odoorpc.ODOO:
    """An ``odoorpc.ODOO`` that isn't logged in yet and knows the server's version.

    It may be shared by threads. ``timeout`` is in seconds, for connecting and for each response.
    """
    kind = _JsonRpc if protocol == "jsonrpc" else _XmlRpc
    odoo = kind(Address.parse(url), timeout)
    response = odoo.json("/jsonrpc", {"service": "common", "method": "version", "args": []})
    odoo._connector.version = _plain_version(response["result"])  # noqa: SLF001 - has no setter
    return odoo


def _plain_version(response: Any) -> str:
    """``19.0`` of ``19.0``, ``18.2`` of Odoo Online's ``saas~18.2+e``."""
    version = response.get("server_version") if isinstance(response, dict) else None
    found = re.search(r"(\d{1,3})(?:\.(\d{1,3}))?", str(version))
    return f"{found[1]}.{found[2] or 0}" if found else _ANY_VERSION_WITH_JSONRPC


class _JsonRpc(odoorpc.ODOO):  # type: ignore[misc] # odoorpc has no types
    """odoorpc with support for a path before ``/jsonrpc``."""

    def __init__(self, address: Address, timeout: float) -> None:
        protocol = "jsonrpc+ssl" if address.https else "jsonrpc"
        super().__init__(
            address.host, protocol, address.port, timeout, version=_ANY_VERSION_WITH_JSONRPC
        )
        self._address = address

    def json(self, url: str, params: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = super().json(self._address.prefix + url, params)
        return response


class _XmlRpc(_JsonRpc):
    """odoorpc over XML-RPC, with one connection a thread and service, kept where Odoo keeps it."""

    def __init__(self, address: Address, timeout: float) -> None:
        super().__init__(address, timeout)
        self._timeout = timeout
        self._of_thread = threading.local()

    def json(self, url: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - odoorpc's
        if params["method"] == "execute":
            # Only odoorpc's login uses it, to ask for the user's context. Odoo 14 can't send
            # that over XML-RPC (a frozendict), and our calls bring their own.
            return {"result": {}}
        args = list(params["args"])
        if len(args) > _PASSWORD:
            # odoorpc's newer source wraps the password in an object that can't be marshalled.
            args[_PASSWORD] = str(args[_PASSWORD])
        result = getattr(self._proxy(params["service"]), params["method"])(*args)
        if params["method"] == "login" and result and type(result) is not int:
            raise xmlrpc.client.ResponseError  # neither a user's id, nor a refusal
        return {"result": result}

    def _proxy(self, service: str) -> xmlrpc.client.ServerProxy:
        proxies: dict[str, xmlrpc.client.ServerProxy] = self._of_thread.__dict__
        if service not in proxies:
            proxies[service] = xmlrpc.client.ServerProxy(
                f"{self._address.root}/xmlrpc/2/{service}",
                transport=_transport(self._timeout, https=self._address.https),
                allow_none=True,
            )
        return proxies[service]


class _OneTry(xmlrpc.client.Transport):
    """Sends a request exactly once.

    The standard library's transport repeats a request whose connection broke, although Odoo
    may be working on it. A kept connection that the server has closed is noticed
    before anything is sent.
    """

    timeout: float

    def request(
        self,
        host: Any,
        handler: str,
        request_body: Any,
        verbose: bool = False,  # noqa: FBT001, FBT002 - the standard library's
    ) -> Any:
        kept = self._connection[1]
        if kept is not None and _is_stale(kept):
            self.close()
        return self.single_request(host, handler, request_body, verbose)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = self.timeout
        return connection

    def send_request(self, *args: Any) -> http.client.HTTPConnection:
        try:
            return super().send_request(*args)
        except OSError as error:
            raise URLError(error) from error

    def parse_response(self, response: Any) -> Any:
        """The standard library raises various errors on XML that isn't XML-RPC."""
        try:
            (value,) = super().parse_response(response)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise xmlrpc.client.ResponseError from error
        return (value,)


class _OneTryTLS(_OneTry, xmlrpc.client.SafeTransport):
    """The same over TLS; certificate and host name are verified."""

    def make_connection(self, host: Any) -> http.client.HTTPSConnection:
        connection = xmlrpc.client.SafeTransport.make_connection(self, host)
        connection.timeout = self.timeout
        return connection


def _transport(timeout: float, *, https: bool) -> xmlrpc.client.Transport:
    transport = _OneTryTLS() if https else _OneTry()
    transport.timeout = timeout
    return transport


def _is_stale(connection: http.client.HTTPConnection) -> bool:
    """True if an idle connection is readable: it was closed, or has unexpected data."""
    if connection.sock is None:
        return False
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)
