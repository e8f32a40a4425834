"""What to confirm of a delivery order, and when: pure rules."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum, auto

from amazon_bridge.amazon.shipments import Carrier, carrier_for
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.orders.memo import Memo as OrderMemo
from amazon_bridge.flows.shipments.left import check_enough_left, units_left
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order, Package, Shipment
from amazon_bridge.odoo.delivery_orders import DeliveryOrder
from amazon_bridge.odoo.shipped_goods import Goods


class ShipmentOutcome(StrEnum):
    """Result of processing a delivery order."""

    SENT = auto()
    """The confirmation was sent, and Amazon accepted it."""
    CONFIRMED = auto()
    """Amazon shows the package."""
    ELSEWHERE = auto()
    """Amazon counts the units as shipped: somebody else confirmed them, as in Seller Central."""
    NOTHING = auto()
    """Nothing that Amazon sold left with it."""
    PENDING = auto()
    """Amazon doesn't show the package yet."""
    CANCELLED = auto()
    """It was cancelled in Odoo; what is still open on Amazon was looked up."""


@dataclass(frozen=True, slots=True)
class ShipmentTask:
    """A delivery order to confirm to Amazon, or to read back."""

    delivery: DeliveryOrder
    memo: OrderMemo
    goods: Goods = field(default_factory=Goods)
    """Read from Odoo only when the task is due."""

    @property
    def key(self) -> str:
        return self.delivery.key

    @property
    def is_finished(self) -> bool:
        """It was cancelled in Odoo, and nothing of its order is open on Amazon."""
        finished = {FulfillmentStatus.SHIPPED, FulfillmentStatus.CANCELLED}
        return self.delivery.is_cancelled and self.memo.status in finished

    @property
    def needs_order(self) -> bool:
        """What left can be decided only with the order as Amazon shows it now."""
        shipped = self.goods.shipped
        unknown = any(each.quantity is None for each in shipped)
        # Such as three pieces of a unit of six: the rest may stay open on Amazon.
        is_incomplete = bool(self.goods.pieces) and self.goods.is_last and not shipped
        return bool(self.delivery.statement or self.goods.loose) or unknown or is_incomplete


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about a delivery order, given what Amazon shows."""

    outcome: ShipmentOutcome | None
    """None: confirm ``units``."""
    units: Mapping[str, int] = field(default_factory=dict)
    """Units by order item id that left and that Amazon accepts."""
    surplus: Mapping[str, int] = field(default_factory=dict)
    """Units by order item id that left, and that Amazon neither accepts nor counts as shipped."""
    package: Package | None = None
    """The delivery order's own package, if Amazon shows it already."""


# Which are due


def is_open(delivery: DeliveryOrder, entry: Entry | None) -> bool:
    """True unless it is settled or quarantined, and unchanged since."""
    if entry is None or entry.state == State.PENDING:
        return True
    if entry.state == State.DONE:
        progress = ShipmentProgress.read(entry)
        return is_correction(delivery, progress) or is_outdated(delivery, progress)
    return entry.fingerprint != fingerprint(delivery)


def is_correction(delivery: DeliveryOrder, progress: ShipmentProgress | None) -> bool:
    """True if the carrier or tracking reference was changed after it was sent to Amazon."""
    if progress is None or progress.sent_label is None or delivery.lacks:
        return False
    return progress.sent_label != label_digest(delivery)


def is_outdated(delivery: DeliveryOrder, progress: ShipmentProgress | None) -> bool:
    """True if what left may differ from what was recorded.

    A person has stated it since, or Odoo was restored from a backup and lost an earlier delivery
    with the same id and order.
    """
    if progress is None:
        return False
    done_again = progress.done not in {None, delivery.done}
    return done_again or bool(delivery.statement and progress.stated != statement_digest(delivery))


def fingerprint(delivery: DeliveryOrder) -> str:
    """Digest of what a person can correct after Amazon refused it, or when it is unclear."""
    label = (delivery.carrier, delivery.tracking_reference)
    text = "\n".join(map(str, (*label, delivery.statement, delivery.done)))
    return hashlib.sha256(text.encode()).hexdigest()


def statement_digest(delivery: DeliveryOrder) -> str | None:
    """Digest of a person's statement of what left; None without a statement."""
    if delivery.statement is None:
        return None
    return hashlib.sha256(delivery.statement.encode()).hexdigest()[:16]


def label_digest(delivery: DeliveryOrder) -> str:
    """Digest of the carrier and the first tracking reference, which are sent to Amazon."""
    text = "\n".join([delivery.carrier or "", *delivery.tracking_references[:1]])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_foreign(memo: OrderMemo | None) -> bool:
    """True for orders of other accounts, and for those that Amazon ships."""
    return memo is None or memo.fulfilled_by == FulfilledBy.AMAZON


