"""Customers and delivery contacts in a real Odoo, and people's changes to them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from buyer_makers import HOME, order
from odoo_server.databases import OdooDatabase
from office import Office

from amazon_bridge.model import Address, FulfilledBy, Order
from amazon_bridge.odoo.geography import Geography, geography_of
from amazon_bridge.odoo.partners import Customer, destinations
from amazon_bridge.odoo.session import OdooSession


@pytest.fixture(scope="module")
def geography(bridge: OdooSession) -> Geography:
    return geography_of(lambda: bridge)


@pytest.fixture
def office(odoo_database: OdooDatabase, bridge: OdooSession, geography: Geography) -> Office:
    return Office(odoo_database, bridge, geography)


def again(earlier: Order, address: Address | None = HOME, **changes: Any) -> Order:
    """Another order of the same buyer."""
    buyer = {"email": earlier.buyer.email, "name": earlier.buyer.name, **changes}
    return order(address, **buyer)


# Whole addresses


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(HOME, lines=("1 rue Haute",)),
        replace(HOME, lines=("1 rue Haute", "Porte C")),
        replace(HOME, postal_code=None),
        replace(HOME, city=None),
        replace(HOME, name="Ben Testwell"),
        replace(HOME, phone="+33 1 23 45 67 89"),
        replace(HOME, state_or_region="Île-de-France"),
    ],
)
def test_an_address_that_differs_in_anything_is_another_one(
    office: Office, elsewhere: Address
) -> None:
    first = order()
    (home,) = office.place(first)
    assert home.delivery_id == home.partner_id
    (other,) = office.place(again(first, elsewhere))
    assert other.partner_id == home.partner_id
    contact = office.read(other.delivery_id)
    assert (contact["type"], contact["parent_id"][0]) == ("delivery", home.partner_id)
    lines = [*elsewhere.lines, elsewhere.state_or_region]
    assert ", ".join(filter(None, (contact["street"], contact["street2"]))) == ", ".join(
        filter(None, lines)
    )
    assert contact["name"] == elsewhere.name
    assert (contact["zip"], contact["city"]) == (
        elsewhere.postal_code or False,
        elsewhere.city or False,
    )
    (same,) = office.place(again(first, elsewhere))
    assert same.delivery_id == other.delivery_id


@pytest.mark.parametrize(
    "same",
    [
        replace(HOME, lines=("1  RUE haute", "porte B "), city="PARIS"),
        replace(HOME, phone=None),
        replace(HOME, phone="01 23 45 67 89"),
    ],
)
def test_the_same_address_in_other_letters_is_no_other(office: Office, same: Address) -> None:
    first = order(replace(HOME, phone="+33 123456789"))
    (home,) = office.place(first)
    assert office.place(again(first, same)) == [home]


def test_an_order_without_an_address_does_not_go_to_the_last_one(office: Office) -> None:
    first = order()
    home, nowhere = office.place(first), office.place(again(first, None))
    contact = office.read(nowhere[0].delivery_id)
    assert (nowhere[0].has_address, contact["street"], contact["city"]) == (False, False, False)
    assert contact["parent_id"][0] == home[0].partner_id
    shipped = order(None, by=FulfilledBy.AMAZON, email=first.buyer.email)
    assert office.place(shipped)[0].delivery_id == home[0].partner_id


@pytest.mark.parametrize(
    ("address", "name", "street"),
    [
        (replace(HOME, company_name="Example SARL"), "Example SARL, Ada Testwell", "1 rue Haute"),
        (replace(HOME, company_name="Example SARL", name=None), "Example SARL", "1 rue Haute"),
        (replace(HOME, company_name="Example SARL", lines=()), "Example SARL, Ada Testwell", False),
    ],
)
def test_the_recipients_company_is_in_the_name(
    office: Office, address: Address, name: str, street: str
) -> None:
    contact = office.delivery(order(address))
    assert (contact["name"], contact["street"]) == (name, street)


def test_the_company_that_buys_is_named_once(office: Office) -> None:
    address = replace(HOME, company_name="Example SARL")
    placed = order(address, company_name="Example SARL")
    (customer,) = office.place(placed)
    contact = office.read(customer.delivery_id)
    assert contact["name"] == "Ada Testwell"
    assert contact["parent_id"] == [customer.partner_id, "Example SARL"]


def test_nothing_reported_of_an_address_is_dropped(office: Office) -> None:
    contact = office.delivery(
        order(replace(HOME, state_or_region="Nowhere", country_code="XX", district_or_county="Sud"))
    )
    assert contact["street2"] == "Porte B, Sud, Nowhere, XX"
    long = "x" * 700
    customer = office.read(office.place(order(replace(HOME, lines=(long,))))[0].partner_id)
    assert customer["street"].endswith("…")
    assert long in customer["comment"]


# What people do


CHANGES: dict[str, dict[str, Any]] = {
    "street": {"street": "2 rue Basse"},
    "type": {"type": "invoice"},
    "name": {"name": "Ada T."},
    "street and type": {"street": "2 rue Basse", "type": "other"},
    "archived": {"active": False},
}
OFFICE_ADDRESS = replace(HOME, name="Reception", lines=("9 quai Neuf",), city="Nice")


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_a_person_changed_on_a_delivery_contact_stays(
    office: Office, change: dict[str, Any]
) -> None:
    first = order(OFFICE_ADDRESS)
    home = again(first)
    office.place(home)
    (placed,) = office.place(first)
    office.write(placed.delivery_id, **change)
    before = office.read(placed.delivery_id)
    contact = office.delivery(again(first, OFFICE_ADDRESS))
    assert office.read(placed.delivery_id) == before
    assert contact["id"] != placed.delivery_id
    assert (contact["name"], contact["street"], contact["active"]) == (
        *("Reception", "9 quai Neuf"),
        True,
    )
    assert contact["parent_id"][0] == placed.partner_id
    assert office.delivery(again(first, OFFICE_ADDRESS))["id"] == contact["id"]


@pytest.mark.parametrize("company", [None, "Example SARL"])
def test_an_archived_customer_is_neither_written_nor_used(
    office: Office, company: str | None
) -> None:
    first = order(company_name=company)
    (placed,) = office.place(first)
    office.write(placed.partner_id, active=False, street="2 rue Basse")
    before = office.read(placed.partner_id)
    (second,) = office.place(again(first, company_name=company))
    assert office.read(placed.partner_id) == before
    assert second.partner_id != placed.partner_id
    assert office.read(second.delivery_id)["active"]
    assert office.place(again(first, company_name=company))[0].partner_id == second.partner_id


@pytest.fixture(scope="module")
def second_company(odoo_database: OdooDatabase) -> int:
    return int(odoo_database.rpc("res.company", "create", {"name": "Second"}))


def test_a_customer_of_another_company_is_not_used(
    office: Office, second_company: int, odoo_database: OdooDatabase
) -> None:
    first = order(company_name="Acme GmbH", vat_number="DE123456788")
    (hidden,) = office.place(first)
    assigned = {"company_id": second_company}
    odoo_database.rpc("res.partner", "write", [hidden.partner_id], assigned)
    (mine,) = office.place(again(first, company_name="Acme GmbH", vat_number="DE123456788"))
    assert mine.partner_id != hidden.partner_id
    assert office.read(mine.partner_id)["vat"] == "DE123456788"
    (same,) = office.place(again(first, company_name="Acme GmbH", vat_number="DE123456788"))
    assert same == mine


def test_the_person_of_a_company_that_was_archived_stays_so(office: Office) -> None:
    first = order(company_name="Example SARL", name="Erika")
    (placed,) = office.place(first)
    (person,) = (c for c in office.below(placed.partner_id) if c["type"] == "contact")
    assert (person["name"], person["email"], person["ref"]) == (
        *("Erika", first.buyer.email),
        False,
    )
    office.write(person["id"], active=False, name="E. M.")
    office.place(again(first, company_name="Example SARL"))
    persons = [c for c in office.below(placed.partner_id) if c["type"] == "contact"]
    assert [(p["id"], p["name"], p["active"]) for p in persons] == [(person["id"], "E. M.", False)]


def test_merged_delivery_contacts(office: Office) -> None:
    first = order()
    second = again(first, OFFICE_ADDRESS)
    third = again(first, replace(OFFICE_ADDRESS, name="Warehouse", lines=("10 quai Neuf",)))
    _, one, two = office.place(first, second, third)
    office.merge(one.delivery_id, two.delivery_id)
    for address in (second.address, third.address):
        contact = office.delivery(again(first, address))
        assert address is not None
        assert (contact["name"], contact["street"]) == (address.name, address.lines[0])
        assert (contact["active"], contact["parent_id"][0]) == (True, one.partner_id)


def test_merged_customers(office: Office) -> None:
    first, second = order(), order(OFFICE_ADDRESS, name="Ben")
    elsewhere = again(first, OFFICE_ADDRESS)
    one, _, two = office.place(first, elsewhere, second)
    office.merge(one.partner_id, two.partner_id)
    kept = office.read(two.partner_id)
    (placed,) = office.place(again(first))
    assert placed.partner_id == two.partner_id
    contact = office.read(placed.delivery_id)
    assert (contact["name"], contact["street"]) == ("Ada Testwell", "1 rue Haute")
    assert office.read(two.partner_id) == kept


def test_a_person_of_a_company_merged_with_a_private_customer(office: Office) -> None:
    bought = order(company_name="Example SARL", name="Erika")
    private = again(bought, replace(HOME, name="Erika"))
    company, person = office.place(bought, private)
    (contact,) = (c for c in office.below(company.partner_id) if c["type"] == "contact")
    office.merge(contact["id"], person.partner_id)
    office.write(person.partner_id, parent_id=False)
    office.place(again(bought, company_name="Example SARL"))
    assert office.read(person.partner_id)["parent_id"] is False


def test_an_interrupted_contact_is_finished(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = order()
    home = office.place(first)[0]
    load = OdooSession.load

    def dies(session: OdooSession, model: str, fields: list[str], *args: Any, **more: Any) -> Any:
        if "parent_id/.id" in fields:
            raise ConnectionError
        return load(session, model, fields, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(OdooSession, "load", dies)
        with pytest.raises(ConnectionError):
            office.place(again(first, OFFICE_ADDRESS))
    contact = office.delivery(again(first, OFFICE_ADDRESS))
    assert (contact["parent_id"][0], contact["ref"]) == (home.partner_id, False)
    domain = [("ref", "like", "amazon_bridge.")]
    assert office.odoo.rpc("res.partner", "search_count", domain) == 0


# Tax numbers


@pytest.mark.parametrize("text", ["N/A", "none", "0000000", "Privat", "-----", "12"])
def test_a_text_that_is_no_tax_number_merges_nobody(office: Office, text: str) -> None:
    two = [order(company_name=name, vat_number=text) for name in ("One SARL", "Two SARL")]
    placed = office.place(*two)
    names = [office.read(customer.partner_id)["name"] for customer in placed]
    assert names == ["One SARL", "Two SARL"]
    for customer in placed:
        row = office.read(customer.partner_id)
        assert (row["vat"], text in row["comment"]) == (False, True)


def test_a_number_without_a_company_makes_its_person_a_business(office: Office) -> None:
    sole = order(vat_number="DE 136.695.976", name="Hans Example")
    private = again(sole)
    (customer, alone) = office.place(sole, private)
    row = office.read(customer.partner_id)
    assert (row["name"], row["is_company"]) == ("Hans Example", True)
    assert row["vat"].replace(".", "") == "DE136695976"
    assert not [c for c in office.below(customer.partner_id) if c["type"] == "contact"]
    assert alone.partner_id != customer.partner_id
    assert office.read(alone.partner_id)["vat"] is False
    other = order(vat_number="DE136695976", company_name="Example GmbH", name="Cem")
    assert office.place(other)[0].partner_id == customer.partner_id


def test_a_persons_number(office: Office) -> None:
    first = order()
    (customer,) = office.place(first)
    office.place(again(first, person_tax_number="529.982.247-25"))
    row = office.read(customer.partner_id)
    assert (row["vat"], row["is_company"]) == ("529.982.247-25", False)


def test_one_mail_address_for_two_companies_and_a_person(office: Office) -> None:
    first = order(company_name="One SARL")
    others = [again(first, company_name="Two SARL"), again(first), again(first, vat_number="N/A")]
    placed = office.place(first, *others)
    assert len({customer.partner_id for customer in placed}) == 3
    assert placed[2].partner_id == placed[3].partner_id


def test_odoo_keeps_no_history_of_what_was_entered(office: Office) -> None:
    first = order(company_name="Traced SARL", name="Zoe", vat_number="FR40123454396")
    office.place(
        first, again(first, OFFICE_ADDRESS, company_name="Traced SARL", vat_number="FR40123454396")
    )
    domain = [("new_value_char", "like", "40123454396")]
    assert office.odoo.rpc("mail.tracking.value", "search_count", domain) == 0


# Addresses that become available later


def now(earlier: Order, address: Address | None = HOME, **buyer: Any) -> Order:
    """The same order as Amazon shows it later."""
    return replace(earlier, address=address, buyer=replace(earlier.buyer, **buyer))


Later = Callable[[Order, Customer], int]


@pytest.fixture
def later(office: Office) -> Later:
    def find(shown: Order, placed: Customer) -> int:
        pairs = {shown.order_id: (placed.partner_id, placed.delivery_id)}
        return destinations(office.bridge, office.geography, [shown], pairs)[shown.order_id]

    return find


@pytest.mark.parametrize("email", [None, "x@marketplace.amazon.fr"])
def test_a_nameless_customer_is_completed(office: Office, later: Later, email: str | None) -> None:
    placed = order(None, name=None, email=email and f"{id(later)}{email}")
    (customer,) = office.place(placed)
    assert office.read(customer.partner_id)["name"] == f"Amazon customer {placed.order_id}"
    assert later(now(placed, name="Ada Testwell"), customer) == customer.delivery_id
    row = office.read(customer.partner_id)
    assert (row["name"], row["street"], row["street2"]) == (
        *("Ada Testwell", "1 rue Haute"),
        "Porte B",
    )


def test_a_delivery_contact_without_an_address_gets_it(office: Office, later: Later) -> None:
    first = order()
    office.place(first)
    placed = again(first, None)
    (customer,) = office.place(placed)
    assert later(now(placed, OFFICE_ADDRESS), customer) == customer.delivery_id
    contact = office.read(customer.delivery_id)
    assert (contact["street"], contact["city"]) == ("9 quai Neuf", "Nice")
    assert later(now(placed, OFFICE_ADDRESS), customer) == customer.delivery_id
    assert office.read(customer.delivery_id) == contact


def test_the_same_address_is_unchanged_and_another_is_another_contact(
    office: Office, later: Later
) -> None:
    placed = order(replace(HOME, phone="+33 123456789"))
    (customer,) = office.place(placed)
    for same in (HOME, replace(HOME, city="PARIS"), None):
        assert later(now(placed, same), customer) == customer.delivery_id
    found = later(now(placed, OFFICE_ADDRESS), customer)
    assert found != customer.delivery_id
    assert office.read(found)["street"] == "9 quai Neuf"


def test_a_customer_of_another_company_stays_as_it_is(
    office: Office, later: Later, second_company: int, odoo_database: OdooDatabase
) -> None:
    placed = order(None)
    (customer,) = office.place(placed)
    odoo_database.rpc("res.partner", "write", [customer.partner_id], {"company_id": second_company})
    assert later(now(placed), customer) == customer.delivery_id
    assert not office.read(customer.partner_id)["street"]


def test_an_anonymous_customer_stays_anonymous(office: Office, later: Later) -> None:
    placed = order(None)
    (customer,) = office.place(placed)
    office.write(customer.partner_id, name="Anonymous Amazon customer")
    before = office.read(customer.partner_id)
    assert later(now(placed), customer) == customer.delivery_id
    assert office.read(customer.partner_id) == before
