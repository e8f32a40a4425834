"""Sends quantities listing by listing, and reads them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import groupby

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.engine.stock_records import KnownListing, KnownSku, SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.stock import STOCK, tell
from amazon_bridge.flows.stock.compare import QuantityTask
from amazon_bridge.flows.stock.decide import (
    VANISHED,
    Push,
    Recheck,
    has_drifted,
    recheck,
    separate_marketplaces,
)
from amazon_bridge.model import Listing, QuantityUpdate

log = structlog.get_logger(__name__)

APPLIED_AFTER = timedelta(minutes=15)
"""Amazon applies a quantity within this time."""

_READ_BACKS = 300  # SKUs per run: getListingsItem allows five calls a second

_LONGEST_SILENCE = timedelta(days=1)
"""A listing that can't be read back for this long is sent its quantity again."""

_GONE = "not_found"
"""Kind of the error of a listing that Amazon doesn't have."""


# Sending


@dataclass(frozen=True, slots=True)
class _Update:
    """One quantity for one marketplace."""

    task: QuantityTask
    push: Push

    @property
    def key(self) -> str:
        return self.task.sku

    def elsewhere(self) -> _Update | None:
        """The update for the next of the marketplaces that it covers, if this one refuses it."""
        others = [place for place in self.push.covers if place != self.push.marketplace_id]
        return _Update(self.task, Push(others[0], tuple(others))) if others else None


def send_singly(run: Run, tasks: Sequence[QuantityTask]) -> None:
    """Send listing by listing: decreases to zero first, then other decreases, then the rest."""
    for _, wave in groupby(sorted(tasks, key=_urgency), _urgency):
        _send_wave(run, [_Update(task, push) for task in wave for push in task.decision.pushes])


def _urgency(task: QuantityTask) -> tuple[bool, bool]:
    return not task.decision.decreases, task.quantity > 0


def _send_wave(run: Run, updates: Sequence[_Update]) -> None:
    refused: set[str] = set()
    while updates:
        updates = list(_send_each(run, updates, refused))


def _send_each(run: Run, updates: Sequence[_Update], refused: set[str]) -> Iterator[_Update]:
    """Send updates, and yield those to try in another marketplace.

    Args:
        run: the sync run.
        updates: one for each group of marketplaces that share a quantity.
        refused: SKUs that some marketplace has refused; further ones are added.
    """
    for update, result in run.each(updates, lambda each: _filed(run, each), key=lambda u: u.key):
        if not isinstance(result, ItemError):
            _note_result(run, update, result, is_refused=update.key in refused)
            continue
        run.context.ledger.stock.restore(run.context.name, [update.task.known], update.push.covers)
        if update.key not in refused:
            refused.add(update.key)
            _note_refusal(run, update.task, result)
        if elsewhere := update.elsewhere():
            yield elsewhere


def _filed(run: Run, update: _Update) -> Recheck:
    """Send an update; file it if Amazon doesn't respond, so that it isn't retried for ever."""
    try:
        return _send(run, update)
    except Transient:
        if update.task.entry is None:
            context, task = run.context, update.task
            seen = [Seen(task.sku, task.fingerprint)]
            context.ledger.items.file(context.name, STOCK.name, seen)
        raise


def _send(run: Run, update: _Update) -> Recheck:
    """Re-check the listing, and update its quantity if it still differs.

    Raises:
        ItemError: Amazon refuses it, or has no such listing.
        Transient: no response; a later run sends it again.
    """
    context, task, place = run.context, update.task, update.push.marketplace_id
    both = task.sku in context.account.stock.both
    known = next(each for each in task.known.listings if each.marketplace_id == place)
    try:
        if not both and _is_amazons_elsewhere(context, update):
            return Recheck.UNPROVEN
        listing = context.amazon.listings.get(task.sku, place)
        _note_listing(context, listing, is_read_back=False)
        fresh = recheck(listing, known, task.quantity, both=both, decreases=task.decision.decreases)
        if fresh is Recheck.SEND:
            _send_quantity(context, update, listing)
            run.counts.notified += 1
    except ItemError as error:
        return _gone(context, task.sku, place, error)
    return fresh


def _is_amazons_elsewhere(context: Context, update: _Update) -> bool:
    """True if Amazon ships the SKU in another marketplace, by what it shows there now.

    Also where another quantity was found before: Amazon may only have been slow with ours.
    """
    known = (each.marketplace_id for each in update.task.known.listings if not each.gone)
    others = (place for place in known if place != update.push.marketplace_id)
    for place in others:
        try:
            listing = context.amazon.listings.get(update.key, place)
        except ItemError as error:
            _gone(context, update.key, place, error)
            continue
        _note_listing(context, listing, is_read_back=False)
        if listing.sold_by_amazon:
            return True
    return False


def _gone(context: Context, sku: str, place: str, error: ItemError) -> Recheck:
    if error.kind != _GONE:
        raise error
    context.ledger.stock.note_gone(context.name, sku, place)
    return Recheck.GONE


def _send_quantity(context: Context, update: _Update, listing: Listing) -> None:
    """Update the quantity; the state store knows before that it is unclear what Amazon has."""
    task, stock = update.task, context.ledger.stock
    stock.note_sent(context.name, task.sku, update.push.covers, None)
    change = QuantityUpdate(
        sku=task.sku,
        quantity=task.quantity,
        product_type=listing.product_type or "PRODUCT",
        lead_time_days=context.account.stock.lead_time,
    )
    place = update.push.marketplace_id
    warnings = context.amazon.listings.set_quantity(change, place)
    stock.note_sent(context.name, task.sku, update.push.covers, task.quantity)
    log.info(
        "quantity_sent",
        account=context.name,
        sku=task.sku,
        marketplace=place,
        quantity=task.quantity,
        warnings=len(warnings),
    )


