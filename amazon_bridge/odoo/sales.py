"""Sale orders: find and read, a page of orders per call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_bridge.odoo import trees
from amazon_bridge.odoo.amounts import amount_of
from amazon_bridge.odoo.drop_shipping import vendors_transfers
from amazon_bridge.odoo.moments import moment
from amazon_bridge.odoo.references import link_fields, linked_to, sale_orders_of, transfers_of
from amazon_bridge.odoo.responses import id_of
from amazon_bridge.odoo.session import OdooSession, chunks

CLOSED = {"done", "cancel"}
"""The states of transfers and moves that are not open."""


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
        return self.state not in CLOSED


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
    pages = chunks(sorted(order_ids))
    return {order_id: order for page in pages for order_id, order in _find(session, page).items()}


def _find(session: OdooSession, keys: Sequence[str]) -> dict[str, SaleOrder]:
    rows = session.search_read("sale.order", order_domain(keys), _fields(session), order="id desc")
    names = session.external_ids("sale.order", [row["id"] for row in rows])
    found = _sale_orders(session, rows, names)
    return {order_id: found[order_id] for order_id in keys if order_id in found}


def order_domain(order_ids: Iterable[str]) -> list[Any]:
    """The domain of the sale orders of these Amazon orders."""
    keys = sorted(order_ids)
    origins = [origin(order_id) for order_id in keys]
    return ["|", ("client_order_ref", "in", keys), ("origin", "in", origins)]


def read_any(session: OdooSession, ids: Sequence[int]) -> list[SaleOrder]:
    """Read sale orders with their deliveries, also those that the bridge didn't create."""
    rows = session.read("sale.order", ids, _fields(session))
    return list(_sale_orders(session, rows, session.external_ids("sale.order", ids)).values())


def read(
    session: OdooSession, ids: Mapping[str, int], *, are_new: bool = False
) -> dict[str, SaleOrder]:
    """Read sale orders of the bridge, by Amazon order id.

    Args:
        session: the login.
        ids: database ids by Amazon order id.
        are_new: confirmed just now, so that no delivery can have lost its link yet.
    """
    names = {id_: external_id(order_id) for order_id, id_ in ids.items()}
    if are_new and session.capabilities.reads_trees:
        return _new_sale_orders(session, names)
    rows = session.read("sale.order", sorted(ids.values()), _fields(session))
    return _sale_orders(session, rows, names, are_new=are_new)


_PREFIX = "sale_order_"


def external_id(order_id: str) -> str:
    """The external id of an order's sale order, without the module."""
    return f"{_PREFIX}{order_id}"


ORIGIN = "Amazon Order "
"""Start of the source document of each sale order that the bridge creates."""


def origin(order_id: str) -> str:
    """The source document of an order's sale order."""
    return f"{ORIGIN}{order_id}"


def external_order_id(name: str | None) -> str:
    """The Amazon order id in a sale order's external id; empty if the bridge didn't create it."""
    return name.removeprefix(_PREFIX) if name and name.startswith(_PREFIX) else ""


def _sale_orders(
    session: OdooSession,
    rows: Sequence[Mapping[str, Any]],
    names: Mapping[int, str],
    *,
    are_new: bool = False,
) -> dict[str, SaleOrder]:
    delivered = [r["id"] for r in rows if r["picking_ids"] or r["state"] not in QUOTATION]
    deliveries = _deliveries(session, delivered, are_new=are_new)
    void = _void_invoices(session, {id_ for row in rows for id_ in row["invoice_ids"]})
    orders = [_sale_order(row, names.get(row["id"]), deliveries, void) for row in rows]
    return {order.order_id: order for order in sorted(orders, key=lambda o: o.made_by_bridge)}


def _new_sale_orders(session: OdooSession, names: Mapping[int, str]) -> dict[str, SaleOrder]:
    """Sale orders with the deliveries that are linked to them, in one call."""
    domain = [("id", "in", sorted(names))]
    return _of_trees(session, trees.search(session, "sale.order", domain, _tree(session)), names)


