"""The stock job: its steps in a sync run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from amazon_bridge.engine.errors import AccountError, RateLimited, Transient
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.flows import outbound
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.flight import ensure_read
from amazon_bridge.flows.stock import STOCK, apply, catalogue, feeds, flight, tell
from amazon_bridge.flows.stock.brake import pass_brake
from amazon_bridge.flows.stock.compare import Found, QuantityTask
from amazon_bridge.flows.stock.decide import why_unproven
from amazon_bridge.flows.stock.find import find
from amazon_bridge.flows.stock.preview import preview

_SINGLY = 1000
"""More quantities than this go into a feed."""

_MOMENT = timedelta(seconds=15)


def _read_back(run: outbound.Run) -> None:
    _read_in_flight(run)
    catalogue.refresh(run)
    feeds.follow_all(run)
    apply.read_back(run)


def _read_in_flight(run: outbound.Run) -> None:
    """Find the units in flight; without them quantities are decreased only."""
    try:
        ensure_read(run.context)
    except (AccountError, Transient) as error:
        run.counts.note_error(error)
    except RateLimited as limit:
        run.counts.note_rate_limit(limit)


def _settle(run: outbound.Run, found: Found) -> None:
    """Record what was compared, and settle what was quarantined and needs nothing any more."""
    _read_back_returned(run.context, found.returned)
    run.context.ledger.stock.note_comparisons(run.context.name, found.comparisons)
    seen = [Seen(sku, error.kind) for sku, error in found.errors.items()]
    run.context.ledger.items.file(run.context.name, STOCK.name, seen)
    tell.quarantine(run, found.errors)
    for sku, state in found.settled.items():
        _settle_item(run, sku, state)
    run.counts.seen += len(found.comparisons) - len(found.tasks)


def _read_back_returned(context: Context, skus: Sequence[str]) -> None:
    """Let the next run read listings that Amazon may have increased itself, as orders lapsed."""
    places = [place.marketplace_id for place in context.account.marketplaces]
    since = context.clock() - apply.APPLIED_AFTER
    context.ledger.stock.read_back_soon(context.name, skus, places, since)


def _settle_item(run: outbound.Run, sku: str, state: State) -> None:
    entry = run.context.ledger.items.get(run.context.name, STOCK.name, sku)
    if entry:
        run.settle(sku, entry.fingerprint, state)


def _send(run: outbound.Run, tasks: Sequence[QuantityTask]) -> None:
    _send_all(run, tasks)
    _resume_for_increases(run)


def _resume_for_increases(run: outbound.Run) -> None:
    """Resume the run if a higher quantity is to be sent in a moment."""
    context = run.context
    first = context.ledger.stock.first_increase(context.name)
    if first is None or not flight.is_known(context):
        return
    due = first + context.account.stock.raise_after - context.clock()
    if timedelta(0) < due <= _MOMENT:
        run.counts.resume_after(due.total_seconds())
        run.has_advanced = True  # all that is due was compared


def _send_all(run: outbound.Run, tasks: Sequence[QuantityTask]) -> None:
    latest = {task.sku: task for task in tasks}  # some are compared twice
    passed = pass_brake(run, list(latest.values()))
    if sum(len(task.decision.pushes) for task in passed) <= _SINGLY:
        apply.send_singly(run, passed)
        return
    alone = [task for task in passed if _is_urgent(task) or not _is_proven(task)][:_SINGLY]
    apply.send_singly(run, alone)
    skus = {task.sku for task in alone}
    feeds.send(run, [task for task in passed if task.sku not in skus and _is_proven(task)])


def _is_urgent(task: QuantityTask) -> bool:
    """True for a decrease to zero: a feed takes minutes, and may get stuck for hours."""
    return task.quantity == 0


def _is_proven(task: QuantityTask) -> bool:
    """True if what is known proves it; else a re-check must, which feeds don't have."""
    places = {push.marketplace_id for push in task.decision.pushes}
    return all(
        why_unproven(each.channels, both=True) is None
        for each in task.known.listings
        if each.marketplace_id in places
    )


sync = outbound.OutboundJob(
    job=STOCK,
    find=find,
    settle=_settle,
    send=_send,
    preview=preview,
    read_back=_read_back,
).sync
