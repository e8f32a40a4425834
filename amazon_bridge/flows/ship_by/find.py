"""Collects the orders to ship from the state store, with their deliveries in Odoo."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.cancellations import CANCELLATIONS
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.flows.ship_by.decide import Obstacle, OrderToShip
from amazon_bridge.flows.shipments import SHIPMENTS
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.model import FulfilledBy, FulfillmentStatus
from amazon_bridge.odoo.open_deliveries import OpenDelivery, open_deliveries
from amazon_bridge.odoo.session import OdooSession

_AMAZON_IS_SLOW = timedelta(hours=2)
"""Amazon may show an order as not shipped for this long after the confirmation."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The open delivery orders in Odoo, as they were at a moment."""

    by_order: Mapping[str, OpenDelivery]
    """By Amazon order id."""
    at: datetime


def read_deliveries(session: OdooSession, clock: Callable[[], datetime]) -> Deliveries:
    """Read the open delivery orders in Odoo.

    Raises:
        BridgeError: Odoo does not respond, or refuses it.
    """
    at = clock()
    return Deliveries(open_deliveries(session), at)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an account's orders."""

    ledger: Ledger
    deliveries: Deliveries | None
    until: datetime | None
    """Amazon's changes up to this moment are read."""

    def has_deliveries_of(self, entry: Entry) -> bool:
        """False if Odoo was not read since the order was processed last."""
        if self.deliveries is None:
            return False
        return entry.last_tried is None or entry.last_tried <= self.deliveries.at


def orders_to_ship(
    ledger: Ledger,
    accounts: Sequence[AccountConfig],
    account: AccountConfig,
    deliveries: Deliveries | None,
) -> list[OrderToShip]:
    """Return what an account has to ship, the most urgent first.

    An order counts until Amazon knows that it has left or was cancelled. Orders without a
    ship-by date don't count, nor do those of marketplaces that no account has any more.

    Args:
        ledger: the state store.
        accounts: all that are configured.
        account: one of them.
        deliveries: of all accounts; None if Odoo could not be read.
    """
    name = account.name
    due = [
        entry
        for entry in ledger.items.due(name, ORDERS.name)
        if _is_of_account(ledger, accounts, account, entry)
    ]
    known = _Known(ledger, deliveries, ledger.cursors.synced_until(name))
    by_order = deliveries.by_order if deliveries else {}
    found = [_order(known, entry, entry.due) for entry in due]
    keys = {entry.key for entry in due}
    found += [
        _order(known, entry, delivery.ship_by)
        for entry, delivery in _of_older_version(ledger, name, by_order, keys)
    ]
    return sorted(filter(None, found), key=lambda order: (order.ship_by, order.order_id))


def _is_of_account(
    ledger: Ledger, accounts: Sequence[AccountConfig], account: AccountConfig, entry: Entry
) -> bool:
    """False for an order whose marketplace the account lost, unless only the account knows it."""
    place = entry.marketplace
    if place is None or _has(account, place):
        return True
    sellers = (each for each in accounts if each.seller_id == account.seller_id)
    owner = next((each for each in sellers if _has(each, place)), None)
    return owner is not None and ledger.items.get(owner.name, ORDERS.name, entry.key) is None


def _has(account: AccountConfig, marketplace_id: str) -> bool:
    return marketplace_id in {each.marketplace_id for each in account.marketplaces}


def _of_older_version(
    ledger: Ledger, account: str, deliveries: Mapping[str, OpenDelivery], known: Collection[str]
) -> Iterator[tuple[Entry, OpenDelivery]]:
    """Yield open orders filed by a version of the bridge that kept no ship-by dates."""
    others = [order_id for order_id in deliveries if order_id not in known]
    for entry in ledger.items.without_marketplace(account, ORDERS.name, others):
        memo = Memo.read(entry)
        if memo and _was_open(memo):
            yield entry, deliveries[entry.key]


def _was_open(memo: Memo) -> bool:
    is_open = memo.status in {FulfillmentStatus.UNSHIPPED, FulfillmentStatus.PARTIALLY_SHIPPED}
    return is_open and memo.fulfilled_by == FulfilledBy.MERCHANT