def write_lines(
    session: OdooSession, ids: Mapping[str, int], lines: Mapping[int, Mapping[int, Any]]
) -> dict[str, SaleOrder]:
    """Write to lines of quotations, and read these as Odoo has them then, in one transaction.

    Args:
        session: the login, in an Odoo that writes trees.
        ids: database ids of the quotations, by Amazon order id.
        lines: by the quotation's and the line's database id, the values of the line.
    """
    values = {
        id_: {"order_line": [[_UPDATE, *each] for each in sorted(lines[id_].items())]}
        for id_ in ids.values()
    }
    names = {id_: external_id(order_id) for order_id, id_ in ids.items()}
    return _of_trees(session, trees.write(session, "sale.order", values, _tree(session)), names)


_UPDATE = 1  # the command of a one2many field that writes to a record


def _tree(session: OdooSession) -> trees.Tree:
    nested = {"currency_id": ["display_name"], "picking_ids": [*_DELIVERY_FIELDS, "sale_id"]}
    return dict.fromkeys(_fields(session)) | {n: dict.fromkeys(f) for n, f in nested.items()}


def _of_trees(
    session: OdooSession, rows: Sequence[Mapping[str, Any]], names: Mapping[int, str]
) -> dict[str, SaleOrder]:
    void = _void_invoices(session, {id_ for row in rows for id_ in row["invoice_ids"]})
    deliveries = {row["id"]: [_delivery(each) for each in row["picking_ids"]] for row in rows}
    orders = [_sale_order(row, names[row["id"]], deliveries, void) for row in rows]
    return {order.order_id: order for order in orders}


def _fields(session: OdooSession) -> list[str]:
    locked = session.capabilities.order_locked
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
        total=amount_of(row["amount_total"]),
        currency=_name_of(row["currency_id"]),
        made_by_bridge=bool(order_id),
        line_ids=tuple(row["order_line"]),
        is_invoiced=not set(row["invoice_ids"]) <= void_invoices,
        is_locked=bool(row.get("locked")) or row["state"] == _LOCKED,
        deliveries=tuple(deliveries.get(row["id"], ())),
        terms=row["note"] or "",
        delivery_contact_id=id_of(row["partner_shipping_id"]) or 0,
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


def _deliveries(
    session: OdooSession, sale_order_ids: Sequence[int], *, are_new: bool
) -> dict[int, list[Delivery]]:
    if not sale_order_ids:
        return {}
    domain = linked_to(sale_order_ids) if are_new else transfers_of(session, sale_order_ids)
    rows = session.search_read("stock.picking", domain, [*_DELIVERY_FIELDS, *link_fields(session)])
    made_for, vendors = sale_orders_of(session, rows), vendors_transfers(session, rows)
    found: dict[int, list[Delivery]] = {}
    for row in rows:
        for order_id in made_for[row["id"]]:
            found.setdefault(order_id, []).append(_delivery(row, vendors))
    return found


_DELIVERY_FIELDS = ["name", "state", "picking_type_code", "location_id", "note", "partner_id"]


def _delivery(row: Mapping[str, Any], vendors: AbstractSet[int] = frozenset()) -> Delivery:
    code = "dropship" if row["id"] in vendors else row["picking_type_code"]
    return Delivery(
        id=row["id"],
        name=row["name"],
        state=row["state"],
        outgoing=code in {"outgoing", "dropship"},
        location_id=id_of(row["location_id"]) or 0,
        note=row["note"] or "",
        incoming=code == "incoming",
        is_linked=bool(row["sale_id"]),
        contact_id=id_of(row["partner_id"]),
    )


def _name_of(reference: Any) -> str:
    if isinstance(reference, list):
        return str(reference[1])
    return str(reference["display_name"])
