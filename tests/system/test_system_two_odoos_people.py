"""What people do in Odoo beside the bridge: a real and an in-memory Odoo take it alike."""

import xmlrpc.client
from contextlib import suppress
from typing import Any

import pytest
from memory_odoo import MemoryDatabase, MemoryOdoo, connect
from shop import Shop
from two_odoos import ACCOUNT, QUIET, Placed, Side
from warehouse import Warehouse

from amazon_bridge.odoo import setup
from amazon_bridge.odoo.session import OdooSession

MUG, BOARD, POT = "MUG-RED", "BOARD-OAK", "TEAPOT-08"
PAST = "2026-05-01 10:00:00"


def confirmed(side: Side, *lines: tuple[str, int, str], dated: str | None = None) -> Placed:
    """Priced as the bridge does it, so that Odoo takes the prices for entered ones.

    Args:
        side: the Odoo.
        lines: SKU, quantity and unit price.
        dated: the order date after the confirmation, as Amazon has it.
    """
    order = side.order(*((sku, quantity, "0") for sku, quantity, _ in lines))
    prices = [[str(i), price] for i, (_, _, price) in zip(order.line_ids, lines, strict=True)]
    side.session.load("sale.order.line", [".id", "price_unit"], prices, overwrite=True)
    order.do("action_confirm")
    if dated:
        rows = [[str(order.id), dated]]
        side.session.load("sale.order", [".id", "date_order"], rows, overwrite=True)
    return order


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


# Locked orders


@pytest.fixture
def locking(side: Side) -> Any:
    """The setting *Lock Confirmed Sales*."""

    def switch(*, on: bool) -> None:
        form = side.rpc("res.config.settings", "create", {"group_auto_done_setting": on})
        side.rpc("res.config.settings", "execute", [form])

    switch(on=True)
    yield
    switch(on=False)


@pytest.mark.usefixtures("locking")
def test_confirmed_sales_are_locked(side: Side) -> None:
    order, other = side.order(), side.order()
    assert side.rpc("sale.order", "action_confirm", [order.id, other.id]) is True
    assert order.read("state", "locked") == ["sale", True]
    other.do("action_unlock")
    words = "You cannot cancel a locked order. Please unlock it first."
    assert side.refused("sale.order", "action_cancel", [order.id, other.id]) == words
    assert other.read("state") == "sale"
    order.add_line(BOARD)
    assert len(order.seen_transfers()[0][3:]) == 1, "a line that nobody ships"
    with pytest.raises(xmlrpc.client.Fault, match="It is forbidden to modify"):
        order.set_quantity(0, 5)
    order.validate(order.swap(MUG, POT))
    assert order.seen_lines()[-1] == (POT, 0.0, 2.0, 0.0, False)
    order.do("action_unlock")
    order.do("action_cancel")
    assert order.read("state", "locked") == ["cancel", False]


def test_confirmed_sales_are_not_locked_without_the_setting(side: Side) -> None:
    order = side.order()
    order.do("action_confirm")
    assert order.read("locked") is False


# Languages


FRENCH = {"lang": "fr_FR"}


@pytest.fixture
def french(side: Side) -> int:
    """A carrier with a French name."""
    domain = [("code", "=", "fr_FR"), ("active", "in", [True, False])]
    (language,) = side.shop.search("res.lang", domain, [])
    side.rpc("res.lang", "write", [language["id"]], {"active": True})
    product = side.rpc("product.product", "create", {"name": "Post", "type": "service"})
    values = {"name": "German Post", "product_id": product, "delivery_type": "fixed"}
    carrier: int = side.rpc("delivery.carrier", "create", values)
    side.rpc("delivery.carrier", "write", [carrier], {"name": "La poste"}, context=FRENCH)
    return carrier


def test_names_in_the_language_of_the_call(side: Side, french: int) -> None:
    def found(name: str, **context: Any) -> bool:
        domain = [("name", "in", [name]), ("id", "=", french)]
        return bool(side.rpc("delivery.carrier", "search", domain, context=context))

    def name(id_: int, **context: Any) -> Any:
        (row,) = side.rpc("delivery.carrier", "read", [id_], ["name"], context=context)
        return row["name"]

    assert (name(french), name(french, **FRENCH)) == ("German Post", "La poste")
    assert found("German Post")
    assert found("La poste", **FRENCH)
    assert not found("La poste")
    assert not found("German Post", **FRENCH)
    side.rpc("delivery.carrier", "write", [french], {"name": "DHL"})
    assert (name(french), name(french, **FRENCH)) == ("DHL", "La poste")
    with pytest.raises(xmlrpc.client.Fault, match="Invalid language code: de_DE"):
        name(french, lang="de_DE")
    tag = side.rpc("crm.tag", "create", {"name": "Seulement"}, context=FRENCH)

    def tag_name(**context: Any) -> Any:
        (row,) = side.rpc("crm.tag", "read", [tag], ["name"], context=context)
        return row["name"]

    assert (tag_name(), tag_name(**FRENCH)) == ("Seulement", "Seulement")
    side.rpc("crm.tag", "write", [tag], {"name": "Only"})
    assert (tag_name(), tag_name(**FRENCH)) == ("Only", "Seulement")


