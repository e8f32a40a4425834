"""What is delivered is invoiced and paid, once; with the least rights that this takes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from desk import Desk, MakeDesk, item, order
from odoo_server.databases import OdooDatabase

from amazon_bridge.flows.orders import invoices

pytestmark = pytest.mark.since_odoo(16, "invoices of the bridge")

JOURNAL = "Amazon Payments"
INVOICING = {"mode": "on_delivery", "payment_journal": JOURNAL}
MOVE = ["state", "amount_total", "amount_residual", "payment_state", "invoice_date"]
MOVE += ["invoice_origin", "narration", "partner_id", "line_ids", "currency_id"]
GROUPS = ("base.group_user", "sales_team.group_sale_salesman_all_leads", "stock.group_stock_user")
GROUPS += ("base.group_partner_manager", "account.group_account_invoice")


@pytest.fixture(scope="module", autouse=True)
def mug(odoo_database: OdooDatabase) -> int:
    rpc = odoo_database.rpc
    group = rpc("account.tax.group", "search", [], limit=1)[0]
    tax = {"name": "TVA 20", "amount": 20, "price_include_override": "tax_included"}
    tax_id = rpc("account.tax", "create", {**tax, "tax_group_id": group})
    values = {"name": "Mug", "default_code": "MUG", "type": "consu"}
    return int(rpc("product.product", "create", {**values, "taxes_id": [(6, 0, [tax_id])]}))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state store of all tests: orders that it doesn't know would be fetched from Amazon."""
    return tmp_path_factory.mktemp("state") / "bridge.db"


@pytest.fixture
def desk(make_desk: MakeDesk, odoo_database: OdooDatabase, state: Path) -> Desk:
    make_desk(invoicing=INVOICING).context  # noqa: B018  sets up what takes an administrator
    number = odoo_database.rpc("res.users", "search_count", [("login", "like", "bridge")])
    login = odoo_database.make_user(f"bridge{number}", GROUPS)
    return make_desk(login, state=state, invoicing=INVOICING)


def invoices_of(desk: Desk, payload: dict) -> list[dict]:
    return desk.find("account.move", [("ref", "=", payload["orderId"])], MOVE)


def deliver(desk: Desk, payload: dict) -> None:
    domain = [("sale_id", "=", desk.order(payload)["id"])]
    for delivery in desk.find("stock.picking", domain, ["move_ids"]):
        for move in desk.find(
            "stock.move", [("id", "in", delivery["move_ids"])], ["product_uom_qty"]
        ):
            done = {"quantity": move["product_uom_qty"], "picked": True}
            desk.odoo.rpc("stock.move", "write", [move["id"]], done)
        context = {"skip_backorder": True, "skip_sms": True}
        desk.odoo.rpc("stock.picking", "button_validate", [delivery["id"]], context=context)


def test_a_delivered_order_is_invoiced_and_paid_once(desk: Desk):
    payload = order(
        item("MUG", quantity=3, ITEM="30.00", SHIPPING="4.99", DISCOUNT="3.33"), fba=True
    )
    assert desk.work(payload).created == 1
    for _ in range(3):
        assert invoices.sync(desk.context).quarantined == 0
    [invoice] = invoices_of(desk, payload)
    sale_order = desk.order(payload, "invoice_status")
    assert sale_order["invoice_status"] == "invoiced"
    assert (invoice["state"], invoice["amount_total"]) == ("posted", 31.66)
    assert invoice["payment_state"] in {"paid", "in_payment"}
    assert invoice["amount_residual"] == 0.0
    assert invoice["invoice_date"] == datetime.now(UTC).date().isoformat()
    assert invoice["invoice_origin"] == sale_order["name"]


def test_the_intermediary_account_carries_what_amazon_owes(desk: Desk):
    domain = [("account_id.name", "=", f"{JOURNAL}: owed by Amazon")]

    def owed() -> float:
        entries = desk.find("account.move.line", domain, ["amount_currency"])
        return round(sum(entry["amount_currency"] for entry in entries), 2)

    before = owed()
    first, second = (order(item("MUG", ITEM=amount), fba=True) for amount in ("10.00", "20.10"))
    desk.work(first, second)
    invoices.sync(desk.context)
    assert owed() - before == pytest.approx(30.10)


