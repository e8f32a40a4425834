"""Which step an order needs, by what Amazon shows and what exists in Odoo."""

from dataclasses import replace

import pytest
from examples import ORDER, SALE_ORDER
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.flows.orders.decide import Step, decide
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order
from amazon_bridge.odoo.sales import Delivery, SaleOrder

FBA_LOCATION, WAREHOUSE = 8, 5
AMAZON, MERCHANT = FulfilledBy.AMAZON, FulfilledBy.MERCHANT
Status = FulfillmentStatus


def delivery(state: str, location_id: int = WAREHOUSE, *, outgoing: bool = True) -> Delivery:
    return Delivery(1, "WH/OUT/00001", state, outgoing=outgoing, location_id=location_id)


def order(status: Status, fulfilled_by: FulfilledBy | None = MERCHANT) -> Order:
    return replace(ORDER, status=status, fulfilled_by=fulfilled_by)


def sale_order(state: str, *deliveries: Delivery) -> SaleOrder:
    return replace(SALE_ORDER, state=state, deliveries=deliveries)


def decided(order: Order, existing: SaleOrder | None, *, filed_before: bool = False) -> Step:
    return decide(order, existing, fba_location_id=FBA_LOCATION, filed_before=filed_before)


@pytest.mark.parametrize(
    ("status", "by_merchant", "by_amazon"),
    [
        (Status.PENDING_AVAILABILITY, Step.LEAVE_OUT, Step.LEAVE_OUT),
        (Status.PENDING, Step.LEAVE_OUT, Step.LEAVE_OUT),
        (Status.UNSHIPPED, Step.IMPORT, Step.LEAVE_OUT),
        (Status.PARTIALLY_SHIPPED, Step.IMPORT, Step.LEAVE_OUT),
        (Status.SHIPPED, Step.LEAVE_OUT, Step.IMPORT),
        (Status.CANCELLED, Step.LEAVE_OUT, Step.LEAVE_OUT),
        (Status.UNFULFILLABLE, Step.LEAVE_OUT, Step.LEAVE_OUT),
        (Status.OTHER, Step.UNCLEAR, Step.UNCLEAR),
    ],
)
def test_first_seen(status: Status, by_merchant: Step, by_amazon: Step) -> None:
    assert decided(order(status, MERCHANT), None) == by_merchant
    assert decided(order(status, AMAZON), None) == by_amazon
    assert decided(replace(order(status), sold_on_amazon=False), None) == Step.LEAVE_OUT


LIVE = {Status.UNSHIPPED, Status.PARTIALLY_SHIPPED, Status.SHIPPED}


@pytest.mark.parametrize("status", list(Status))
def test_amazon_does_not_say_who_ships_it(status: Status) -> None:
    """Nothing is left out for what Amazon doesn't say."""
    unclear = LIVE | {Status.OTHER}
    first_seen = Step.UNCLEAR if status in unclear else Step.LEAVE_OUT
    assert decided(order(status, None), None) == first_seen
    confirmed = sale_order("sale", delivery("assigned"))
    if status == Status.CANCELLED:
        assert decided(order(status, None), confirmed) == Step.CANCEL
    else:
        step = Step.NOTHING if status in LIVE else Step.UNCLEAR
        assert decided(order(status, None), confirmed) == step
        assert decided(order(status, None), sale_order("draft")) == Step.UNCLEAR


@pytest.mark.parametrize("status", [s for s in Status if s not in LIVE | {Status.CANCELLED}])
def test_an_imported_order_in_a_status_that_it_should_not_have(status: Status) -> None:
    for fulfilled_by in (MERCHANT, AMAZON, None):
        for existing in (sale_order("draft"), sale_order("sale", delivery("assigned"))):
            assert decided(order(status, fulfilled_by), existing) == Step.UNCLEAR
        assert decided(order(status, fulfilled_by), sale_order("cancel")) == Step.NOTHING


def test_shipped_by_the_merchant_before_it_could_be_imported() -> None:
    assert decided(order(Status.SHIPPED), None, filed_before=True) == Step.IMPORT
    assert decided(order(Status.CANCELLED), None, filed_before=True) == Step.LEAVE_OUT


