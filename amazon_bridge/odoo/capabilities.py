"""Differences between Odoo's versions, detected by the fields that exist (``fields_get``).

The version number decides only what no field shows, such as methods. Compared on 14 to 19.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, Mapping[str, Any]]

REQUESTED = {
    "sale.order": ("locked", "warehouse_id", "sale_order_template_id"),
    "sale.order.line": (
        *("tax_ids", "product_uom_id", "route_ids", "route_id", "price_unit"),
        *("tax_calculation_rounding_method", "technical_price_unit", "purchase_line_ids"),
    ),
    "account.tax": ("is_base_affected", "has_negative_factor"),
    "stock.rule": ("location_dest_id",),
    "stock.picking": ("carrier_tracking_ref", "reference_ids"),
    "stock.move": ("quantity", "picked", "location_final_id"),
    "product.template": ("is_storable", "bom_ids"),
}
"""Fields whose presence is checked, by model."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The names that this version of Odoo uses."""

    order_locked: str | None
    """The boolean that locks a sale order; None: a locked order is in the state ``done``."""
    has_quotation_templates: bool
    """Orders have a quotation template, the company's default one unless they say otherwise."""
    line_taxes: str
    line_unit: str
    lines_tell_rounding: bool
    """A line has the rounding method of its company."""
    price_digits: int | None
    """Digits of a unit price after the point; None: all are kept."""
    has_computed_price: bool
    """A line remembers the unit price that Odoo computed (``technical_price_unit``). While both
    are equal, a change of the quantity recomputes the price (since 18)."""
    tax_flags: tuple[str, ...]
    """Fields of a tax that Odoo 14 lacks: is_base_affected, has_negative_factor."""
    line_routes: str
    """A many2many (``route_ids``) or a many2one (``route_id``)."""
    route_model: str
    rule_destination: str
    buys_for_orders: bool
    """Goods can be bought for sale orders (module ``sale_purchase``)."""
    move_done_quantity: str
    has_final_location: bool
    """A move names the end of its chain of moves, which may not exist yet (since 18)."""
    reads_trees: bool
    """``web_search_read`` reads records together with those that they refer to (since 17)."""
    writes_trees: bool
    """``web_save_multi`` writes own values to each of many records and reads them (since 19)."""
    has_picked: bool
    """A move's done quantity counts only when the move is marked as picked."""
    storable: Mapping[str, Any]
    """The values of a product whose stock is counted."""
    storable_product: tuple[str, Any]
    """Field and value of products whose stock is counted."""
    has_kits: bool
    """Bills of materials exist (module ``mrp``)."""
    has_sale_stock: bool
    has_references: bool
    """Delivery orders are grouped by references, which link to sale orders (since 19)."""
    has_tracking: bool
    """Delivery orders have a carrier and a tracking reference."""


_READS_TREES, _WRITES_TREES = (17, 0), (19, 0)
"""Whole versions: an intermediate one of Odoo Online may lack methods of the next."""


def look_up(
    fields_of: Callable[[str, tuple[str, ...]], Fields], version: tuple[int, int]
) -> Capabilities:
    """Ask ``fields_of(model, names)`` which of the fields there are, a call a model."""
    fields = {model: fields_of(model, names) for model, names in REQUESTED.items()}
    line, move = fields["sale.order.line"], fields["stock.move"]
    routes = "route_ids" if "route_ids" in line else "route_id"
    new = "is_storable" in fields["product.template"]
    return Capabilities(
        order_locked="locked" if "locked" in fields["sale.order"] else None,
        has_quotation_templates="sale_order_template_id" in fields["sale.order"],
        line_taxes="tax_ids" if "tax_ids" in line else "tax_id",
        line_unit="product_uom_id" if "product_uom_id" in line else "product_uom",
        lines_tell_rounding="tax_calculation_rounding_method" in line,
        price_digits=_digits(line.get("price_unit", {})),
        has_computed_price="technical_price_unit" in line,
        tax_flags=tuple(fields["account.tax"]),
        line_routes=routes,
        route_model=str(line.get(routes, {}).get("relation", "stock.route")),
        rule_destination=(
            "location_dest_id" if "location_dest_id" in fields["stock.rule"] else "location_id"
        ),
        buys_for_orders="purchase_line_ids" in line,
        move_done_quantity="quantity" if "quantity" in move else "quantity_done",
        has_final_location="location_final_id" in move,
        reads_trees=version >= _READS_TREES,
        writes_trees=version >= _WRITES_TREES,
        has_picked="picked" in move,
        storable={"type": "consu", "is_storable": True} if new else {"type": "product"},
        storable_product=("is_storable", True) if new else ("type", "product"),
        has_kits="bom_ids" in fields["product.template"],
        has_sale_stock="warehouse_id" in fields["sale.order"],
        has_references="reference_ids" in fields["stock.picking"],
        has_tracking="carrier_tracking_ref" in fields["stock.picking"],
    )


def _digits(field: Mapping[str, Any]) -> int | None:
    digits = field.get("digits")
    return int(digits[1]) if digits else None
