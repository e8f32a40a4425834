"""The bridge between an in-memory Odoo and a simulated Amazon of the same process, without sockets.

The simulator is reached through the same library and the same HTTP client as Amazon is; only the
client's transport hands the requests over instead of sending them.
"""

from typing import Any

import httpx
from memory_odoo import MemoryApp, MemoryOdoo

from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig
from amazon_bridge.simulator import Simulator


class InProcessApp(MemoryApp):
    def __init__(self, server: MemoryOdoo, simulator: Simulator, *args: Any, **kwargs: Any) -> None:
        self.server, self.simulator = server, simulator
        super().__init__(*args, **kwargs)

    def _partner(self, account: AccountConfig) -> SellingPartner:
        partner = super()._partner(account)
        connection = partner._connection
        for client in (connection._http, connection.files):
            client._transport = httpx.WSGITransport(self.simulator)
        return partner
