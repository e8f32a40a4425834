"""What the bridge relies upon in Odoo: the same calls, the same responses, by a real and by an
in-memory one.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from memory_odoo import MemoryDatabase, MemoryOdoo, NotPlayed, connect
from shop import Shop
from two_odoos import ACCOUNT, LINE, NUMBERS, ORDER, Placed, Side, now

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.loading import LoadError

pytestmark = pytest.mark.since_odoo(19, "double in memory")

NOWHERE = 987_654


# The login, and what an account needs


def test_login(side: Side) -> None:
    assert side.session.version == (19, 0)
    assert side.session.uid == 2
    assert side.session.is_private
    names = side.session.capabilities
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
        ("account.analytic.line", "search_read", ([], ["name"])),
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
    odoo = MemoryOdoo()
    shop = Shop(MemoryDatabase(server=odoo))
    shop.make_catalogue()
    shop.rpc("sale.order", "create", {"partner_id": 1})
    with pytest.raises(NotPlayed):
        connect(odoo, protocol="xmlrpc").call(model, method, *arguments)
