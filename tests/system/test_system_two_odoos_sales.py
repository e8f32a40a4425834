"""Sale orders and deliveries in an in-memory Odoo and a real one: both must behave the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shop import amount
from two_odoos import QUIET, Side, now
from warehouse import Warehouse

from amazon_bridge.odoo.loading import LoadError
from amazon_bridge.odoo.paging import changed, pages

pytestmark = pytest.mark.since_odoo(19, "double in memory")


def test_confirming_sets_the_date_and_makes_the_delivery_order(side: Side) -> None:
    order, begun = side.order(("MUG-RED", 2, "10"), ("BOARD-OAK", 1, "4.5")), now()
    assert order.read("state", "date_order") == ["draft", "2026-05-01 10:00:00"]
    assert order.do("action_confirm") is True
    assert order.read("state", "invoice_status", "locked") == ["sale", "to invoice", False]
    assert begun <= order.read("date_order") <= now()
    (transfer,) = order.transfers()
    assert transfer["state"] == "assigned"
    assert (transfer["location_id"][1], transfer["location_dest_id"][1]) == (
        *("WH/Stock", "Customers"),
    )
    assert transfer["picking_type_code"] == "outgoing"
    assert transfer["backorder_id"] is transfer["date_done"] is False
    assert order.read("picking_ids") == [transfer["id"]]
    assert order.moves() == [("assigned", 1.0, 1.0, False), ("assigned", 2.0, 2.0, False)]
    rows = [[str(order.id), "2026-05-01 10:00:00"]]
    side.session.load("sale.order", [".id", "date_order"], rows, overwrite=True)
    assert order.read("date_order") == "2026-05-01 10:00:00"
    refusal = "Some orders are not in a state requiring confirmation."
    assert order.refused("action_confirm") == refusal


def test_confirming_is_all_or_nothing(side: Side) -> None:
    good, bad = side.order(), side.order()
    bad.do("action_cancel")
    side.refused("sale.order", "action_confirm", [good.id, bad.id])
    assert (good.read("state"), good.transfers()) == ("draft", [])


def test_services_and_unknown_goods(side: Side) -> None:
    """A service creates no move; goods without stock tracking are always available."""
    order = side.order()
    rows = [
        [f"amazon_bridge.sale_line_{order.key}-{name}", str(order.id), str(id_), name, "1"]
        for name, id_ in (("s", side.setup.products.shipping), ("g", side.setup.products.sale))
    ]
    fields = ["id", "order_id/.id", "product_id/.id", "name", "product_uom_qty"]
    side.session.load("sale.order.line", fields, rows)
    order.do("action_confirm")
    assert order.moves() == [("assigned", 1.0, 1.0, False), ("assigned", 2.0, 2.0, False)]
    assert [t["state"] for t in order.transfers()] == ["assigned"]


def test_what_amazon_ships_leaves_by_its_route(side: Side) -> None:
    order = side.order(("MUG-RED", 2, "10"), ("BOARD-OAK", 1, "4.5"))
    lines = [id_ for (id_,) in order.lines("id")]
    route = {"route_ids": [(6, 0, [side.setup.fba_route_id])]}
    side.rpc("sale.order.line", "write", lines, route)
    order.do("action_confirm")
    (transfer,) = order.transfers()
    assert (transfer["state"], transfer["location_id"][1]) == ("confirmed", "WH/Amazon")
    assert order.moves() == [("confirmed", 1.0, 0.0, False), ("confirmed", 2.0, 0.0, False)]
    moves = side.shop.search(
        *("stock.move", [("picking_id", "=", transfer["id"])]),
        *(["product_uom_qty", "has_tracking", "sale_line_id"],),
    )
    assert {move["has_tracking"] for move in moves} == {"none"}
    rows = [[str(move["id"]), str(move["product_uom_qty"]), "1"] for move in moves]
    side.session.load("stock.move", [".id", "quantity", "picked"], rows, overwrite=True)
    assert order.validate() is True
    assert order.moves() == [("done", 1.0, 1.0, True), ("done", 2.0, 2.0, True)]
    assert order.lines("qty_delivered") == [(2.0,), (1.0,)]
    assert side.shop.stock("WH/Amazon")["[MUG-RED] MUG-RED"] < 0


def test_shipping_in_parts_leaves_a_backorder(side: Side) -> None:
    order = side.order(("MUG-RED", 2, "10"), ("BOARD-OAK", 1, "4.5"))
    order.do("action_confirm")
    (first,) = order.transfers()
    Warehouse(side.shop).pick(first["id"], {"MUG-RED": 1})
    assert order.moves() == [
        ("confirmed", 1.0, 0.0, False),
        ("partially_available", 2.0, 1.0, True),
    ]
    question = side.rpc("stock.picking", "button_validate", [first["id"]])
    assert question["res_model"] == "stock.backorder.confirmation"
    begun = now()
    assert order.validate() is True
    done, rest = order.transfers()
    assert (done["id"], done["state"], rest["state"]) == (first["id"], "done", "assigned")
    assert begun <= done["date_done"] <= now()
    assert rest["backorder_id"][0] == done["id"]
    assert order.moves() == [
        ("done", 1.0, 1.0, True),
        *(("assigned", 1.0, 1.0, False), ("assigned", 1.0, 1.0, False)),
    ]
    assert order.lines("qty_delivered", "product_uom_qty") == [(1.0, 2.0), (0.0, 1.0)]
    assert order.validate(done["id"]) is True, "once more does nothing"
    assert len(order.transfers()) == 2
    assert order.validate(rest["id"]) is True
    assert order.lines("qty_delivered") == [(2.0,), (1.0,)]


def test_nothing_can_be_shipped_of_nothing(side: Side) -> None:
    order = side.order()
    order.do("action_confirm")
    (transfer,) = order.transfers()
    Warehouse(side.shop).pick(transfer["id"], {})
    assert [t["state"] for t in order.transfers()] == ["confirmed"]
    words = "Transfer trouble alert! Validating a zero quantity transfer?"
    message = side.refused("stock.picking", "button_validate", [transfer["id"]], context=QUIET)
    assert message.startswith(words)
    order.do("action_cancel")
    message = side.refused("stock.picking", "button_validate", [transfer["id"]], context=QUIET)
    assert message.startswith(words)


def test_cancelling_leaves_what_is_done(side: Side) -> None:
    order = side.order(("MUG-RED", 2, "10"), ("BOARD-OAK", 1, "4.5"))
    order.do("action_confirm")
    (first,) = order.transfers()
    Warehouse(side.shop).pick(first["id"], {"MUG-RED": 2})
    order.validate()
    side.shop.cancel(order.id)
    assert order.read("state") == "cancel"
    assert [t["state"] for t in order.transfers()] == ["done", "cancel"]
    assert order.moves() == [("done", 2.0, 2.0, True), ("cancel", 1.0, 0.0, False)]
    assert order.do("action_cancel") is True, "once more does nothing"
    refusal = "Some orders are not in a state requiring confirmation."
    assert order.refused("action_confirm") == refusal
    assert order.do("action_draft") is True
    assert order.read("state") == "draft"
    assert order.do("action_confirm") is True


def test_a_cancelled_order_can_be_revived(side: Side) -> None:
    order = side.order()
    order.do("action_confirm")
    assert order.do("action_draft") is True
    assert order.read("state") == "sale", "only what is cancelled becomes a quotation again"
    for method in ("action_cancel", "action_draft", "action_confirm"):
        assert order.do(method) is True
    assert [t["state"] for t in order.transfers()] == ["cancel", "assigned"]


def test_what_may_be_deleted(side: Side) -> None:
    order = side.order()
    order.do("action_confirm")
    assert order.refused("unlink") == (
        "You can not delete a sent quotation or a confirmed sales order. You must first cancel it."
    )
    (transfer,) = order.transfers()
    order.validate()
    order.do("action_cancel")
    assert order.do("unlink") is True
    rows = side.rpc("stock.picking", "read", [transfer["id"]], ["state", "sale_id", "name"])
    assert rows == [
        {"id": transfer["id"], "state": "done", "sale_id": False, "name": transfer["name"]}
    ]
    moves = side.shop.search("stock.move", [("picking_id", "=", transfer["id"])], ["sale_line_id"])
    assert [move["sale_line_id"] for move in moves] == [False]


def test_a_locked_order(side: Side) -> None:
    order = side.order()
    order.do("action_confirm")
    assert side.session.call("sale.order", "action_lock", [order.id]) is None, (
        "done, without a result"
    )
    assert order.read("locked") is True
    refusal = "You cannot cancel a locked order. Please unlock it first."
    assert order.refused("action_cancel") == refusal
    ((line,),) = order.lines("id")
    forbidden = "It is forbidden to modify the following fields in a locked order:\n"
    assert side.refused("sale.order.line", "write", [line], {"price_unit": 5}) == (
        f"{forbidden}Unit Price"
    )
    with pytest.raises(LoadError, match="It is forbidden to modify") as caught:
        side.session.load(
            "sale.order.line", [".id", "price_unit"], [[str(line), "5"]], overwrite=True
        )
    assert list(caught.value.messages) == [0]
    assert order.lines("price_unit") == [(10.0,)]
    rows = [[str(order.id), "2026-01-02 03:04:05"]]
    side.session.load("sale.order", [".id", "date_order"], rows, overwrite=True)
    side.rpc("sale.order", "write", [order.id], {"note": "<p>Ring</p>"})
    assert order.read("date_order", "note") == ["2026-01-02 03:04:05", "<p>Ring</p>"]
    assert order.validate() is True
    order.do("action_unlock")
    assert order.do("action_cancel") is True


@pytest.mark.parametrize(
    ("lines", "total", "line_totals"),
    [
        ([("MUG-RED", 2, "11.90")], "23.8", ["23.8"]),
        ([("TEAPOT-08", 1, "0.075")], "0.1", ["0.1"]),
        ([("TEAPOT-08", 3, "8.3333333333")], "30", ["30"]),
        ([("KETTLE-17", 1, "47.3838862559")], "49.99", ["49.99"]),
        ([("MUG-BLUE", 1, "9.99"), ("MUG-RED", 3, "3.3333333333")], "19.99", ["9.99", "10"]),
        ([("BOARD-OAK", 3, "38"), ("TEAPOT-08", 2, "12.5")], "144", ["114", "30"]),
        ([("BOARD-OAK", 1, "-4.20"), ("MUG-RED", 1, "-2.40")], "-6.6", ["-4.2", "-2.4"]),
    ],
)
def test_totals(
    side: Side, lines: list[tuple[str, int, str]], total: str, line_totals: list[str]
) -> None:
    """20 % in the price (MUG-RED), 19 % (MUG-BLUE), 20 % on it (TEAPOT-08), 5.5 % (KETTLE-17)."""
    order = side.order(*lines)
    assert [
        f"{amount(each).normalize():f}" for (each,) in order.lines("price_total")
    ] == line_totals
    assert amount(order.read("amount_total")) == amount(float(total))


def test_a_discount_of_a_line(side: Side) -> None:
    order = side.order(("MUG-RED", 2, "10"))
    ((line,),) = order.lines("id")
    rows = [[str(line), "12.5", "20", ""]]
    fields = [".id", "price_unit", "discount", "tax_ids/.id"]
    side.session.load("sale.order.line", fields, rows, overwrite=True)
    assert order.lines("price_unit", "discount", "tax_ids") == [(12.5, 20.0, [])]
    assert amount(order.read("amount_total")) == 20


@pytest.mark.parametrize(("computed", "stays"), [("0", False), ("-1", True)])
def test_another_quantity_computes_the_price_anew(
    side: Side, computed: str, *, stays: bool
) -> None:
    order = side.order(("MUG-RED", 2, "10"))
    ((line,),) = order.lines("id")
    fields = [".id", "price_unit", "technical_price_unit"]
    side.session.load("sale.order.line", fields, [[str(line), "0", computed]], overwrite=True)
    side.rpc("sale.order.line", "write", [line], {"product_uom_qty": 3})
    ((price,),) = order.lines("price_unit")
    assert (price == 0) == stays


def test_what_was_changed_lately_is_found(side: Side) -> None:
    order = side.order()
    order.do("action_confirm")

    def changed(model: str, id_: int) -> bool:
        since = datetime.now(UTC) - timedelta(seconds=30)
        moment = ("write_date", ">=", since.strftime("%Y-%m-%d %H:%M:%S"))
        return bool(side.shop.search(model, [("id", "=", id_), moment], []))

    assert changed("sale.order", order.id)
    (transfer,) = order.transfers()
    assert changed("stock.picking", transfer["id"])
    later = [("id", "=", order.id), ("write_date", ">=", "2126-01-01 00:00:00")]
    assert not side.shop.search("sale.order", later, [])


def test_records_are_read_page_by_page(side: Side) -> None:
    orders = [side.order(date=f"2026-0{month}-01 10:00:00").id for month in (5, 3, 4)]
    domain = [("id", "in", orders)]

    def read(size: int, after: int = 0) -> list[list[int]]:
        found = pages(side.session, "sale.order", domain, ["name"], after=after, size=size)
        return [[row["id"] for row in page] for page in found]

    assert read(2) == [orders[:2], orders[2:]]
    assert read(3) == [orders, []]
    assert read(2, after=orders[0]) == [orders[1:], []]
    assert read(2, after=orders[2]) == [[]]


def test_changes_are_read_with_their_moments(side: Side) -> None:
    order = side.order()
    mine, since = [("id", "=", order.id)], datetime.now(UTC) - timedelta(seconds=30)
    (page,) = changed(side.session, "sale.order", mine, since=since)
    (written,) = page.changes.values()
    assert (list(page.changes), page.is_last) == ([order.id], True)
    assert abs(datetime.now(UTC) - written) < timedelta(seconds=30)
    (page,) = changed(side.session, "sale.order", mine, since=written)
    assert page.changes == {order.id: written}, "whole seconds, the first included"


def test_comparisons(side: Side) -> None:
    order = side.order(date="2026-05-01 10:00:00")

    def holds(*condition: Any) -> bool:
        return bool(side.shop.search("sale.order", [("id", "=", order.id), condition], []))

    compared = {op: holds("date_order", op, "2026-05-01 10:00:00") for op in (">", ">=", "<", "<=")}
    assert compared == {">": False, ">=": True, "<": False, "<=": True}
    assert holds("client_order_ref", "=like", f"{order.key[:3]}%")
    assert holds("client_order_ref", "=like", "_" * len(order.key))
    assert not holds("client_order_ref", "=like", order.key[1:])
    assert not holds("origin", "=like", "%"), "empty is like nothing"
    assert holds("client_order_ref", "ilike", order.key[1:].lower())
    assert not holds("origin", "ilike", "x")


def test_contacts_are_found_with_those_below_them(side: Side) -> None:
    customer = side.rpc("res.partner", "create", {"name": "Ann"})
    values = {"name": "Ben", "type": "delivery", "parent_id": customer}
    below = side.rpc("res.partner", "create", values)
    rows = side.shop.search("res.partner", [("id", "child_of", [customer])], ["user_ids"])
    assert sorted((row["id"], row["user_ids"]) for row in rows) == [(customer, []), (below, [])]
