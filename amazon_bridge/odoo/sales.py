"""Sale orders: find, read and create, a page of orders per call.

A new sale order is created with all its lines at the price zero, so that Odoo itself chooses
the taxes of each line (product, fiscal position, company); then the prices that result in
Amazon's totals are written (see ``pricing``). A quotation of ours without any price is
therefore unfinished: its import was interrupted and continues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_bridge.odoo.moments import moment, timestamp
from amazon_bridge.odoo.references import link_fields, sale_orders_of, transfers_of
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import printable, whole


@dataclass(frozen=True, slots=True)
class Delivery:
    """A transfer (``stock.picking``) of a sale order."""

    id: int
    name: str
    state: str
    outgoing: bool
    """To the customer, from the warehouse or a vendor; not a pick before it, and not a return."""
    location_id: int
    note: str = ""
    """HTML."""
    incoming: bool = False
    """A return from the customer."""
    is_linked: bool = True
    """Odoo counts it among the sale order's; see ``references``."""
    contact_id: int | None = None

    @property
    def is_done(self) -> bool:
        return self.state == "done"

    @property
    def is_open(self) -> bool:
        return self.state not in {"done", "cancel"}


@dataclass(frozen=True, slots=True)
class SaleOrder:
    """A sale order in Odoo."""

    id: int
    name: str
    order_id: str
    state: str
    ordered: datetime
    """The order date; its confirmation sets it."""
    total: Decimal
    currency: str
    made_by_bridge: bool
    line_ids: tuple[int, ...]
    deliveries: tuple[Delivery, ...] = ()
    is_invoiced: bool = False
    """Wholly or in part, by an invoice that is neither cancelled nor reversed; a draft counts."""
    is_locked: bool = False
    terms: str = ""
    """HTML, which goes onto the invoice."""
    delivery_contact_id: int = 0

    @property
    def is_quotation(self) -> bool:
        return self.state in QUOTATION

    @property
    def is_confirmed(self) -> bool:
        return not self.is_quotation and not self.is_cancelled

    @property
    def is_cancelled(self) -> bool:
        return self.state == "cancel"

    @property
    def goods_left(self) -> bool:
        """True if any delivery to the customer is done."""
        return any(d.is_done and d.outgoing for d in self.deliveries)

    def open_from(self, location_id: int) -> list[Delivery]:
        """The open transfers out of a stock location."""
        return [d for d in self.deliveries if d.is_open and d.location_id == location_id]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a new sale order. Amounts are for the whole line, tax included."""

    external_id: str
    product_id: int | None
    """None: the line is a note, which has only a name."""
    name: str
    quantity: int
    total: Decimal
    """After the line's discount."""
    untaxed: bool
    """The line bears no tax: Amazon has collected it."""
    discount: Decimal = Decimal(0)
    """Entered as the line's discount percentage; not negative."""
    discount_on: str | None = None
    """The external id of the line that this one is a discount on; it bears the same taxes."""
    sku: str = ""
    """The seller's SKU, on the line of an item."""
    why_fallback: str = ""
    """Why the fallback product is used; empty if the line has the item's own product."""

    @property
    def full_total(self) -> Decimal:
        """Before the line's discount."""
        return self.total + self.discount

    @property
    def percent_off(self) -> Decimal:
        """The discount in percent, with the two digits that Odoo stores."""
        return round(self.discount * 100 / self.full_total, 2) if self.discount else Decimal(0)


@dataclass(frozen=True, slots=True)
class Draft:
    """A new sale order."""

    order_id: str
    partner_id: int
    delivery_id: int
    company_id: int
    warehouse_id: int
    sales_team_id: int
    salesperson_id: int | None
    pricelist_id: int
    currency: str
    currency_unit: Decimal
    """The currency's smallest unit, such as 0.01."""
    route_id: int | None
    """The route of the lines if their goods don't leave the warehouse (FBA)."""
    created: datetime
    lines: tuple[Line, ...]
    facilitator_tax_id: int | None = None
    """The tax of lines whose tax Amazon has collected; None: they have none."""
    fiscal_position_id: int | None = None
    """None: the one that Odoo finds for the customer."""
    purchase_order: str = ""
    """The number of a company's own purchase order."""
    ship_by: datetime | None = None
    """The deadline of its delivery; None if unknown, or if the goods have left."""

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))


_ORDER_FIELDS = [
    *("name", "client_order_ref", "state", "date_order", "amount_total", "currency_id"),
    *("invoice_ids", "order_line", "picking_ids", "note", "partner_shipping_id"),
]


