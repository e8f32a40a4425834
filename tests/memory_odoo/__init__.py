"""An Odoo in memory: for tests that need many, fast, and one that fails at no whim.

It replaces the endpoints of a real one, below the bridge's session. That it behaves
as the real one is checked by the same tests on both.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from odoo_server.databases import TRANSPORT, OdooDatabase

from amazon_bridge.app import ODOO, App
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.transport import Address, Gateway
from amazon_bridge.odoo.transport.json2 import FIRST_VERSION, Json2
from amazon_bridge.odoo.transport.json_rpc import JsonRpc
from amazon_bridge.odoo.transport.xml_rpc import XmlRpc
from memory_odoo.faults import NotPlayed
from memory_odoo.server import DATABASE, MemoryOdoo
from memory_odoo.web import KEY, Opener

__all__ = ["MemoryApp", "MemoryDatabase", "MemoryOdoo", "NotPlayed", "connect"]

URL = "http://127.0.0.1"
ADDRESS = Address.parse(URL)
CONTEXT = {"lang": "en_US", "tz": "UTC"}


@dataclass(frozen=True)
class MemoryDatabase(OdooDatabase):
    """The in-memory Odoo's database, for people: a client that knows nothing of the bridge."""

    url: str = URL
    database: str = DATABASE
    server: MemoryOdoo = field(default_factory=MemoryOdoo)

    def _service(self, name: str) -> Any:
        return self.server

    @property
    def api_key(self) -> str:
        return f"{KEY}{self.login}"


class _XmlRpc(XmlRpc):
    """The bridge's way over XML-RPC, which ends at the in-memory Odoo's endpoint."""

    def __init__(self, server: MemoryOdoo) -> None:
        super().__init__(ADDRESS, timeout=120)
        self._server = server

    def _proxy(self, service: str) -> Any:
        return self._server


class _JsonRpc(JsonRpc):
    def __init__(self, server: MemoryOdoo) -> None:
        Gateway.__init__(self, ADDRESS, 120, Opener(server))


class _Json2(Json2):
    def __init__(self, server: MemoryOdoo) -> None:
        super().__init__(ADDRESS, 120)
        self._connections = Opener(server)  # type: ignore[assignment] # it has the same method


GATEWAYS = {"xmlrpc": _XmlRpc, "jsonrpc": _JsonRpc, "json2": _Json2}


def connect(
    server: MemoryOdoo,
    login: str = "admin",
    password: str = "admin",
    *,
    protocol: str = TRANSPORT,
    **options: Any,
) -> OdooSession:
    """The bridge's session, as ``OdooSession.connect`` makes it."""
    gateway = GATEWAYS[protocol](server)
    gateway.look_up_version()
    gateway.login(DATABASE, login, f"{KEY}{login}" if protocol == "json2" else password)
    return OdooSession(gateway, CONTEXT, **options)


class MemoryApp(App):
    """The bridge, with an in-memory Odoo on its one side."""

    server: MemoryOdoo

    def _log_in(self) -> OdooSession:
        older = self.server.major < FIRST_VERSION
        return connect(
            self.server,
            protocol="xmlrpc" if older else TRANSPORT,
            watch=partial(self._watch, ODOO),
            sleep=self._sleep,
        )
