"""Odoo → Amazon: merchant-fulfilled orders that people cancelled in Odoo are cancelled there.

All orders of a round travel in one feed, at most one in 20 minutes. The ledger knows the feed
before it is made, and its id before it is asked for; later rounds ask how it fares and read its
report line by line. What a feed leaves unsaid is read from the orders themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

import structlog

from amazon_bridge.amazon.feeds import FeedStatus, Outcome, Result
from amazon_bridge.config.values import CancelReason
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.ledger import HELD, Feed, Seen, State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Cancellation, FulfilledBy, FulfillmentStatus, Order
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.cancelled_orders import (
    CancelledOrder,
    cancelled_orders,
    count_open_orders,
)
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)

JOB = "cancellations"

_OVERLAP = timedelta(days=1)
"""How far a round looks back behind the last one that went well."""

_FIRST_LOOK = timedelta(days=60)
"""How far the first round of a state store looks back."""

_FEED_PAUSE = timedelta(minutes=20)
"""Amazon asks for no more than one feed of a type in this time."""

_LOST_FEED = timedelta(minutes=30)
"""After this time a feed of which no id came back has been worked, or was never made."""

_MOST_FEEDS = 3
"""An order that so many feeds didn't cancel is put aside."""

_FEW = 5
"""Up to so many cancellations in a round are no mass action, whatever part of the orders."""

_CANCELLED, _LIVE = "cancelled", "live"
"""The fingerprints of a sale order here: one that is revived and cancelled again is told again."""


@dataclass(frozen=True, slots=True)
class Task:
    """A sale order whose cancellation Amazon is to be told of."""

    sale_order: SaleOrder
    reason: str

    @property
    def order_id(self) -> str:
        return self.sale_order.order_id


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One round: ask how earlier feeds fared, then send what was cancelled since, in one feed.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    if not context.account.notify_amazon.cancellations:
        return Counts()
    counts = Counts()
    try:
        if not dry_run:
            for feed in context.ledger.open_feeds(context.name):
                _follow(context, feed, counts)
        tasks = _find_tasks(context, dry_run=dry_run)
        counts.seen += len(tasks)
        if dry_run:
            return counts + _foresee(context, tasks)
        _send(context, _checked(context, _braked(context, tasks, counts), counts), counts)
    except (AccountError, Transient) as error:
        counts.error = str(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


# Find


def _find_tasks(context: Context, *, dry_run: bool) -> list[Task]:
    """The orders cancelled in Odoo that Amazon is to be told of and that no feed holds now."""
    ledger, name = context.ledger, context.name
    pending = {entry.key for entry in ledger.pending_entries(name, JOB)}
    aside = {entry.key for entry in ledger.quarantined(name) if entry.job == JOB}
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=_since(context),
        order_ids=pending | aside,
    )
    if not dry_run:
        _withdraw(context, [each for each in found if not each.sale_order.is_cancelled])
    cancelled = _by_people(context, [each for each in found if each.sale_order.is_cancelled])
    under_way = {key for feed in ledger.open_feeds(name) for key in feed.keys}
    mine = [each for each in cancelled if each.sale_order.order_id not in under_way | aside]
    return _told_apart(context, mine, dry_run=dry_run)


def _since(context: Context) -> datetime:
    rounds = (r for r in context.ledger.rounds() if (r.account, r.job) == (context.name, JOB))
    last = next((r.last_success for r in rounds), None)
    return last - _OVERLAP if last else context.clock() - _FIRST_LOOK


def _withdraw(context: Context, revived: Sequence[CancelledOrder]) -> None:
    """Forget orders that were set back to a quotation before Amazon was told."""
    for each in revived:
        _settle(context, each.sale_order.order_id, State.LEFT_OUT, fingerprint=_LIVE)


def _settle(
    context: Context, order_id: str, state: State, *, fingerprint: str = _CANCELLED
) -> None:
    context.ledger.file(context.name, JOB, [Seen(order_id, fingerprint)])
    context.ledger.settle(context.name, JOB, order_id, fingerprint, state)


