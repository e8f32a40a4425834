"""Which lines an order gets: items, charges, discounts, gifts, and their taxes."""

from decimal import Decimal

import pytest
from desk import Desk, MakeDesk, item, order
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo.deliveries import erase_instructions

GIFT = {
    "promotion": {"breakdowns": [{"promotionId": "SUMMER-10"}, {"promotionId": "FREESHIP"}]},
    "fulfillment": {
        "packing": {"giftOption": {"giftMessage": "Happy <birthday>!", "giftWrapLevel": "Classic"}}
    },
}
CHARGES = {"ITEM": "40.00", "SHIPPING": "5.00", "GIFT_WRAP": "3.50", "COD_FEE": "2.00"}
CHARGES |= {"OTHER": "1.00", "DISCOUNT": "9.00", "on_shipping": "5.00"}


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()


@pytest.fixture(scope="module")
def taxes(odoo_database: OdooDatabase) -> dict[str, int]:
    """French taxes, and the goods that bear them."""
    rpc = odoo_database.rpc
    group = rpc("account.tax.group", "create", {"name": "TVA"})

    def tax(name: str, amount: float, kind: str = "percent") -> int:
        values = {"name": name, "amount": amount, "amount_type": kind, "tax_group_id": group}
        included = {"price_include_override": "tax_included", "type_tax_use": "sale"}
        return int(rpc("account.tax", "create", {**values, **included}))

    made = {"5.5": tax("TVA 5,5", 5.5), "20": tax("TVA 20", 20), "eco": tax("Eco", 0.1, "fixed")}
    goods = {"BOOK": ["5.5"], "MUG": ["20"], "TOASTER": ["20", "eco"]}
    for reference, names in goods.items():
        values = {"name": reference, "default_code": reference, "type": "consu"}
        ids = [made[name] for name in names]
        rpc("product.product", "create", {**values, "taxes_id": [(6, 0, ids)]})
    return made


def test_every_charge_is_a_line(desk, taxes):
    payload = order(item("BOOK", quantity=2, **CHARGES, more=GIFT))
    assert desk.work(payload).created == 1
    lines = desk.lines(payload)
    lines_found = {key: (line["name"], line["price_total"]) for key, line in lines.items()}
    book = "[BOOK] A fine BOOK"
    assert lines_found == {
        "1": (book, 40.0),
        "1_shipping": (f"Shipping: {book}", 5.0),
        "1_gift_wrap": (f"Gift Wrap Classic: {book}", 3.5),
        "1_cod_fee": (f"Cash on Delivery Fee: {book}", 2.0),
        "1_other": (f"Other: {book}", 1.0),
        "1_discount": (f"Discount (SUMMER-10, FREESHIP): {book}", -4.0),
        "1_shipping_discount": (f"Shipping Discount (SUMMER-10, FREESHIP): {book}", -5.0),
        "1_gift_message": ("Gift message: Happy <birthday>!", 0.0),
    }
    assert lines["1_gift_message"]["display_type"] == "line_note"
    assert desk.order(payload)["amount_total"] == 42.5


def test_the_gift_message_is_on_the_delivery_order_and_stays_as_people_change_it(desk, taxes):
    payload = order(item("MUG", ITEM="10.00", more=GIFT))
    desk.work(payload)
    domain = [("sale_id", "=", desk.order(payload)["id"])]
    [delivery] = desk.find("stock.picking", domain, ["note"])
    assert "Happy &lt;birthday&gt;!" in delivery["note"]
    desk.odoo.rpc("stock.picking", "write", [delivery["id"]], {"note": "<p>Written by hand</p>"})
    desk.work({**payload, "lastUpdatedTime": "2026-11-18T11:00:00Z"})
    assert "hand" in desk.find("stock.picking", domain, ["note"])[0]["note"]


def test_what_packers_need_is_in_the_note_of_the_delivery(desk, taxes):
    shipping = {
        "shippingConstraints": {"signatureConfirmation": "MANDATORY"},
        "internationalShipping": {"iossNumber": "IM0123456789"},
    }
    packed = {"fulfillment": {**GIFT["fulfillment"], "shipping": shipping}}
    payload = order(item("MUG", ITEM="10.00", more=packed), programs=["PRIME"])
    payload["fulfillment"]["shipByWindow"] = {"latestDateTime": "2026-11-20T22:59:00Z"}
    payload["recipient"]["deliveryPreference"] = {
        "dropOffLocation": "Porch",
        "addressInstruction": "<Code> 4711",
    }
    desk.work(payload)
    sale_order_id = desk.order(payload)["id"]
    domain = [("sale_id", "=", sale_order_id)]
    [delivery] = desk.find("stock.picking", domain, ["note"])
    lines = [
        "Ship by: 2026-11-20 22:59 UTC",
        "Amazon programs: PRIME",
        "IOSS number: IM0123456789",
        "Required at delivery: signature confirmation (MUG)",
        "Delivery instructions: Porch; &lt;Code&gt; 4711",
        "Gift message: Happy &lt;birthday&gt;!",
    ]
    assert [line for line in lines if line not in delivery["note"]] == []
    # After anonymisation only the buyer's data is gone.
    erase_instructions(desk.context.odoo, [sale_order_id])
    note = desk.find("stock.picking", domain, ["note"])[0]["note"]
    assert [line for line in lines if line in note] == lines[:4]
    assert "4711" not in note