def find(session: OdooSession, order_ids: Iterable[str]) -> dict[str, SaleOrder]:
    """Find the sale orders of Amazon orders, with their deliveries, by Amazon order id.

    If several have the Amazon order id as their reference, the one that the bridge created is
    returned. Ours is found by its source document if a person changed its reference; a copy,
    which has only the source document, isn't returned.
    """
    keys = sorted(order_ids)
    rows = session.search_read("sale.order", order_domain(keys), _fields(session), order="id desc")
    names = session.external_ids("sale.order", [row["id"] for row in rows])
    found = _sale_orders(session, rows, names)
    return {order_id: found[order_id] for order_id in keys if order_id in found}


def order_domain(order_ids: Iterable[str]) -> list[Any]:
    """The domain of the sale orders of these Amazon orders."""
    keys = sorted(order_ids)
    origins = [_origin(order_id) for order_id in keys]
    return ["|", ("client_order_ref", "in", keys), ("origin", "in", origins)]


def read_any(session: OdooSession, ids: Sequence[int]) -> list[SaleOrder]:
    """Read sale orders with their deliveries, also those that the bridge didn't create."""
    rows = session.read("sale.order", ids, _fields(session))
    return list(_sale_orders(session, rows, session.external_ids("sale.order", ids)).values())


def read(session: OdooSession, ids: Mapping[str, int]) -> dict[str, SaleOrder]:
    """Read sale orders of the bridge, by Amazon order id."""
    rows = session.read("sale.order", sorted(ids.values()), _fields(session))
    names = {id_: _external_id(order_id) for order_id, id_ in ids.items()}
    return _sale_orders(session, rows, names)


_PREFIX = "sale_order_"


def _external_id(order_id: str) -> str:
    return f"{_PREFIX}{order_id}"


ORIGIN = "Amazon Order "
"""Start of the source document of each sale order that the bridge creates."""


def _origin(order_id: str) -> str:
    return f"{ORIGIN}{order_id}"


def external_order_id(name: str | None) -> str:
    """The Amazon order id in a sale order's external id; empty if the bridge didn't create it."""
    return name.removeprefix(_PREFIX) if name and name.startswith(_PREFIX) else ""


def _sale_orders(
    session: OdooSession, rows: Sequence[Mapping[str, Any]], names: Mapping[int, str]
) -> dict[str, SaleOrder]:
    delivered = [r["id"] for r in rows if r["picking_ids"] or r["state"] not in QUOTATION]
    deliveries = _deliveries(session, delivered)
    void = _void_invoices(session, {id_ for row in rows for id_ in row["invoice_ids"]})
    orders = [_sale_order(row, names.get(row["id"]), deliveries, void) for row in rows]
    return {order.order_id: order for order in sorted(orders, key=lambda o: o.made_by_bridge)}


def _fields(session: OdooSession) -> list[str]:
    locked = session.names.order_locked
    return [*_ORDER_FIELDS, *([locked] if locked else [])]


def _sale_order(
    row: Mapping[str, Any],
    external_id: str | None,
    deliveries: Mapping[int, list[Delivery]],
    void_invoices: AbstractSet[int],
) -> SaleOrder:
    order_id = external_order_id(external_id)
    return SaleOrder(
        id=row["id"],
        name=row["name"],
        order_id=order_id or row["client_order_ref"],
        state=row["state"],
        ordered=moment(row["date_order"]),
        total=_amount(row["amount_total"]),
        currency=row["currency_id"][1],
        made_by_bridge=bool(order_id),
        line_ids=tuple(row["order_line"]),
        is_invoiced=not set(row["invoice_ids"]) <= void_invoices,
        is_locked=bool(row.get("locked")) or row["state"] == _LOCKED,
        deliveries=tuple(deliveries.get(row["id"], ())),
        terms=row["note"] or "",
        delivery_contact_id=row["partner_shipping_id"][0],
    )


QUOTATION = {"draft", "sent"}
"""The states of sale orders that are not confirmed."""

_LOCKED = "done"
"""The state of locked orders before Odoo 17."""


def _void_invoices(session: OdooSession, ids: AbstractSet[int]) -> set[int]:
    """The ids of invoices that request no payment: cancelled or reversed ones, and refunds.

    Invoices that the login may not see are not among them.
    """
    if not ids:
        return set()
    void = ["|", ("state", "=", "cancel"), ("payment_state", "=", "reversed")]
    domain = [("id", "in", sorted(ids)), "|", ("move_type", "!=", "out_invoice"), *void]
    return {row["id"] for row in session.search_read("account.move", domain, ["id"])}


