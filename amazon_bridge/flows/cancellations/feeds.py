"""Cancellation feeds: created, polled, and their orders settled by the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.feeds import MessageResult, MessageStatus
from amazon_bridge.engine.errors import BridgeError, ItemError, RateLimited, Transient
from amazon_bridge.engine.records import Feed, State
from amazon_bridge.flows import events
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.apply import check, settle_order
from amazon_bridge.flows.cancellations.brake import pass_brake
from amazon_bridge.flows.cancellations.decide import CancellationTask
from amazon_bridge.flows.cancellations.find import sale_orders_of
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB, memo_of, remember_feed
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import fetch
from amazon_bridge.flows.outbound import Run
from amazon_bridge.model import Cancellation, FulfillmentStatus

log = structlog.get_logger(__name__)

_FEED_PAUSE = timedelta(minutes=20)
"""Interval between feeds: Amazon asks for at most one feed of a type in this time."""

_LOST_FEED = timedelta(minutes=30)
"""A feed whose id was lost is assumed processed, or never created, after this time."""

_STUCK_FEED = timedelta(hours=12)
"""A feed that is still processed, or whose report can't be read, is given up after this time."""

_MOST_FEEDS = 3
"""An order is quarantined when this many feeds have not cancelled it."""


def send(run: Run, tasks: Sequence[CancellationTask]) -> None:
    """Send one feed with all cancellations that pass the brake, if a feed is due."""
    passed = pass_brake(run, tasks)
    if passed and _is_time_for_a_feed(run.context):
        cancellations = check(run, passed)
        if cancellations:
            _send(run, cancellations)


def _is_time_for_a_feed(context: Context) -> bool:
    """True if the last feed is long enough ago, and none of another state store is processing."""
    now = context.clock()
    last = context.ledger.feeds.last_begun(context.name)
    if last and abs(now - last) < _FEED_PAUSE:
        return False
    return not context.amazon.is_cancelling(now - _LOST_FEED)


def _send(run: Run, cancellations: Sequence[Cancellation]) -> None:
    """Send one feed.

    Raises:
        Transient: no response; a later run finds out whether the feed was created.
        AccountError: Amazon refuses the account.
        RateLimited: no feed was created; a later run sends it.
    """
    context = run.context
    order_ids = [each.order_id for each in cancellations]
    number = context.ledger.feeds.begin(context.name, order_ids)
    try:
        feed_id = context.amazon.submit_cancellations(cancellations)
    except BridgeError as error:
        if not (isinstance(error, Transient) and error.maybe_done):
            context.ledger.feeds.close(number)
        raise
    context.ledger.feeds.set_id(number, feed_id)
    run.counts.notified += len(cancellations)
    log.info("cancellations_sent", account=context.name, feed=feed_id, orders=len(order_ids))


def follow(run: Run, feed: Feed) -> None:
    """Poll a feed, and settle its orders when it has ended.

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
    else:
        run.counts.seen += len(feed.keys)


def _results(context: Context, feed: Feed) -> Mapping[str, MessageResult] | None:
    """Return the results of a feed, by order id as far as there are any; None before its end."""
    if feed.feed_id is None:
        return {} if context.clock() - feed.begun >= _LOST_FEED else None
    try:
        state = context.amazon.feed_state(feed.feed_id)
        if not state.status.final:
            return None
        if state.status == ProcessingStatus.DONE and state.result_document_id:
            return context.amazon.feed_result(state.result_document_id, feed.keys)
    except ItemError as error:  # Amazon keeps feeds and their results for some weeks only
        log.warning("feed_expired", account=context.name, feed=feed.feed_id, reason=error.reason)
    return {}


@dataclass(slots=True)
class _Checked:
    """The orders of a processed feed, by result."""

    cancelled: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    """The feed did not cancel them."""
    failures: dict[str, ItemError] = field(default_factory=dict)
    limit: RateLimited | None = None
    """Why the others could not be checked, if Amazon's rate was used up."""


def _close(run: Run, feed: Feed, results: Mapping[str, MessageResult]) -> None:
    """Settle each order by its result, or by the order itself if the feed has no result for it.

    Orders that it didn't cancel stay pending for another feed. If the rate allows to check a part
    only, the feed stays open for the others.
    """
    keys = [key for key in feed.keys if not _is_closed(run.context, feed, key)]
    checked = _check(run, keys, results)
    _settle(run, feed, checked)
    if checked.limit:
        run.counts.note_rate_limit(checked.limit)
    else:
        run.context.ledger.feeds.close(feed.number)


def _is_closed(context: Context, feed: Feed, order_id: str) -> bool:
    """True if an earlier run settled or quarantined the order, or left it to another feed."""
    entry = context.ledger.items.get(context.name, JOB, order_id)
    is_pending = entry is None or entry.state == State.PENDING
    return not is_pending or memo_of(context, order_id).last_feed == feed.number


def _check(run: Run, keys: Sequence[str], results: Mapping[str, MessageResult]) -> _Checked:
    context, found = run.context, _Checked()
    checked = run.each(
        keys,
        lambda order_id: _is_cancelled_there(context, order_id, results.get(order_id)),
        key=str,
    )
    try:
        for order_id, is_cancelled in checked:
            if isinstance(is_cancelled, ItemError):
                found.failures[order_id] = is_cancelled
            else:
                (found.cancelled if is_cancelled else found.live).append(order_id)
    except RateLimited as limit:
        found.limit = limit
    return found


def _settle(run: Run, feed: Feed, checked: _Checked) -> None:
    context = run.context
    failures = checked.failures | _without_effect(context, checked.live)
    keys = {*checked.cancelled, *checked.live, *failures}
    sale_orders = sale_orders_of(context, keys) if keys else {}
    noted = [sale_orders[key] for key in checked.cancelled if key in sale_orders]
    tell.note_cancelled(context, noted)
    for order_id in checked.cancelled:
        settle_order(run, order_id, State.DONE, CANCELLED)
    happened = [events.CANCELLED_ON_AMAZON] * len(checked.cancelled)
    context.ledger.statistics.count(context.name, happened)
    tell.quarantine(run, failures, sale_orders)
    run.counts.seen += len({*checked.cancelled, *failures})  # the others count with their next feed
    for order_id in checked.live:  # at the end: an interrupted run closes the same feed again
        remember_feed(context, order_id, feed.number)


def _is_cancelled_there(context: Context, order_id: str, result: MessageResult | None) -> bool:
    """Return True if a feed that has ended has cancelled the order.

    Raises:
        ItemError: Amazon refused the cancellation.
        Transient: Amazon is down.
    """
    if result and result.status == MessageStatus.ACCEPTED:
        return True
    if fetch(context, order_id).status == FulfillmentStatus.CANCELLED:
        return True
    if result and result.status == MessageStatus.REFUSED:
        raise ItemError(
            "cancellation_refused",
            f"Amazon refuses to cancel the order: {result.reason.rstrip('.')}.",
            "Look at the order in Seller Central and settle it there; or retry.",
        )
    return False


def _without_effect(context: Context, order_ids: Sequence[str]) -> dict[str, ItemError]:
    """Return the errors of orders that one more feed has not cancelled, if that makes too many."""
    feeds = {order_id: memo_of(context, order_id).feeds + 1 for order_id in order_ids}
    return {
        order_id: ItemError(
            "cancellation_without_effect",
            f"{number} feeds have not cancelled the order on Amazon.",
            "Cancel it in Seller Central; or retry.",
        )
        for order_id, number in feeds.items()
        if number >= _MOST_FEEDS
    }
