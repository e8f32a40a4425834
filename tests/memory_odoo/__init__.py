"""An Odoo in memory: for tests that need many, fast, and one that fails at no whim.

It replaces the XML-RPC endpoint of a real one, below the bridge's session. That it behaves
as the real one is checked by the same tests on both.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from odoo_server.databases import OdooDatabase

from amazon_bridge.app import ODOO, App
from amazon_bridge.odoo import transport
from amazon_bridge.odoo.session import OdooSession
from memory_odoo.faults import NotPlayed
from memory_odoo.server import DATABASE, MemoryOdoo

__all__ = ["MemoryApp", "MemoryDatabase", "MemoryOdoo", "NotPlayed", "connect"]

URL = "http://127.0.0.1"
CONTEXT = {"lang": "en_US", "tz": "UTC"}


@dataclass(frozen=True)
class MemoryDatabase(OdooDatabase):
    """The in-memory Odoo's database, for people: a client that knows nothing of the bridge."""

    url: str = URL
    database: str = DATABASE
    server: MemoryOdoo = field(default_factory=MemoryOdoo)

    def _service(self, name: str) -> Any:
        return self.server


class _Way(transport._XmlRpc):
    """The bridge's way over XML-RPC, which ends at the in-memory Odoo's endpoint."""

    def __init__(self, server: MemoryOdoo) -> None:
        super().__init__(transport.Address.parse(URL), timeout=120)
        self._server = server
        self._connector.version = transport._plain_version(server.version())

    def _proxy(self, service: str) -> Any:
        return self._server


def connect(
    server: MemoryOdoo, login: str = "admin", password: str = "admin", **options: Any
) -> OdooSession:
    """The bridge's session, as ``OdooSession.connect`` makes it."""
    way = _Way(server)
    way.login(DATABASE, login, password)
    return OdooSession(way, CONTEXT, **options)


class MemoryApp(App):
    """The bridge, with an in-memory Odoo on its one side."""

    server: MemoryOdoo

    def _log_in(self) -> OdooSession:
        return connect(self.server, watch=partial(self._watch, ODOO), sleep=self._sleep)
