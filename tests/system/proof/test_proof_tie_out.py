"""On each day of a random history, Amazon's balance and Odoo's tie out: nothing is unexplained."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import memory_shop
import pytest
from figures import FIGURES, SEED, scaled
from memory_shop import MemoryShop
from settlement_shop import booking

from amazon_bridge.flows.settlements.reconcile import open_orders
from amazon_bridge.flows.settlements.tie_out import tie_out
from amazon_bridge.simulator import Line, Money, Order
from amazon_bridge.simulator.money.triples import NAMES

DAYS = scaled(20, 45)
STANDARD = "Standard Orders"
_DEBT = ("other-transaction", "other-transaction", "Debt adjustment against Standard Orders")
_ORDER = re.compile(r"\d{3}-\d{7}-\d{7}")
_HELD = ("adjustment", "commingling")
"""Types that a person should name first."""


class History:
    """What happens day by day; all of it follows from the seed."""

    def __init__(self, here: MemoryShop, seed: int) -> None:
        self.here, self.chance = here, random.Random(seed)
        self.orders: list[Order] = []
        settings = here.world.settings
        settings.defer_days = 7 * (seed % 2)
        settings.names_open_settlements = seed % 4 < 2
        settings.holds_payouts = seed % 3 == 0
        self.others = () if seed % 5 else ("Invoiced Orders",)
        """Types of further accounts of the seller."""

    @property
    def money(self) -> Money:
        return self.here.simulator.money

    def day(self, number: int) -> None:
        """Play a day, and let the bridge run in the evening."""
        for _ in range(self.chance.randint(0, 3)):
            self._sell()
            self.here.clock.advance(hours=1)
        if self.orders and self.chance.random() < 0.3:
            share = Decimal(self.chance.choice(("0.5", "1")))
            self.money.refund(self.chance.choice(self.orders).order_id, share)
        for _ in range(self.chance.randint(0, 2)):
            name = self.chance.choice([name for name in NAMES if name not in _HELD])
            account_type = self.chance.choice((STANDARD, *self.others))
            country = self.chance.choice(("FR", "DE"))
            self.money.fee(name, self._amount(), country=country, account_type=account_type)
        if number % 7 == 6:
            self._close(STANDARD)
        if number % 7 == 2:
            self._balance_accounts()
        self.here.clock.advance(hours=10)
        for job in ("orders", "settlements"):
            counts = self.here.bridge.sync(job)
            assert "error" not in counts, counts
        self.here.clock.advance(hours=10)

    def _sell(self) -> None:
        lines = [Line(shipping=Decimal("3.90"), quantity=self.chance.randint(1, 3))]
        country = self.chance.choice(("FR", "DE"))
        self.orders.append(self.here.world.place_order(country, lines, fulfilled_by="AMAZON"))

    def _balance_accounts(self) -> None:
        """Clear a debt of one account with the other one's money, and close that one."""
        for account_type in self.others:
            debt = abs(self._amount())
            self.money.fee(_DEBT, -debt)
            self.money.fee(_DEBT, debt, account_type=account_type)
            self._close(account_type)

    def _close(self, account_type: str) -> None:
        settlement = self.money.close(
            account_type=account_type,
            reserve=abs(self._amount()) if self.chance.random() < 0.5 else Decimal(0),
            deficit=self.chance.choice(("charge", "carry")),
        )
        if settlement.total > 0 and self.chance.random() < 0.2:
            self.here.clock.advance(minutes=30)
            self.money.fail_payout(settlement.settlement_id)

    def _amount(self) -> Decimal:
        return Decimal(self.chance.randint(-3000, 3000)) / 100


@contextmanager
def opened(folder: Path, seed: int) -> Iterator[History]:
    with memory_shop.opened(folder, seed) as here, booking(here):
        yield History(here, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [SEED + 9, *range(SEED, SEED + scaled(0, 30))])
def test_each_day_ties_out(tmp_path: Path, seed: int) -> None:
    with opened(tmp_path, seed) as history:
        here = history.here
        for number in range(DAYS):
            history.day(number)
            app = here.bridge.app
            context = app.context(app.accounts("acme")[0])
            yesterday = (here.clock() - timedelta(days=1)).date()
            for ties in (tie_out(context), tie_out(context, yesterday)):
                for tie in ties:
                    assert sum(tie.parts.values()) == tie.difference
                    assert tie.parts["unknown"] == 0, (number, ties)
                FIGURES["days that tie out"] += 1
        assert not here.bridge.quarantine("settlements")
        _check_reconciled(here)


def _check_reconciled(here: MemoryShop) -> None:
    """Each sale of a settlement has met the payment of its invoice, or it says why not."""
    context = here.bridge.app.context(here.bridge.app.accounts("acme")[0])
    setup = context.setup.settlement
    assert setup
    of_orders = [("account_id", "=", setup.owed.account_id), ("journal_id", "=", setup.journal_id)]
    lines = here.shop.search("account.move.line", of_orders, ["name", "reconciled"])
    sales = {line["name"]: line["reconciled"] for line in lines if _ORDER.fullmatch(line["name"])}
    reasons = {each.order_id: each.reason for some in open_orders(context) for each in some}
    assert {order_id for order_id, is_done in sales.items() if not is_done} <= reasons.keys()
    FIGURES["sales of settlements"] += len(sales)
    FIGURES["sales reconciled with their payments"] += sum(sales.values())
    assert sum(sales.values()) >= Decimal("0.999") * len(sales), reasons
