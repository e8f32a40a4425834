"""What left with a delivery order, of kits too; notes and reminders on it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo import invoices, notes, sales
from amazon_bridge.odoo.delivery_orders import (
    DeliveryOrder,
    changed_delivery_orders,
    finished_delivery_orders,
)
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.shipped_goods import Goods, goods_of

ORDER_ID = "404-0000000-0000001"
NOWHERE = 987_654
LONG_AGO = datetime.now(UTC) - timedelta(days=1)
QUIET = {"skip_backorder": True, "skip_sms": True}


@pytest.fixture(scope="module")
def kits(odoo_database: OdooDatabase) -> OdooDatabase:
    """An Odoo that knows kits."""
    rpc = odoo_database.rpc
    wanted = rpc("ir.module.module", "search", [("name", "in", ["sale_mrp"])])
    assert wanted, "this Odoo lacks the module sale_mrp"
    rpc("ir.module.module", "button_immediate_install", wanted)
    return odoo_database


@pytest.fixture(scope="module")
def session(kits: OdooDatabase) -> OdooSession:
    return OdooSession.connect(**kits.access())


def product(odoo: OdooDatabase, name: str, **fields: Any) -> int:
    return int(odoo.rpc("product.product", "create", {"name": name, "is_storable": True, **fields}))


def kit(odoo: OdooDatabase, parts: dict[int, int]) -> int:
    """A product that is delivered as its parts."""
    whole = product(odoo, "Tea set")
    (row,) = odoo.rpc("product.product", "read", [whole], ["product_tmpl_id"])
    lines = [(0, 0, {"product_id": id_, "product_qty": n}) for id_, n in parts.items()]
    values = {"product_tmpl_id": row["product_tmpl_id"][0], "type": "phantom"}
    odoo.rpc("mrp.bom", "create", {**values, "bom_line_ids": lines})
    return whole


def order(session: OdooSession, order_id: str, lines: dict[str, tuple[int, int]]) -> int:
    """A confirmed sale order of the bridge: products and quantities by external id of the line."""
    partner = session.call("res.partner", "create", {"name": "Somebody"})
    head = [f"amazon_bridge.sale_order_{order_id}", order_id, str(partner)]
    rows = [
        [*(head if number == 0 else [""] * 3), f"amazon_bridge.{name}", str(id_), str(quantity)]
        for number, (name, (id_, quantity)) in enumerate(lines.items())
    ]
    columns = ["id", "client_order_ref", "partner_id/.id"]
    columns += [f"order_line/{c}" for c in ("id", "product_id/.id", "product_uom_qty")]
    (id_,) = session.load("sale.order", columns, rows)
    session.call("sale.order", "action_confirm", [id_])
    return id_


def deliver(
    odoo: OdooDatabase,
    sale_order_id: int,
    quantities: dict[int, int] | None,
    step: str = "outgoing",
) -> int:
    """Do the open transfer, with these quantities by product; the rest is a backorder."""
    domain = [("sale_id", "=", sale_order_id), ("state", "not in", ["done", "cancel"])]
    (id_,) = odoo.rpc("stock.picking", "search", [*domain, ("picking_type_code", "=", step)])
    fields = ["product_id", "product_uom_qty"]
    for move in odoo.rpc("stock.move", "search_read", [("picking_id", "=", id_)], fields):
        wanted = move["product_uom_qty"] if quantities is None else 0
        number = (quantities or {}).get(move["product_id"][0], wanted)
        odoo.rpc("stock.move", "write", [move["id"]], {"quantity": number, "picked": number > 0})
    assert odoo.rpc("stock.picking", "button_validate", [id_], context=QUIET) is True
    return int(id_)


COMPANY = {"company_id": 1, "except_location_id": NOWHERE}


def changed_ids(session: OdooSession) -> list[int]:
    pages = changed_delivery_orders(session, since=LONG_AGO, **COMPANY)
    return [id_ for page in pages for id_ in page.changes]


def found(session: OdooSession) -> dict[int, DeliveryOrder]:
    orders = finished_delivery_orders(session, changed_ids(session), **COMPANY)
    return {each.id: each for each in orders}


def shipped(session: OdooSession, *transfers: int) -> list[dict[str, int | None]]:
    goods = [goods_by_id(session)[id_] for id_ in transfers]
    return [{s.order_item_id: s.quantity for s in each.shipped} for each in goods]


def goods_by_id(session: OdooSession) -> dict[int, Goods]:
    orders = found(session)
    goods = goods_of(session, list(orders.values()))
    return {id_: goods[order.key] for id_, order in orders.items()}


def test_of_a_kit_complete_sets_are_confirmed(kits: OdooDatabase, session: OdooSession) -> None:
    pot, cup, mug = (product(kits, name) for name in ("Pot", "Cup", "Mug"))
    tea_set = kit(kits, {pot: 1, cup: 4})
    id_ = order(session, ORDER_ID, {"sale_line_51": (tea_set, 3), "sale_line_52": (mug, 2)})
    parts = [{pot: 1, cup: 3}, {pot: 1, cup: 5, mug: 2}, None]
    transfers = [deliver(kits, id_, part) for part in parts]
    assert shipped(session, *transfers) == [{}, {"51": 2, "52": 2}, {"51": 1}]
    assert shipped(session, transfers[1]) == [{"51": 2, "52": 2}]


def give_back(odoo: OdooDatabase, transfer: int, quantities: dict[int, int]) -> int:
    """Return goods of a done transfer, as the wizard does that Odoo shows; a return, too."""
    context = {"active_model": "stock.picking", "active_id": transfer, "active_ids": [transfer]}
    wizard = odoo.rpc("stock.return.picking", "create", {"picking_id": transfer}, context=context)
    lines = odoo.rpc("stock.return.picking", "read", [wizard], ["product_return_moves"])
    for id_ in lines[0]["product_return_moves"]:
        [line] = odoo.rpc("stock.return.picking.line", "read", [id_], ["product_id"])
        number = quantities.get(line["product_id"][0], 0)
        odoo.rpc("stock.return.picking.line", "write", [id_], {"quantity": number})
    odoo.rpc("stock.return.picking", "action_create_returns", [wizard], context=context)
    domain = [("return_id", "=", transfer), ("state", "not in", ["done", "cancel"])]
    [back] = odoo.rpc("stock.picking", "search", domain)
    moves = odoo.rpc("stock.move", "search_read", [("picking_id", "=", back)], ["product_uom_qty"])
    for move in moves:
        values = {"quantity": move["product_uom_qty"], "picked": True}
        odoo.rpc("stock.move", "write", [move["id"]], values)
    assert odoo.rpc("stock.picking", "button_validate", [back], context=QUIET) is True
    return int(back)


def test_returned_kits_are_counted_as_kits(kits: OdooDatabase, session: OdooSession) -> None:
    pot, cup = (product(kits, name) for name in ("Pot", "Cup"))
    tea_set = kit(kits, {pot: 1, cup: 4})
    id_ = order(session, "404-0000000-0000071", {"sale_line_81": (tea_set, 5)})
    transfer = deliver(kits, id_, None)
    assert goods_by_id(session)[transfer].gone == {"81": 5}
    back = give_back(kits, transfer, {pot: 1, cup: 4})
    assert goods_by_id(session)[transfer].gone == {"81": 4}
    give_back(kits, back, {pot: 1, cup: 4})
    assert goods_by_id(session)[transfer].gone == {"81": 5}
    replaced = give_back(kits, transfer, {cup: 2})
    assert goods_by_id(session)[transfer].gone == {"81": 4}
    give_back(kits, replaced, {cup: 2})
    assert goods_by_id(session)[transfer].gone == {"81": 5}


def test_the_day_of_the_last_delivery_is_no_returns(
    kits: OdooDatabase, session: OdooSession
) -> None:
    mug, order_id = product(kits, "Mug"), "404-0000000-0000072"
    id_ = order(session, order_id, {"sale_line_82": (mug, 2)})
    transfer = deliver(kits, id_, None)
    give_back(kits, transfer, {mug: 1})
    kits.rpc("stock.picking", "write", [transfer], {"date_done": "2026-10-05 23:00:00"})

    def day() -> date:
        found = sales.find(session, [order_id]).values()
        return invoices.delivery_dates(session, list(found))[order_id]

    assert day() == date(2026, 10, 5)
    kits.rpc("stock.picking", "write", [transfer], {"date_done": False})
    [row] = kits.rpc("stock.picking", "read", [transfer], ["date_done", "write_date"])
    assert not row["date_done"]
    assert day() == date.fromisoformat(row["write_date"][:10])


@pytest.fixture
def two_steps(kits: OdooDatabase) -> Iterator[None]:
    """The warehouse picks, then ships."""
    (place,) = kits.rpc("stock.warehouse", "search", [("code", "=", "WH")])
    kits.rpc("stock.warehouse", "write", [place], {"delivery_steps": "pick_ship"})
    yield
    kits.rpc("stock.warehouse", "write", [place], {"delivery_steps": "ship_only"})


@pytest.mark.usefixtures("two_steps")
def test_of_a_kit_the_rest_is_counted_before_it_is_picked(
    kits: OdooDatabase, session: OdooSession
) -> None:
    """Until then, the rest has no move to the customer (since Odoo 18)."""
    pot, cup, mug = (product(kits, name) for name in ("Pot", "Cup", "Mug"))
    tea_set = kit(kits, {pot: 1, cup: 4})
    lines = {"sale_line_55": (tea_set, 3), "sale_line_56": (mug, 2)}
    id_ = order(session, "404-0000000-0000005", lines)
    part = {pot: 1, cup: 4, mug: 1}
    deliver(kits, id_, part, "internal")
    transfer = deliver(kits, id_, part)
    goods = goods_by_id(session)[transfer]
    assert shipped(session, transfer) == [{"55": 1, "56": 1}]
    assert (goods.to_deliver, goods.is_last) == ({"55": 2, "56": 1}, False)


def test_of_a_kit_whose_rest_was_cancelled_the_number_is_unclear(
    kits: OdooDatabase, session: OdooSession
) -> None:
    pot, cup = product(kits, "Pot"), product(kits, "Cup")
    tea_set = kit(kits, {pot: 1, cup: 4})
    id_ = order(session, "404-0000000-0000002", {"sale_line_61": (tea_set, 2)})
    transfer = deliver(kits, id_, {pot: 1, cup: 4})
    open_ = [("sale_id", "=", id_), ("state", "not in", ["done", "cancel"])]
    kits.rpc("stock.picking", "action_cancel", kits.rpc("stock.picking", "search", open_))
    assert shipped(session, transfer) == [{"61": None}]


def test_deliveries_of_other_sale_orders_are_none_of_ours(
    kits: OdooDatabase, session: OdooSession
) -> None:
    mug = product(kits, "Mug")
    partner = kits.rpc("res.partner", "create", {"name": "Somebody"})
    line = (0, 0, {"product_id": mug})
    values = {"partner_id": partner, "client_order_ref": "my order", "order_line": [line]}
    id_ = kits.rpc("sale.order", "create", values)
    kits.rpc("sale.order", "action_confirm", [id_])
    transfer = deliver(kits, id_, None)
    assert transfer in changed_ids(session)
    assert transfer not in found(session)


def test_one_is_found_by_its_id_whatever_people_call_its_order(
    kits: OdooDatabase, session: OdooSession
) -> None:
    mug = product(kits, "Mug")
    id_ = order(session, "404-0000000-0000003", {"sale_line_71": (mug, 1)})
    transfer = deliver(kits, id_, None)
    kits.rpc("sale.order", "write", [id_], {"client_order_ref": "ours", "origin": "ours"})

    def keys(*ids: int) -> list[str]:
        return [each.key for each in finished_delivery_orders(session, ids, **COMPANY)]

    assert keys() == []
    assert keys(transfer) == [f"404-0000000-0000003#{transfer}"]


# Notes


@pytest.fixture
def transfer(kits: OdooDatabase) -> Iterator[int]:
    """A transfer without anything on it."""
    kind = kits.reference("stock.picking_type_out")
    id_ = int(kits.rpc("stock.picking", "create", {"picking_type_id": kind}))
    yield id_
    kits.rpc("stock.picking", "unlink", [id_])


def activities(odoo: OdooDatabase, transfer: int) -> list[tuple[str, int]]:
    domain = [("res_model", "=", "stock.picking"), ("res_id", "=", transfer)]
    rows = odoo.rpc("mail.activity", "search_read", domain, ["summary", "user_id"], order="id")
    return [(row["summary"], row["user_id"][0]) for row in rows]


def remind(session: OdooSession, transfer: int, *topics: str, user_id: int | None = None) -> None:
    for topic in topics:
        reminder = {
            ("stock.picking", transfer): Note(topic, "Look", f"Because of {topic} & <more>.")
        }
        today = date(2026, 11, 23)
        notes.remind(session, reminder, today=today, user_id=user_id)


def test_one_reminder_for_each_topic(
    kits: OdooDatabase, session: OdooSession, transfer: int
) -> None:
    remind(session, transfer, "refused_1", "refused_2", "other", "refused_1")
    assert activities(kits, transfer) == [("Look", session.uid)] * 3
    topics = ("refused", "incomplete")
    notes.close_reminders(session, "stock.picking", [transfer], topics, "Done.")
    assert len(activities(kits, transfer)) == 1
    remind(session, transfer, "refused_1")  # a person, or the bridge, is done with it
    assert len(activities(kits, transfer)) == 1
    noted = partial(notes.records_with_note, session, "stock.picking", [transfer])
    assert noted("Look", "Elsewhere") == {transfer}
    assert noted("Elsewhere") == set()


def test_who_cannot_get_an_activity_gets_none(
    kits: OdooDatabase, session: OdooSession, transfer: int
) -> None:
    remind(session, transfer, "refused", user_id=987_654)
    assert activities(kits, transfer) == [("Look", session.uid)]
