"""Processes filed orders in Odoo: import, confirm, deliver, complete, cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.engine.records import Event, State
from amazon_bridge.flows import events
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import (
    cancelling,
    changes,
    checks,
    importing,
    packing,
    reminders,
    tell,
)
from amazon_bridge.flows.orders.batch import Batch, Result
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.decide import LIVE, Step, decide
from amazon_bridge.flows.orders.find import FetchedOrder, unreadable
from amazon_bridge.flows.orders.memo import JOB, Memo, entry_of, memo_of
from amazon_bridge.flows.orders.pieces import known_pieces
from amazon_bridge.model import FulfillmentStatus, Order, UnreadableOrder
from amazon_bridge.odoo import sales
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def work(context: Context, fetched: Sequence[FetchedOrder]) -> Counts:
    """Process filed orders: make Odoo agree with Amazon, and quarantine those that fail.

    Raises:
        AccountError: Odoo is down, refuses the login, or lost what the account works with; the
            orders stay pending.
    """
    processing = _Processing(context)
    failures = {
        o.order_id: unreadable(context, o) for o in fetched if isinstance(o, UnreadableOrder)
    }
    orders = [order for order in fetched if isinstance(order, Order)]
    if orders:
        context.prepared.get()  # a missing record would else be a refusal of each order
    refused = runner.work(
        orders,
        processing.apply,
        key=lambda order: order.order_id,
        alive=context.odoo.ping,
        sleep=context.sleep,
        size=context.batch_size,
    )
    if refused:
        context.ensure_setup()  # a catch-up run can last for hours
    failures |= refused
    tell.quarantine_all(context, failures)
    return processing.counts(failures)


@dataclass(slots=True)
class _Processing:
    """One call of ``work``. Orders of a batch that fails are processed again in smaller ones."""

    context: Context
    outcomes: dict[str, str] = field(default_factory=dict)
    """By order id, the count that it goes into: by what was done first, since a later attempt
    finds that done."""

    def apply(self, orders: Sequence[Order]) -> None:
        """Process a batch.

        Raises:
            ItemErrors: these can't be processed. Of the others all is done, or none.
        """
        batch = _read(self.context, orders)
        for phase in _PHASES:
            batch = batch.after(phase(self.context, batch))
            self.outcomes.update(dict.fromkeys(batch.created, "created"))
        _note_records(self.context, batch)
        for order in _finish(self.context, batch):
            self.outcomes.setdefault(order.order_id, COUNTED_AS[batch.steps[order.order_id]])
        if batch.errors:
            raise ItemErrors(batch.errors)

    def counts(self, failures: Mapping[str, ItemError]) -> Counts:
        done = [outcome for key, outcome in self.outcomes.items() if key not in failures]
        return Counts(
            created=done.count("created"),
            updated=done.count("updated"),
            cancelled=done.count("cancelled"),
            unchanged=done.count("unchanged"),
            quarantined=len(failures),
        )


def _read(context: Context, orders: Sequence[Order]) -> Batch:
    existing = sales.find(context.odoo, [order.order_id for order in orders])
    steps = {o.order_id: decide_for(context, o, existing.get(o.order_id)) for o in orders}
    return Batch(orders, steps, existing)


def _note_records(context: Context, batch: Batch) -> None:
    """Note the ids of the sale orders, for the links to them."""
    ids = {order_id: sale_order.id for order_id, sale_order in batch.sale_orders.items()}
    context.ledger.items.note_records(context.name, JOB, ids)


def _refuse_not_ours(_context: Context, batch: Batch) -> Result:
    foreign = batch.sale_orders_with(Step.NOT_OURS)
    return Result(errors={order.order_id: _not_ours(sale_order) for order, sale_order in foreign})


_PHASES: tuple[Callable[[Context, Batch], Result], ...] = (
    _refuse_not_ours,
    tell.explain_unclear,
    importing.restore_dates,
    importing.restore_contacts,
    importing.create,
    importing.price,
    importing.confirm,
    importing.deliver,
    tell.hold,
    checks.find_changed_worth,
    cancelling.cancel,
    cancelling.explain_interrupted,
    checks.find_without_delivery,
    checks.find_misdirected,
    checks.find_unpriced,
)
"""In this order. Each returns what it found or created, for the later ones."""


def _finish(context: Context, batch: Batch) -> list[Order]:
    """Schedule and close reminders, and settle the orders without an error.

    Returns:
        The orders without an error. One that is unclear stays pending, and is fetched again.

    Raises:
        ItemErrors: the sale orders of these take no activity.
    """
    _release_units(context, batch)
    cases = _cases(context, batch)
    memos = changes.remind(context, cases)
    packing.note(context, cases)
    done = [order for order in batch.orders if order.order_id not in batch.errors]
    clear = [order for order in done if batch.steps[order.order_id] != Step.UNCLEAR]
    _close_reminders(context, clear, batch.sale_orders, memos)
    happened: list[Event] = []
    for order in clear:
        former = memo_of(context, order.order_id)
        memo = memos.get(order.order_id) or Memo.of(order, known_pieces(context, order, former))
        if _settle(context, order, batch.steps[order.order_id], memo):
            happened += _events(context, batch, order, former)
    context.ledger.statistics.count(context.name, happened)
    return done


def _events(context: Context, batch: Batch, order: Order, former: Memo | None) -> list[Event]:
    """What has just happened to a settled order, by the memo that it had before."""
    if former is None:
        return []
    if former.cancelling and order.status == FulfillmentStatus.CANCELLED:
        return [events.cancelled(order)]
    is_imported = order.order_id in batch.sale_orders and order.status in LIVE
    if is_imported and not former.is_settled:
        return [events.imported(order, context.clock())]
    return []


def _release_units(context: Context, batch: Batch) -> None:
    """Units of orders that Odoo holds, or that were cancelled there, are not in flight any more."""
    held = [key for key, order in batch.sale_orders.items() if not order.is_quotation]
    context.ledger.in_flight.release(context.name, held)


def decide_for(context: Context, order: Order, sale_order: SaleOrder | None) -> Step:
    """Decide what to do about an order, by what the state store and Odoo know of it."""
    entry = entry_of(context, order.order_id)
    return decide(
        order,
        sale_order,
        fba_location_id=context.setup.fba_location_id,
        filed_before=entry is not None and entry.importable,
    )


COUNTED_AS = {
    Step.IMPORT: "created",
    Step.COMPLETE: "updated",
    Step.CANCEL: "cancelled",
    Step.NOTHING: "unchanged",
    Step.LEAVE_OUT: "unchanged",
    Step.UNCLEAR: "unchanged",
}


def _cases(context: Context, batch: Batch) -> list[Case]:
    return [
        Case(
            order,
            sale_order,
            memo_of(context, order.order_id),
            is_new=order.order_id in batch.created,
        )
        for order, sale_order in batch.imported
        if order.status in LIVE
    ]


def _close_reminders(
    context: Context,
    orders: Sequence[Order],
    existing: Mapping[str, SaleOrder],
    memos: Mapping[str, Memo],
) -> None:
    """Close the reminders of processed orders that no longer apply."""
    processed = [existing[order.order_id] for order in orders if order.order_id in existing]
    current = {order_id: memo.reminders for order_id, memo in memos.items()}
    reminders.close_settled(context, processed, current)


def _settle(context: Context, order: Order, step: Step, memo: Memo) -> bool:
    """Settle an order; False if it has changed since it was fetched."""
    left_out = step == Step.LEAVE_OUT
    is_settled = context.ledger.items.settle(
        context.name,
        JOB,
        order.order_id,
        order.fingerprint,
        State.LEFT_OUT if left_out else State.DONE,
        memo=None if left_out else memo,
    )
    log.info("order_processed", account=context.name, order=order.order_id, step=step)
    return is_settled


def _not_ours(sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "needs_attention",
        f"The sale order {sale_order.name} has this Amazon order id, but the bridge didn't create"
        " it.",
        "Clear its customer reference in Odoo and retry, if the bridge is to import the order;"
        " else leave it here.",
    )
