"""Invoices and payments of sale orders.

An invoice is loaded with an external id, ``invoice_<Amazon order id>``, so that an order gets
one at most. Its payment is registered and reconciled by Odoo's own wizard in one transaction,
and only for the amount that is open: it can't be paid twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.model import is_order_id
from amazon_bridge.odoo.amounts import amount_of
from amazon_bridge.odoo.paging import Query
from amazon_bridge.odoo.responses import id_of
from amazon_bridge.odoo.sales import SaleOrder
from amazon_bridge.odoo.session import OdooSession, external

_PREFIX = "invoice_"
_UNPAID = ("not_paid", "partial")
_FIELDS = ["state", "amount_total", "payment_state", "invoice_date", "currency_id"]


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice that the bridge created."""

    id: int
    order_id: str
    is_draft: bool
    is_unpaid: bool
    total: Decimal
    date: str
    currency_id: int


_LIKE_AN_ORDER_ID = ("=like", "___-_______-_______")


def to_invoice(session: OdooSession, company_id: int) -> Query:
    """Sale orders to invoice, delivered as a whole, with a reference like Amazon's order ids."""
    domain = [
        *("!", ("picking_ids.state", "in", ["draft", "waiting", "confirmed", "assigned"])),
        ("invoice_status", "=", "to invoice"),
        ("state", "in", ["sale", "done"]),
        ("client_order_ref", *_LIKE_AN_ORDER_ID),
        ("company_id", "=", company_id),
    ]
    return Query(session, "sale.order", domain, ["client_order_ref"])


