"""Orders of business buyers: their contacts, VAT numbers and purchase orders in Odoo."""

import pytest
from desk import Desk, MakeDesk, item, order
from odoo_server.databases import OdooDatabase

GOOD, BAD = "DE136695976", "DE123456789"
PARTNER = ["name", "is_company", "vat", "comment", "email", "type", "child_ids", "parent_id"]


@pytest.fixture(scope="module", autouse=True)
def base_vat(odoo_database: OdooDatabase) -> None:
    """Odoo's own check of VAT numbers."""
    rpc = odoo_database.rpc
    modules = rpc("ir.module.module", "search", [("name", "=", "base_vat")])
    rpc("ir.module.module", "button_immediate_install", modules)


@pytest.fixture
def desk(make_desk: MakeDesk, odoo_database: OdooDatabase) -> Desk:
    groups = ("base.group_user", "sales_team.group_sale_salesman_all_leads")
    groups += ("stock.group_stock_user", "base.group_partner_manager")
    make_desk().context  # noqa: B018  sets up what only an administrator may make
    taken = odoo_database.rpc("res.users", "search_count", [("login", "like", "bridge")])
    return make_desk(odoo_database.make_user(f"bridge{taken}", groups))


def business(vat: str, *, person: str = "Erika", company: str = "Muster GmbH", **more: str):
    buyer = {"buyerName": person, "buyerEmail": f"{person.lower()}@marketplace.amazon.de"}
    buyer |= {"buyerCompanyName": company, **more}
    tax = {"entityType": "BUYER", "taxRegistrationType": "VAT", "taxRegistrationNumber": vat}
    payload = order(item(ITEM="10.00"), place="DE", buyer=buyer)
    return payload | {"tax": {"taxRegistrations": [tax]}}


def test_the_company_is_the_customer_and_the_person_its_contact(desk: Desk):
    payload = business(GOOD, buyerPurchaseOrderNumber="PO <4711>")
    assert desk.work(payload).created == 1
    sale_order = desk.order(payload, "note", "partner_shipping_id", "partner_invoice_id")
    [company] = desk.find("res.partner", [("id", "=", sale_order["partner_id"][0])], PARTNER)
    assert (company["name"], company["is_company"], company["vat"]) == ("Muster GmbH", True, GOOD)
    assert sale_order["partner_invoice_id"][0] == company["id"]
    contacts = desk.find("res.partner", [("parent_id", "=", company["id"])], PARTNER)
    [person] = [each for each in contacts if each["type"] == "contact"]
    assert (person["name"], person["email"]) == ("Erika", "erika@marketplace.amazon.de")
    [place] = [each for each in contacts if each["type"] == "delivery"]
    assert sale_order["partner_shipping_id"][0] == place["id"]
    assert "Purchase order: PO &lt;4711&gt;" in sale_order["note"]


def test_a_company_is_known_by_its_vat_number_whoever_buys(desk: Desk):
    first, second = business(GOOD, person="Anna"), business(GOOD, person="Bert")
    assert desk.work(first).created == desk.work(second).created == 1
    company = desk.order(first)["partner_id"][0]
    assert desk.order(second)["partner_id"][0] == company
    domain = [("parent_id", "=", company), ("type", "=", "contact")]
    assert {"Anna", "Bert"} <= {each["name"] for each in desk.find("res.partner", domain, PARTNER)}


def test_a_refused_vat_number_goes_to_the_partners_note(desk: Desk):
    wrong = business(BAD, company="Wrong GmbH", person="Cem")
    right = business("FR23334175221", company="Juste SARL", person="Zoe")
    assert desk.work(wrong, right).created == 2
    [company] = desk.find("res.partner", [("name", "=", "Wrong GmbH")], PARTNER)
    assert company["vat"] is False
    assert BAD in company["comment"]
    about = [("res_model", "=", "res.partner"), ("res_id", "=", company["id"])]
    [activity] = desk.find("mail.activity", about, ["summary", "note"])
    assert activity["summary"] == "Amazon: check the tax number"
    assert BAD not in activity["note"]
    assert desk.find("res.partner", [("name", "=", "Juste SARL")], PARTNER)[0]["vat"]
    again = business(BAD, company="Wrong GmbH", person="Cem")
    assert desk.work(again).created == 1
    [company] = desk.find("res.partner", [("name", "=", "Wrong GmbH")], PARTNER)
    assert company["comment"].count(BAD) == 1
    assert len(desk.find("mail.activity", about, [])) == 1


def test_a_placeholder_in_place_of_a_vat_number_is_to_be_checked(desk: Desk):
    buyers = {"Nullen GmbH": "DE000000000", "Keine GmbH": "N/A"}
    payloads = [business(number, company=name, person=name[:5]) for name, number in buyers.items()]
    assert desk.work(*payloads).created == 2
    summaries = []
    for payload in payloads:
        about = [
            ("res_model", "=", "res.partner"),
            ("res_id", "=", desk.order(payload)["partner_id"][0]),
        ]
        summaries.append(
            [each["summary"] for each in desk.find("mail.activity", about, ["summary"])]
        )
    assert summaries == [["Amazon: check the tax number"], []]


def test_a_person_who_also_buys_for_a_company_stays_a_customer_of_their_own(desk: Desk):
    payload = business("", company="Ohne Nummer", person="Dora")
    private = order(item(ITEM="5.00"), place="DE", buyer={**payload["buyer"]})
    del private["buyer"]["buyerCompanyName"]
    assert desk.work(payload, private).created == 2
    assert desk.order(payload)["partner_id"][1] == "Ohne Nummer"
    assert desk.order(private)["partner_id"][1] == "Dora"


def test_with_a_customer_per_order_nobody_is_known_again(make_desk: MakeDesk):
    desk = make_desk(customers="per_order")
    orders = [business(GOOD, company="Immer Neu AG", person="Eva") for _ in range(2)]
    orders += [order(item(ITEM="5.00"), place="DE", buyer=orders[0]["buyer"]) for _ in range(2)]
    for private in orders[2:]:
        private["buyer"] = {**private["buyer"], "buyerCompanyName": None}
    assert desk.work(*orders).created == len(orders)
    customers = {desk.order(payload)["partner_id"][0] for payload in orders}
    assert len(customers) == len(orders)
    again = desk.work(*orders)
    assert (again.created, again.unchanged) == (0, len(orders))


def test_the_terms_of_the_house_stay_below_the_purchase_order(desk: Desk, odoo_database):
    setting = ("account.use_invoice_terms", "True")
    odoo_database.rpc("ir.config_parameter", "set_param", *setting)
    odoo_database.rpc("res.company", "write", [1], {"invoice_terms": "<p>Pay within 14 days</p>"})
    payload = business(GOOD, buyerPurchaseOrderNumber="14")
    desk.work(payload)
    note = desk.order(payload, "note")["note"]
    assert note == "<p>Purchase order: 14</p><p>Pay within 14 days</p>"
