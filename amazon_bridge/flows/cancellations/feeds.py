"""Feeds of cancellations: sent, followed, and their orders settled by their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from amazon_bridge.amazon.feeds import FeedStatus, Outcome, Result
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.records import Feed, State
from amazon_bridge.flows import orders
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.apply import check, settle_order
from amazon_bridge.flows.cancellations.brake import released
from amazon_bridge.flows.cancellations.decide import Task
from amazon_bridge.flows.cancellations.find import sale_orders_of
from amazon_bridge.flows.cancellations.memo import CANCELLED, remember_feed
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.model import Cancellation, FulfillmentStatus

log = structlog.get_logger(__name__)

_FEED_PAUSE = timedelta(minutes=20)
"""Amazon asks for no more than one feed of a type in this time."""

_LOST_FEED = timedelta(minutes=30)
"""A feed whose id was lost is assumed processed, or never created, after this time."""

_STUCK_FEED = timedelta(hours=12)
"""After this time a feed isn't waited for any longer, nor a report that can't be read."""

_MOST_FEEDS = 3
"""An order is quarantined when this many feeds have not cancelled it."""


def send(run: Run, tasks: Sequence[Task]) -> None:
    """Send a feed with all that may be sent, when the time for one has come."""
    passed = released(run, tasks)
    if passed and _is_time_for_a_feed(run.context):
        cancellations = check(run, passed)
        if cancellations:
            _send(run, cancellations)


def _is_time_for_a_feed(context: Context) -> bool:
    """Whether the last feed is long enough ago; one that this state store doesn't know, is over."""
    now = context.clock()
    last = context.ledger.feeds.last_begun(context.name)
    if last and abs(now - last) < _FEED_PAUSE:
        return False
    return not context.amazon.is_cancelling(now - _LOST_FEED)


def _send(run: Run, cancellations: Sequence[Cancellation]) -> None:
    """Send one feed.

    Raises:
        Transient: no answer; whether the feed was made is found out later.
        AccountError: Amazon refuses the account.
    """
    context = run.context
    order_ids = [each.order_id for each in cancellations]
    number = context.ledger.feeds.begin(context.name, order_ids)
    try:
        feed_id = context.amazon.submit_cancellations(cancellations)
    except (AccountError, Transient) as error:
        if not (isinstance(error, Transient) and error.maybe_done):
            context.ledger.feeds.close(number)
        raise
    context.ledger.feeds.set_id(number, feed_id)
    run.counts.notified += len(cancellations)
    log.info("cancellations_sent", account=context.name, feed=feed_id, orders=len(order_ids))


# Follow


def follow(run: Run, feed: Feed) -> None:
    """Ask how a feed fares, and settle its orders when it has ended.

    Raises:
        AccountError: Amazon is down, or refuses the account.
    """
    try:
        results = _results(run.context, feed)
    except Transient as error:
        run.counts.note_error(error)
        results = None
    if results is not None or run.context.clock() - feed.begun >= _STUCK_FEED:
        _close(run, feed, results or {})


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
        log.warning("feed_expired", account=context.name, feed=feed.feed_id, reason=error.reason)
    return {}


def _close(run: Run, feed: Feed, results: Mapping[str, Result]) -> None:
    """Settle each order by its result; what the feed leaves unsaid the order itself tells.

    Orders that it didn't cancel stay pending: another feed takes them.
    """
    context = run.context
    cancelled: list[str] = []
    failures: dict[str, ItemError] = {}
    checked = run.each(
        feed.keys, lambda key: _is_cancelled_there(context, key, results.get(key)), key=str
    )
    for order_id, is_cancelled in checked:
        if isinstance(is_cancelled, ItemError):
            failures[order_id] = is_cancelled
        elif is_cancelled:
            cancelled.append(order_id)
    sale_orders = sale_orders_of(context, feed.keys)
    tell.say_told(context, [sale_orders[key] for key in cancelled if key in sale_orders])
    for order_id in cancelled:
        settle_order(run, order_id, State.DONE, CANCELLED)
    tell.quarantine(run, failures, sale_orders)
    run.counts.seen += len(feed.keys)
    context.ledger.feeds.close(feed.number)


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
    feeds = remember_feed(context, order_id)
    if feeds >= _MOST_FEEDS:
        raise ItemError(
            "cancellation_without_effect",
            f"{feeds} feeds have not cancelled the order on Amazon.",
            "Cancel it in Seller Central; or retry.",
        )
    return False
