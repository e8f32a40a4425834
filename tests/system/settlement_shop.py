"""A seller whose settlements are booked: its money at Amazon, and its journal entries in Odoo."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from memory_shop import MemoryShop
from shop import Shop

from amazon_bridge.flows.settlements.reconcile import open_orders
from amazon_bridge.flows.settlements.tell import state_of
from amazon_bridge.flows.settlements.tie_out import tie_out
from amazon_bridge.flows.settlements.ties import Tie
from amazon_bridge.odoo.setup import SettlementSetup
from amazon_bridge.simulator import Order
from amazon_bridge.simulator.money import Money, Settlement

ON: dict[str, Any] = {
    "invoicing": {"mode": "on_delivery", "payment_journal": "Amazon Payments"},
    "settlements": {"mode": "post"},
}
JOB = "settlements"


class Books:
    """A seller's settlements at Amazon and in Odoo."""

    def __init__(self, here: MemoryShop) -> None:
        self.bridge, self.shop, self.world = here.bridge, here.shop, here.world

    @property
    def money(self) -> Money:
        return self.bridge.simulator.money

    @property
    def setup(self) -> SettlementSetup:
        context = self.bridge.app.context(self.bridge.app.config.accounts[0])
        assert context.setup.settlement
        return context.setup.settlement

    def ship(self, number: int = 1) -> list[Order]:
        """FBA orders, shipped, and in Odoo with paid invoices."""
        orders = [
            self.world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
            for _ in range(number)
        ]
        self.bridge.clock.advance(minutes=10)
        counts = self.bridge.sync("orders")
        assert "error" not in counts, counts
        return orders

    def close(self, **options: Any) -> Settlement:
        self.bridge.clock.advance(minutes=10)
        settlement = self.money.close(**options)
        self.bridge.clock.advance(minutes=10)
        return settlement

    def sync(self) -> dict[str, Any]:
        counts = self.bridge.sync(JOB)
        assert "error" not in counts, counts
        return counts

    def lines(self, settlement_id: str) -> list[dict[str, Any]]:
        """The lines of a settlement's entries."""
        domain = [("move_id.ref", "=like", f"settlement_{settlement_id}_%")]
        fields = ["name", "account_id", "amount_currency", "balance", "reconciled", "parent_state"]
        lines = self.shop.search("account.move.line", domain, fields)
        names = self._account_names({line["account_id"][0] for line in lines})
        return [line | {"account_id": names[line["account_id"][0]]} for line in lines]

    def _account_names(self, ids: set[int]) -> dict[int, tuple[int, str]]:
        """Ids, with codes and names: over the API Odoo 19 shows names only."""
        domain = [("id", "in", sorted(ids))]
        rows = self.shop.search("account.account", domain, ["code", "name"])
        return {row["id"]: (row["id"], f"{row['code']} {row['name']}") for row in rows}

    def sums(self, settlement_id: str) -> dict[str, Decimal]:
        """Balances by account, in the settlement's currency."""
        sums: dict[str, Decimal] = {}
        for line in self.lines(settlement_id):
            account = line["account_id"][1]
            amount = Decimal(str(round(line["amount_currency"], 2)))
            sums[account] = sums.get(account, Decimal()) + amount
        return {account: amount for account, amount in sums.items() if amount}

    def reasons(self, settlement_id: str) -> list[tuple[str, str]]:
        """Why orders are open: their ids and the reasons."""
        context = self.bridge.app.context(self.bridge.app.config.accounts[0])
        found = open_orders(context, settlement_id)
        return [(each.order_id, each.reason) for orders in found for each in orders]

    def state(self, settlement_id: str) -> str:
        """As people see it."""
        app = self.bridge.app
        entry = app.ledger.items.get(app.config.accounts[0].name, JOB, settlement_id)
        assert entry
        return state_of(entry)

    def tie(self, as_of: date | None = None) -> Tie:
        self.bridge.clock.advance(minutes=3)
        app = self.bridge.app
        [tie] = tie_out(app.context(app.config.accounts[0], dry_run=True), as_of)
        assert sum(tie.parts.values()) == tie.difference
        return tie


def add_rate(shop: Shop) -> None:
    """What a euro costs; the company's currency is the dollar."""
    known = [("name", "in", ["EUR", "USD"]), ("active", "in", [True, False])]
    currencies = shop.search("res.currency", known, ["name"])
    ids = {row["name"]: row["id"] for row in currencies}
    for name, rate in {"EUR": 0.8, "USD": 1.0}.items():
        values = {"name": "2026-01-01", "currency_id": ids[name], "rate": rate}
        if not shop.search("res.currency.rate", [("currency_id", "=", ids[name])], []):
            shop.rpc("res.currency.rate", "create", values)


@contextmanager
def booking(here: MemoryShop, **more: Any) -> Iterator[Books]:
    add_rate(here.shop)
    with here.bridge.configured(**{**ON, **more}):
        yield Books(here)