def test_the_gift_message_of_a_delivery_with_other_goods_is_erased_too(desk, taxes):
    payload = order(item("MUG", ITEM="10.00", more=GIFT))
    desk.work(payload)
    sale_order_id = desk.order(payload)["id"]
    [delivery] = desk.find("stock.picking", [("sale_id", "=", sale_order_id)], ["note"])
    assert "birthday" in delivery["note"]
    [move] = desk.find("stock.move", [("picking_id", "=", delivery["id"])], [])
    [other] = desk.find("product.product", [("default_code", "=", "BOOK")], [])
    desk.odoo.rpc("stock.move", "write", [move["id"]], {"product_id": other["id"]})
    erase_instructions(desk.context.odoo, [sale_order_id])
    [row] = desk.find("stock.picking", [("id", "=", delivery["id"])], ["note", "sale_id"])
    assert row["sale_id"] is False
    assert "birthday" not in str(row["note"])


def test_what_has_to_be_done_before_packing_is_in_the_note_too(make_memory_desk):
    """The link to the buyer's customisation is personal data, and is not stored."""
    desk = make_memory_desk()
    product = {"sellerSku": "MUG", "customization": {"customizedUrl": "https://example.com/z.zip"}}
    packing = {"serialNumberRequirement": {"requirementType": "REQUIRED"}}
    more = {"product": product, "fulfillment": {"packing": packing}}
    payload = order(item("MUG", ITEM="10.00", more=more), item("BOOK", ITEM="5.00"))
    payload["recipient"]["deliveryAddress"]["addressType"] = "PICKUP_POINT"
    desk.work(payload)
    domain = [("sale_id", "=", desk.order(payload)["id"])]
    [delivery] = desk.find("stock.picking", domain, ["note"])
    assert "Customised: MUG: download the buyer" in delivery["note"]
    assert "Serial numbers required: MUG" in delivery["note"]
    assert "Address: a pick-up point" in delivery["note"]
    assert "example.com" not in delivery["note"]
    assert "BOOK" not in delivery["note"]


def test_a_discount_bears_the_taxes_of_what_it_is_given_on(desk, taxes):
    book, toaster = item("BOOK", ITEM="20.00", DISCOUNT="2.00"), item("TOASTER", ITEM="30.00")
    toaster["proceeds"]["breakdowns"] += item(DISCOUNT="3.00")["proceeds"]["breakdowns"]
    payload = order(book, toaster)
    desk.work(payload)
    lines = desk.lines(payload)
    assert lines["1_discount"]["tax_ids"] == lines["1"]["tax_ids"] == [taxes["5.5"]]
    assert lines["2_discount"]["tax_ids"] == [taxes["20"]]
    assert set(lines["2"]["tax_ids"]) == {taxes["20"], taxes["eco"]}
    assert desk.order(payload)["amount_total"] == 45.0


@pytest.mark.parametrize("discounts", ["lines", "percent"])
def test_another_quantity_leaves_the_unit_prices(make_desk, odoo_database, taxes, discounts):
    """Odoo must not take a price of zero for one that it computed."""
    for reference in ("MUG", "BOOK"):
        domain = [("default_code", "=", reference)]
        goods = odoo_database.rpc("product.product", "search", domain)
        odoo_database.rpc("product.product", "write", goods, {"list_price": 12.5})
    payload = order(
        item("MUG", quantity=3, ITEM="0.00"),
        item("BOOK", quantity=3, ITEM="30.00", DISCOUNT="30.00", SHIPPING="0.00"),
        item("TOASTER", quantity=2, ITEM="20.00"),
    )
    desk = make_desk(discounts=discounts)
    desk.work(payload)
    before = desk.lines(payload)
    for line in before.values():
        quantity = {"product_uom_qty": line["product_uom_qty"] + 1}
        odoo_database.rpc("sale.order.line", "write", [line["id"]], quantity)
    after = desk.lines(payload)
    prices = {key: line["price_unit"] for key, line in before.items()}
    assert {key: line["price_unit"] for key, line in after.items()} == prices
    assert after["1"]["price_total"] == 0.0