def _order(known: _Known, entry: Entry, ship_by: datetime | None) -> OrderToShip | None:
    """Return None if its shipment or cancellation was confirmed to Amazon."""
    delivery = known.deliveries.by_order.get(entry.key) if known.deliveries else None
    state = _state(known, entry, delivery)
    if state is None or ship_by is None:
        return None
    obstacle, note = state
    return OrderToShip(
        account=entry.account,
        order_id=entry.key,
        ship_by=ship_by,
        obstacle=obstacle,
        note=note,
        marketplace_id=entry.marketplace or _marketplace_of(entry),
        delivery_id=delivery.id if delivery else None,
        delivery=delivery.name if delivery else None,
        sale_order_id=delivery.sale_order_id if delivery else entry.record,
    )


def _marketplace_of(entry: Entry) -> str | None:
    memo = Memo.read(entry)
    return memo.marketplace_id if memo else None


def _state(
    known: _Known, entry: Entry, delivery: OpenDelivery | None
) -> tuple[Obstacle, str] | None:
    """Return what keeps an order from leaving; None if it is settled on Amazon."""
    if entry.state is State.QUARANTINED:
        return Obstacle.QUARANTINED, f"in the quarantine ({entry.kind})"
    if delivery:
        return _open(delivery)
    if entry.state is State.PENDING and not entry.last_tried:
        return Obstacle.NOT_IMPORTED, "not imported yet"
    outbound = _outbound(known.ledger, entry)
    if open_ := _unconfirmed(outbound):
        return open_
    is_known = known.has_deliveries_of(entry)
    if _was_settled(known, outbound) and (is_known or not _is_partly_shipped(entry)):
        return None
    return _NO_DELIVERY if is_known else _unknown(known)


def _is_partly_shipped(entry: Entry) -> bool:
    memo = Memo.read(entry)
    return memo is not None and memo.status == FulfillmentStatus.PARTIALLY_SHIPPED


_NO_DELIVERY = Obstacle.NO_DELIVERY, "no open delivery order in Odoo"


def _unknown(known: _Known) -> tuple[Obstacle, str]:
    why = "has not been read in Odoo yet" if known.deliveries else "could not be read in Odoo"
    return Obstacle.UNKNOWN, f"its delivery order {why}"


def _open(delivery: OpenDelivery) -> tuple[Obstacle, str]:
    if delivery.has_stock:
        return Obstacle.NOTHING, f"{delivery.name}: stock is reserved"
    return Obstacle.NO_STOCK, f"{delivery.name}: stock is missing or not reserved"


def _unconfirmed(outbound: Sequence[Entry]) -> tuple[Obstacle, str] | None:
    """Return what is still to be confirmed to Amazon of an order, if anything."""
    for each in outbound:
        if _is_open(each):
            why = f" ({each.kind})" if each.kind else ""
            return Obstacle.NOT_CONFIRMED, f"{_what(each)}, not confirmed to Amazon yet{why}"
    return None


def _what(entry: Entry) -> str:
    is_cancelled = entry.job == CANCELLATIONS.name
    return "cancelled in Odoo" if is_cancelled else f"{entry.label or 'delivery order'} is done"


def _is_open(entry: Entry) -> bool:
    """True unless it was confirmed to Amazon, even if that is still to be read back."""
    return entry.state is State.QUARANTINED or (
        entry.state is State.PENDING and _sent(entry) is None
    )


def _sent(entry: Entry) -> datetime | None:
    """When the shipment was confirmed to Amazon."""
    progress = ShipmentProgress.read(entry) if entry.job == SHIPMENTS.name else None
    was_sent = progress and progress.stage is Stage.SENT and progress.sent_label
    return progress.since if progress and was_sent else None


def _was_settled(known: _Known, outbound: Sequence[Entry]) -> bool:
    """True if it was confirmed so recently that Amazon may still show the order as unshipped."""
    return any(
        known.until is None or at > known.until - _AMAZON_IS_SLOW
        for each in outbound
        if (at := _confirmed_at(each))
    )


def _confirmed_at(entry: Entry) -> datetime | None:
    """When a shipment or cancellation was confirmed to Amazon, if it was."""
    if entry.job == SHIPMENTS.name:
        return _sent(entry)
    return entry.last_tried if entry.state is State.DONE else None


def _outbound(ledger: Ledger, entry: Entry) -> list[Entry]:
    """The delivery orders and the cancellation of an order, as their jobs know them."""
    of_order = ledger.items.of_order(entry.key)
    jobs = {SHIPMENTS.name, CANCELLATIONS.name}
    return [each for each in of_order if each.account == entry.account and each.job in jobs]