def test_an_order_waits_for_its_last_goods(desk: Desk):
    payload = order(item("MUG", ITEM="10.00"))
    desk.work(payload)
    invoices.sync(desk.context)
    assert invoices_of(desk, payload) == []
    deliver(desk, payload)
    invoices.sync(desk.context)
    assert [invoice["state"] for invoice in invoices_of(desk, payload)] == ["posted"]


def test_a_cut_off_run_is_taken_up(
    desk: Desk, make_desk: MakeDesk, odoo_database: OdooDatabase, state: Path
):
    """Here the journal is named only after the invoice, and the invoice set back to a draft."""
    payload = order(item("MUG", ITEM="10.00"), fba=True)
    without = make_desk(state=state, invoicing={"mode": "on_delivery"})
    without.work(payload)
    invoices.sync(without.context)
    [invoice] = invoices_of(desk, payload)
    assert invoice["payment_state"] == "not_paid"
    odoo_database.rpc("account.move", "button_draft", [invoice["id"]])
    desk.work(payload)
    invoices.sync(desk.context)
    [invoice] = invoices_of(desk, payload)
    assert invoice["payment_state"] in {"paid", "in_payment"}


def test_nothing_is_invoiced_unless_configured(make_desk: MakeDesk, state: Path):
    desk = make_desk(state=state)
    payload = order(item("MUG", ITEM="10.00"), fba=True)
    desk.work(payload)
    invoices.sync(desk.context)
    assert invoices_of(desk, payload) == []


def test_what_somebody_began_to_invoice_is_theirs(desk: Desk, odoo_database: OdooDatabase):
    payload = order(item("MUG", ITEM="10.00"), item("MUG", ITEM="5.00"), fba=True)
    desk.work(payload)
    rpc = odoo_database.rpc
    context = {"active_model": "sale.order", "active_ids": [desk.order(payload)["id"]]}
    values = {"advance_payment_method": "delivered"}
    wizard = rpc("sale.advance.payment.inv", "create", values, context=context)
    rpc("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    [by_hand] = invoices_of(desk, payload)
    domain = [("move_id", "=", by_hand["id"]), ("quantity", "=", 1)]
    line = desk.find("account.move.line", domain, ["quantity"])
    rpc("account.move.line", "unlink", [line[0]["id"]])
    assert invoices.sync(desk.context).quarantined == 1
    assert len(invoices_of(desk, payload)) == 1
    assert "Somebody has invoiced a part" in desk.reasons()[payload["orderId"]]
    assert invoices.sync(desk.context).quarantined == 0, "not again in each run"


def test_goods_that_never_came_are_not_invoiced(desk: Desk, odoo_database: OdooDatabase):
    payload = order(item("MUG", quantity=2, ITEM="10.00"))
    desk.work(payload)
    domain = [("sale_id", "=", desk.order(payload)["id"])]
    [delivery] = desk.find("stock.picking", domain, [])
    odoo_database.rpc("stock.picking", "action_cancel", [delivery["id"]])
    invoices.sync(desk.context)
    assert invoices_of(desk, payload) == []
    assert "Not all goods" in desk.reasons()[payload["orderId"]]


def test_cancelled_after_the_invoice_is_quarantined(desk: Desk, make_desk: MakeDesk, odoo_database):
    payload = order(item("MUG", ITEM="10.00"))
    desk.work(payload)
    context = {"active_model": "sale.order", "active_ids": [desk.order(payload)["id"]]}
    values = {"advance_payment_method": "delivered"}
    rpc = odoo_database.rpc
    wizard = rpc("sale.advance.payment.inv", "create", values, context=context)
    rpc("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    payload["fulfillment"]["fulfillmentStatus"] = "CANCELLED"
    assert desk.work(payload).quarantined == 1
    assert "is invoiced" in desk.reasons()[payload["orderId"]]
    assert desk.order(payload)["state"] == "sale"


def test_an_order_worth_nothing_is_invoiced_without_a_payment(desk: Desk):
    replaced = [{"orderId": "403-1", "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    payload = order(item("MUG"), associatedOrders=replaced, fba=True)
    desk.work(payload)
    invoices.sync(desk.context)
    assert [invoice["amount_total"] for invoice in invoices_of(desk, payload)] == [0.0]
    assert payload["orderId"] not in desk.reasons()