def _amount(value: float) -> Decimal:
    """An amount of Odoo, without the imprecision of a float."""
    return Decimal(str(round(value, 6)))


def _deliveries(session: OdooSession, sale_order_ids: Sequence[int]) -> dict[int, list[Delivery]]:
    if not sale_order_ids:
        return {}
    fields = ["name", "state", "picking_type_code", "location_id", "note", "partner_id"]
    domain = transfers_of(session, sale_order_ids)
    rows = session.search_read("stock.picking", domain, [*fields, *link_fields(session)])
    made_for = sale_orders_of(session, rows)
    found: dict[int, list[Delivery]] = {}
    for row in rows:
        delivery = Delivery(
            id=row["id"],
            name=row["name"],
            state=row["state"],
            outgoing=row["picking_type_code"] in {"outgoing", "dropship"},
            location_id=row["location_id"][0],
            note=row["note"] or "",
            incoming=row["picking_type_code"] == "incoming",
            is_linked=bool(row["sale_id"]),
            contact_id=row["partner_id"][0] if row["partner_id"] else None,
        )
        for order_id in made_for[row["id"]]:
            found.setdefault(order_id, []).append(delivery)
    return found


def create(session: OdooSession, drafts: Sequence[Draft]) -> dict[str, int]:
    """Create the quotations that don't exist yet, without prices; all or none of them.

    Returns:
        Database id per Amazon order id, including quotations that already existed.

    Raises:
        ItemErrors: Odoo refuses some of them; none was created.
    """
    drafts = sorted(drafts, key=lambda d: d.order_id)  # parallel loads in one order don't deadlock
    template = [""] if session.names.has_quotation_templates else []
    rows = [row for draft in drafts for row in _draft_rows(draft, template)]
    owners = [draft.order_id for draft in drafts for _ in draft.lines]
    ids = session.load("sale.order", _draft_fields(session, drafts), rows, owners=owners)
    return dict(zip((draft.order_id for draft in drafts), ids, strict=True))


def _draft_fields(session: OdooSession, drafts: Sequence[Draft]) -> list[str]:
    names = session.names
    # An empty cell would keep Odoo from finding the customer's fiscal position.
    fixed = ["fiscal_position_id/.id"] if any(d.fiscal_position_id for d in drafts) else []
    # An empty cell keeps Odoo from taking the company's default quotation template, whose mail
    # would go to the buyer with the confirmation.
    template = ["sale_order_template_id/.id"] if names.has_quotation_templates else []
    return [
        *(*fixed, *template),
        *("id", "client_order_ref", "origin", "date_order", "commitment_date"),
        *("partner_id/.id", "partner_invoice_id/.id", "partner_shipping_id/.id"),
        *("company_id/.id", "warehouse_id/.id", "team_id/.id", "user_id/.id", "pricelist_id/.id"),
        *("order_line/id", "order_line/product_id/.id", "order_line/name"),
        *("order_line/product_uom_qty", "order_line/price_unit", "order_line/discount"),
        *("order_line/display_type", f"order_line/{names.line_routes}/.id"),
    ]


def _draft_rows(draft: Draft, template: Sequence[str]) -> list[list[str]]:
    head = [
        *([str(draft.fiscal_position_id)] if draft.fiscal_position_id else []),
        *template,
        *(f"amazon_bridge.{_external_id(draft.order_id)}", draft.order_id),
        *(_origin(draft.order_id), timestamp(draft.created)),
        timestamp(draft.ship_by) if draft.ship_by else "",
        *(str(draft.partner_id), str(draft.partner_id), str(draft.delivery_id)),
        *(str(draft.company_id), str(draft.warehouse_id), str(draft.sales_team_id)),
        *(str(draft.salesperson_id or ""), str(draft.pricelist_id)),
    ]
    rows: list[list[str]] = []
    for line in draft.lines:
        cells = [
            *(f"amazon_bridge.{line.external_id}", str(line.product_id or "")),
            *(_line_name(line), str(line.quantity)),
            *("0", "0", *_note_or_route(draft, line)),
        ]
        rows.append([*(head if not rows else [""] * len(head)), *cells])
    return rows


def _line_name(line: Line) -> str:
    """A gift message is printed on a card and kept whole; a title may be cut."""
    return printable(line.name) if line.product_id else whole(line.name)


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


def _note_or_route(draft: Draft, line: Line) -> tuple[str, str]:
    """The display type and the route of a line."""
    return ("", str(draft.route_id or "")) if line.product_id else ("line_note", "")
