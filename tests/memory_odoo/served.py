"""The in-memory Odoo on a port of this machine, for programs as for people."""

import json
import threading
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from odoo_server.databases import OdooDatabase

from memory_odoo.server import DATABASE, MemoryOdoo
from memory_odoo.web import KEY, respond


class ServedDatabase(OdooDatabase):
    @property
    def api_key(self) -> str:
        return f"{KEY}{self.login}"


class _Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/xmlrpc/2/common", "/xmlrpc/2/object")
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        if self.path in self.rpc_paths:
            super().do_POST()
        else:
            self._respond(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        self._respond(b"")

    def _respond(self, body: bytes) -> None:
        status, response = respond(self.server.odoo, self.path, dict(self.headers.items()), body)
        content = json.dumps(response).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class _Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
    odoo: MemoryOdoo


class _Endpoint:
    def __init__(self, odoo: MemoryOdoo) -> None:
        self._odoo = odoo

    def _dispatch(self, method: str, params: tuple[Any, ...]) -> Any:
        if method not in {"version", "login", "authenticate", "execute_kw"}:
            raise xmlrpc.client.Fault(1, f"Method not found: {method}")
        return getattr(self._odoo, method)(*params)


@contextmanager
def served(odoo: MemoryOdoo) -> Iterator[OdooDatabase]:
    """Serve an in-memory Odoo for as long as the block runs."""
    server = _Server(("127.0.0.1", 0), _Handler, logRequests=False, allow_none=True)
    server.odoo = odoo
    server.register_instance(_Endpoint(odoo))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield ServedDatabase(f"http://127.0.0.1:{server.server_address[1]}", DATABASE)
    finally:
        server.shutdown()
        server.server_close()
