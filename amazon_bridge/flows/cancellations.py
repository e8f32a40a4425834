"""Odoo → Amazon: merchant-fulfilled orders that people cancelled in Odoo are cancelled there.

All orders of a round travel in one feed, at most one in 20 minutes. The ledger knows the feed
before it is made, and its id before it is asked for; later rounds ask how it fares and read its
report line by line. What a feed leaves unsaid is read from the orders themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

import structlog

from amazon_bridge.amazon.feeds import FeedStatus, Outcome, Result
from amazon_bridge.config.values import CancelReason
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.ledger import HELD, Feed, Seen, State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Cancellation, FulfilledBy, FulfillmentStatus
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

_STUCK_FEED = timedelta(hours=12)
"""After this time a feed isn't waited for any longer, nor a report that can't be read."""

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


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ends that Amazon isn't to be told of, and what is said about it in Odoo."""

    sale_order: SaleOrder
    state: State
    note: Note | None = None


# A round


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One round: ask how earlier feeds fared, then send what was cancelled since, in one feed.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    if not context.account.notify_amazon.cancellations:
        return Counts()
    counts = Counts()
    try:
        if dry_run:
            return _foresee(context)
        for feed in context.ledger.open_feeds(context.name):
            _follow(context, feed, counts)
        _tell(context, _file(context, _find(context), counts), counts)
    except (AccountError, Transient) as error:
        counts.error = str(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


# Find


@dataclass(frozen=True, slots=True)
class _Found:
    """The orders that aren't settled yet, but for those in a feed."""

    tasks: Sequence[Task]
    endings: Sequence[Ending]
    unknown: Collection[str]
    """Amazon didn't say what these orders are."""
    failures: Mapping[str, ItemError]
    gone: Collection[str]
    """They were deleted in Odoo before Amazon was told."""


def _find(context: Context) -> _Found:
    ledger, name = context.ledger, context.name
    aside = {entry.key for entry in ledger.quarantined(name) if entry.job == JOB}
    filed = {entry.key for entry in ledger.pending_entries(name, JOB)} | aside
    in_feeds = {key for feed in ledger.open_feeds(name) for key in feed.keys}
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=context.since(JOB, overlap=_OVERLAP, first_look=_FIRST_LOOK),
        order_ids=filed - in_feeds,
    )
    revived = [each.sale_order for each in found if not each.sale_order.is_cancelled]
    open_ = [each for each in found if _is_open(context, each, aside | in_feeds)]
    told = _told_before(context, open_)
    untold = [each for each in open_ if each.sale_order.id not in told]
    memos = orders.memos_of(context, [each.sale_order.order_id for each in untold])
    judged = [
        _judge(context, each, memos[each.sale_order.order_id])
        for each in untold
        if each.sale_order.order_id in memos
    ]
    return _Found(
        tasks=[each for each in judged if isinstance(each, Task)],
        endings=[
            *(Ending(sale_order, State.LEFT_OUT) for sale_order in revived),
            *(Ending(e.sale_order, State.DONE) for e in open_ if e.sale_order.id in told),
            *(each for each in judged if isinstance(each, Ending)),
        ],
        unknown={each.sale_order.order_id for each in untold} - memos.keys(),
        failures={key: memo for key, memo in memos.items() if isinstance(memo, ItemError)},
        gone=filed - in_feeds - {each.sale_order.order_id for each in found},
    )


def _is_open(context: Context, each: CancelledOrder, skipped: Collection[str]) -> bool:
    sale_order = each.sale_order
    if not sale_order.is_cancelled or sale_order.order_id in skipped:
        return False
    entry = context.ledger.entry(context.name, JOB, sale_order.order_id)
    return entry is None or entry.state == State.PENDING or entry.fingerprint != _CANCELLED


def _told_before(context: Context, open_: Sequence[CancelledOrder]) -> set[int]:
    """Those new to this state store of which a note says that Amazon knows, by database id."""
    new = [
        each.sale_order.id
        for each in open_
        if context.ledger.entry(context.name, JOB, each.sale_order.order_id) is None
    ]
    return notes.told(context.odoo, notes.SALE_ORDER, new, *_SETTLED)


def _judge(
    context: Context, each: CancelledOrder, memo: orders.Memo | ItemError | None
) -> Task | Ending | ItemError:
    if isinstance(memo, ItemError):
        return memo
    if memo is None:  # another account's
        return Ending(each.sale_order, State.LEFT_OUT)
    if memo.fulfilled_by != FulfilledBy.MERCHANT:
        return Ending(each.sale_order, State.LEFT_OUT, _SHIPPED_BY_AMAZON)
    if each.sale_order.goods_left:
        return Ending(each.sale_order, State.LEFT_OUT, _GOODS_LEFT)
    return Task(each.sale_order, reason_of(each.tags, context.account.cancel_reason))


