"""A web server in front of another: it forwards requests and reports each."""

import http.client
import json
import socket
import threading
import xmlrpc.client
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

Hook = Callable[[], bool]
"""Called at a moment of a request; False breaks the connection off."""

Response = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers, content."""

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


def go_on() -> bool:
    return True


class Proxy:
    """``before`` is called when a request came in, ``after`` when its response is there."""

    def __init__(self, target: str, *, before: Hook = go_on, after: Hook = go_on) -> None:
        self.before, self.after = before, after
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        parts = urlsplit(target)
        self.host, self.port = parts.hostname or "", parts.port or 80
        proxy = self

        class Bound(Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def odoo_calls(self) -> list[tuple[str, str]]:
        """Model and method of each call that passed, in any transport."""
        requests = zip(list(self.paths), list(self.bodies), strict=False)
        return [call for path, body in requests if (call := called(path, body))]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def handle(self, request: "Handler", body: bytes) -> None:
        """Respond to a request, or don't."""
        if not self.before():
            request.hang_up()
            return
        response = request.pass_on(body)
        if self.after():
            request.respond(*response)
        else:
            request.hang_up()

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()


def called(path: str, body: bytes) -> tuple[str, str] | None:
    """Model and method of a request; None if it calls none."""
    if path.startswith("/json/2/"):
        _, _, _, model, method = path.split("/")
        return model, method
    if path == "/jsonrpc":
        params = json.loads(body)["params"]
        args, name = params["args"], params["method"]
    elif path.startswith("/xmlrpc/"):
        args, name = xmlrpc.client.loads(body)
    else:
        return None
    return (args[3], args[4]) if name == "execute_kw" else None


class Handler(BaseHTTPRequestHandler):
    owner: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.owner.paths.append(self.path)
        self.owner.bodies.append(body)
        try:
            self.owner.handle(self, body)
        except OSError:  # the server behind is down
            self.hang_up()

    do_GET = do_PUT = do_POST  # noqa: N815 - the names that http.server calls

    def pass_on(self, body: bytes) -> Response:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        return self.owner.forward(self.command, self.path, headers, body)

    def respond(
        self, status: int, headers: list[tuple[str, str]], content: bytes, *, withheld: int = 0
    ) -> None:
        """Send a response; its last bytes may be promised and withheld."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        with suppress(OSError):  # the other side may have gone before
            self.end_headers()
            self.wfile.write(content[: len(content) - withheld])
        if withheld:
            self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