def is_ready(task: ShipmentTask, progress: ShipmentProgress) -> bool:
    """True if it can be confirmed, if somebody else has confirmed it, or if it was cancelled."""
    if task.delivery.is_cancelled:
        return True
    if progress.stage == Stage.SENT:
        return is_correction(task.delivery, progress) or is_outdated(task.delivery, progress)
    return not task.delivery.lacks or task.memo.status == FulfillmentStatus.SHIPPED


# What to confirm


def plan(task: ShipmentTask, order: Order, *, was_sent: bool = True) -> Plan:
    """Decide what to do about a delivery order that may have been confirmed already.

    Args:
        task: the delivery order.
        order: as Amazon shows it now.
        was_sent: the bridge may have sent a package with its reference. Else only the tracking
            reference proves that the package is the delivery order's.

    Raises:
        ItemError: the order is cancelled on Amazon, it is unclear what left, less left than was
            confirmed, or somebody else used the package reference.
    """
    package = package_of(task, order)
    is_labelled = bool(task.delivery.tracking_references)
    if package and is_labelled and not was_sent and not _has_reference(package, task.delivery):
        return _plan_with_taken_reference(task, order, package)
    if package:
        check_statement(task, order)
        units = _units_lacking(task, order, package)
        return Plan(None if units else ShipmentOutcome.CONFIRMED, units, package=package)
    _check_not_cancelled(order)
    units = units_left(task.delivery, task.goods, order)
    open_ = open_units(order)
    taken = {item: min(number, open_.get(item, 0)) for item, number in units.items()}
    surplus = _surplus(task, order, units, taken)
    if any(taken.values()):
        return Plan(None, {item: number for item, number in taken.items() if number}, surplus)
    return Plan(ShipmentOutcome.ELSEWHERE if units else ShipmentOutcome.NOTHING, surplus=surplus)


def _plan_with_taken_reference(task: ShipmentTask, order: Order, package: Package) -> Plan:
    """Plan for a delivery order whose package reference somebody else has used.

    Raises:
        ItemError: as ``plan``; ``reference_taken`` if the package would have to be overwritten.
    """
    others = tuple(each for each in order.packages if each != package)
    same = [p for p in others if p.tracking_number and _has_reference(p, task.delivery)]
    if same:
        return Plan(ShipmentOutcome.ELSEWHERE, surplus=_beyond(task, order, same))
    todo = plan(task, replace(order, packages=others))
    if todo.outcome is not None:
        return todo
    raise ItemError(
        "reference_taken",
        f"Amazon has a package with the reference {package.package_reference_id} of"
        f" {task.delivery.name} in this order, with another tracking reference, which the bridge"
        " didn't send: it would be overwritten.",
        "If it is another parcel, confirm this one in Seller Central; if it is the same one,"
        " correct the tracking reference there or on the delivery order. Then: amazon-bridge"
        " quarantine retry.",
    )


def _beyond(task: ShipmentTask, order: Order, packages: Sequence[Package]) -> dict[str, int]:
    """Units that left and that the packages don't hold; empty if Amazon shows no quantities."""
    if not all(package.quantities for package in packages):
        return {}
    held: Counter[str] = Counter()
    for package in packages:
        held.update(dict(package.quantities))
    return dict(Counter(units_left(task.delivery, task.goods, order)) - held)


def check_statement(task: ShipmentTask, order: Order) -> None:
    """Check that a person doesn't state that less left than the package holds.

    Raises:
        ItemError: ``told_too_much``, or ``goods_unclear``.
    """
    package = package_of(task, order)
    if package and package.status != "CANCELLED":
        check_enough_left(task.delivery, task.goods, order, dict(package.quantities))


def _units_lacking(task: ShipmentTask, order: Order, package: Package) -> dict[str, int]:
    """Units the package should hold, if it holds less than what left and Amazon accepts more.

    A person states that more left, or Odoo was restored from a backup and a delivery order was
    done again with more goods.

    Returns:
        Units by order item id; empty if the package lacks nothing.
    """
    unclear = task.needs_order and not task.delivery.statement
    if unclear or not package.quantities:
        return {}
    held, open_ = dict(package.quantities), open_units(order)
    units = units_left(task.delivery, task.goods, _without(order, held))
    target = {item: min(n, held.get(item, 0) + open_.get(item, 0)) for item, n in units.items()}
    is_lacking = any(number > held.get(item, 0) for item, number in target.items())
    return held | {i: max(n, held.get(i, 0)) for i, n in target.items()} if is_lacking else {}


def _without(order: Order, held: Mapping[str, int]) -> Order:
    """The order as it was before Amazon had a package with these units."""
    items = (
        replace(item, quantity_fulfilled=item.quantity_fulfilled - held.get(item.order_item_id, 0))
        for item in order.items
    )
    return replace(order, items=tuple(items))


def _check_not_cancelled(order: Order) -> None:
    if order.status == FulfillmentStatus.CANCELLED:
        raise ItemError(
            "cancelled_on_amazon",
            "The order is cancelled on Amazon, but its goods have left.",
            "Stop the parcel or bring the goods back: the buyer doesn't pay for them.",
        )