def reason_of(tags: Iterable[str], default: str) -> str:
    """The reason that Amazon is told: a tag of the order that is one of Amazon's, else the default.

    Capitals, spaces and hyphens don't matter: ``Customer exchange`` is ``CustomerExchange``.
    """
    reasons = {reason.casefold(): reason for reason in get_args(CancelReason)}
    words = ("".join(c for c in tag.casefold() if c.isalpha()) for tag in tags)
    return next((reasons[word] for word in words if word in reasons), default)


# File


def _file(context: Context, found: _Found, counts: Counts) -> Sequence[Task]:
    """Settle and file what was found; answer with what is to be told."""
    _end(context, found.endings)
    for order_id in found.gone:
        _settle(context, order_id, State.LEFT_OUT, _LIVE)
    filed = [*(task.order_id for task in found.tasks), *found.unknown]
    context.ledger.file(context.name, JOB, [Seen(key, _CANCELLED) for key in filed])
    failures = {**found.failures, **context.all_given_up(JOB, found.unknown)}
    for order_id, error in failures.items():
        context.ledger.put_aside(context.name, JOB, order_id, error)
    counts.seen += len(found.tasks) + len(failures)
    counts.quarantined += len(failures)
    return found.tasks


def _end(context: Context, endings: Sequence[Ending]) -> None:
    """Say on the orders what became of them, and settle them."""
    said = {each.sale_order.id: each.note for each in endings if each.note}
    notes.post(context.odoo, notes.SALE_ORDER, said)
    done = [each.sale_order.id for each in endings if each.state == State.DONE]
    notes.close_reminders(context.odoo, notes.SALE_ORDER, done, (_REFUSED,), "Amazon knows.")
    for each in endings:
        fingerprint = _CANCELLED if each.sale_order.is_cancelled else _LIVE
        _settle(context, each.sale_order.order_id, each.state, fingerprint)


def _settle(context: Context, order_id: str, state: State, fingerprint: str) -> None:
    context.ledger.file(context.name, JOB, [Seen(order_id, fingerprint)])
    context.ledger.settle(context.name, JOB, order_id, fingerprint, state)
    if fingerprint == _LIVE:
        context.ledger.remember(context.name, JOB, order_id, None)
    log.info("cancellation_settled", account=context.name, order=order_id, state=state)


# Tell


def _tell(context: Context, tasks: Sequence[Task], counts: Counts) -> None:
    """Send a feed with all that may be sent, when the time for one has come."""
    released = _released(context, tasks, counts)
    if released and _is_time_for_a_feed(context):
        cancellations = _checked(context, released, counts)
        if cancellations:
            _send(context, cancellations, counts)


def _released(context: Context, tasks: Sequence[Task], counts: Counts) -> Sequence[Task]:
    """Hold what looks like a mistaken mass action; what has passed here before passes again."""
    fresh = _fresh(context, tasks)
    why = _suspicion(context, len(fresh))
    for task in fresh:
        if why:
            context.ledger.put_aside(context.name, JOB, task.order_id, _held(why))
        else:
            context.ledger.remember(context.name, JOB, task.order_id, "0")
    if not why:
        return tasks
    log.warning("cancellations_held", account=context.name, orders=len(fresh))
    counts.quarantined += len(fresh)
    return [task for task in tasks if task not in fresh]


