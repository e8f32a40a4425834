"""Feeds of quantities: many at once, followed until Amazon has processed them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from amazon_bridge.amazon.documents import ProcessingStatus
from amazon_bridge.amazon.feeds import MessageResult, MessageStatus
from amazon_bridge.amazon.listings import UPDATES_A_FEED
from amazon_bridge.engine.errors import BridgeError, ItemError, Transient
from amazon_bridge.engine.records import Seen
from amazon_bridge.engine.stock_records import KnownSku, SkuState, StockFeed
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.stock import STOCK, tell
from amazon_bridge.flows.stock.compare import QuantityTask, fingerprint
from amazon_bridge.model import QuantityUpdate

log = structlog.get_logger(__name__)

_LOST = timedelta(minutes=30)
"""A feed whose id was lost is assumed processed, or never created, after this time."""

_STUCK = timedelta(hours=2)
"""After this time, its quantities are sent again without it."""

_FORGOTTEN = timedelta(days=3)
"""A feed that isn't processed by then never will be."""


# Sending


def send(run: Run, tasks: Sequence[QuantityTask]) -> None:
    """Send feeds with all quantities.

    Raises:
        Transient: no response; a later run finds out what Amazon shows.
        AccountError: Amazon refuses the account.
        RateLimited: later runs send the rest.
    """
    for (place, covers), of_place in _by_marketplace(tasks).items():
        for start in range(0, len(of_place), UPDATES_A_FEED):
            _send(run, place, covers, of_place[start : start + UPDATES_A_FEED])


def _by_marketplace(
    tasks: Sequence[QuantityTask],
) -> Mapping[tuple[str, tuple[str, ...]], list[QuantityTask]]:
    found: defaultdict[tuple[str, tuple[str, ...]], list[QuantityTask]] = defaultdict(list)
    for task in tasks:
        for push in task.decision.pushes:
            found[push.marketplace_id, push.covers].append(task)
    return found


def _send(run: Run, place: str, covers: Sequence[str], tasks: Sequence[QuantityTask]) -> None:
    context, name = run.context, run.context.name
    stock, catalogue = context.ledger.stock, context.ledger.stock_catalogue
    skus = [task.sku for task in tasks]
    number = catalogue.begin_feed(name, place, skus, covers)
    stock.note_all_sent(name, {task.sku: task.quantity for task in tasks}, covers)
    try:
        updates = [_update(context, task, place) for task in tasks]
        feed_id = context.amazon.listings.submit_quantities(updates, place)
    except BridgeError as error:
        if not (isinstance(error, Transient) and error.maybe_done):
            stock.restore(name, [task.known for task in tasks], covers)
            catalogue.close_feed(number)
        raise
    catalogue.set_feed_id(number, feed_id)
    stock.note_states(name, skus, SkuState.SENT, "It is in a feed that Amazon processes.")
    run.counts.notified += len(skus)
    log.info("quantities_sent", account=name, marketplace=place, feed=feed_id, skus=len(skus))


def _update(context: Context, task: QuantityTask, place: str) -> QuantityUpdate:
    known = next(each for each in task.known.listings if each.marketplace_id == place)
    return QuantityUpdate(
        sku=task.sku,
        quantity=task.quantity,
        product_type=known.product_type or "PRODUCT",
        lead_time_days=context.account.stock.lead_time,
    )


# Following


def follow_all(run: Run) -> None:
    """Poll the feeds that Amazon hasn't processed yet."""
    for feed in run.context.ledger.stock_catalogue.open_feeds(run.context.name):
        try:
            _follow(run, feed)
        except Transient as error:
            run.counts.note_error(error)


def _follow(run: Run, feed: StockFeed) -> None:
    context, age = run.context, run.context.clock() - feed.begun
    results = _results(context, feed, age)
    if results is None:
        if not feed.given_up and age >= _STUCK:
            _give_up(context, feed)
        elif age >= _FORGOTTEN:
            context.ledger.stock_catalogue.close_feed(feed.number)
    elif feed.given_up:
        _read_back(context, feed)
    else:
        _close(run, feed, results)


