"""The in-memory Odoo behind ``/xmlrpc/2`` on a port of this machine, for programs as for people."""

import threading
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from odoo_server.databases import OdooDatabase

from memory_odoo.server import DATABASE, MemoryOdoo


class _Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/xmlrpc/2/common", "/xmlrpc/2/object")
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


class _Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True


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
    server.register_instance(_Endpoint(odoo))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield OdooDatabase(f"http://127.0.0.1:{server.server_address[1]}", DATABASE)
    finally:
        server.shutdown()
        server.server_close()
