"""Locked orders, languages and contacts in an in-memory Odoo and a real one."""

import xmlrpc.client
from typing import Any

import pytest
from two_odoos import Side, confirmed

pytestmark = pytest.mark.since_odoo(19, "double in memory")

MUG, BOARD, POT = "MUG-RED", "BOARD-OAK", "TEAPOT-08"


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
