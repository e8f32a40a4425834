"""New sale orders: created as quotations without prices, a page of orders per call.

A new sale order is created with all its lines at the price zero, so that Odoo itself chooses
the taxes of each line (product, fiscal position, company); then the prices that result in
Amazon's totals are written (see ``pricing``). A quotation of ours without any price is
therefore unfinished: its import was interrupted and continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from amazon_bridge.odoo.moments import timestamp
from amazon_bridge.odoo.sales import Draft, Line, SaleOrder, external_id, origin
from amazon_bridge.odoo.session import OdooSession, external
from amazon_bridge.odoo.text import printable, whole


def create(session: OdooSession, drafts: Sequence[Draft]) -> dict[str, int]:
    """Create the quotations that don't exist yet, without prices; all or none of them.

    Returns:
        Database id per Amazon order id, including quotations that already existed.

    Raises:
        ItemErrors: Odoo refuses some of them; none was created.
    """
    drafts = sorted(drafts, key=lambda d: d.order_id)  # parallel loads in one order don't deadlock
    # An empty cell would keep Odoo from finding the customer's fiscal position.
    fixed = [_POSITION] if any(d.fiscal_position_id for d in drafts) else []
    # An empty cell keeps Odoo from taking the company's default quotation template, whose mail
    # would go to the buyer with the confirmation.
    template = [_TEMPLATE] if session.capabilities.has_quotation_templates else []
    first = [*fixed, *template]
    rows = [row for draft in drafts for row in _draft_rows(draft, first)]
    owners = [draft.order_id for draft in drafts for _ in draft.lines]
    fields = [*first, *_draft_fields(session)]
    ids = session.load("sale.order", fields, rows, owners=owners)
    return dict(zip((draft.order_id for draft in drafts), ids, strict=True))


def _draft_fields(session: OdooSession) -> list[str]:
    names = session.capabilities
    return [
        *("id", "client_order_ref", "origin", "date_order", "commitment_date"),
        *("partner_id/.id", "partner_invoice_id/.id", "partner_shipping_id/.id"),
        *("company_id/.id", "warehouse_id/.id", "team_id/.id", "user_id/.id", "pricelist_id/.id"),
        *("order_line/id", "order_line/product_id/.id", "order_line/name"),
        *("order_line/product_uom_qty", "order_line/price_unit", "order_line/discount"),
        *("order_line/display_type", f"order_line/{names.line_routes}/.id"),
    ]


_POSITION, _TEMPLATE = "fiscal_position_id/.id", "sale_order_template_id/.id"


def _draft_rows(draft: Draft, first: Sequence[str]) -> list[list[str]]:
    cells_of = {_POSITION: str(draft.fiscal_position_id or ""), _TEMPLATE: ""}
    head = [
        *(cells_of[name] for name in first),
        *(external(external_id(draft.order_id)), draft.order_id),
        *(origin(draft.order_id), timestamp(draft.created)),
        timestamp(draft.ship_by) if draft.ship_by else "",
        *(str(draft.partner_id), str(draft.partner_id), str(draft.delivery_id)),
        *(str(draft.company_id), str(draft.warehouse_id), str(draft.sales_team_id)),
        *(str(draft.salesperson_id or ""), str(draft.pricelist_id)),
    ]
    rows: list[list[str]] = []
    for line in draft.lines:
        cells = [
            *(external(line.external_id), str(line.product_id or "")),
            *(_line_name(line), str(line.quantity)),
            *("0", "0", *_note_or_route(draft, line)),
        ]
        rows.append([*(head if not rows else [""] * len(head)), *cells])
    return rows


def _line_name(line: Line) -> str:
    """A gift message is printed on a card and kept whole; a title may be cut."""
    return printable(line.name) if line.product_id else whole(line.name)


def _note_or_route(draft: Draft, line: Line) -> tuple[str, str]:
    """The display type and the route of a line."""
    return ("", str(draft.route_id or "")) if line.product_id else ("line_note", "")


def created(draft: Draft, id_: int) -> SaleOrder:
    """A quotation that was just created, as far as it is known without reading it."""
    return SaleOrder(
        id=id_,
        name="",
        order_id=draft.order_id,
        state="draft",
        ordered=draft.created,
        total=Decimal(0),
        currency=draft.currency,
        made_by_bridge=True,
        line_ids=(),
    )
