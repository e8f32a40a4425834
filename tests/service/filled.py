"""Job runners that never run, with a state store in which something happened: for what shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from amazon_bridge.amazon.finances import Balances
from amazon_bridge.app import App
from amazon_bridge.config import load
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Event, Seen
from amazon_bridge.engine.stock_records import Comparison, SkuState
from amazon_bridge.flows.settlements.memo import JOB, TIES, SettlementMemo
from amazon_bridge.flows.settlements.ties import InOdoo, Tie
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.scheduler import scheduled_jobs

NOW = datetime(2026, 11, 23, 14, 37, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FR = "A13V1IB3VIYZZH"
CREDENTIALS = "credentials: {client_id: amzn-client, client_secret: sesame, refresh_token: tokens}"
CONFIG = f"""
odoo: {{url: https://erp.example.com, database: prod, login: bridge, password: open-sesame}}
accounts:
  - {{name: acme-eu, seller_id: A1, marketplaces: [FR, DE, IT, ES], {CREDENTIALS}}}
  - {{name: acme-us, seller_id: A2, marketplaces: [US, CA], {CREDENTIALS}}}
  - {{name: acme-jp, seller_id: A3, marketplaces: [JP], {CREDENTIALS}}}
"""
CLAIMED = ItemError(
    "internal_error", "It holds <script>alert(1)</script> & more.", "Say 'no' to \"<b>\"."
)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def idle_runner(folder: Path, more: str = "") -> tuple[JobRunner, Clock]:
    """Nothing has happened yet."""
    path = folder / "bridge.yaml"
    path.write_text(CONFIG + more)
    clock = Clock()
    runner = JobRunner(clock)
    runner.app = App(load(path, {}), clock=clock)
    runner.scheduler.planned = scheduled_jobs(runner.app.config)
    return runner, clock


def succeed(runner: JobRunner, account: str, job: str, error: str | None = None) -> None:
    """A run of a job; with an error it fails."""
    runner.monitor.begin((account, job))
    runner.monitor.end((account, job), Counts(error=error))


SENDING = "defaults: {stock: {push: true}}\n"
"""Accounts whose quantities are sent."""

BOOKING = (
    "defaults: {stock: {push: true}, invoicing: {payment_journal: Amazon},"
    " settlements: {mode: post}}\n"
)
"""Accounts whose settlements are booked, too."""


def book(ledger: Ledger, account: str) -> None:
    """A settlement that is booked, and the comparisons of three days."""
    memo = SettlementMemo(
        starts=NOW - 16 * 24 * HOUR,
        ends=NOW - 2 * 24 * HOUR,
        deposit=NOW.date(),
        total=Decimal("1234.56"),
        currency="EUR",
        entries=("settlement_17654321012_202611_1",),
        posted=True,
    )
    ledger.items.file(account, JOB, [Seen("17654321012", "17654321012")])
    ledger.items.settle(account, JOB, "17654321012", "17654321012", memo=memo)
    for days, owed in ((3, "100.00"), (2, "80.00"), (1, "90.00")):
        day = (NOW - days * 24 * HOUR).date()
        parts = {"open_statement": Decimal(-5), "unknown": Decimal(owed) - 95}
        tie = Tie(day, "EUR", "", Balances(Decimal(owed)), InOdoo(Decimal(100)), parts)
        ledger.items.file(account, TIES, [Seen(f"{day} EUR", "EUR")])
        ledger.items.settle(account, TIES, f"{day} EUR", "EUR", memo=tie)


def events_of(hour: int) -> list[Event]:
    """What happens to an account's orders in an hour."""
    imported = [
        Event(
            "imported", "MERCHANT" if n % 3 else "AMAZON", (3 + n * (1 if n % 3 else 90)) * MINUTE
        )
        for n in range(hour * 7 % 23)
    ]
    confirmed = [Event("confirmed", "MERCHANT", n * n * 5 * MINUTE) for n in range(hour * 5 % 13)]
    return [*imported, *confirmed, *([Event("cancelled", "MERCHANT")] if hour % 9 == 4 else [])]


def busy_runner(folder: Path, more: str = "") -> JobRunner:
    """Days of orders, one of them quarantined, something pending, one account of three failing."""
    runner, clock = idle_runner(folder, more)
    ledger = runner.app.ledger
    for hours in range(72):
        clock.now = NOW - hours * HOUR
        if 7 < clock.now.hour < 23:
            ledger.statistics.count("acme-eu", events_of(hours))
        ledger.statistics.count("acme-us", events_of(hours * 5 % 72)[::4])
    clock.now = NOW - 5 * HOUR
    for account in runner.app.config.accounts:
        ledger.cursors.set(account.name, clock.now)
    late = Seen("403-1182736-5518731", "", due=NOON, marketplace=FR)
    ledger.items.file("acme-eu", "orders", [late])
    ledger.items.quarantine("acme-eu", "orders", late.key, CLAIMED)
    ledger.items.file("acme-eu", "pickings", [Seen("403-1#231", "1", label="WH/OUT/00231")])
    states = {"MUG": SkuState.EQUAL, "HAT": SkuState.SENT, "BAG": SkuState.UNPROVEN}
    book(ledger, "acme-eu")
    ledger.stock.note_comparisons("acme-eu", [Comparison(sku, s) for sku, s in states.items()])
    clock.now = NOW - timedelta(minutes=3)
    for entry in runner.scheduler.planned:
        failing = entry.key == ("acme-us", "orders")
        succeed(runner, *entry.key, error="Amazon refuses the account." if failing else None)
    runner.watch("Odoo", "login", None, 0.3)
    runner.watch("acme-us", "searchOrders", Transient("searchOrders got no response."), 30)
    runner.availability.mark_down("acme-us")
    clock.now = NOW
    return runner
