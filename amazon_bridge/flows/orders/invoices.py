"""Odoo → Odoo: delivered orders are invoiced, and the invoices are paid by Amazon.

Predicates select them (``invoices_due``): an order is due if something is left to invoice and all
of it is delivered; an invoice is finished when it is posted and, if a journal is configured, paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ItemError, ItemErrors, Transient
from amazon_bridge.engine.records import State
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.invoices_due import KEPT, due, settle_others
from amazon_bridge.odoo import invoices, notes, sales
from amazon_bridge.odoo.invoices import Invoice
from amazon_bridge.odoo.notes import Note, topic_of
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """Create, post and pay the invoices that are due. Does nothing unless configured.

    Returns:
        The counts; their ``error`` says if Odoo or Amazon is down or refuses the account.
    """
    if dry_run:
        return Counts()
    if context.account.invoicing.mode == "manual":
        settle_others(context, ())
        return Counts()
    try:
        order_ids, limit = due(context)
        if order_ids:
            context.prepared.get()  # a missing record would else be a refusal of each order
        counts = _work(context, order_ids)
    except (AccountError, Transient) as error:
        return Counts(error=str(error))
    if limit:
        counts.note_rate_limit(limit)
    return counts


def _work(context: Context, order_ids: Sequence[str]) -> Counts:
    failures = runner.work(
        order_ids,
        lambda batch: _invoice(context, batch),
        key=str,
        alive=context.odoo.ping,
        sleep=context.sleep,
        size=context.batch_size,
    )
    for order_id, error in _remind(context, failures).items():
        context.ledger.items.quarantine(context.name, KEPT, order_id, error)
        names = {"account": context.name, "order": order_id}
        log.warning("invoice_quarantined", **names, kind=error.kind, reason=error.reason)
    return Counts(seen=len(failures), quarantined=len(failures))


def _remind(context: Context, failures: Mapping[str, ItemError]) -> dict[str, ItemError]:
    """Schedule an activity on the sale orders that can't be invoiced.

    Returns:
        The errors to quarantine them with.
    """
    orders = sales.find(context.odoo, failures) if failures else {}
    announcements = {
        order_id: (order.name, ((notes.SALE_ORDER, order.id), _note(failures[order_id])))
        for order_id, order in orders.items()
    }
    return notices.announce(context, failures, announcements)


def _note(error: ItemError) -> Note:
    return Note(
        topic_of(_TOPIC, error.reason, digits=12), "Amazon: this order is not invoiced", str(error)
    )


_TOPIC = "not_invoiced"


def _invoice(context: Context, order_ids: Sequence[str]) -> None:
    """Create, post and pay the invoices of orders, as far as that is not done; all or none.

    Raises:
        ItemErrors: a person must look at these.
    """
    journal_id = context.setup.payment_journal_id
    orders = sales.find(context.odoo, order_ids)
    found = invoices.find(context.odoo, order_ids)
    lacking = [order for order_id, order in orders.items() if order_id not in found]
    dates = invoices.delivery_dates(context.odoo, lacking)
    delivered = [order for order in lacking if order.order_id in dates]
    found |= invoices.make(context.odoo, delivered, dates)
    _refuse_differences(orders, found)
    invoices.post(context.odoo, found.values())
    if journal_id:
        unpaid = [invoice for invoice in found.values() if invoice.is_unpaid and invoice.total]
        invoices.pay(context.odoo, unpaid, journal_id)
    _refuse_unfinished(context, invoices.find(context.odoo, list(found)))
    _settle(context, [orders[order_id] for order_id in found if order_id in orders])
    log.info("orders_invoiced", account=context.name, invoices=len(delivered))


def _refuse_unfinished(context: Context, found: Mapping[str, Invoice]) -> None:
    """Raise ``ItemErrors`` for invoices that Odoo silently left as a draft, or unpaid."""
    pays = bool(context.setup.payment_journal_id)
    errors = {
        order_id: ItemError(
            "not_invoiced",
            f"Odoo left the invoice of this order {'a draft' if invoice.is_draft else 'unpaid'},"
            " and does not say why.",
            "Open the invoice in Odoo, confirm it and register its payment; then retry.",
        )
        for order_id, invoice in found.items()
        if invoice.is_draft or (pays and invoice.is_unpaid and invoice.total)
    }
    if errors:
        raise ItemErrors(errors)


def _settle(context: Context, orders: Sequence[SaleOrder]) -> None:
    """Settle orders, and close the activities of those that were quarantined before."""
    entries = {o.id: context.ledger.items.get(context.name, KEPT, o.order_id) for o in orders}
    again = [(notes.SALE_ORDER, id_) for id_, entry in entries.items() if entry and entry.attempts]
    notices.close(context, again, (_TOPIC,), "Settled: the order is invoiced.", in_batch=True)
    for order in orders:
        context.ledger.items.settle(context.name, KEPT, order.order_id, "", State.DONE)


def _refuse_differences(orders: Mapping[str, SaleOrder], found: Mapping[str, Invoice]) -> None:
    """Raise ``ItemErrors`` for drafts whose total differs from the sale order's."""
    errors = {
        order_id: ItemError(
            "total_differs",
            f"The total of the draft invoice of {orders[order_id].name} is {invoice.total}, the"
            f" sale order's is {orders[order_id].total}.",
            "Correct the draft or the order in Odoo, then retry.",
        )
        for order_id, invoice in found.items()
        if invoice.is_draft and invoice.total != orders[order_id].total
    }
    if errors:
        raise ItemErrors(errors)
