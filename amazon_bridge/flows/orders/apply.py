"""Makes filed orders true in Odoo: import, confirm, deliver, complete, cancel."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.engine.records import State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import cancelling, changes, importing, packing, reminders, tell
from amazon_bridge.flows.orders.case import Case
from amazon_bridge.flows.orders.decide import LIVE, Step, decide
from amazon_bridge.flows.orders.find import Shown, unreadable
from amazon_bridge.flows.orders.memo import JOB, Memo
from amazon_bridge.flows.orders.pieces import known_pieces
from amazon_bridge.model import Order, UnreadableOrder
from amazon_bridge.odoo import sales
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def work(context: Context, shown: Sequence[Shown]) -> Counts:
    """Make filed orders true in Odoo, and put those aside that can't be.

    Raises:
        AccountError: Odoo is down, refuses the login, or lost what the account works with; the
            orders stay pending.
    """
    outcomes: dict[str, str] = {}
    failures = {s.order_id: unreadable(context, s) for s in shown if isinstance(s, UnreadableOrder)}
    refused = runner.work(
        [s for s in shown if isinstance(s, Order)],
        lambda orders: _apply(context, orders, outcomes),
        key=lambda order: order.order_id,
        alive=context.odoo.ping,
        sleep=context.sleep,
    )
    if refused:
        context.ensure_setup()  # a catch-up run can last for hours
    failures |= refused
    tell.quarantine_all(context, failures)
    done = [outcome for order_id, outcome in outcomes.items() if order_id not in failures]
    return Counts(
        created=done.count("created"),
        updated=done.count("updated"),
        cancelled=done.count("cancelled"),
        unchanged=done.count("unchanged"),
        quarantined=len(failures),
    )


def _apply(context: Context, orders: Sequence[Order], outcomes: dict[str, str]) -> None:
    """Work a batch. ``outcomes`` gets a word of the counts for each order that is done.

    Raises:
        ItemErrors: these can't be worked. Of the others all is done, or none.
    """
    standing = sales.find(context.odoo, [order.order_id for order in orders])
    steps = {order.order_id: decide_for(context, order, standing) for order in orders}

    def having(*wanted: Step) -> list[Order]:
        return [order for order in orders if steps[order.order_id] in wanted]

    errors = {o.order_id: _not_ours(standing[o.order_id]) for o in having(Step.NOT_OURS)}
    errors |= tell.find_unclear(context, having(Step.UNCLEAR))
    tell.explain_unclear(context, [o for o in having(Step.UNCLEAR) if o.order_id not in errors])
    importing.restore_dates(context, having(Step.COMPLETE, Step.NOTHING), standing)
    failures = importing.bring_to_confirmation(
        context, having(Step.IMPORT, Step.COMPLETE), standing, outcomes
    )
    errors |= failures
    importing.deliver(context, having(Step.IMPORT, Step.COMPLETE), standing, failures)
    errors |= tell.hold(context, having(Step.HOLD), standing)
    errors |= tell.find_changed_worth(context, having(Step.NOTHING), standing)
    errors |= cancelling.cancel(context, having(Step.CANCEL), standing)
    cancelling.explain_interrupted(context, having(Step.NOTHING), standing)
    live = having(Step.IMPORT, Step.COMPLETE, Step.NOTHING)
    errors |= tell.find_without_delivery(live, standing)
    errors |= tell.find_misdirected(context, live, standing)
    errors |= tell.find_unpriced(context, live, standing)
    new = {order.order_id for order in having(Step.IMPORT)}
    cases = _cases(context, live, standing, new)
    memos = changes.remind(context, cases)
    packing.note(context, cases)
    done = [order for order in orders if order.order_id not in errors]
    # What is unclear stays pending, and is asked for again.
    clear = [order for order in done if steps[order.order_id] != Step.UNCLEAR]
    _close_reminders(context, clear, standing, memos)
    for order in clear:
        memo = memos.get(order.order_id) or _memo(context, order)
        _settle(context, order, steps[order.order_id], memo)
    for order in done:
        outcomes.setdefault(order.order_id, COUNTED_AS[steps[order.order_id]])
    if errors:
        raise ItemErrors(errors)


def decide_for(context: Context, order: Order, standing: Mapping[str, SaleOrder]) -> Step:
    """What to do about an order, given what the state store and Odoo know of it."""
    entry = context.ledger.items.get(context.name, JOB, order.order_id)
    return decide(
        order,
        standing.get(order.order_id),
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


def _cases(
    context: Context,
    orders: Sequence[Order],
    existing: Mapping[str, SaleOrder],
    new: Collection[str],
) -> list[Case]:
    return [
        Case(
            order,
            existing[order.order_id],
            Memo.read(context.ledger.items.get(context.name, JOB, order.order_id)),
            is_new=order.order_id in new,
        )
        for order in orders
        if order.status in LIVE and order.order_id in existing
    ]


def _memo(context: Context, order: Order) -> Memo:
    former = Memo.read(context.ledger.items.get(context.name, JOB, order.order_id))
    return Memo.of(order, known_pieces(context, order, former))


def _close_reminders(
    context: Context,
    orders: Sequence[Order],
    existing: Mapping[str, SaleOrder],
    memos: Mapping[str, Memo],
) -> None:
    """Close the reminders of processed orders that hold no more."""
    processed = [existing[order.order_id] for order in orders if order.order_id in existing]
    current = {order_id: memo.reminders for order_id, memo in memos.items()}
    reminders.close_settled(context, processed, current)


def _settle(context: Context, order: Order, step: Step, memo: Memo) -> None:
    left_out = step == Step.LEAVE_OUT
    context.ledger.items.settle(
        context.name,
        JOB,
        order.order_id,
        order.fingerprint,
        State.LEFT_OUT if left_out else State.DONE,
        memo=None if left_out else memo,
    )
    log.info("order_processed", account=context.name, order=order.order_id, step=step)


def _not_ours(sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "needs_attention",
        f"The sale order {sale_order.name} carries this Amazon order id, but the bridge didn't"
        " make it.",
        "Clear its customer reference in Odoo and retry, if the bridge is to import the order;"
        " else leave it here.",
    )