def order_references(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The references of sale orders to invoice."""
    return [row["client_order_ref"] for row in rows if is_order_id(row["client_order_ref"])]


def delivery_dates(session: OdooSession, orders: Collection[SaleOrder]) -> dict[str, date]:
    """The date of the last delivery of each completely delivered order, by Amazon order id.

    Of an order without goods that is the day of the order. Returns don't count.
    """
    delivered = [order for order in orders if not any(d.is_open for d in order.deliveries)]
    done = {
        d.id: order for order in delivered for d in order.deliveries if d.is_done and d.outgoing
    }
    dates = {order.order_id: order.ordered.date() for order in delivered}
    last: dict[str, str] = {}
    for row in session.read("stock.picking", sorted(done), ["date_done", "write_date"]):
        order_id = done[row["id"]].order_id
        last[order_id] = max(last.get(order_id, ""), row["date_done"] or row["write_date"])
    return dates | {order_id: date.fromisoformat(day[:10]) for order_id, day in last.items()}


def find(session: OdooSession, order_ids: Collection[str]) -> dict[str, Invoice]:
    """The invoices that the bridge created for these orders, by Amazon order id."""
    domain = [("ref", "in", sorted(order_ids)), ("move_type", "=", "out_invoice")]
    rows = session.search_read("account.move", domain, ["ref"])
    return {each.order_id: each for each in _read(session, [row["id"] for row in rows])}


def make(
    session: OdooSession, orders: Sequence[SaleOrder], dates: Mapping[str, date]
) -> dict[str, Invoice]:
    """Create draft invoices of whole sale orders with these dates; by Amazon order id.

    Raises:
        ItemErrors: These can't be invoiced as a whole, or Odoo refuses them; none was created.
    """
    if not orders:
        return {}
    taxes, unit = session.capabilities.line_taxes, session.capabilities.line_unit
    heads = {row["id"]: row for row in session.read("sale.order", _ids(orders), _ORDER)}
    domain = [("order_id", "in", _ids(orders))]
    found = session.search_read("sale.order.line", domain, [*_LINE, taxes, unit], order="sequence")
    _refuse_parts(orders, found)
    rows, owners = [], []
    for order in sorted(orders, key=lambda o: o.order_id):
        head = _head(order, heads[order.id], dates[order.order_id])
        for line in (line for line in found if line["order_id"][0] == order.id):
            rows.append([*head, *_line_cells(line, taxes, unit)])
            owners.append(order.order_id)
            head = [""] * len(head)
    ids = session.load("account.move", [*_HEAD, *_LINES], rows, owners=owners)
    return {invoice.order_id: invoice for invoice in _read(session, ids)}


def _refuse_parts(orders: Sequence[SaleOrder], lines: Sequence[Mapping[str, Any]]) -> None:
    """Raise ItemErrors for orders that somebody has begun to invoice, or that lack goods."""
    errors = {}
    for order in orders:
        own = [line for line in lines if line["order_id"][0] == order.id]
        if any(line["qty_invoiced"] for line in own):
            errors[order.order_id] = _part(f"Somebody has invoiced a part of {order.name}.")
        elif any(_is_short(line) for line in own):
            errors[order.order_id] = _part(f"Not all goods of {order.name} were delivered.")
    if errors:
        raise ItemErrors(errors)


def _is_short(line: Mapping[str, Any]) -> bool:
    by_moves = line["qty_delivered_method"] == "stock_move"
    return bool(by_moves and line["qty_delivered"] < line["product_uom_qty"])


def _part(reason: str) -> ItemError:
    return ItemError("needs_attention", reason, "Invoice the rest in Odoo.")


def _ids(orders: Sequence[SaleOrder]) -> list[int]:
    return sorted(order.id for order in orders)


_ORDER = [
    *("partner_invoice_id", "partner_shipping_id", "fiscal_position_id", "payment_term_id"),
    *("currency_id", "team_id", "user_id", "note"),
]
_LINE = [
    *("order_id", "display_type", "sequence", "name", "product_id", "product_uom_qty"),
    *("price_unit", "discount", "qty_invoiced", "qty_delivered", "qty_delivered_method"),
]
_HEAD = [
    *("id", "move_type", "ref", "invoice_origin", "invoice_date", "narration"),
    *("partner_id/.id", "partner_shipping_id/.id", "fiscal_position_id/.id"),
    *("invoice_payment_term_id/.id", "currency_id/.id", "team_id/.id", "invoice_user_id/.id"),
]
_LINES = [
    f"invoice_line_ids/{name}"
    for name in (
        *("display_type", "sequence", "name", "product_id/.id", "quantity", "price_unit"),
        *("discount", "product_uom_id/.id", "tax_ids/.id", "sale_line_ids/.id"),
    )
]


def _head(order: SaleOrder, row: Mapping[str, Any], day: date) -> list[str]:
    """As ``sale.order._prepare_invoice`` has it."""
    return [
        *(external(f"{_PREFIX}{order.order_id}"), "out_invoice", order.order_id),
        *(order.name, day.isoformat(), row["note"] or ""),
        *(_id(row["partner_invoice_id"]), _id(row["partner_shipping_id"])),
        *(_id(row["fiscal_position_id"]), _id(row["payment_term_id"]), _id(row["currency_id"])),
        *(_id(row["team_id"]), _id(row["user_id"])),
    ]


def _line_cells(row: Mapping[str, Any], taxes: str, unit: str) -> list[str]:
    """As ``sale.order.line._prepare_invoice_line`` has it."""
    if row["display_type"]:
        return [row["display_type"], str(row["sequence"]), row["name"], *[""] * 6, str(row["id"])]
    return [
        *("product", str(row["sequence"]), row["name"], _id(row["product_id"])),
        *(str(row["product_uom_qty"]), f"{Decimal(str(row['price_unit'])):f}"),
        *(str(row["discount"]), _id(row[unit]), ",".join(map(str, row[taxes])), str(row["id"])),
    ]


def _id(value: Any) -> str:
    return str(id_of(value) or "")


def unfinished(session: OdooSession, company_id: int, *, payments: bool) -> Query:
    """Invoices that are drafts or, if ``payments``, unpaid; ours among others."""
    draft: list[Any] = [("state", "=", "draft")]
    unpaid = ["&", ("state", "=", "posted"), ("payment_state", "in", _UNPAID)]
    domain = [
        *(("move_type", "=", "out_invoice"), ("company_id", "=", company_id)),
        *(("team_id", "!=", False), ("ref", "!=", False)),
        *(["|", *draft, *unpaid] if payments else draft),
    ]
    return Query(session, "account.move", domain, ["ref"])


def invoiced_orders(session: OdooSession, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The Amazon order ids of those of the invoices that are ours."""
    return list(_our_invoices(session, [row["id"] for row in rows]).values())


def _our_invoices(session: OdooSession, ids: Sequence[int]) -> dict[int, str]:
    """Amazon order ids by the ids of the invoices that are ours."""
    names = session.external_ids("account.move", ids)
    return {
        id_: name.removeprefix(_PREFIX)
        for id_, name in sorted(names.items())
        if name.startswith(_PREFIX)
    }


def _read(session: OdooSession, ids: Sequence[int]) -> list[Invoice]:
    ours = _our_invoices(session, ids)
    return [
        Invoice(
            id=row["id"],
            order_id=ours[row["id"]],
            is_draft=row["state"] == "draft",
            is_unpaid=row["state"] != "cancel" and row["payment_state"] in _UNPAID,
            total=amount_of(row["amount_total"]),
            date=row["invoice_date"] or "",
            currency_id=row["currency_id"][0],
        )
        for row in session.read("account.move", list(ours), _FIELDS)
    ]


def post(session: OdooSession, invoices: Collection[Invoice]) -> None:
    """Post the drafts; all or none."""
    if drafts := sorted(invoice.id for invoice in invoices if invoice.is_draft):
        session.call("account.move", "action_post", drafts)


def pay(session: OdooSession, invoices: Collection[Invoice], journal_id: int) -> None:
    """Register the payment of posted invoices in a journal, each whole and on its own date.

    Raises:
        ItemError: one of them can't be paid; of its date and currency none was.
    """
    groups: dict[tuple[str, int], list[int]] = {}
    for invoice in invoices:
        groups.setdefault((invoice.date, invoice.currency_id), []).append(invoice.id)
    for (day, _), ids in sorted(groups.items()):
        context = {"active_model": "account.move", "active_ids": sorted(ids)}
        values = {"journal_id": journal_id, "payment_date": day, "group_payment": False}
        wizard = session.call("account.payment.register", "create", values, context=context)
        session.call(
            "account.payment.register", "action_create_payments", [wizard], context=context
        )