@pytest.mark.parametrize(
    ("existing", "by_merchant", "by_amazon"),
    [
        (sale_order("draft"), Step.COMPLETE, Step.COMPLETE),
        (sale_order("sent"), Step.COMPLETE, Step.COMPLETE),
        (sale_order("draft", delivery("cancel")), Step.NOTHING, Step.NOTHING),
        (sale_order("sale", delivery("assigned")), Step.NOTHING, Step.NOTHING),
        (sale_order("sale", delivery("assigned", FBA_LOCATION)), Step.NOTHING, Step.COMPLETE),
        (sale_order("sale", delivery("confirmed", FBA_LOCATION)), Step.NOTHING, Step.COMPLETE),
        (sale_order("sale", delivery("done", FBA_LOCATION)), Step.NOTHING, Step.NOTHING),
        (sale_order("sale"), Step.NOTHING, Step.NOTHING),
        (sale_order("cancel"), Step.NOTHING, Step.NOTHING),
        (sale_order("cancel", delivery("cancel", FBA_LOCATION)), Step.NOTHING, Step.NOTHING),
    ],
)
def test_existing_sale_order(existing: SaleOrder, by_merchant: Step, by_amazon: Step) -> None:
    for status in (Status.UNSHIPPED, Status.PARTIALLY_SHIPPED, Status.SHIPPED):
        assert decided(order(status, MERCHANT), existing) == by_merchant
        assert decided(order(status, AMAZON), existing) == by_amazon


@pytest.mark.parametrize(
    ("existing", "step"),
    [
        (sale_order("draft"), Step.CANCEL),
        (sale_order("sale"), Step.CANCEL),
        (sale_order("sale", delivery("assigned")), Step.CANCEL),
        (sale_order("sale", delivery("done", outgoing=False)), Step.CANCEL),
        (sale_order("sale", delivery("done")), Step.HOLD),
        (sale_order("sale", delivery("done", FBA_LOCATION)), Step.HOLD),
        (sale_order("sale", delivery("done"), delivery("assigned")), Step.HOLD),
        (sale_order("cancel"), Step.NOTHING),
        (sale_order("cancel", delivery("done")), Step.NOTHING),
    ],
)
def test_cancelled_on_amazon(existing: SaleOrder, step: Step) -> None:
    assert decided(order(Status.CANCELLED), existing) == step
    assert decided(order(Status.CANCELLED, AMAZON), existing) == step


def test_a_manual_sale_order_is_left_alone() -> None:
    by_hand = replace(SALE_ORDER, made_by_bridge=False)
    for status in Status:
        assert decided(order(status), by_hand) == Step.NOT_OURS


# Of all combinations

DELIVERIES = st.builds(
    delivery,
    st.sampled_from(["draft", "confirmed", "assigned", "done", "cancel"]),
    st.sampled_from([FBA_LOCATION, WAREHOUSE]),
    outgoing=st.booleans(),
)
SALE_ORDERS = st.builds(
    replace,
    st.just(SALE_ORDER),
    state=st.sampled_from(["draft", "sent", "sale", "cancel"]),
    made_by_bridge=st.booleans(),
    deliveries=st.lists(DELIVERIES, max_size=3).map(tuple),
)
ORDERS = st.builds(
    replace,
    st.just(ORDER),
    status=st.sampled_from(list(Status)),
    fulfilled_by=st.sampled_from([AMAZON, MERCHANT, None]),
    sold_on_amazon=st.booleans(),
)


@given(order=ORDERS, existing=st.none() | SALE_ORDERS, filed_before=st.booleans())
def test_every_step_has_its_conditions(
    order: Order, existing: SaleOrder | None, *, filed_before: bool
) -> None:
    step = decided(order, existing, filed_before=filed_before)
    match step:
        case Step.IMPORT:
            assert existing is None
            assert order.sold_on_amazon
            assert order.status in {Status.UNSHIPPED, Status.PARTIALLY_SHIPPED, Status.SHIPPED}
        case Step.LEAVE_OUT:
            assert existing is None or not order.sold_on_amazon
            assert not order.sold_on_amazon or order.status != Status.OTHER
            assert order.fulfilled_by or order.status not in LIVE or not order.sold_on_amazon
        case Step.UNCLEAR:
            assert order.sold_on_amazon
            assert order.status not in LIVE or order.fulfilled_by is None
        case Step.NOT_OURS:
            assert existing
            assert not existing.made_by_bridge
        case Step.CANCEL | Step.HOLD | Step.COMPLETE | Step.NOTHING:
            assert existing
            assert existing.made_by_bridge
    if step in {Step.CANCEL, Step.HOLD}:
        assert existing
        assert order.status == Status.CANCELLED
        assert not existing.is_cancelled
        assert existing.goods_left == (step == Step.HOLD)


@given(order=ORDERS, existing=SALE_ORDERS, filed_before=st.booleans())
def test_what_exists_is_never_created_again(
    order: Order, existing: SaleOrder, *, filed_before: bool
) -> None:
    assert decided(order, existing, filed_before=filed_before) != Step.IMPORT


@given(order=ORDERS, existing=SALE_ORDERS, filed_before=st.booleans())
def test_a_cancelled_sale_order_stays_as_it_is(
    order: Order, existing: SaleOrder, *, filed_before: bool
) -> None:
    step = decided(order, replace(existing, state="cancel"), filed_before=filed_before)
    assert step in {Step.NOTHING, Step.LEAVE_OUT, Step.NOT_OURS}
