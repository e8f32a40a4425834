"""The batch that the phases of the orders job process, and their results."""

from dataclasses import replace

import pytest
from examples import ORDER, SALE_ORDER

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders.batch import Batch, Result, errors_of_one
from amazon_bridge.flows.orders.decide import Step

ORDERS = [replace(ORDER, order_id=order_id) for order_id in "123"]
QUOTATION = replace(SALE_ORDER, state="draft")
STEPS = {"1": Step.IMPORT, "2": Step.NOTHING, "3": Step.CANCEL}
BATCH = Batch(ORDERS, STEPS, {"2": QUOTATION, "3": QUOTATION})
ERROR = ItemError("not_confirmed", "It is still a quotation.", "Confirm it.")


def test_a_phase_leaves_the_batch_before_it_as_it_was() -> None:
    after = BATCH.after(Result({"2": ERROR}, sale_orders={"1": QUOTATION}))
    assert (BATCH.errors, BATCH.created) == ({}, set())
    assert (after.errors, after.created) == ({"2": ERROR}, {"1"})
    confirmed = after.after(Result(sale_orders={"1": SALE_ORDER}))
    assert confirmed.sale_orders["1"].is_confirmed
    assert confirmed.errors == after.errors


def test_imported_orders_come_with_their_sale_orders() -> None:
    assert BATCH.orders_with(Step.IMPORT, Step.CANCEL) == [ORDERS[0], ORDERS[2]]
    assert BATCH.imported == [(ORDERS[1], QUOTATION)]
    assert BATCH.sale_orders_with(Step.IMPORT) == []


def test_only_an_order_that_was_tried_alone_is_to_blame() -> None:
    assert errors_of_one({}, 2) == {}
    assert errors_of_one({"1": ERROR}, 1) == {"1": ERROR}
    with pytest.raises(ItemError):
        errors_of_one({"1": ERROR}, 2)
