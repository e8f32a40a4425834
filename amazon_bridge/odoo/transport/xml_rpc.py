"""Odoo's XML-RPC: ``/xmlrpc/2/<service>``."""

from __future__ import annotations

import http.client
import threading
import xmlrpc.client
from collections.abc import Sequence
from typing import Any
from urllib.error import URLError

from amazon_bridge.odoo.transport.address import Address
from amazon_bridge.odoo.transport.connections import is_stale
from amazon_bridge.odoo.transport.gateway import Gateway


class XmlRpc(Gateway):
    """odoorpc over XML-RPC, with one connection a thread and service, kept where Odoo keeps it."""

    title = "XML-RPC"

    def __init__(self, address: Address, timeout: float) -> None:
        super().__init__(address, timeout)
        self._timeout = timeout
        self._of_thread = threading.local()

    def ask(self, service: str, method: str, args: Sequence[Any]) -> Any:
        return getattr(self._proxy(service), method)(*args)

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
        if kept is not None and is_stale(kept):
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
