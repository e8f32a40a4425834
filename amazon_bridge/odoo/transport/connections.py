"""HTTP connections that are kept and on which each request is sent exactly once."""

from __future__ import annotations

import http.client
import select
import ssl
import threading
from http import HTTPStatus
from io import BytesIO
from urllib.error import HTTPError, URLError
from urllib.request import Request

from amazon_bridge.odoo.transport.address import Address


class Connections:
    """One connection a thread to one server; what ``urllib`` calls an opener.

    Like XML-RPC's, they follow no redirect, keep no cookie and use no proxy of the environment.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._of_thread = threading.local()

    def open(self, request: Request, timeout: float | None = None) -> BytesIO:  # noqa: ARG002
        """Send a request and return the body of the response.

        Raises:
            URLError: The request never left completely.
            HTTPError: The response has another status than 200.
            OSError, HTTPException: The response is missing or incomplete.
        """
        try:
            response, body = self._exchange(request)
        except BaseException:
            self._connection().close()
            raise
        if response.status != HTTPStatus.OK:
            content = BytesIO(body)
            raise HTTPError(
                request.selector, response.status, response.reason, response.headers, content
            )
        return BytesIO(body)

    def _exchange(self, request: Request) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection()
        if is_stale(connection):
            connection.close()
        method, headers = request.get_method(), dict(request.header_items())
        try:
            connection.request(method, request.selector, request.data, headers)
        except OSError as error:
            raise URLError(error) from error
        response = connection.getresponse()
        return response, response.read()

    def _connection(self) -> http.client.HTTPConnection:
        kept: dict[str, http.client.HTTPConnection] = self._of_thread.__dict__
        if "connection" not in kept:
            kept["connection"] = self._new_connection()
        return kept["connection"]

    def _new_connection(self) -> http.client.HTTPConnection:
        """A connection that opens with its first request; certificate and host are verified."""
        host, port = self._address.host, self._address.port
        if not self._address.https:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        trusted = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=trusted)


def is_stale(connection: http.client.HTTPConnection) -> bool:
    """True if an idle connection is readable: it was closed, or has unexpected data."""
    if connection.sock is None:
        return False
    waiting = select.poll()  # select() refuses descriptors from 1024 on
    waiting.register(connection.sock, select.POLLIN)
    return bool(waiting.poll(0))
