"""What is to be done about an order that was cancelled in Odoo: the rules, pure."""

from dataclasses import replace
from datetime import UTC, datetime

import examples
import pytest

from amazon_bridge.engine.codec import encode
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import (
    CancellationTask,
    Resolution,
    decide,
    error_of_deleted,
    tagged_reason,
)
from amazon_bridge.flows.cancellations.memo import Memo
from amazon_bridge.model import Cancellation, FulfillmentStatus, Item, Order, Package
from amazon_bridge.odoo.sales import Delivery

MOMENT = datetime(2026, 11, 20, tzinfo=UTC)
ITEMS = tuple(Item(number, 1, "MUG-RED", None, None, ()) for number in ("11", "12"))
ORDER = replace(examples.ORDER, fulfilled_by=None, items=ITEMS)
SALE_ORDER = replace(examples.SALE_ORDER, state="cancel", line_ids=(1, 2))
TASK = CancellationTask(SALE_ORDER, (), shipped_by_amazon=False)
GONE = Delivery(1, "WH/OUT/00001", "done", outgoing=True, location_id=5)
PARCEL = Package("1", "DHL", "JD1", (("11", 1),))


def decided(
    task: CancellationTask = TASK, order: Order = ORDER, feeds: int = 0
) -> Cancellation | Resolution | ItemError:
    return decide(task, order, reason="NoInventory", feeds=feeds)


def with_status(status: FulfillmentStatus) -> Order:
    return replace(ORDER, status=status)


@pytest.mark.parametrize(
    ("task", "order"),
    [
        (replace(TASK, shipped_by_amazon=True), ORDER),
        (replace(TASK, sale_order=replace(SALE_ORDER, deliveries=(GONE,))), ORDER),
        (TASK, with_status(FulfillmentStatus.SHIPPED)),
        (TASK, with_status(FulfillmentStatus.PARTIALLY_SHIPPED)),
        (TASK, replace(ORDER, packages=(PARCEL,))),
    ],
    ids=["FBA", "goods left", "shipped there", "partly shipped there", "a package"],
)
def test_what_has_shipped_needs_a_person(task: CancellationTask, order: Order) -> None:
    error = decided(task, order)
    assert isinstance(error, ItemError)
    assert (error.kind, "S00001" in error.reason) == ("needs_attention", True)
    # unless Amazon has cancelled it, too
    cancelled = replace(order, status=FulfillmentStatus.CANCELLED)
    resolution = decided(task, cancelled)
    assert isinstance(resolution, Resolution)
    assert (resolution.state, resolution.note) == (State.DONE, tell.ALREADY_CANCELLED)
    assert decided(task, cancelled, feeds=1) == replace(resolution, note=tell.ACCEPTED)


def test_an_order_that_is_not_paid_yet_is_not_cancellable() -> None:
    error = decided(order=with_status(FulfillmentStatus.PENDING))
    assert isinstance(error, ItemError)
    assert error.kind == "not_cancellable"


@pytest.mark.parametrize(
    ("requested", "tags", "expected"),
    [
        ((), (), {"11": "NoInventory", "12": "NoInventory"}),
        (("11", "12"), (), {"11": "BuyerCanceled", "12": "BuyerCanceled"}),
        (("12",), (), {"11": "NoInventory", "12": "BuyerCanceled"}),
        (("11",), ("Pricing error",), {"11": "PricingError", "12": "PricingError"}),
    ],
)
def test_amazon_is_notified_that_the_buyer_asked(
    requested: tuple[str, ...], tags: tuple[str, ...], expected: dict[str, str]
) -> None:
    items = (replace(i, buyer_requested_cancellation=i.order_item_id in requested) for i in ITEMS)
    cancellation = decided(replace(TASK, tags=tags), replace(ORDER, items=tuple(items)))
    assert isinstance(cancellation, Cancellation)
    reasons = dict.fromkeys(cancellation.order_item_ids, cancellation.reason) | dict(
        cancellation.item_reasons
    )
    assert reasons == expected


@pytest.mark.parametrize("status", FulfillmentStatus)
def test_a_deleted_sale_order_is_settled_only_when_amazon_has_cancelled_it(
    status: FulfillmentStatus,
) -> None:
    error = error_of_deleted(with_status(status))
    assert (error is None) is (status == FulfillmentStatus.CANCELLED)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ((), None),
        (("Urgent",), None),
        (("Urgent", "Customer exchange", "PricingError"), "CustomerExchange"),
        (("BUYER-CANCELED",), "BuyerCanceled"),
        (("shipping_address undeliverable!",), "ShippingAddressUndeliverable"),
    ],
)
def test_a_tag_gives_the_reason(tags: tuple[str, ...], reason: str | None) -> None:
    assert tagged_reason(tags) == reason


@pytest.mark.parametrize(
    ("text", "memo"),
    [
        (None, None),
        ("{}", Memo()),
        (encode(Memo(feeds=1)), Memo(feeds=1)),
        (encode(Memo(passed_brake=True, feeds=3)), Memo(passed_brake=True, feeds=3)),
    ],
)
def test_the_memo_is_read_as_it_was_written(text: str | None, memo: Memo | None) -> None:
    entry = Entry(
        account="acme",
        job="cancellations",
        key=ORDER.order_id,
        fingerprint="cancelled",
        importable=False,
        state=State.PENDING,
        kind=None,
        reason=None,
        remedy=None,
        attempts=0,
        memo=text,
        first_seen=MOMENT,
        last_seen=MOMENT,
        last_tried=None,
        unanswered_since=None,
    )
    assert Memo.read(entry) == memo
    assert Memo.read(None) is None
