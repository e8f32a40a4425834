"""Who plays in a history, and what is remembered of what they did."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from hypothesis.stateful import RuleBasedStateMachine
from scene import ACCOUNTS, Stage
from shop import Rows

from amazon_bridge.simulator import Order


class Kept(NamedTuple):
    """A backup of Odoo, with what people had done by then."""

    odoo: Any
    moment: datetime
    notes: dict[str, str]
    cancelled: set[str]
    deleted: set[str]


class History(RuleBasedStateMachine):
    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.scene = scene = self.stage.open()
        self.world, self.shop, self.bridge = scene.world, scene.shop, scene.bridge
        self.warehouse = scene.warehouse
        self.habits, self.clock = scene.world.settings, scene.clock
        self.orders: list[str] = []
        self.steps = 0
        self.cursors: dict[str, datetime] = {}
        self.notes: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.ever_cancelled: set[str] = set()
        self.deleted: set[str] = set()
        self.imported: set[str] = set()
        """Those that were seen in Odoo."""
        self.loose: set[str] = set()
        """Those whose goods or totals people or Amazon changed: Odoo and Amazon may differ."""
        self.enlarged: set[str] = set()
        """Those to which people added goods that Amazon doesn't know."""
        self.forgetful = False
        self.restored = False
        self.elsewhere: set[str] = set()
        """References of packages that were entered in Seller Central."""
        self.kept: Kept | None = None

    def order_of(self, number: int) -> Order:
        return self.world.order(self.orders[number % len(self.orders)])

    def account_of(self, order: Order) -> str:
        return next(name for name, places in ACCOUNTS.items() if order.market.country in places)

    def sale_orders(self, order_id: str) -> Rows:
        fields = ["state", "locked", "note", "amount_total", "date_order"]
        return self.shop.search("sale.order", [("client_order_ref", "=", order_id)], fields)

    @property
    def saved_state(self) -> Path:
        return self.scene.program.folder / "saved.db"

    def put_saved_state_back(self) -> None:
        self.bridge.forget()
        shutil.copy(self.saved_state, self.bridge.program.state)