def _by_people(context: Context, found: Sequence[CancelledOrder]) -> list[CancelledOrder]:
    """Without those that the bridge cancelled, because Amazon had."""
    ids = [each.sale_order.id for each in found]
    by_bridge = notes.told(context.odoo, "sale.order", ids, orders.CANCELLED_THERE.subject)
    return [each for each in found if each.sale_order.id not in by_bridge]


def _told_apart(
    context: Context, cancelled: Sequence[CancelledOrder], *, dry_run: bool
) -> list[Task]:
    """The tasks among them; of the others, settle those that are new, and say why on the order."""
    tasks = []
    for each in cancelled:
        order_id = each.sale_order.order_id
        entry = context.ledger.entry(context.name, JOB, order_id)
        if entry and entry.state != State.PENDING and entry.fingerprint == _CANCELLED:
            continue
        memo = orders.memo_of(context, order_id)
        if memo is None:
            obstacle = None
        elif memo.fulfilled_by != FulfilledBy.MERCHANT:
            obstacle = _SHIPPED_BY_AMAZON
        elif each.sale_order.goods_left:
            obstacle = _GOODS_LEFT
        else:
            tasks.append(Task(each.sale_order, reason_of(context, each.tags)))
            continue
        if not dry_run:
            _leave(context, each.sale_order, obstacle)
    if not dry_run:
        context.ledger.file(context.name, JOB, [Seen(t.order_id, _CANCELLED) for t in tasks])
    return tasks


def reason_of(context: Context, tags: Iterable[str]) -> str:
    """The reason that Amazon is told: a tag of the order that is one of Amazon's, else the default.

    Capitals, spaces and hyphens don't matter: ``Customer exchange`` is ``CustomerExchange``.
    """
    reasons = {reason.casefold(): reason for reason in get_args(CancelReason)}
    words = ("".join(c for c in tag.casefold() if c.isalpha()) for tag in tags)
    return next((reasons[w] for w in words if w in reasons), context.account.cancel_reason)


def _leave(context: Context, sale_order: SaleOrder, note: Note | None) -> None:
    if note:
        notes.post(context.odoo, "sale.order", {sale_order.id: note})
    _settle(context, sale_order.order_id, State.LEFT_OUT)


_NOT_TOLD = "Amazon: cancellation not told"
_SHIPPED_BY_AMAZON = Note(
    "cancellation_fba",
    _NOT_TOLD,
    "Amazon ships this order itself, so it was not told of the cancellation. If the buyer is not"
    " to get the goods, act in Seller Central.",
)
_GOODS_LEFT = Note(
    "cancellation_goods_left",
    _NOT_TOLD,
    "Goods of this order have left, so Amazon was not told of the cancellation: it would refund"
    " the whole order. Refund in Seller Central what is to be refunded.",
)
_SHIPPED_THERE = Note(
    "cancellation_shipped",
    _NOT_TOLD,
    "Amazon has this order as shipped, so it was not told of the cancellation: it would refund"
    " the whole order. Refund in Seller Central what is to be refunded.",
)
_CANCELLED_THERE_ALREADY = Note(
    "cancellation_known",
    "Amazon: cancelled there too",
    "Amazon has this order as cancelled already; there was nothing to tell.",
)


# Brake


def _braked(context: Context, tasks: Sequence[Task], counts: Counts) -> list[Task]:
    """Hold what looks like a mistaken mass action; what a person let go passes."""
    entries = {t.order_id: context.ledger.entry(context.name, JOB, t.order_id) for t in tasks}
    fresh = [t for t in tasks if (entry := entries[t.order_id]) and not entry.attempts]
    why = _suspicion(context, len(fresh))
    if why is None:
        return list(tasks)
    for task in fresh:
        context.ledger.put_aside(context.name, JOB, task.order_id, _held(why))
    log.warning("cancellations_held", account=context.name, orders=len(fresh))
    counts.quarantined += len(fresh)
    return [task for task in tasks if task not in fresh]