def package_of(task: ShipmentTask, order: Order) -> Package | None:
    """The delivery order's package, if Amazon shows it."""
    reference = str(task.delivery.id)
    return next((p for p in order.packages if p.package_reference_id == reference), None)


def open_units(order: Order) -> dict[str, int]:
    """Units by order item id that Amazon still accepts."""
    fulfilled = fulfilled_units(order)
    return {
        item.order_item_id: max(0, min(item.quantity - fulfilled[item.order_item_id], unfulfilled))
        for item in order.items
        for unfulfilled in (
            item.quantity if item.quantity_unfulfilled is None else item.quantity_unfulfilled,
        )
    }


def fulfilled_units(order: Order) -> dict[str, int]:
    """Units by order item id that Amazon counts as shipped."""
    figures = {item.order_item_id: item.quantity_fulfilled for item in order.items}
    if order.status == FulfillmentStatus.SHIPPED and not any(figures.values()):
        return {item.order_item_id: item.quantity for item in order.items}
    return figures


def _surplus(
    task: ShipmentTask, order: Order, units: Mapping[str, int], taken: Mapping[str, int]
) -> dict[str, int]:
    """Units that left with this delivery order and that Amazon will not count as shipped.

    Units that Amazon doesn't accept may be those that it counts already, unless these left before
    Odoo had the order. If Amazon accepts nothing, the delivery order may be only for the books.

    Args:
        task: the delivery order.
        order: as Amazon shows it now.
        units: that left, by order item id.
        taken: units that Amazon accepts, by order item id.

    Returns:
        Units by order item id.
    """
    fulfilled, shipped = fulfilled_units(order), {s.order_item_id: s for s in task.goods.shipped}
    before = _shipped_before(task) if any(taken.values()) else {}
    surplus = {}
    for item, number in units.items():
        known = shipped[item].quantity or 0 if item in shipped else 0
        gone = task.goods.gone.get(item, 0) + number - known
        counted = max(fulfilled.get(item, 0) - before.get(item, 0), 0)
        beyond = gone - counted - taken[item]
        if (beyond := min(beyond, number - taken[item])) > 0:
            surplus[item] = beyond
    return surplus


def _shipped_before(task: ShipmentTask) -> dict[str, int]:
    return {item.order_item_id: item.shipped_before for item in task.memo.items or ()}


def still_open(task: ShipmentTask, order: Order) -> dict[str, int]:
    """Units by order item id still open on Amazon, if no delivery is open in Odoo any more."""
    if not task.goods.is_last or order.status == FulfillmentStatus.CANCELLED:
        return {}
    ordered = {item.order_item_id: item.quantity for item in order.items}
    open_ = {
        item: min(number, ordered[item] - task.goods.gone.get(item, 0))
        for item, number in open_units(order).items()
    }
    return {item: number for item, number in open_.items() if number > 0}


def shipment_of(
    task: ShipmentTask, units: Mapping[str, int], carriers: Mapping[str, str], now: datetime
) -> Shipment:
    """Return the confirmation of these units, with the first of several tracking references.

    The ship date is when the delivery order was done, limited to between the order date and now:
    confirmShipment accepts no other.
    """
    delivery = task.delivery
    carrier = carrier_of(delivery, carriers)
    return Shipment(
        order_id=delivery.order_id,
        marketplace_id=task.memo.marketplace_id,
        package_reference_id=str(delivery.id),
        carrier_code=carrier.code,
        carrier_name=carrier.name,
        shipping_method=carrier.method,
        tracking_number=delivery.tracking_references[0],
        ship_date=max(delivery.ordered, min(delivery.done, now)),
        quantities=tuple(units.items()),
    )


def carrier_of(delivery: DeliveryOrder, carriers: Mapping[str, str]) -> Carrier:
    """The carrier as sent to Amazon; ``carriers`` is the account's configured mapping."""
    return carrier_for(*delivery.carrier_names, mapping=carriers)


def is_shown(task: ShipmentTask, order: Order, progress: ShipmentProgress) -> bool:
    """True if Amazon shows what was sent last: the package, or its corrected reference.

    Raises:
        ItemError: the order is cancelled on Amazon.
    """
    package = package_of(task, order)
    if package is None:
        _check_not_cancelled(order)
        return order.status == FulfillmentStatus.SHIPPED and not progress.corrects
    return not progress.corrects or _has_reference(package, task.delivery)


def _has_reference(package: Package, delivery: DeliveryOrder) -> bool:
    """True if Amazon shows the delivery order's tracking reference, or none at all."""
    on_amazon = "".join(filter(str.isalnum, package.tracking_number or "")).casefold()
    sent = ("".join(filter(str.isalnum, each)) for each in delivery.tracking_references[:1])
    return not on_amazon or on_amazon in {each.casefold() for each in sent}
