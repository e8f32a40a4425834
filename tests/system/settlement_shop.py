"""A seller whose settlements are booked: its money at Amazon, and its journal entries in Odoo."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from exchange_rates import add_rates
from memory_shop import MemoryShop

from amazon_bridge.flows.settlements.reconcile import open_orders
from amazon_bridge.flows.settlements.tell import state_of
from amazon_bridge.flows.settlements.tie_out import tie_out
from amazon_bridge.flows.settlements.ties import Tie
from amazon_bridge.odoo.setup import SettlementSetup, Target
from amazon_bridge.simulator import Expected, Money, Order, Settlement

ON: dict[str, Any] = {
    "invoicing": {"mode": "on_delivery", "payment_journal": "Amazon Payments"},
    "settlements": {"mode": "post"},
}
JOB = "settlements"
Key = TypeVar("Key", bound=Hashable)


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

    def sync(self, **options: Any) -> dict[str, Any]:
        """Run the job; each settlement that is quarantined must be in the log."""
        counts = self.bridge.sync(JOB, **options)
        assert "error" not in counts, counts
        assert len(self.bridge.logged("settlement_quarantined")) == counts.get("quarantined", 0)
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
            sums[account] = sums.get(account, Decimal()) + _amount(line)
        return dict(_without_zeros(sums))

    # What the simulator's ledger has

    def check(self, *settlements: Settlement) -> None:
        """All are booked and posted, once, to the cent: in all, and of each order."""
        assert self._posted(settlements) == self._expected(settlements)
        for settlement in settlements:
            rows = self.entries(settlement.settlement_id)
            assert {row["state"] for row in rows} == {"posted"}
            assert len({row["ref"] for row in rows}) == len(rows)
            assert self._owed(settlement) == _without_zeros(_owed(self._ledger(settlement)))

    def entries(self, settlement_id: str) -> list[dict[str, Any]]:
        """The journal entries of a settlement, drafts included."""
        domain = [("ref", "=like", f"settlement_{settlement_id}_%")]
        rows = self.shop.search("account.move", domain, ["ref", "state", "date", "line_ids"])
        return sorted(rows, key=lambda row: str(row["ref"]))

    def _ledger(self, settlement: Settlement) -> Expected:
        return self.money.expected(settlement.settlement_id)

    def _posted(self, settlements: Sequence[Settlement]) -> Mapping[int, Decimal]:
        """Balances by account, in the settlements' currency."""
        sums: defaultdict[int, Decimal] = defaultdict(Decimal)
        for settlement in settlements:
            for line in self.lines(settlement.settlement_id):
                if line["parent_state"] == "posted":
                    sums[line["account_id"][0]] += _amount(line)
        return _without_zeros(sums)

    def _expected(self, settlements: Sequence[Settlement]) -> Mapping[int, Decimal]:
        """What these have to be."""
        sums: defaultdict[int, Decimal] = defaultdict(Decimal)
        for settlement in settlements:
            for target, amount in _booked(self._ledger(settlement), self.setup):
                sums[target.account_id] -= amount
        return _without_zeros(sums)

    def _owed(self, settlement: Settlement) -> Mapping[str, Decimal]:
        """What the account owed by Amazon has, by the order's id in the label."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines(settlement.settlement_id):
            if line["account_id"][0] == self.setup.owed.account_id:
                sums[line["name"].split()[0]] -= _amount(line)
        return _without_zeros(sums)

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


def _amount(line: Mapping[str, Any]) -> Decimal:
    return Decimal(str(round(line["amount_currency"], 6)))


def _without_zeros(sums: Mapping[Key, Decimal]) -> Mapping[Key, Decimal]:
    return {key: amount for key, amount in sums.items() if amount}


def _owed(expected: Expected) -> Mapping[str, Decimal]:
    """What the settlement has of each order, its refunds included."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for of_orders in (expected.owed_orders, expected.owed_refunds):
        for order_id, amount in of_orders.items():
            sums[order_id] += amount
    return sums


def _booked(expected: Expected, setup: SettlementSetup) -> Iterator[tuple[Target, Decimal]]:
    """Account and amount of each category, as the file has it: what Amazon owes is positive."""
    yield setup.owed, sum(_owed(expected).values(), Decimal())
    yield setup.target("facilitator tax"), expected.facilitator
    yield setup.in_transit, -expected.payout
    for category, amount in expected.categories.items():
        if category not in {"order", "refund", "facilitator tax"}:
            yield setup.target(category), amount


@contextmanager
def booking(here: MemoryShop, **more: Any) -> Iterator[Books]:
    add_rates(here.shop.rpc)
    with here.bridge.configured(**{**ON, **more}):
        yield Books(here)
