"""Customers where Odoo has fields for the parts of a street, and checks tax numbers."""

import pytest
from buyer_makers import HOME, order
from odoo_server.databases import OdooDatabase

from amazon_bridge.model import Address
from amazon_bridge.odoo.geography import geography_of
from amazon_bridge.odoo.partners import customers
from amazon_bridge.odoo.session import OdooSession

COMPANY = 1
WRONG = "DE123456789"
FLOWERS = Address(
    country_code="BR",
    state_or_region="SP",
    postal_code="01234-567",
    city="São Paulo",
    name="Maria Exemplo",
    lines=("Rua das Flores, 123", "Apartamento 45"),
    street_name="Rua das Flores",
    street_number="123",
    complement="Apartamento 45",
    neighborhood="Vila Madalena",
)
PARTS = ["street_name", "street_number", "street_number2"]


@pytest.fixture(scope="module", autouse=True)
def modules(odoo_database: OdooDatabase) -> None:
    names = ["base_vat", "base_address_extended"]
    found = odoo_database.rpc("ir.module.module", "search", [("name", "in", names)])
    odoo_database.rpc("ir.module.module", "button_immediate_install", found)


def test_brazilian_addresses(odoo_database: OdooDatabase, bridge: OdooSession) -> None:
    geography = geography_of(lambda: bridge)
    first = order(FLOWERS, name="Maria Exemplo", person_tax_number="529.982.247-25")
    abroad = order(HOME)
    found = customers(bridge, geography, [first, abroad], COMPANY)
    placed = found[first.order_id]
    assert placed.delivery_id == placed.partner_id
    fields = ["street", "street2", "vat", "is_company", *PARTS]
    [row] = odoo_database.rpc("res.partner", "read", [placed.partner_id], fields)
    assert (row["street"], row["street2"]) == (
        *("Rua das Flores 123 - Apartamento 45",),
        "Vila Madalena",
    )
    assert [row[name] for name in PARTS] == ["Rua das Flores", "123", "Apartamento 45"]
    assert row["vat"].replace(".", "").replace("-", "") == "52998224725"
    there = found[abroad.order_id].partner_id
    [row] = odoo_database.rpc("res.partner", "read", [there], ["street"])
    assert row["street"] == "1 rue Haute"
    again = order(FLOWERS, name="Maria Exemplo", email=first.buyer.email)
    assert customers(bridge, geography, [again], COMPANY)[again.order_id] == placed


def test_a_number_that_odoo_refuses_merges_nobody(
    odoo_database: OdooDatabase, bridge: OdooSession
) -> None:
    geography = geography_of(lambda: bridge)
    names = ("One GmbH", "Two GmbH", None)
    wrong = [order(HOME, company_name=name, vat_number=WRONG) for name in names]
    good = order(HOME, company_name="Three GmbH", vat_number="DE136695976")
    found = customers(bridge, geography, [*wrong, good], COMPANY)
    ids = [found[each.order_id].partner_id for each in wrong]
    rows = odoo_database.rpc("res.partner", "read", ids, ["name", "vat", "comment", "is_company"])
    assert [(r["name"], r["is_company"]) for r in rows] == [
        *(("One GmbH", True), ("Two GmbH", True)),
        ("Ada Testwell", False),
    ]
    assert all(not row["vat"] and row["comment"].count(WRONG) == 1 for row in rows)
    assert [found[o.order_id].tax_number_refused for o in (*wrong, good)] == [True] * 3 + [False]
    again = order(HOME, company_name="One GmbH", vat_number=WRONG, email=wrong[0].buyer.email)
    assert customers(bridge, geography, [again], COMPANY)[again.order_id].partner_id == ids[0]
    [row] = odoo_database.rpc("res.partner", "read", [ids[0]], ["comment"])
    assert row["comment"].count(WRONG) == 1