def _suspicion(context: Context, number: int) -> str | None:
    """Why so many cancellations look like a mistake, if they do."""
    brake = context.account.cancellation_brake
    if number > brake.orders:
        return f"{number} orders were cancelled in Odoo at once, more than {brake.orders}."
    if number <= _FEW:
        return None
    setup = context.setup
    still_open = count_open_orders(
        context.odoo, company_id=setup.company_id, sales_team_id=setup.sales_team_id
    )
    if number * 100 > brake.percent * (still_open + number):
        return (
            f"{number} of {still_open + number} open orders were cancelled in Odoo at once, more"
            f" than {brake.percent:g} %."
        )
    return None


def _held(why: str) -> ItemError:
    return ItemError(
        HELD,
        f"{why} Amazon wasn't told yet, in case that was a mistake.",
        "If it was meant: amazon-bridge quarantine retry --all. If not: set the orders back to"
        " quotation in Odoo and confirm them again.",
    )


# Check


def _checked(context: Context, tasks: Sequence[Task], counts: Counts) -> list[Cancellation]:
    """What may be sent: never an order of which anything has shipped.

    Raises:
        Transient: Amazon is down.
    """
    cancellations = []
    for task in tasks:
        try:
            order = orders.fetch(context, task.order_id)
        except ItemError as error:
            _put_aside(context, task.order_id, task.sale_order, error)
            counts.quarantined += 1
            continue
        if cancellation := _unless_too_late(context, task, order):
            cancellations.append(cancellation)
    return cancellations


def _unless_too_late(context: Context, task: Task, order: Order) -> Cancellation | None:
    if order.status == FulfillmentStatus.CANCELLED:
        notes.post(context.odoo, "sale.order", {task.sale_order.id: _CANCELLED_THERE_ALREADY})
        _settle(context, task.order_id, State.DONE)
        return None
    if order.packages or order.status != FulfillmentStatus.UNSHIPPED:
        _leave(context, task.sale_order, _SHIPPED_THERE)
        return None
    return Cancellation(
        order_id=task.order_id,
        sale_order_name=task.sale_order.name,
        order_item_ids=tuple(item.order_item_id for item in order.items),
        reason=task.reason,
    )


# Send


def _send(context: Context, cancellations: Sequence[Cancellation], counts: Counts) -> None:
    """Send one feed, if the last one is long enough ago; else a later round does.

    Raises:
        Transient: no answer; whether the feed was made is found out later.
        AccountError: Amazon refuses the account.
    """
    last = context.ledger.last_feed_begun(context.name)
    if not cancellations or (last and context.clock() - last < _FEED_PAUSE):
        return
    order_ids = [each.order_id for each in cancellations]
    number = context.ledger.begin_feed(context.name, order_ids)
    try:
        feed_id = context.amazon.submit_cancellations(cancellations)
    except (ItemError, AccountError, Transient) as error:
        if not (isinstance(error, Transient) and error.maybe_done):
            context.ledger.close_feed(number)
        if isinstance(error, ItemError):
            raise AccountError(error.reason, error.remedy) from error
        raise
    context.ledger.name_feed(number, feed_id)
    counts.notified += len(cancellations)
    log.info("cancellations_sent", account=context.name, feed=feed_id, orders=len(order_ids))


# Follow


def _follow(context: Context, feed: Feed, counts: Counts) -> None:
    """Ask how a feed fares, and settle its orders when it has ended."""
    if feed.feed_id is None:
        if context.clock() - feed.begun >= _LOST_FEED:
            _end(context, feed, {}, counts)
        return
    results: dict[str, Result] = {}
    try:
        state = context.amazon.feed_state(feed.feed_id)
        if not state.status.final:
            return
        if state.status == FeedStatus.DONE and state.result_document_id:
            results = context.amazon.feed_result(state.result_document_id, feed.keys)
    except ItemError as error:  # Amazon keeps feeds and their results for some weeks only
        log.warning("feed_forgotten", account=context.name, feed=feed.feed_id, reason=error.reason)
    _end(context, feed, results, counts)


