"""A seller whose settlements are booked in a real Odoo, and what the books have to show."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledgers import Sums, form_of, without_zeros
from memory_shop import MemoryBridge
from odoo_server.databases import OdooDatabase
from program import Program

from amazon_bridge.app import App
from amazon_bridge.odoo.setup import SettlementSetup
from amazon_bridge.simulator import (
    Expected,
    ManualClock,
    Money,
    Seller,
    Settlement,
    Simulator,
    World,
    random_ledger,
)

SETTINGS: Mapping[str, Any] = {
    "invoicing": {"payment_journal": "Amazon Payments"},
    "settlements": {"mode": "post"},
}
CURRENCY = "USD"
"""That of the tests' company."""


@dataclass
class Books:
    """One seller, with a world, a clock and a bridge of its own."""

    database: OdooDatabase
    money: Money
    simulator: Simulator
    clock: ManualClock
    seller: Seller
    program: Program
    bridge: MemoryBridge

    def random(self, seed: int, currency: str = CURRENCY, **plan: Any) -> list[Settlement]:
        """Random settlements, each in a report of its own."""
        given = {"all_types": True, "free_text": True, "publish": False} | plan
        settlements = random_ledger(self.money, seed, currency, seller=self.seller, **given)
        for number, settlement in enumerate(settlements, start=seed):
            self.money.publish(settlement.settlement_id, form=form_of(number))
        return settlements

    def sync(self, **options: Any) -> dict[str, Any]:
        counts = self.bridge.sync("settlements", **options)
        assert "error" not in counts, counts
        return counts

    @property
    def setup(self) -> SettlementSetup:
        app = self.bridge.app
        found = app.setup(app.accounts("acme")[0]).settlement
        assert found
        return found

    # What Odoo has

    def entries(self, settlement: Settlement) -> list[dict[str, Any]]:
        """The journal entries of a settlement, drafts included."""
        domain = [("ref", "=like", f"settlement_{settlement.settlement_id}%")]
        fields = ["ref", "state", "date", "line_ids"]
        rows: list[dict[str, Any]] = self.database.rpc(
            "account.move", "search_read", domain, fields, order="ref"
        )
        return rows

    def balances(self, settlements: Sequence[Settlement]) -> Mapping[int, Decimal]:
        """By account: the sum of the posted lines, in the settlements' currency."""
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for settlement in settlements:
            moves = [row["id"] for row in self.entries(settlement) if row["state"] == "posted"]
            domain, fields = [("move_id", "in", moves)], ["account_id", "amount_currency"]
            for row in self.database.rpc("account.move.line", "search_read", domain, fields):
                amount = Decimal(str(round(row["amount_currency"], 6)))
                sums[row["account_id"][0]] += amount
        return {account: amount for account, amount in sums.items() if amount}

    def expected(self, settlements: Sequence[Settlement]) -> Mapping[int, Decimal]:
        """What that has to be, from the simulator's ledger."""
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for settlement in settlements:
            expected = self.money.expected(settlement.settlement_id)
            for account, amount in _booked(expected, self.setup):
                sums[account] -= amount
        return {account: amount for account, amount in sums.items() if amount}

    def check(self, settlements: Sequence[Settlement]) -> None:
        """All are booked, once, to the cent."""
        assert self.balances(settlements) == self.expected(settlements)
        for settlement in settlements:
            rows = self.entries(settlement)
            assert {row["state"] for row in rows} == {"posted"}
            assert not [
                ref for ref, number in Counter(r["ref"] for r in rows).items() if number > 1
            ]
            self._check_orders(settlement)

    def _check_orders(self, settlement: Settlement) -> None:
        expected = self.money.expected(settlement.settlement_id)
        owed = _added(expected.owed_orders, expected.owed_refunds)
        assert without_zeros(self.owed(settlement)) == without_zeros(owed)

    def owed(self, settlement: Settlement) -> Sums:
        """What the account owed by Amazon has, by the order's id in the label."""
        moves = [row["id"] for row in self.entries(settlement)]
        account = ("account_id", "=", self.setup.owed.account_id)
        domain, fields = [("move_id", "in", moves), account], ["name", "amount_currency"]
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.database.rpc("account.move.line", "search_read", domain, fields):
            order_id = str(row["name"]).split()[0]
            sums[order_id] -= Decimal(str(round(row["amount_currency"], 6)))
        return sums


def _added(*many: Sums) -> Sums:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in many:
        for name, amount in one.items():
            sums[name] += amount
    return sums


def _booked(expected: Expected, setup: SettlementSetup) -> Iterator[tuple[int, Decimal]]:
    """Account and amount of each category, as the file has it: what Amazon owes is positive."""
    owed = (*expected.owed_orders.values(), *expected.owed_refunds.values())
    yield setup.owed.account_id, sum(owed, Decimal(0))
    yield setup.facilitator.account_id, expected.facilitator
    yield setup.in_transit.account_id, -expected.payout
    for category, amount in expected.categories.items():
        if category not in ("order", "refund", "facilitator tax"):
            yield setup.target(category).account_id, amount


@contextmanager
def opened(
    folder: Path,
    database: OdooDatabase,
    seed: int,
    *,
    countries: Sequence[str] = ("US",),
    make_app: Callable[..., App] = App,
    **settings: Any,
) -> Iterator[Books]:
    """A seller in a world of its own; settlements of other seeds have other ids."""
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
    world = World(clock, seed=seed)
    world.settings.rate_multiplier = 1_000_000
    folder.mkdir(parents=True, exist_ok=True)
    with Simulator(world) as simulator:
        seller = world.add_seller(f"A1BOOKS{seed}", countries)
        program = Program(folder, database, simulator)
        program.start = clock()
        program.add_account(seller, **{**SETTINGS, **settings})
        bridge = MemoryBridge(program, clock, make_app)
        yield Books(database, simulator.money, simulator, clock, seller, program, bridge)
        bridge.close()
