"""What people do in Odoo beside the bridge: a real and an in-memory Odoo take it alike."""

import xmlrpc.client
from contextlib import suppress

import pytest
from memory_odoo import MemoryDatabase, MemoryOdoo, connect
from shop import Shop
from two_odoos import ACCOUNT, QUIET, Side, confirmed
from warehouse import Warehouse

from amazon_bridge.odoo import setup
from amazon_bridge.odoo.session import OdooSession

pytestmark = pytest.mark.since_odoo(19, "double in memory")

MUG, BOARD, POT = "MUG-RED", "BOARD-OAK", "TEAPOT-08"


PAST = "2026-05-01 10:00:00"


# Another product on a move


def test_another_product_on_the_only_move(side: Side) -> None:
    """The delivery isn't the sale order's any more, until it is done with its own line."""
    order = confirmed(side, (MUG, 2, "10"))
    transfer = order.swap(MUG, BOARD)
    assert order.read("picking_ids") == []
    assert order.seen_transfers() == [
        ("assigned", "outgoing", False, (BOARD, 2.0, 2.0, "assigned", None))
    ]
    domain = [("reference_ids.sale_ids", "in", [order.id])]
    assert [row["id"] for row in side.shop.search("stock.picking", domain, [])] == [transfer]
    assert order.validate(transfer) is True
    assert order.read("picking_ids") == [transfer]
    assert order.seen_lines() == [(MUG, 2.0, 0.0, 10.0, True), (BOARD, 0.0, 2.0, 0.0, False)]
    assert order.seen_transfers() == [
        ("done", "outgoing", True, (BOARD, 2.0, 2.0, "done", 1)),
    ]
    assert order.read("invoice_status", "amount_total") == ["to invoice", 20.0]


def test_another_product_on_one_of_two_moves(side: Side) -> None:
    order = confirmed(side, (MUG, 2, "10"), (BOARD, 1, "4.5"))
    transfer = order.swap(MUG, POT)
    assert order.seen_transfers() == [
        (
            *("assigned", "outgoing", True),
            *((BOARD, 1.0, 1.0, "assigned", 1), (POT, 2.0, 2.0, "assigned", None)),
        )
    ]
    order.validate(transfer)
    assert order.seen_lines() == [
        (MUG, 2.0, 0.0, 10.0, True),
        (BOARD, 1.0, 1.0, 4.5, True),
        (POT, 0.0, 2.0, 0.0, False),
    ]
    assert order.seen_transfers()[0][3:] == (
        *((BOARD, 1.0, 1.0, "done", 1), (POT, 2.0, 2.0, "done", 2)),
    )


def test_another_product_that_was_ordered_too_counts_for_its_line(side: Side) -> None:
    order = confirmed(side, (MUG, 2, "10"), (BOARD, 1, "4.5"))
    order.validate(order.swap(MUG, BOARD))
    assert order.seen_lines() == [(MUG, 2.0, 0.0, 10.0, True), (BOARD, 1.0, 3.0, 4.5, True)]


def test_the_right_product_entered_again_gets_a_line_of_its_own(side: Side) -> None:
    order = confirmed(side, (MUG, 2, "10"))
    order.swap(MUG, BOARD)
    order.validate(order.swap(BOARD, MUG))
    assert order.seen_lines() == [(MUG, 2.0, 0.0, 10.0, True), (MUG, 0.0, 2.0, 0.0, False)]


