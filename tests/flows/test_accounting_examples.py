"""The worked examples of docs/accounting.md: what Amazon says there becomes what Odoo shows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, MakeDesk, item, order

DOCUMENT = Path(__file__).parents[2] / "docs/accounting.md"
CURRENCIES = {"US": "USD", "FR": "EUR", "DE": "EUR", "JP": "JPY"}
AMOUNTS = ("ITEM", "SHIPPING", "DISCOUNT", "TAX")
Row = dict[str, str]


def examples() -> list[str]:
    text = DOCUMENT.read_text().partition("## Worked examples")[2]
    return [f"### {each}" for each in text.split("\n### ")[1:]]


def table(example: str, first: str) -> list[Row]:
    """The rows of the table whose first column has this title."""
    [found] = re.findall(r"((?:^\|.*\n)+)", example[example.index(f"| {first} |") :], re.MULTILINE)[
        :1
    ]
    head, _, *rows = ([c.strip() for c in line[1:-1].split("|")] for line in found.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def payload_of(example: str) -> dict[str, Any]:
    rows = table(example, "item")
    place = rows[0]["item"].partition(" ")[0]
    return order(*(item_of(row, place) for row in rows), place=place, **MORE.get(place, {}))


MORE = {
    "DE": {
        "buyer": {"buyerCompanyName": "Muster GmbH", "buyerPurchaseOrderNumber": "PO-4711"},
        "tax": {
            "taxRegistrations": [
                {
                    "entityType": "BUYER",
                    "taxRegistrationType": "VAT",
                    "taxRegistrationNumber": "DE136695976",
                }
            ]
        },
    }
}
"""What the text of an example says of the buyer."""


def item_of(row: Row, place: str) -> dict[str, Any]:
    amounts = {name: row[name] for name in AMOUNTS if row[name]}
    made = item(
        row["SKU"],
        quantity=int(row["units"]),
        facilitated=row["collects the tax"] == "Amazon",
        total=row["proceedsTotal"],
        currency=CURRENCIES[place],
        on_shipping=row["SHIPPING"] if place == "FR" and row["DISCOUNT"] else "0",
        **amounts,
    )
    made["product"]["title"] = ""
    return made


def set_taxes(desk: Desk, example: str) -> None:
    """Gives the example's products their taxes; the others bear none."""
    rpc = desk.odoo.rpc
    desk.context  # noqa: B018  makes the fallback products
    named = {row["product"]: row["sales tax"] for row in table(example, "product")}
    for name in ("Amazon Shipping", "Amazon Discount", "Amazon Sale"):
        ids = rpc("product.product", "search", [("name", "=", name)])
        taxes = [tax(desk, named[name])] if name in named else []
        rpc("product.product", "write", ids, {"taxes_id": [(6, 0, taxes)]})
    for name in named.keys() - {"Amazon Shipping"}:
        values = {"name": name, "default_code": name, "type": "consu"}
        rpc("product.product", "create", {**values, "taxes_id": [(6, 0, [tax(desk, named[name])])]})


def tax(desk: Desk, name: str) -> int:
    if found := desk.find("account.tax", [("name", "=", name)], []):
        return int(found[0]["id"])
    percent, kind = name.split(" % ")
    groups = desk.find("account.tax.group", [], [])
    override = "tax_included" if kind == "included" else "tax_excluded"
    values = {"name": name, "amount": float(percent), "price_include_override": override}
    return int(desk.odoo.rpc("account.tax", "create", {**values, "tax_group_id": groups[0]["id"]}))


def shown(desk: Desk, payload: dict[str, Any]) -> Iterator[Row]:
    """The lines of the sale order as the document writes them."""
    place = payload["recipient"]["deliveryAddress"]["countryCode"]
    digits = 0 if CURRENCIES[place] == "JPY" else 2
    ids = [tax for line in desk.lines(payload).values() for tax in line["tax_ids"]]
    names = {
        row["id"]: row["name"] for row in desk.find("account.tax", [("id", "in", ids)], ["name"])
    }
    for line in desk.lines(payload).values():
        price = f"{line['price_unit']:.10f}".rstrip("0")
        yield {
            "line": re.sub(r"\[(\w.*)\]", r"\1", line["name"]),
            "units": f"{line['product_uom_qty']:g}",
            "unit price": price
            if len(price.partition(".")[2]) > digits
            else f"{line['price_unit']:.{digits}f}",
            "taxes": ", ".join(names[tax] for tax in line["tax_ids"]) or "none",
            "untaxed": f"{line['price_subtotal']:.{digits}f}",
            "total": f"{line['price_total']:.{digits}f}",
        }
    sale_order = desk.order(payload, "amount_untaxed")
    yield {
        "line": "**order**",
        **dict.fromkeys(("units", "unit price", "taxes"), ""),
        "untaxed": f"{sale_order['amount_untaxed']:.{digits}f}",
        "total": f"**{sale_order['amount_total']:.{digits}f}**",
    }


@pytest.mark.parametrize("example", examples(), ids=lambda text: text.partition("\n")[0][4:])
def test_the_example_comes_about(make_desk: MakeDesk, example: str):
    desk = make_desk(marketplaces=table(example, "item")[0]["item"].partition(" ")[0])
    method = {"tax_calculation_rounding_method": "round_per_line"}
    desk.odoo.rpc("res.company", "write", [1], method)
    set_taxes(desk, example)
    payload = payload_of(example)
    assert desk.work(payload).created == 1, desk.reasons()
    assert list(shown(desk, payload)) == table(example, "line")
    assert_buyer(desk, payload)


def assert_buyer(desk: Desk, payload: dict[str, Any]) -> None:
    sale_order = desk.order(payload, "note")
    if company := payload["buyer"].get("buyerCompanyName"):
        domain = [("id", "=", sale_order["partner_id"][0])]
        [partner] = desk.find("res.partner", domain, ["name", "vat"])
        assert (partner["name"], partner["vat"]) == (company, "DE136695976")
        assert payload["buyer"]["buyerPurchaseOrderNumber"] in sale_order["note"]