def _end(context: Context, feed: Feed, results: dict[str, Result], counts: Counts) -> None:
    """Settle each order by its result; what the feed leaves unsaid the order itself tells."""
    standing = {
        each.sale_order.order_id: each.sale_order
        for each in cancelled_orders(
            context.odoo,
            company_id=context.setup.company_id,
            since=context.clock(),
            order_ids=feed.keys,
        )
    }
    for order_id in feed.keys:
        counts.seen += 1
        result = results.get(order_id) or Result(Outcome.UNKNOWN)
        try:
            _settle_result(context, order_id, result)
        except ItemError as error:
            _put_aside(context, order_id, standing.get(order_id), error)
            counts.quarantined += 1
    _say_in_odoo(context, feed, standing)
    context.ledger.close_feed(feed.number)


def _settle_result(context: Context, order_id: str, result: Result) -> None:
    """Settle an order, or leave it pending for another feed.

    Raises:
        ItemError: Amazon refused the cancellation, or several feeds had no effect.
    """
    if result.outcome == Outcome.REFUSED:
        raise ItemError(
            "cancellation_refused",
            f"Amazon refuses to cancel the order: {result.reason}",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    if result.outcome == Outcome.ACCEPTED or _is_cancelled_there(context, order_id):
        _settle(context, order_id, State.DONE)
        log.info("cancellation_done", account=context.name, order=order_id)
        return
    entry = context.ledger.entry(context.name, JOB, order_id)
    feeds = int(entry.memo or 0) + 1 if entry else 1
    context.ledger.remember(context.name, JOB, order_id, str(feeds % _MOST_FEEDS))
    if feeds == _MOST_FEEDS:
        raise ItemError(
            "cancellation_without_effect",
            f"{feeds} feeds have not cancelled the order on Amazon.",
            "Cancel it in Seller Central; or retry.",
        )


def _is_cancelled_there(context: Context, order_id: str) -> bool:
    return orders.fetch(context, order_id).status == FulfillmentStatus.CANCELLED


def _say_in_odoo(context: Context, feed: Feed, standing: dict[str, SaleOrder]) -> None:
    entries = {key: context.ledger.entry(context.name, JOB, key) for key in feed.keys}
    done = {key for key, entry in entries.items() if entry and entry.state == State.DONE}
    told = {standing[key].id: _TOLD for key in sorted(done & standing.keys())}
    notes.post(context.odoo, "sale.order", told)
    again = [standing[key].id for key in done & standing.keys() if entries[key].attempts]  # type: ignore[union-attr]
    notes.close_reminders(context.odoo, "sale.order", again, _REFUSED, "Amazon was told.")


_TOLD = Note(
    "cancellation_told",
    "Amazon: told of the cancellation",
    "Amazon was told of the cancellation, has cancelled the order and tells the buyer.",
)
_REFUSED = "cancellation_refused"


def _put_aside(
    context: Context, order_id: str, sale_order: SaleOrder | None, error: ItemError
) -> None:
    """Put the order aside, with an activity on it that says why and what to do."""
    context.ledger.put_aside(context.name, JOB, order_id, error)
    log.warning(
        "cancellation_put_aside",
        account=context.name,
        order=order_id,
        kind=error.kind,
        reason=error.reason,
    )
    if sale_order:
        notes.remind(
            context.odoo,
            "sale.order",
            {sale_order.id: Note(_REFUSED, "Amazon doesn't cancel this order", str(error))},
            today=context.clock().date(),
            user_id=context.setup.salesperson_id,
        )


# Dry run


def _foresee(context: Context, tasks: Sequence[Task]) -> Counts:
    """Say which cancellations a round would tell Amazon of."""
    for task in tasks:
        log.info("would_cancel", account=context.name, order=task.order_id, reason=task.reason)
    return Counts(notified=len(tasks))