def test_a_part_of_another_product_leaves_a_backorder(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"))
    transfer = order.swap(MUG, BOARD)
    Warehouse(side.shop).pick(transfer, {BOARD: 1})
    order.validate(transfer)
    assert order.seen_transfers() == [
        ("done", "outgoing", True, (BOARD, 1.0, 1.0, "done", 1)),
        ("assigned", "outgoing", False, (BOARD, 2.0, 2.0, "assigned", None)),
    ]
    order.validate(order.own_transfers()[1]["id"])
    assert order.seen_lines() == [
        (MUG, 3.0, 0.0, 10.0, True),
        *((BOARD, 0.0, 1.0, 0.0, False), (BOARD, 0.0, 2.0, 0.0, False)),
    ]


def test_a_delivery_of_other_goods_outlives_its_order(side: Side) -> None:
    order = confirmed(side, (MUG, 2, "10"))
    transfer = order.swap(MUG, BOARD)
    order.do("action_cancel")
    assert order.seen_transfers()[0][:3] == ("assigned", "outgoing", False)
    order.validate(transfer)
    assert order.read("state") == "cancel"
    assert order.seen_lines()[1] == (BOARD, 0.0, 2.0, 0.0, False)
    assert order.seen_transfers()[0][:3] == ("done", "outgoing", True)


def test_a_cancelled_order_is_revived_with_what_was_ordered(side: Side) -> None:
    order = confirmed(side, (MUG, 2, "10"), (BOARD, 1, "4.5"))
    order.swap(MUG, POT)
    for method in ("action_cancel", "action_draft", "action_confirm"):
        order.do(method)
    assert order.seen_transfers() == [
        (
            *("cancel", "outgoing", True),
            *((BOARD, 1.0, 0.0, "cancel", 1), (POT, 2.0, 0.0, "cancel", None)),
        ),
        (
            *("assigned", "outgoing", True),
            *((BOARD, 1.0, 1.0, "assigned", 1), (MUG, 2.0, 2.0, "assigned", 0)),
        ),
    ]


# Quantities


def test_more_and_less_of_a_confirmed_line(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"))
    for quantity in (2, 5):
        order.set_quantity(0, quantity)
        assert order.seen_transfers() == [
            ("assigned", "outgoing", True, (MUG, quantity, quantity, "assigned", 0))
        ]
    assert order.read("amount_total") == 50
    order.set_quantity(0, 0)
    assert order.seen_transfers() == [("cancel", "outgoing", True, (MUG, 0.0, 0.0, "cancel", 0))]
    assert order.read("state", "invoice_status") == ["sale", "invoiced"], "of nothing"


def test_less_of_a_line_with_another_deadline_comes_back(side: Side) -> None:
    """Odoo merges moves of one deadline only; the order date is the deadline of new ones."""
    order = confirmed(side, (MUG, 3, "10"), dated=PAST)
    order.set_quantity(0, 2)
    assert order.seen_transfers() == [
        ("assigned", "outgoing", True, (MUG, 3.0, 3.0, "assigned", 0)),
        ("assigned", "incoming", True, (MUG, 1.0, 1.0, "assigned", 0)),
    ]
    order.set_quantity(0, 5)
    assert order.seen_transfers()[0][3:] == (
        *((MUG, 3.0, 3.0, "assigned", 0), (MUG, 3.0, 3.0, "assigned", 0)),
    )
    order.set_quantity(0, 0)
    assert order.seen_transfers() == [
        (
            *("assigned", "outgoing", True),
            *((MUG, 0.0, 0.0, "cancel", 0), (MUG, 3.0, 3.0, "assigned", 0)),
        ),
        (
            *("assigned", "incoming", True),
            *((MUG, 1.0, 1.0, "assigned", 0), (MUG, 2.0, 2.0, "assigned", 0)),
        ),
    ]
    order.do("action_cancel")
    assert [transfer[0] for transfer in order.seen_transfers()] == ["cancel", "cancel"]


def test_what_comes_back_counts_as_not_delivered(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"), dated=PAST)
    order.set_quantity(0, 2)
    for transfer in order.transfers():
        order.validate(transfer["id"])
    assert order.seen_lines() == [(MUG, 2.0, 2.0, 10.0, True)]


@pytest.mark.parametrize("deadline", [PAST, "2026-05-04 10:00:00"])
def test_less_of_a_line_with_the_deadline_of_its_order(side: Side, deadline: str) -> None:
    order = confirmed(side, (MUG, 3, "10"), dated=PAST)
    if deadline == PAST:
        (move,) = side.shop.search("stock.move", [("sale_line_id", "in", order.line_ids)], [])
        side.session.load(
            "stock.move", [".id", "date_deadline"], [[str(move["id"]), deadline]], overwrite=True
        )
    else:
        side.rpc("sale.order", "write", [order.id], {"commitment_date": deadline})
    order.set_quantity(0, 1)
    assert order.seen_transfers() == [
        ("assigned", "outgoing", True, (MUG, 1.0, 1.0, "assigned", 0))
    ]
    moves = side.shop.search(
        "stock.move", [("sale_line_id", "in", order.line_ids)], ["date_deadline"]
    )
    assert [move["date_deadline"] for move in moves] == [deadline]


def test_quantities_after_a_part_left(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"))
    (transfer,) = order.transfers()
    Warehouse(side.shop).label(transfer["id"], "DHL", "JD0001")
    Warehouse(side.shop).pick(transfer["id"], {MUG: 1})
    order.validate()
    order.set_quantity(0, 2)
    done = ("done", "outgoing", True, (MUG, 1.0, 1.0, "done", 0))
    assert order.seen_transfers() == [
        done,
        ("assigned", "outgoing", True, (MUG, 1.0, 1.0, "assigned", 0)),
    ]
    order.set_quantity(0, 1)
    gone = ("cancel", "outgoing", True, (MUG, 0.0, 0.0, "cancel", 0))
    assert order.seen_transfers() == [done, gone]
    order.set_quantity(0, 4)
    assert order.seen_transfers() == [
        *(done, gone),
        ("assigned", "outgoing", True, (MUG, 3.0, 3.0, "assigned", 0)),
    ]
    with pytest.raises(xmlrpc.client.Fault, match="cannot be decreased below the amount already"):
        order.set_quantity(0, 0)
    labels = side.shop.search(
        *("stock.picking", [("sale_id", "=", order.id)]), ["carrier_id", "carrier_tracking_ref"]
    )
    labels.sort(key=lambda row: row["id"])
    carriers = [row["carrier_id"] and row["carrier_id"][1] for row in labels]
    assert carriers == ["DHL", "DHL", False], "a backorder keeps the carrier"
    assert [row["carrier_tracking_ref"] for row in labels] == ["JD0001", False, False]


def test_quantities_after_somebody_picked(side: Side) -> None:
    """What is picked isn't reserved again: more of it than is demanded leaves."""
    warehouse = Warehouse(side.shop)
    for picked, wanted, left in ((0, 4, 4), (0, 2, 2), (1, 5, 1), (3, 2, 3)):
        order = confirmed(side, (MUG, 3, "10"))
        warehouse.pick(order.transfers()[0]["id"], {MUG: picked})
        order.set_quantity(0, wanted)
        state = "assigned" if left >= wanted else "partially_available"
        assert order.seen_transfers() == [
            ("assigned", "outgoing", True, (MUG, wanted, left, state, 0))
        ]


def test_a_price_that_nobody_entered_follows_the_product(side: Side) -> None:
    """Also that of a free item, when somebody enters its quantity."""
    order = side.order((MUG, 2, "10"), (BOARD, 1, "0"))
    order.do("action_confirm")
    order.set_quantity(0, 2)
    order.set_quantity(1, 2)
    assert [line[3] for line in order.seen_lines()] == [1.0, 1.0]


def test_lines_of_a_confirmed_order(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"))
    order.add_line(BOARD)
    order.add_line(MUG, 2)
    assert order.seen_lines()[1:] == [(BOARD, 1.0, 0.0, 1.0, False), (MUG, 2.0, 0.0, 1.0, False)]
    assert order.seen_transfers() == [
        (
            *("assigned", "outgoing", True),
            *((BOARD, 1.0, 1.0, "assigned", 1), (MUG, 2.0, 2.0, "assigned", 2)),
            (MUG, 3.0, 3.0, "assigned", 0),
        )
    ]
    assert side.refused("sale.order.line", "unlink", order.line_ids[:1]).startswith(
        "Once a sales order is confirmed, you can't remove one of its lines"
    )
    other = {"product_id": int(side.catalogue[POT][0])}
    refusal = "You cannot modify the product of this order line."
    assert side.refused("sale.order.line", "write", order.line_ids[:1], other) == refusal
    order.validate()
    order.add_line(POT)
    assert order.seen_transfers()[1:] == [
        ("assigned", "outgoing", True, (POT, 1.0, 1.0, "assigned", 3))
    ]


def test_lines_of_a_quotation_and_of_a_cancelled_order(side: Side) -> None:
    order = side.order((MUG, 2, "10"))
    order.add_line(BOARD)
    assert side.rpc("sale.order.line", "unlink", order.line_ids[:1]) is True
    assert order.seen_lines() == [(BOARD, 1.0, 0.0, 1.0, False)]
    order.do("action_cancel")
    order.add_line(MUG)
    assert side.rpc("sale.order.line", "unlink", order.line_ids[:1]) is True
    assert (order.seen_lines(), order.seen_transfers()) == ([(MUG, 1.0, 0.0, 1.0, False)], [])


# Deliveries


def test_more_than_was_ordered_leaves(side: Side) -> None:
    order = confirmed(side, (MUG, 2, "10"), (BOARD, 1, "4"))
    Warehouse(side.shop).pick(order.transfers()[0]["id"], {MUG: 3, BOARD: 1})
    order.validate()
    assert order.seen_transfers() == [
        (
            *("done", "outgoing", True),
            *((BOARD, 1.0, 1.0, "done", 1), (MUG, 2.0, 3.0, "done", 0)),
        )
    ]
    assert order.seen_lines()[0] == (MUG, 2.0, 3.0, 10.0, True)
    order.set_quantity(0, 3)
    assert len(order.seen_transfers()) == 1
    order.set_quantity(0, 5)
    assert order.seen_transfers()[1][3:] == ((MUG, 2.0, 2.0, "assigned", 0),)


def test_no_backorder(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"), (BOARD, 1, "4"))
    transfer = order.transfers()[0]["id"]
    Warehouse(side.shop).pick(transfer, {MUG: 2})
    context = {**QUIET, "picking_ids_not_to_backorder": [transfer]}
    assert side.rpc("stock.picking", "button_validate", [transfer], context=context) is True
    assert order.seen_transfers() == [
        (
            *("done", "outgoing", True),
            *((BOARD, 1.0, 0.0, "cancel", 1), (MUG, 3.0, 2.0, "done", 0)),
        )
    ]
    order.do("action_cancel")
    assert [transfer[0] for transfer in order.seen_transfers()] == ["done"]


def test_a_quantity_that_is_set_to_nothing(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"), (BOARD, 1, "4"))
    transfer = order.transfers()[0]["id"]
    domain = [("picking_id", "=", transfer), ("sale_line_id", "=", order.line_ids[0])]
    (move,) = side.shop.search("stock.move", domain, [])
    side.rpc("stock.move", "write", [move["id"]], {"quantity": 0})
    assert order.seen_transfers()[0][4] == (MUG, 3.0, 0.0, "confirmed", 0)
    question = side.rpc("stock.picking", "button_validate", [transfer], context={"skip_sms": True})
    assert question["res_model"] == "stock.backorder.confirmation"
    order.validate()
    assert order.seen_transfers() == [
        ("done", "outgoing", True, (BOARD, 1.0, 1.0, "done", 1)),
        ("assigned", "outgoing", True, (MUG, 3.0, 3.0, "assigned", 0)),
    ]


def test_a_delivery_is_cancelled(side: Side) -> None:
    order = confirmed(side, (MUG, 3, "10"))
    (transfer,) = order.transfers()
    assert side.rpc("stock.picking", "action_cancel", [transfer["id"]]) is True
    assert order.seen_transfers() == [("cancel", "outgoing", True, (MUG, 3.0, 0.0, "cancel", 0))]
    assert order.read("state") == "sale"
    order.set_quantity(0, 4)
    assert order.seen_transfers()[1] == (
        *("assigned", "outgoing", True),
        (MUG, 4.0, 4.0, "assigned", 0),
    )
    order.validate(order.transfers()[1]["id"])
    message = side.refused("stock.picking", "action_cancel", [order.transfers()[1]["id"]])
    assert message.startswith("You cannot cancel a stock move that has been set to 'Done'.")


# The in-memory one alone


@pytest.fixture
def memory() -> Side:
    odoo = MemoryOdoo()
    shop = Shop(MemoryDatabase(server=odoo))
    shop.make_catalogue()
    session: OdooSession = connect(odoo)
    return Side(shop, session, setup.prepare(session, ACCOUNT))


def test_a_backup_is_put_back_with_its_sequences(memory: Side) -> None:
    before = memory.order()
    backup = memory.shop.database.server.backup()  # type: ignore[attr-defined]
    lost = memory.order()
    lost_name = lost.read("name")
    memory.rpc("sale.order", "write", [before.id], {"note": "<p>Lost</p>"})
    with suppress(xmlrpc.client.Fault):
        memory.rpc("sale.order", "unlink", [lost.id, 987_654])
    memory.shop.database.server.restore(backup)  # type: ignore[attr-defined]
    assert before.read("note") is False
    assert memory.session.reference(f"sale_order_{lost.key}") is None
    again = memory.order()
    assert (again.id, again.read("name")) == (lost.id, lost_name)
