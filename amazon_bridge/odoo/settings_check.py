"""Checks settings of Odoo that change totals, or that make Odoo mail buyers. Read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.model import Finding
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Setup
from amazon_bridge.odoo.setup.fba import OUTSIDE, inside_warehouses

_EXACT_DIGITS = 4
_LAST_ORDERS = 200
"""Number of recent orders to compute the share of rounding lines from: two calls."""


def examine_prices(session: OdooSession, setup: Setup) -> Iterator[Finding]:
    """Check the digits of unit prices, and how the company rounds taxes."""
    digits = session.capabilities.price_digits
    if digits is not None and digits < _EXACT_DIGITS:
        yield Finding(
            ok=True,
            what=f"Unit prices are rounded to {digits} decimals{_roundings(session, setup)}",
            remedy=f"Settings > Technical > Decimal Accuracy > Product Price: {_EXACT_DIGITS} or "
            "more digits spare orders a rounding line, which grows with the quantity.",
        )
    field = "tax_calculation_rounding_method"
    rows = session.read("res.company", [setup.company_id], [field])
    globally = rows and rows[0][field] == "round_globally"
    yield Finding(ok=True, what=f"Taxes are rounded {'globally' if globally else 'per line'}")


def examine_fba_location(session: OdooSession, setup: Setup) -> Iterator[Finding]:
    """Check that goods at Amazon don't count as those of one of the company's warehouses."""
    inside = inside_warehouses(session, setup.company_id)
    domain = [inside, ("id", "=", setup.fba_location_id)]
    if rows := session.search_read("stock.location", domain, ["complete_name"]):
        name = rows[0]["complete_name"]
        yield Finding(
            ok=True,
            what=f"Odoo counts the goods at Amazon ({name}) as available in "
            f"the warehouse {name.partition('/')[0]}: in its forecasts, in the web shop and in"
            " other connectors",
            remedy=f"Set `fba_location` to a location outside of it, such as {OUTSIDE}; run"
            " `amazon-bridge setup`; then transfer the goods there (see docs/stock.md).",
        )


def _roundings(session: OdooSession, setup: Setup) -> str:
    """How many of the account's last orders needed a rounding line."""
    domain = [
        ("company_id", "=", setup.company_id),
        ("team_id", "=", setup.sales_team_id),
        ("client_order_ref", "!=", False),
    ]
    rows = session.search_read("sale.order", domain, ["id"], order="id desc", limit=_LAST_ORDERS)
    if not rows:
        return ""
    product = ("product_id", "=", setup.products.rounding)
    lines = [("order_id", "in", [row["id"] for row in rows]), product]
    found = session.search_read("sale.order.line", lines, ["order_id"])
    number = len({line["order_id"][0] for line in found})
    share = number * 100 // len(rows)
    return f": {number} of the last {len(rows)} orders ({share} %) needed a rounding line"


_SMS = ("stock_text_confirmation", "stock_move_sms_validation")
"""Since Odoo 19, and before."""

_MAILING = {
    "stock_move_email_validation": (
        "Odoo mails the customer when a delivery order is done, Amazon's buyers included",
        "Settings > Inventory > Shipping > Email Confirmation: switch it off.",
    ),
    **dict.fromkeys(
        _SMS,
        (
            "Odoo texts the customer when a delivery order is done, Amazon's buyers included",
            "Settings > Inventory > Shipping > SMS Confirmation: switch it off.",
        ),
    ),
}
"""The effect of a company setting, and its menu."""

_TEMPLATE = "sale_order_template_id"


def examine_mails(session: OdooSession, setup: Setup) -> Iterator[Finding]:
    """Check for settings that make Odoo mail buyers, which Amazon forbids.

    What the bridge does mails nobody; these act when people work with the same orders.
    """
    fields = session.fields_of("res.company", [_TEMPLATE, *_MAILING])
    (company,) = session.read("res.company", [setup.company_id], sorted(fields))
    for name, (what, remedy) in _MAILING.items():
        if company.get(name):
            yield Finding(ok=True, what=what, remedy=remedy)
    yield from _quotation_template(session, company)
    if _parameter(session, "sale.automatic_invoice"):
        yield Finding(
            ok=True,
            what="Odoo invoices orders that are paid online, and mails the invoice",
            remedy="It leaves Amazon orders alone unless somebody registers an online payment for "
            "one. Settings > Sales > Invoicing > Automatic Invoice.",
        )


def _quotation_template(session: OdooSession, company: Mapping[str, Any]) -> Iterator[Finding]:
    template = company.get(_TEMPLATE)
    if not template:
        return
    rows = session.search_read(
        "sale.order.template",
        [("id", "=", template[0]), ("mail_template_id", "!=", False)],
        ["name"],
    )
    for row in rows:
        yield Finding(
            ok=True,
            what=f"The company's default quotation template, {row['name']}, mails the customer "
            "when an order is confirmed",
            remedy="The bridge's orders have no quotation template. People's orders for Amazon's "
            "buyers would: Sales > Configuration > Quotation Templates: remove its "
            "confirmation mail, or Settings > Sales > Quotation Templates: set no default.",
        )


def _parameter(session: OdooSession, name: str) -> bool:
    """True if a system parameter is on; False if the login may not read it."""
    try:
        value = session.call("ir.config_parameter", "get_param", name)
    except (AccountError, ItemError):
        return False
    return str(value).lower() in {"true", "1"}
