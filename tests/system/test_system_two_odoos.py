"""What the bridge relies upon in Odoo: the same calls, the same responses, by a real and by an
in-memory one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from memory_odoo import MemoryDatabase, MemoryOdoo, NotPlayed, connect
from shop import Shop, amount
from two_odoos import ACCOUNT, LINE, NUMBERS, ORDER, QUIET, Placed, Side
from warehouse import Warehouse

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.loading import LoadError
from amazon_bridge.odoo.paging import changed, pages

NOWHERE = 987_654


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


# The login, and what an account needs


def test_login(side: Side) -> None:
    assert side.session.version == (19, 0)
    assert side.session.uid == 2
    assert side.session.is_private
    names = side.session.names
    assert (names.order_locked, names.line_taxes, names.line_unit) == (
        *("locked", "tax_ids", "product_uom_id"),
    )
    assert (names.price_digits, names.line_routes, names.route_model) == (
        *(None, "route_ids", "stock.route"),
    )
    assert names.move_done_quantity == "quantity"
    assert names.has_picked
    assert names.has_tracking
    assert names.has_sale_stock


def test_a_wrong_password_is_refused(side: Side) -> None:
    common = side.shop.database._service("common")
    assert common.authenticate(side.shop.database.database, "admin", "wrong", {}) is False


def test_setup_is_made_once(side: Side) -> None:
    found = setup.inspect(side.session, ACCOUNT)
    assert (found.missing, found.advice) == ((), ())
    assert found.setup == side.setup == setup.prepare(side.session, ACCOUNT)
    assert setup.is_current(side.session, side.setup)
    (location,) = side.session.read(
        "stock.location", [side.setup.fba_location_id], ["complete_name", "usage"]
    )
    assert (location["complete_name"], location["usage"]) == ("WH/Amazon", "internal")
    assert sorted(side.setup.pricelists) == ["EUR", "GBP"]
    ids = [side.setup.products.rounding, side.setup.products.sale]
    rows = side.rpc("product.product", "read", ids, ["taxes_id"])
    assert [len(row["taxes_id"]) for row in rows] == [0, 1]


# Loads


def test_load_makes_once_and_leaves_what_people_changed(side: Side) -> None:
    key, fields = next(NUMBERS), ["id", "name", "email"]
    rows = [[f"amazon_bridge.partner_{key}_{n}", f"Name {n}", ""] for n in (3, 1, 2)]
    ids = side.session.load("res.partner", fields, rows)
    side.rpc("res.partner", "write", ids[:1], {"name": "Changed"})
    again = [[row[0], "Other", "x@example.com"] for row in rows]
    assert side.session.load("res.partner", fields, again) == ids

    def names() -> list[str]:
        found = {row["id"]: row["name"] for row in side.session.read("res.partner", ids, ["name"])}
        return [found[id_] for id_ in ids]

    assert names() == ["Changed", "Name 1", "Name 2"]
    assert side.session.load("res.partner", fields, again, overwrite=True) == ids
    assert names() == ["Other"] * 3
    side.session.load("res.partner", [".id", "name"], [[str(ids[0]), "By id"]])
    assert names() == ["By id", "Other", "Other"]


BAD_ROWS: Mapping[str, tuple[str, list[str], list[list[str]], list[tuple[Any, ...]]]] = {
    "database ids": (
        "res.partner",
        ["id", "name", "country_id/.id"],
        [
            ["amazon_bridge.partner_bad1", "A", ""],
            ["amazon_bridge.partner_bad2", "B", "987654"],
            ["amazon_bridge.partner_bad3", "C", "x"],
        ],
        [
            (1, 1, "country_id", "No matching record found for database id '987654'"),
            (2, 2, "country_id", "Invalid database id 'x' for the field 'Country'"),
        ],
    ),
    "external id": (
        "res.partner",
        ["id", "name", "country_id/id"],
        [["amazon_bridge.partner_bad1", "A", "base.nowhere"]],
        [(0, 0, "country_id", "No matching record found for external id 'base.nowhere'")],
    ),
    "no name": (
        "res.partner",
        ["id", "name"],
        [[f"amazon_bridge.partner_bad{n}", "" if n == 2 else "A"] for n in (1, 2, 3)],
        [(1, 1, None, "Contacts require a name")],
    ),
    "gone": (
        "sale.order",
        [".id", "note"],
        [["987654", "x"]],
        [
            (0, 0, ".id", "Unknown database identifier '987654'"),
            (0, 0, None, "Cannot update a record without specifying its id or xml_id"),
        ],
    ),
    "no customer": (
        "sale.order",
        ["id", "client_order_ref"],
        [["amazon_bridge.sale_order_bad", "X"]],
        [(0, 0, "partner_id", "Missing required value for the field 'Customer' (partner_id).")],
    ),
    "product of a line": (
        "sale.order",
        ["id", "partner_id/.id", "order_line/id", "order_line/name", "order_line/product_id/.id"],
        [
            ["amazon_bridge.sale_order_bad1", "1", "amazon_bridge.sale_line_b1", "A", "1"],
            ["", "", "amazon_bridge.sale_line_b2", "A", "987654"],
            ["amazon_bridge.sale_order_bad2", "1", "amazon_bridge.sale_line_b3", "B", "1"],
        ],
        [(0, 1, "order_line", "No matching record found for database id '987654' in field")],
    ),
    "date": (
        "sale.order",
        ["id", "partner_id/.id", "date_order"],
        [["amazon_bridge.sale_order_bad", "1", "2026-13-01 00:00:00"]],
        [(0, 0, "date_order", "'2026-13-01 00:00:00' does not seem to be a valid datetime")],
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_load_shows_the_bad_rows_and_makes_none(side: Side, case: str) -> None:
    model, fields, rows, expected = BAD_ROWS[case]
    response = side.load(model, fields, rows)
    assert response["ids"] is False
    found = [
        (m["rows"]["from"], m["rows"]["to"], m.get("field"), m["message"])
        for m in response["messages"]
    ]
    assert [each[:3] for each in found] == [each[:3] for each in expected]
    for each, wanted in zip(found, expected, strict=True):
        assert each[3].startswith(wanted[3])
    assert all(message["type"] == "error" for message in response["messages"])
    ours = [row[0].removeprefix("amazon_bridge.") for row in rows if not row[0].isdigit()]
    assert not side.shop.search("ir.model.data", [("name", "in", ours)], [])


def test_load_refuses_the_external_id_of_another_model(side: Side) -> None:
    order = side.order()
    name = f"amazon_bridge.sale_order_{order.key}"
    response = side.load("res.partner", ["id", "name"], [[name, "A"]])
    assert response["ids"] is False
    assert response["messages"][0]["message"].startswith(f"For external id {name} when trying to")


def test_an_order_is_loaded_with_its_lines_and_never_twice(side: Side) -> None:
    order = side.order(("MUG-RED", 2, "10"), ("BOARD-OAK", 1, "4.5"))
    fields = [*ORDER, *(f"order_line/{column}" for column in LINE)]
    head = [f"amazon_bridge.sale_order_{order.key}", "Y", now(), "1"]
    line = [f"amazon_bridge.sale_line_{order.key}-0", "1", "Other", "5", "0", "0", ""]
    assert side.session.load("sale.order", fields, [[*head, *line]]) == [order.id]
    assert order.read("client_order_ref", "date_order") == [order.key, "2026-05-01 10:00:00"]
    assert order.lines("name", "product_uom_qty", "price_unit") == [
        ("MUG-RED", 2.0, 10.0),
        ("BOARD-OAK", 1.0, 4.5),
    ]
    ids = [id_ for (id_,) in order.lines("id")]
    assert side.session.external_ids("sale.order.line", ids) == {
        id_: f"sale_line_{order.key}-{number}" for number, id_ in enumerate(ids)
    }


def test_a_line_without_a_product_is_a_note(side: Side) -> None:
    key, partner = f"X{next(NUMBERS)}", str(side.partner)
    columns = ("id", "product_id/.id", "name", "product_uom_qty", "display_type")
    fields = ["id", "partner_id/.id", *(f"order_line/{column}" for column in columns)]
    goods = [f"amazon_bridge.sale_line_{key}-0", side.catalogue["MUG-RED"][0], "Goods", "1", ""]
    note = [f"amazon_bridge.sale_line_{key}-1", "", "With love", "0", "line_note"]
    head = [f"amazon_bridge.sale_order_{key}", partner]
    (id_,) = side.session.load("sale.order", fields, [[*head, *goods], ["", "", *note]])
    order = Placed(side, key, id_)
    assert order.lines("name", "display_type", "product_uom_qty", "price_total")[1] == (
        *("With love", "line_note", 0.0, 0.0),
    )
    assert order.do("action_confirm")
    assert len(order.moves()) == 1


def test_a_contact_is_made_once_and_then_gets_its_customer(side: Side) -> None:
    name = f"amazon_bridge.partner_c{next(NUMBERS)}"
    fields = ["id", "name", "type", "city", "ref"]

    def made(city: str) -> int:
        row = [name, "Home", "delivery", city, name]
        (id_,) = side.session.load("res.partner", fields, [row])
        return id_

    def read() -> dict[str, Any]:
        (row,) = side.session.read("res.partner", [contact], [*fields, "parent_id"])
        return {key: row[key] for key in ("city", "ref", "parent_id")}

    contact = made("Lyon")
    assert read() == {"city": "Lyon", "ref": name, "parent_id": False}
    below = [".id", "parent_id/.id", "email", "ref"]
    cells = [[str(contact), str(side.partner), "", ""]]
    side.session.load("res.partner", below, cells, overwrite=True)
    assert made("Paris") == contact
    assert read() == {"city": "Lyon", "ref": False, "parent_id": [side.partner, "Somebody"]}


# External ids, reading


def test_external_ids_are_found_and_go_with_their_record(side: Side) -> None:
    order = side.order()
    name = f"sale_order_{order.key}"
    assert side.session.external_ids("sale.order", [order.id, NOWHERE]) == {order.id: name}
    assert side.session.reference(name) == order.id
    assert side.rpc("sale.order", "unlink", [order.id]) is True
    assert side.session.reference(name) is None
    with pytest.raises(ItemError, match="External ID not found in the system: amazon_bridge"):
        side.session.call("ir.model.data", "check_object_reference", "amazon_bridge", "none")
    assert not side.shop.search("sale.order.line", [("order_id", "=", order.id)], [])


def test_missing_records_are_not_read_and_not_written(side: Side) -> None:
    order = side.order()
    rows = side.session.read("sale.order", [NOWHERE, order.id], ["name"])
    assert [row["id"] for row in rows] == [order.id]
    gone = "Record does not exist or has been deleted.\n(Record: sale.order(#,), User: #)"
    for method in ("action_confirm", "action_cancel", "unlink"):
        assert side.refused("sale.order", method, [NOWHERE]) == gone
    assert side.refused("sale.order", "write", [order.id, NOWHERE], {"note": "x"}) == gone
    assert order.read("note") is False, "a call that fails changes nothing"


def test_domains(side: Side) -> None:
    one, other = side.order(), side.order()
    both = ("id", "in", [one.id, other.id])

    def found(*domain: Any) -> list[int]:
        return [row["id"] for row in side.rpc("sale.order", "search_read", [*domain], [])]

    keys = [one.key, other.key]
    assert found(("client_order_ref", "in", keys)) == [other.id, one.id]
    assert found(both, ("client_order_ref", "!=", one.key)) == [other.id]
    assert found(both, ("client_order_ref", "not in", keys)) == []
    either = ["|", ("client_order_ref", "=", one.key), ("origin", "in", ["nothing"])]
    assert found(*either, both) == [one.id]
    assert found(both, ("note", "=", False), ("partner_id.name", "=", "Somebody")) != []
    assert found(both, ("picking_ids.state", "in", ["assigned"])) == []
    one.do("action_confirm")
    assert found(both, ("picking_ids.state", "in", ["assigned"])) == [one.id]
    assert found(both, "&", ("state", "=", "sale"), ("company_id", "=", 1)) == [one.id]
    assert side.rpc("sale.order", "search_count", [both]) == 2


def test_what_is_archived_is_not_found(side: Side) -> None:
    values = {"name": "Old", "default_code": f"OLD-{next(NUMBERS)}", "active": False}
    product = side.rpc("product.product", "create", values)
    domain = [("default_code", "=", values["default_code"])]
    assert side.shop.search("product.product", domain, []) == []
    seen = side.session.search_read(
        "product.product", domain, ["display_name"], context={"active_test": False}
    )
    assert seen == [{"id": product, "display_name": f"[{values['default_code']}] Old"}]


def test_customers_are_found_by_their_e_mail_address(side: Side) -> None:
    address = f"Ann{next(NUMBERS)}@Example.com"
    partner = side.rpc("res.partner", "create", {"name": "Ann", "email": address})
    known = [("email_normalized", "in", [address.lower()]), ("is_company", "=", False)]
    rows = side.shop.search("res.partner", [("parent_id", "=", False), *known], ["street"])
    assert rows == [{"id": partner, "street": False}]


# Sale orders


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


# Notes and activities


def test_a_note_is_written_once(side: Side) -> None:
    order = side.order()
    fields = ["id", "model", "res_id", "subject", "body", "message_type", "subtype_id/id"]
    row = [f"amazon_bridge.note_{order.key}", "sale.order", str(order.id), "Noted", "<p>Noted</p>"]
    rows = [[*row, "notification", "mail.mt_note"]]
    assert side.session.load("mail.message", fields, rows) == side.session.load(
        "mail.message", fields, rows
    )
    assert side.shop.notes("sale.order", order.id) == ["Noted"]


def test_an_activity_is_scheduled_once_and_closed(side: Side) -> None:
    order = side.order()
    fields = ["id", "res_model_id/id", "res_id", "summary", "note", "activity_type_id/id"]
    fields += ["date_deadline", "user_id/.id"]

    def row(name: str, id_: int) -> list[str]:
        about = ["sale.model_sale_order", str(id_), "Look", "<p>Look</p>"]
        kind = ["mail.mail_activity_data_todo", "2026-11-30", str(side.session.uid)]
        return [f"amazon_bridge.activity_{order.key}_{name}", *about, *kind]

    for _ in range(2):
        (id_,) = side.session.load("mail.activity", fields, [row("a", order.id)])
    assert side.shop.activities("sale.order", order.id) == ["Look"]
    with pytest.raises(LoadError, match="security restrictions"):
        side.session.load("mail.activity", fields, [row("b", NOWHERE)])
    names = side.session.external_ids("mail.activity", [id_])
    assert names == {id_: f"activity_{order.key}_a"}
    assert side.session.call("mail.activity", "action_feedback", [id_], feedback="Done")
    assert side.shop.activities("sale.order", order.id) == []
    assert side.session.reference(names[id_]) is None


def test_notes_go_with_their_record(side: Side) -> None:
    order = side.order()
    rows = [[f"amazon_bridge.note_{order.key}", "sale.order", str(order.id), "Noted"]]
    side.session.load("mail.message", ["id", "model", "res_id", "subject"], rows)
    assert side.shop.notes("sale.order", order.id) == ["Noted"]
    order.do("unlink")
    assert side.shop.notes("sale.order", order.id) == []


# The in-memory one alone


@pytest.mark.parametrize(
    ("model", "method", "arguments"),
    [
        ("account.journal", "search_read", ([], ["name"])),
        ("sale.order", "message_post", ([1],)),
        ("sale.order", "read", ([1], ["campaign_id"])),
        ("sale.order", "search_read", ([("campaign_id", "=", 1)], ["name"])),
        ("sale.order", "search_read", ([("name", "not ilike", "S")], ["name"])),
        ("sale.order", "create", ({"partner_id": 1, "campaign_id": 1},)),
        ("sale.order", "load", (["id", "campaign_id/.id"], [["a.b", "1"]])),
        ("sale.order", "change", ([1], {"state": "sale"})),
    ],
)
def test_what_it_does_not_play_it_refuses_loudly(
    model: str, method: str, arguments: tuple[Any, ...]
) -> None:
    shop = Shop(MemoryDatabase(server=MemoryOdoo()))
    shop.make_catalogue()
    shop.rpc("sale.order", "create", {"partner_id": 1})
    with pytest.raises(NotPlayed):
        connect(shop.database.server).call(model, method, *arguments)