def _fresh(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """Those that neither a round nor a person has let pass yet."""
    entries = {t.order_id: context.ledger.entry(context.name, JOB, t.order_id) for t in tasks}
    return [
        task
        for task in tasks
        if (entry := entries[task.order_id]) is None or not (entry.attempts or entry.memo)
    ]


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


def _is_time_for_a_feed(context: Context) -> bool:
    """Whether the last feed is long enough ago; one that this state store doesn't know, is over."""
    now = context.clock()
    last = context.ledger.last_feed_begun(context.name)
    if last and now - last < _FEED_PAUSE:
        return False
    return not context.amazon.is_cancelling(now - _LOST_FEED)


def _checked(context: Context, tasks: Sequence[Task], counts: Counts) -> list[Cancellation]:
    """What may be sent, as Amazon shows the orders now; the others are settled or put aside.

    Raises:
        AccountError: Amazon is down.
    """
    cancellations: list[Cancellation] = []
    endings: list[Ending] = []
    failures: dict[str, ItemError] = {}
    looks = context.one_by_one(JOB, tasks, lambda t: _look(context, t), key=lambda t: t.order_id)
    for task, result in looks:
        match result:
            case Cancellation():
                cancellations.append(result)
            case Ending():
                endings.append(result)
            case ItemError():
                failures[task.order_id] = result
            case Transient():
                counts.error = str(result)
    _end(context, endings)
    _put_aside(context, failures, {task.order_id: task.sale_order for task in tasks})
    counts.quarantined += len(failures)
    return cancellations


def _look(context: Context, task: Task) -> Cancellation | Ending:
    """Never cancel an order of which anything has shipped.

    Raises:
        ItemError: the order is in no state to be cancelled, or can't be understood.
        Transient: Amazon is down.
    """
    order = orders.fetch(context, task.order_id)
    if order.status == FulfillmentStatus.CANCELLED:
        told = _feeds_without_effect(context, task.order_id) > 0
        return Ending(task.sale_order, State.DONE, _TOLD if told else _CANCELLED_THERE_ALREADY)
    if order.packages or order.status in _SHIPPED:
        return Ending(task.sale_order, State.LEFT_OUT, _SHIPPED_THERE)
    if order.status != FulfillmentStatus.UNSHIPPED:
        raise ItemError(
            "not_cancellable",
            f"Amazon has the order as {order.status}, in which it can't be cancelled.",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    return Cancellation(
        order_id=task.order_id,
        sale_order_name=task.sale_order.name,
        order_item_ids=tuple(item.order_item_id for item in order.items),
        reason=task.reason,
    )


_SHIPPED = {FulfillmentStatus.PARTIALLY_SHIPPED, FulfillmentStatus.SHIPPED}


def _send(context: Context, cancellations: Sequence[Cancellation], counts: Counts) -> None:
    """Send one feed.

    Raises:
        Transient: no answer; whether the feed was made is found out later.
        AccountError: Amazon refuses the account.
    """
    order_ids = [each.order_id for each in cancellations]
    number = context.ledger.begin_feed(context.name, order_ids)
    try:
        feed_id = context.amazon.submit_cancellations(cancellations)
    except (AccountError, Transient) as error:
        if not (isinstance(error, Transient) and error.maybe_done):
            context.ledger.close_feed(number)
        raise
    context.ledger.name_feed(number, feed_id)
    counts.notified += len(cancellations)
    log.info("cancellations_sent", account=context.name, feed=feed_id, orders=len(order_ids))


# Follow


def _follow(context: Context, feed: Feed, counts: Counts) -> None:
    """Ask how a feed fares, and settle its orders when it has ended.

    Raises:
        AccountError: Amazon is down, or refuses the account.
    """
    try:
        results = _results(context, feed)
    except Transient as error:
        counts.error = str(error)
        results = None
    if results is not None or context.clock() - feed.begun >= _STUCK_FEED:
        _close(context, feed, results or {}, counts)


def _results(context: Context, feed: Feed) -> Mapping[str, Result] | None:
    """What became of the feed's orders, as far as Amazon says; None while it is under way."""
    if feed.feed_id is None:
        return {} if context.clock() - feed.begun >= _LOST_FEED else None
    try:
        state = context.amazon.feed_state(feed.feed_id)
        if not state.status.final:
            return None
        if state.status == FeedStatus.DONE and state.result_document_id:
            return context.amazon.feed_result(state.result_document_id, feed.keys)
    except ItemError as error:  # Amazon keeps feeds and their results for some weeks only
        log.warning("feed_forgotten", account=context.name, feed=feed.feed_id, reason=error.reason)
    return {}


def _close(context: Context, feed: Feed, results: Mapping[str, Result], counts: Counts) -> None:
    """Settle each order by its result; what the feed leaves unsaid the order itself tells.

    Orders that it didn't cancel stay pending: another feed takes them.
    """
    cancelled: list[str] = []
    failures: dict[str, ItemError] = {}
    fates = context.one_by_one(
        JOB, feed.keys, lambda key: _is_cancelled_there(context, key, results.get(key)), key=str
    )
    for order_id, fate in fates:
        match fate:
            case ItemError():
                failures[order_id] = fate
            case Transient():
                counts.error = str(fate)
            case True:
                cancelled.append(order_id)
    sale_orders = _sale_orders(context, feed.keys)
    _say_told(context, [sale_orders[key] for key in cancelled if key in sale_orders])
    for order_id in cancelled:
        _settle(context, order_id, State.DONE, _CANCELLED)
    _put_aside(context, failures, sale_orders)
    counts.seen += len(feed.keys)
    counts.quarantined += len(failures)
    context.ledger.close_feed(feed.number)


def _is_cancelled_there(context: Context, order_id: str, result: Result | None) -> bool:
    """Whether a feed that has ended has cancelled the order.

    Raises:
        ItemError: Amazon refused the cancellation, or several feeds had no effect.
        Transient: Amazon is down.
    """
    if result and result.outcome == Outcome.ACCEPTED:
        return True
    if orders.fetch(context, order_id).status == FulfillmentStatus.CANCELLED:
        return True
    if result and result.outcome == Outcome.REFUSED:
        raise ItemError(
            "cancellation_refused",
            f"Amazon refuses to cancel the order: {result.reason.rstrip('.')}.",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    feeds = _feeds_without_effect(context, order_id) + 1
    context.ledger.remember(context.name, JOB, order_id, str(feeds))
    if feeds >= _MOST_FEEDS:
        raise ItemError(
            "cancellation_without_effect",
            f"{feeds} feeds have not cancelled the order on Amazon.",
            "Cancel it in Seller Central; or retry.",
        )
    return False


def _feeds_without_effect(context: Context, order_id: str) -> int:
    entry = context.ledger.entry(context.name, JOB, order_id)
    return int(entry.memo or 0) if entry else 0


def _sale_orders(context: Context, order_ids: Collection[str]) -> dict[str, SaleOrder]:
    found = cancelled_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=context.clock(),
        order_ids=order_ids,
    )
    return {each.sale_order.order_id: each.sale_order for each in found}


# Say


_NOT_TOLD = "Amazon: cancellation not told"
_TOLD = Note(
    "cancellation_told",
    "Amazon: told of the cancellation",
    "Amazon was told of the cancellation, has cancelled the order and tells the buyer.",
)
_CANCELLED_THERE_ALREADY = Note(
    "cancellation_known",
    "Amazon: cancelled there too",
    "Amazon has this order as cancelled already; there was nothing to tell.",
)
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
_SETTLED = (
    orders.CANCELLED_THERE.subject,
    _TOLD.subject,
    _CANCELLED_THERE_ALREADY.subject,
    _NOT_TOLD,
)
"""The subjects of notes on orders of which there is nothing more to tell."""

_REFUSED = "cancellation_refused"


def _say_told(context: Context, sale_orders: Sequence[SaleOrder]) -> None:
    ids = [sale_order.id for sale_order in sale_orders]
    notes.post(context.odoo, notes.SALE_ORDER, dict.fromkeys(ids, _TOLD))
    notes.close_reminders(context.odoo, notes.SALE_ORDER, ids, (_REFUSED,), "Amazon was told.")


def _put_aside(
    context: Context, failures: Mapping[str, ItemError], sale_orders: Mapping[str, SaleOrder]
) -> None:
    """Put orders aside, with an activity on each that says why and what to do."""
    asked = {
        (notes.SALE_ORDER, sale_orders[key].id): _why(error)
        for key, error in failures.items()
        if key in sale_orders
    }
    notes.remind(
        context.odoo,
        asked,
        today=context.clock().date(),
        user_id=context.setup.salesperson_id,
    )
    for order_id, error in failures.items():
        context.ledger.put_aside(context.name, JOB, order_id, error)
        names = {"account": context.name, "order": order_id}
        log.warning("cancellation_put_aside", **names, kind=error.kind, reason=error.reason)


def _why(error: ItemError) -> Note:
    digest = hashlib.sha256(error.reason.encode()).hexdigest()[:8]
    return Note(f"{_REFUSED}_{digest}", "Amazon doesn't cancel this order", str(error))


# Dry run


def _foresee(context: Context) -> Counts:
    """Say which cancellations a round would tell Amazon of."""
    tasks = _find(context).tasks
    why = _suspicion(context, len(_fresh(context, tasks)))
    held = _fresh(context, tasks) if why else []
    counts = Counts(seen=len(tasks), quarantined=len(held))
    if held:
        log.warning("would_hold", account=context.name, orders=len(held), reason=why)
    would = [task for task in tasks if task not in held]
    looks = runner.one_by_one(would, lambda task: _look(context, task), key=lambda t: t.order_id)
    for task, result in looks:
        if isinstance(result, Cancellation):
            log.info("would_cancel", account=context.name, order=task.order_id, reason=task.reason)
            counts.notified += 1
    counts.unchanged = counts.seen - counts.notified - counts.quarantined
    return counts
