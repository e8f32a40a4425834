"""The parts of the scenario, in their sequence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from amazon_bridge.app import App
from amazon_bridge.demo.shop import UNKNOWN_SKU, Shop
from amazon_bridge.demo.stage import FBA, Clock, quantities
from amazon_bridge.demo.timeline import Timeline
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.simulator import Simulator
from amazon_bridge.tables import add_row
from amazon_bridge.terminal import counted

_PAID_IN = "US"
"""The marketplace whose settlement is shown; its currency is that of the demo's company."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the parts are played with."""

    bridge: App
    shop: Shop
    amazon: Simulator
    clock: Clock
    timeline: Timeline

    def sync(self, job: str) -> dict[str, Counts]:
        """Run a job for all accounts.

        Raises:
            AccountError: A run failed.
        """
        counts = {}
        for account in self.bridge.accounts():
            counts[account.name] = self.bridge.runs.sync(account, job)
            if error := counts[account.name].error:
                raise AccountError(f"{account.name}, {job}: {error}")
        return counts


def import_orders(stage: Stage) -> None:
    """Orders of three days come in, for all accounts."""
    stage.timeline.part("Orders arrive")
    for account, counts in stage.sync("orders").items():
        stage.timeline.say(
            f"{account}: Amazon showed {counted(counts.seen, 'order')}. In Odoo now:"
            f" {counts.created}; left out: {counts.unchanged}; quarantined: {counts.quarantined}."
        )
    stage.timeline.show(_table(stage.shop.sale_orders()))


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table("Sale order", Column("Amazon order", no_wrap=True), "Shipped by", box=SIMPLE)
    for heading in ("Total", "Delivery"):
        table.add_column(heading, justify="right" if heading == "Total" else "left", no_wrap=True)
    for row in rows:
        total = f"{row['amount_total']:,.2f} {row['currency_id'][1]}"
        channel = "Amazon" if row["delivery_status"] == "full" else "you"
        delivery = {"full": "done", "pending": "ready"}.get(row["delivery_status"], "")
        add_row(table, row["name"], row["client_order_ref"], channel, total, delivery)
    return table


def ship_a_parcel(stage: Stage) -> None:
    """A delivery order is validated; Amazon gets its carrier and tracking reference."""
    stage.timeline.part("A parcel leaves")
    delivery = stage.shop.ship("DHL", "JJD000390007123456789")
    stage.timeline.say(f"{delivery} is validated in Odoo, with DHL and a tracking reference.")
    stage.sync("pickings")
    sent = json.loads(stage.amazon.received("confirmShipment")[-1].body)["packageDetail"]
    items = counted(len(sent["orderItems"]), "item")
    stage.timeline.say(
        f"Confirmed to Amazon: carrier {sent['carrierCode']}, tracking number"
        f" {sent['trackingNumber']}, {items}. It mails the buyer."
    )


def cancel_orders(stage: Stage) -> None:
    """An order is cancelled on Amazon, another one in Odoo."""
    shop, world, timeline = stage.shop, stage.amazon.world, stage.timeline
    timeline.part("Orders are cancelled")
    by_buyer, by_seller = shop.order_to_ship(), shop.order_to_ship(1)
    world.cancel(by_buyer["client_order_ref"])
    timeline.say(f"The buyer of {by_buyer['name']} cancels on Amazon.")
    stage.clock.advance(minutes=5)
    stage.sync("orders")
    timeline.say(f"Its state in Odoo is now '{shop.state(by_buyer['id'])}'.")
    shop.cancel(by_seller["id"])
    timeline.say(f"{by_seller['name']} is cancelled in Odoo.")
    for _ in range(2):  # sends the feed; reads its result
        stage.sync("cancellations")
        stage.clock.advance(minutes=5)
    status = world.order(by_seller["client_order_ref"]).status
    timeline.say(f"Its status on Amazon is now {status}.")


def mend_an_order(stage: Stage) -> None:
    """What the quarantine lists; a person does what it says, and the orders are retried."""
    stage.timeline.part("A person mends a quarantined order")
    items = stage.bridge.ledger.items
    for entry in items.quarantined():
        stage.timeline.say(f"{entry.display_key}: {entry.reason}")
        stage.timeline.add(f"→ {entry.remedy}")
    mended = [entry.key for entry in items.quarantined() if entry.kind == "unknown_sku"]
    stage.shop.enter_missing_product()
    stage.timeline.say(f"Somebody enters the product {UNKNOWN_SKU} in Odoo, and retries:")
    for key in mended:
        stage.timeline.add(f"amazon-bridge quarantine retry {key}")
        items.retry(key)
    stage.sync("orders")
    for row in stage.shop.sale_orders():
        if row["client_order_ref"] in mended:
            total = f"{row['amount_total']:,.2f} {row['currency_id'][1]}"
            stage.timeline.say(f"{row['client_order_ref']} is in Odoo: {row['name']}, {total}.")
    stage.timeline.say(f"{len(items.quarantined())} quarantined.")


def send_quantities(stage: Stage) -> None:
    """Quantities of listings follow Odoo's stock."""
    stage.timeline.part("Quantities go to Amazon")
    before = quantities(stage.amazon.world)
    for minutes in (2, 1, 16):  # for Amazon's report of listings; for `raise_after`; to read back
        stage.sync("stock")
        stage.clock.advance(minutes)
    table = Table("SKU", "Marketplace", "Shipped by", box=SIMPLE)
    for heading in ("On hand", "To leave", "On Amazon before", "Now"):
        table.add_column(heading, justify="right")
    for (sku, country), quantity in quantities(stage.amazon.world).items():
        shipped_by = "Amazon" if sku == FBA else "you"
        numbers = (*stage.shop.pieces(sku), before[sku, country], quantity)
        add_row(table, sku, country, shipped_by, *map(_number, numbers))
    stage.timeline.say("The stock in Odoo, and the quantities on Amazon before and now:")
    stage.timeline.show(table)
    stage.timeline.say(
        "Open orders, including those not yet in Odoo, and a buffer of 5 units are subtracted."
        " The listing that Amazon fulfils is not updated."
    )


def book_a_settlement(stage: Stage) -> None:
    """Amazon pays, and keeps its fees."""
    stage.timeline.part("Amazon pays")
    money = stage.amazon.money
    sold = next(e for e in money.book.events if e.market and e.market.country == _PAID_IN)
    money.refund(sold.order_id, Decimal("0.5"))
    money.fee("advertising", Decimal("-12.50"), country=_PAID_IN)
    settlement = money.close(currency=sold.account.currency, reserve=Decimal(10))
    stage.clock.advance(5)
    stage.sync("settlements")
    table = Table("Account", box=SIMPLE)
    for heading in ("Debit", "Credit"):
        table.add_column(heading, justify="right")
    for account, balance in stage.shop.balances(settlement.settlement_id).items():
        amount = f"{abs(balance):,.2f}"
        add_row(table, account, *((amount, "") if balance > 0 else ("", amount)))
    stage.timeline.show(table)
    stage.timeline.say(
        f"Settlement {settlement.settlement_id} is booked, to the cent: Amazon pays"
        f" {settlement.total:,.2f} {settlement.currency} on {settlement.deposit}, which the bank's"
        " line then matches. It keeps a reserve, and its fees."
    )


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


PARTS = (
    import_orders,
    ship_a_parcel,
    cancel_orders,
    mend_an_order,
    send_quantities,
    book_a_settlement,
)