def test_discounts_in_percent(make_desk, taxes):
    desk = make_desk(discounts="percent")
    payload = order(
        item("BOOK", quantity=3, **CHARGES, more=GIFT),
        item("MUG", ITEM="19.99", DISCOUNT="19.99"),
        item("MUG", ITEM="19.99", DISCOUNT="6.66"),
    )
    desk.work(payload)
    lines = desk.lines(payload)
    assert "1_discount" not in lines
    assert "1_shipping_discount" not in lines
    lines_found = {key: (line["discount"], line["price_total"]) for key, line in lines.items()}
    assert lines_found["1"] == (10.0, 36.0)
    assert lines_found["1_shipping"] == (100.0, 0.0)
    assert lines_found["2"] == (100.0, 0.0)
    assert lines_found["3"] == (33.32, 13.33)
    assert lines["1"]["name"] == "[BOOK] A fine BOOK, Discount (SUMMER-10, FREESHIP)"
    assert lines["2"]["price_unit"] == pytest.approx(19.99)
    assert lines["1_shipping"]["price_unit"] == pytest.approx(5.0)
    assert desk.order(payload)["amount_total"] == 55.83


def test_a_discount_that_would_round_to_the_whole_price_stays_a_line(make_desk, taxes):
    desk = make_desk(discounts="percent")
    payload = order(item("BOOK", ITEM="9999.00", DISCOUNT="9998.99"))
    desk.work(payload)
    assert desk.lines(payload)["1_discount"]["price_total"] == -9998.99
    assert desk.order(payload)["amount_total"] == 0.01


class TestTaxRegimes:
    """Of one order, Amazon collects the tax of some items, and the seller owes it for others."""

    def items(self):
        facilitated = {"ITEM": "40.00", "SHIPPING": "5.00", "TAX": "9.00", "total": "54.00"}
        owed = {"ITEM": "20.00", "TAX": "3.33", "DISCOUNT": "2.00", "total": "18.00"}
        return item("MUG", facilitated=True, **facilitated), item("MUG", **owed)

    def test_what_amazon_collects_bears_no_tax(self, desk, taxes):
        payload = order(*self.items())
        desk.work(payload)
        lines = desk.lines(payload)
        assert [lines[key]["tax_ids"] for key in ("1", "1_shipping")] == [[], []]
        assert lines["2"]["tax_ids"] == lines["2_discount"]["tax_ids"] == [taxes["20"]]
        sale_order = desk.order(payload, "amount_tax")
        assert sale_order["amount_total"] == 63.0
        assert Decimal(str(sale_order["amount_tax"])) == Decimal("3.00")

    def test_a_tax_of_nothing_can_stand_for_it(self, make_desk, taxes):
        desk = make_desk(facilitator_tax="Collected by Amazon")
        payload = order(*self.items())
        desk.work(payload)
        lines = desk.lines(payload)
        domain = [("name", "=", "Collected by Amazon")]
        [tax] = desk.find("account.tax", domain, ["amount", "type_tax_use"])
        assert (tax["amount"], tax["type_tax_use"]) == (0.0, "sale")
        assert lines["1"]["tax_ids"] == lines["1_shipping"]["tax_ids"] == [tax["id"]]
        assert lines["2"]["tax_ids"] == [taxes["20"]]
        assert desk.order(payload)["amount_total"] == 63.0


def test_an_order_worth_nothing_has_its_lines_all_the_same(desk, taxes):
    replaced = [{"orderId": "403-1", "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    payload = order(item("TOASTER"), associatedOrders=replaced)
    assert desk.work(payload).created == 1
    assert desk.order(payload)["amount_total"] == 0.0
    assert desk.lines(payload)["1"]["tax_ids"] == [taxes["20"]], "no eco tax on nothing"


def test_a_gift_of_the_seller_keeps_its_price_and_its_discount(desk, taxes):
    payload = order(item("MUG", ITEM="19.99", DISCOUNT="19.99"))
    desk.work(payload)
    totals = {key: line["price_total"] for key, line in desk.lines(payload).items()}
    assert totals == {"1": 19.99, "1_discount": -19.99}


def test_the_accounts_fiscal_position_goes_before_the_customers(make_desk, taxes, odoo_database):
    rpc = odoo_database.rpc
    position = rpc("account.fiscal.position", "create", {"name": "Warehouse abroad"})
    values = {"name": "VAT abroad", "amount": 22, "price_include_override": "tax_included"}
    group = rpc("account.tax.group", "search", [])[0]
    replacing = {
        "original_tax_ids": [(6, 0, [taxes["20"]])],
        "fiscal_position_ids": [(4, position)],
    }
    abroad = rpc("account.tax", "create", {**values, "tax_group_id": group, **replacing})
    desk = make_desk(fiscal_position="Warehouse abroad")
    payload = order(item("MUG", ITEM="19.99"))
    desk.work(payload)
    assert desk.lines(payload)["1"]["tax_ids"] == [abroad]
    assert desk.order(payload)["amount_total"] == 19.99
