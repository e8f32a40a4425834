"""Checks that the bridge can fill the required fields of what it creates. Read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.model import Finding
from amazon_bridge.odoo.session import OdooSession

MODELS = {
    "res.partner": "customers",
    "sale.order": "sale orders",
    "sale.order.line": "lines of sale orders",
}
"""Those of which people make fields required, with the name of their records."""

_ATTRIBUTES = ["required", "string", "depends", "related", "readonly", "type"]
_ENTERED = {
    "res.partner": {"name"},
    "sale.order": {
        *("client_order_ref", "origin", "date_order"),
        *("partner_id", "partner_invoice_id", "partner_shipping_id"),
        *("company_id", "warehouse_id", "team_id", "pricelist_id"),
    },
    "sale.order.line": {"order_id", "name", "product_uom_qty", "price_unit"},
}
"""What every load fills (``quotations``), and what Odoo fills from it."""


def examine_required_fields(session: OdooSession) -> Iterator[Finding]:
    """Name required fields without a value, and configured values without a field."""
    for model, records in MODELS.items():
        fields = session.call(model, "fields_get", attributes=_ATTRIBUTES)
        configured = {column.partition("/")[0] for column in session.defaults.get(model, {})}
        yield from _without_value(session, model, records, fields, configured)
        for name in sorted(configured - fields.keys()):
            yield Finding(
                ok=False,
                what=f"Odoo has no field {name} on {model}, which odoo.defaults names",
                remedy="Correct odoo.defaults, or remove the field there.",
            )


def _without_value(
    session: OdooSession,
    model: str,
    records: str,
    fields: Mapping[str, Mapping[str, Any]],
    configured: set[str],
) -> Iterator[Finding]:
    names = [
        name
        for name, field in fields.items()
        if field.get("required") and not (field.get("depends") or field.get("related"))
    ]
    open_ = sorted(set(names) - configured - _ENTERED[model])
    defaults = _defaults(session, model, open_)
    for name in (name for name in open_ if name not in defaults):
        yield Finding(
            ok=False,
            what=f"{model} requires the field {name} ({fields[name]['string']}), and nothing fills"
            f" it on the {records} that the bridge creates",
            remedy=f"Set it in odoo.defaults ({model}: {{{name}: ...}}); or, in Odoo, give it a"
            " default value or make it optional.",
        )


def _defaults(session: OdooSession, model: str, names: list[str]) -> Mapping[str, Any]:
    """The values that Odoo itself gives to a new record."""
    if not names:
        return {}
    try:
        found = session.call(model, "default_get", names)
    except (AccountError, ItemError):
        return dict.fromkeys(names)
    return found if isinstance(found, dict) else {}
