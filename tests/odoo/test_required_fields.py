"""`check` names required fields that nothing fills, and no others."""

from dataclasses import replace

import memory_odoo
import pytest
from memory_odoo import MemoryOdoo

from amazon_bridge.odoo.required_fields import examine_required_fields


def problems(monkeypatch: pytest.MonkeyPatch, model: str, name: str) -> list[str]:
    """What is said of a field that somebody has made required, without a default."""
    odoo = MemoryOdoo()
    records = odoo.env[model]
    required = replace(records.fields[name], required=True, default=None)
    monkeypatch.setattr(records, "fields", {**records.fields, name: required})
    found = list(examine_required_fields(memory_odoo.connect(odoo)))
    assert not any(finding.ok for finding in found)
    return [finding.what for finding in found]


@pytest.mark.parametrize(
    "name",
    [
        *("client_order_ref", "origin", "date_order", "team_id"),
        *("company_id", "warehouse_id", "pricelist_id"),
        *("partner_id", "partner_invoice_id", "partner_shipping_id"),
    ],
)
def test_what_the_bridge_fills_is_no_problem(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In Odoo 14, the pricelist is required and has no default."""
    assert problems(monkeypatch, "sale.order", name) == []


@pytest.mark.parametrize(
    ("model", "name"), [("sale.order", "user_id"), ("sale.order", "note"), ("res.partner", "vat")]
)
def test_what_it_may_leave_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, model: str, name: str
) -> None:
    (problem,) = problems(monkeypatch, model, name)
    assert f"{model} requires the field {name} (" in problem