def test_a_carrier_on_a_delivery_is_named_in_the_language_of_the_call(
    side: Side, french: int
) -> None:
    order = confirmed(side, (MUG, 2, "10"))
    (transfer,) = order.transfers()
    side.rpc("stock.picking", "write", [transfer["id"]], {"carrier_id": french})
    for context, name in (({}, "German Post"), (FRENCH, "La poste")):
        (row,) = side.rpc(
            "stock.picking", "read", [transfer["id"]], ["carrier_id"], context=context
        )
        assert row["carrier_id"] == [french, name]
        domain = [("carrier_id.name", "=", name), ("id", "=", transfer["id"])]
        assert side.rpc("stock.picking", "search", domain, context=context)


@pytest.mark.usefixtures("french")
def test_the_language_of_the_login(side: Side) -> None:
    assert side.rpc("res.users", "context_get")["lang"] == "en_US"
    side.rpc("res.users", "write", [2], {"lang": "fr_FR"})
    assert side.rpc("res.users", "context_get")["lang"] == "fr_FR"
    assert side.rpc("res.users", "read", [2], ["lang"]) == [{"id": 2, "lang": "fr_FR"}]
    side.rpc("res.users", "write", [2], {"lang": "en_US"})


@pytest.mark.parametrize(
    ("model", "translated"),
    [
        *((name, True) for name in ("delivery.carrier", "crm.team", "crm.tag", "account.tax")),
        *((name, True) for name in ("product.pricelist", "stock.route", "product.product")),
        *((name, True) for name in ("stock.rule", "stock.picking.type", "res.country")),
        *((name, False) for name in ("stock.location", "stock.warehouse", "res.partner")),
        ("res.company", False),
    ],
)
def test_which_names_are_translated(side: Side, model: str, translated: bool) -> None:  # noqa: FBT001
    attributes = side.rpc(model, "fields_get", ["name"], attributes=["translate"])
    assert attributes["name"]["translate"] is translated


# Contacts


def test_an_archived_contact_can_be_read_and_ordered_for(side: Side) -> None:
    values = {"name": "Old", "email": "old.contact@example.com", "active": False}
    partner = side.rpc("res.partner", "create", values)
    known = [("email_normalized", "=", values["email"])]
    assert side.shop.search("res.partner", known, []) == []
    assert side.shop.search("res.partner", [*known, ("active", "=", False)], []) != []
    assert side.rpc("res.partner", "read", [partner], ["active"])[0]["active"] is False
    assert side.rpc("sale.order", "create", {"partner_id": partner})


def test_archived_addresses_are_left_out_of_a_contact(side: Side) -> None:
    homes = [(0, 0, {"name": name, "type": "delivery"}) for name in ("Here", "There")]
    partner = side.rpc("res.partner", "create", {"name": "Ann", "child_ids": homes})
    (row,) = side.rpc("res.partner", "read", [partner], ["child_ids"])
    side.rpc("res.partner", "write", row["child_ids"][:1], {"active": False})
    (left,) = side.rpc("res.partner", "read", [partner], ["child_ids"])
    assert left["child_ids"] == row["child_ids"][1:]


def test_external_ids_of_a_contact_move_when_it_is_merged(side: Side) -> None:
    name = "partner_to_be_merged"
    (ours,) = side.session.load("res.partner", ["id", "name"], [[f"amazon_bridge.{name}", "M"]])
    order = side.rpc("sale.order", "create", {"partner_id": ours})
    theirs = side.rpc("res.partner", "create", {"name": "A"})
    values = {"partner_ids": [(6, 0, [ours, theirs])], "dst_partner_id": theirs}
    wizard = side.rpc("base.partner.merge.automatic.wizard", "create", values)
    side.rpc("base.partner.merge.automatic.wizard", "action_merge", [wizard])
    assert side.session.reference(name) == theirs
    assert side.session.read("res.partner", [ours], ["name"]) == []
    (row,) = side.rpc("sale.order", "read", [order], ["partner_id"])
    assert row["partner_id"][0] == theirs


# The database


def test_the_name_of_the_database_for_ever(side: Side) -> None:
    uuid = side.rpc("ir.config_parameter", "get_param", "database.uuid")
    assert len(uuid) == 36
    rows = side.shop.search("ir.config_parameter", [("key", "=", "database.uuid")], ["value"])
    assert [row["value"] for row in rows] == [uuid]


# The in-memory one alone


@pytest.fixture
def memory() -> Side:
    shop = Shop(MemoryDatabase(server=MemoryOdoo()))
    shop.make_catalogue()
    session: OdooSession = connect(shop.database.server)
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