def _note_result(run: Run, update: _Update, fresh: Recheck, *, is_refused: bool) -> None:
    context, task = run.context, update.task
    state, note = _STATES[fresh], ""
    if fresh is Recheck.EQUAL and len(update.push.covers) > 1:
        state = SkuState.DUE  # the others need not be equal
    if fresh is Recheck.UNPROVEN:
        note = "Amazon doesn't say any more that the merchant ships it, and only the merchant."
    elif fresh is Recheck.GONE and not _is_listed(context, task.sku):
        state, note = SkuState.VANISHED, VANISHED
    context.ledger.stock.note_state(context.name, task.sku, state, note)
    if fresh is Recheck.LOWER:
        context.ledger.stock.wait_again(context.name, task.sku)
    if task.entry and not is_refused and fresh in {Recheck.SEND, Recheck.EQUAL}:
        run.settle(task.sku, task.fingerprint, State.DONE)


def _is_listed(context: Context, sku: str) -> bool:
    known = context.ledger.stock.known_all(context.name, [sku])
    return any(not listing.gone for each in known for listing in each.listings)


_STATES = {
    Recheck.SEND: SkuState.SENT,
    Recheck.EQUAL: SkuState.EQUAL,
    Recheck.LOWER: SkuState.DUE,
    Recheck.UNPROVEN: SkuState.UNPROVEN,
    Recheck.GONE: SkuState.DUE,
}


def _note_refusal(run: Run, task: QuantityTask, error: ItemError) -> None:
    """Quarantine a SKU that Amazon refuses, until its quantity, listing or settings change."""
    context = run.context
    context.ledger.items.file(context.name, STOCK.name, [Seen(task.sku, task.fingerprint)])
    tell.quarantine(run, {task.sku: error})
    context.ledger.stock.note_state(context.name, task.sku, SkuState.REFUSED, error.reason)


# Reading back


def read_back(run: Run) -> None:
    """Read the listings whose quantities were sent some time ago; the next comparison uses them."""
    context, stock = run.context, run.context.ledger.stock
    before = context.clock() - APPLIED_AFTER
    sent = _sent_before(context, stock.sent_before(context.name, before, _READ_BACKS))
    read = partial(_read_back, context)
    alive = context.amazon.marketplace_participations
    for known, result in runner.one_by_one(sent, read, key=_sku, alive=alive):
        if isinstance(result, Transient):
            run.counts.note_error(result)
        else:
            run.has_advanced = True
        if isinstance(result, ItemError) or (result and _is_overdue(context, known)):
            places = [each.marketplace_id for each in known.listings]
            stock.note_not_sent(context.name, [known.sku], places)  # sent again, or quarantined
            stock.note_state(context.name, known.sku, SkuState.DUE)


def _is_overdue(context: Context, known: KnownSku) -> bool:
    return any(
        context.clock() - each.sent_at > _LONGEST_SILENCE
        for each in known.listings
        if each.sent_at is not None
    )


def _sku(known: KnownSku) -> str:
    return known.sku


def _sent_before(context: Context, skus: Sequence[str]) -> Iterator[KnownSku]:
    in_feeds = {
        sku
        for feed in context.ledger.stock_catalogue.open_feeds(context.name)
        if not feed.given_up
        for sku in feed.skus
    }
    known = context.ledger.stock.known(context.name, skus)
    return (known[sku] for sku in skus if sku in known and sku not in in_feeds)


def _read_back(context: Context, known: KnownSku) -> None:
    stock = context.ledger.stock
    sent = {each.marketplace_id: each for each in known.listings if each.is_open}
    current = dict(_current_quantities(context, known.sku, sent))
    stock.note_state(context.name, known.sku, SkuState.DUE)
    for place in separate_marketplaces(sent, current):
        _note_separate(context, place)
    if any(has_drifted(sent[place], quantity) for place, quantity in current.items()):
        context.ledger.stock_comparisons.note_drift(context.name)


def _note_separate(context: Context, place: str) -> None:
    catalogue = context.ledger.stock_catalogue
    if not catalogue.of(context.name, place).is_separate:
        catalogue.note_separate(context.name, place)
        log.warning("marketplace_is_separate", account=context.name, marketplace=place)


def _current_quantities(
    context: Context, sku: str, sent: Mapping[str, KnownListing]
) -> Iterator[tuple[str, int | None]]:
    """Read listings back, and yield the quantity that each marketplace shows."""
    for place, known in sent.items():
        try:
            listing = context.amazon.listings.get(sku, place)
        except ItemError as error:
            _note_unreadable(context, sku, place, error)
            continue
        if listing.quantity is None and listing.sold_by_merchant and known.sent == 0:
            listing = replace(listing, quantity=0)  # Amazon may state no quantity of none
        _note_listing(context, listing, is_read_back=True)
        yield place, listing.quantity


def _note_unreadable(context: Context, sku: str, place: str, error: ItemError) -> None:
    """A listing that Amazon doesn't have, or doesn't show: then it is sent, or quarantined."""
    if error.kind == _GONE:
        context.ledger.stock.note_gone(context.name, sku, place)
    else:
        context.ledger.stock.note_not_sent(context.name, [sku], [place])


def _note_listing(context: Context, listing: Listing, *, is_read_back: bool) -> None:
    context.ledger.stock.note_read(
        context.name,
        listing.sku,
        listing.marketplace_id,
        channels=listing.channels,
        quantity=listing.quantity,
        product_type=listing.product_type,
        is_read_back=is_read_back,
    )