def _results(
    context: Context, feed: StockFeed, age: timedelta
) -> Mapping[str, MessageResult] | None:
    """Return the results of a feed by SKU, as far as there are any; None before its end."""
    if feed.feed_id is None:
        return None if age < _LOST or _may_be_pending(context, feed) else {}
    try:
        state = context.amazon.feed_state(feed.feed_id)
        if not state.status.final:
            return None
        if state.status == ProcessingStatus.DONE and state.result_document_id:
            return context.amazon.listings.result(state.result_document_id, feed.skus)
    except ItemError as error:
        log.warning("feed_expired", account=context.name, feed=feed.feed_id, reason=error.reason)
    return {}


def _may_be_pending(context: Context, feed: StockFeed) -> bool:
    """True if Amazon still has feeds to process, one of which may be this one."""
    return context.amazon.listings.is_any_feed_pending(feed.begun)


def _give_up(context: Context, feed: StockFeed) -> None:
    """Send its quantities again without it; Amazon may still process it."""
    context.ledger.stock.make_unclear(context.name, feed.skus, feed.covers)
    context.ledger.stock.note_states(context.name, feed.skus, SkuState.DUE)
    context.ledger.stock_catalogue.give_up_feed(feed.number)
    log.warning("feed_stuck", account=context.name, feed=feed.feed_id, skus=len(feed.skus))


def _read_back(context: Context, feed: StockFeed) -> None:
    """Amazon has processed a feed after it was given up: see which quantities it has left."""
    context.ledger.stock.read_back_soon(context.name, feed.skus, feed.covers)
    context.ledger.stock_catalogue.close_feed(feed.number)


def _close(run: Run, feed: StockFeed, results: Mapping[str, MessageResult]) -> None:
    """Settle each SKU by its result; those without one are sent again."""
    context = run.context
    accepted = [s for s, each in results.items() if each.status is MessageStatus.ACCEPTED]
    refused = {
        sku: each.reason for sku, each in results.items() if each.status is MessageStatus.REFUSED
    }
    fingerprints = _fingerprints(context, feed, list(refused))
    context.ledger.stock.read_back_soon(context.name, accepted, feed.covers)
    context.ledger.stock.note_not_sent(context.name, list(refused), feed.covers)
    _quarantine(run, refused, fingerprints)
    lost = sorted(set(feed.skus).difference(accepted, refused))
    if lost and feed.feed_id:
        run.counts.note_error(_not_processed(feed.feed_id, len(lost)))
    context.ledger.stock.make_unclear(context.name, lost, feed.covers)
    context.ledger.stock.note_states(context.name, lost, SkuState.DUE)
    context.ledger.stock_catalogue.close_feed(feed.number)
    context.ledger.stock.note_states(context.name, accepted, SkuState.SENT)
    run.has_advanced = True


def _not_processed(feed_id: str, skus: int) -> Transient:
    return Transient(
        f"Amazon has not processed {skus} quantities of the feed {feed_id}.",
        "They are sent again. If this persists, look at the feed in Seller Central, or report it.",
    )


def _quarantine(run: Run, refused: Mapping[str, str], fingerprints: Mapping[str, str]) -> None:
    """Quarantine what Amazon refuses; a quantity, listing or setting that changes is sent again."""
    context = run.context
    errors = {
        sku: ItemError(
            "stock_refused",
            f"Amazon refused the quantity: {reason.rstrip('.')}.",
            "Correct the listing in Seller Central, then retry.",
        )
        for sku, reason in refused.items()
    }
    seen = [Seen(sku, fingerprints.get(sku, "")) for sku in errors]
    context.ledger.items.file(context.name, STOCK.name, seen)
    tell.quarantine(run, errors)
    for sku, error in errors.items():
        context.ledger.stock.note_state(context.name, sku, SkuState.REFUSED, error.reason)


def _fingerprints(context: Context, feed: StockFeed, skus: Sequence[str]) -> dict[str, str]:
    """The fingerprints of SKUs with the quantities that a feed had of them."""
    known = context.ledger.stock.known_all(context.name, skus)
    digest = context.account.digest()
    return {each.sku: fingerprint(each, _sent(each, feed), digest) for each in known}


def _sent(known: KnownSku, feed: StockFeed) -> int | None:
    places = {each.marketplace_id: each.sent for each in known.listings}
    return places.get(feed.marketplace_id)
