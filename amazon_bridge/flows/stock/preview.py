"""Dry runs: what would be sent to Amazon, and how each quantity comes about."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.stock_records import Comparison, KnownListing, SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.stock import catalogue
from amazon_bridge.flows.stock.brake import held_tasks
from amazon_bridge.flows.stock.compare import Comparing, Found, QuantityTask
from amazon_bridge.flows.stock.decide import why_unproven
from amazon_bridge.flows.stock.find import pages_of_all
from amazon_bridge.flows.stock.tell import amazons, explain, lines

_ROW = "{:<32} {:>9} {:>9}  {}"

_OFF = "`push` is false."

_NOT_SENT = (SkuState.WAITING, SkuState.HELD, SkuState.REFUSED)


def preview(run: Run) -> None:
    """Compare all SKUs and show what would be sent to Amazon; change and remember nothing."""
    with scratch(run.context) as copy:
        _preview(replace(run, context=copy))


@contextmanager
def scratch(context: Context) -> Iterator[Context]:
    """The account with a copy of the state store that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="amazon-bridge-") as folder:
        path = Path(folder) / "copy.db"
        context.ledger.back_up(path)
        with Ledger(path, context.clock) as ledger:
            yield replace(context, ledger=ledger, dry_run=True)


def _preview(run: Run) -> None:
    catalogue.wait(run)
    context = run.context
    context.show(_ROW.format("SKU", "Amazon", "ours", "how it comes about"))
    tasks: list[QuantityTask] = []
    waiting = 0
    compare = Comparing(context)
    for found in map(compare.compare, pages_of_all(context)):
        context.ledger.stock.note_comparisons(context.name, found.comparisons)
        run.counts.seen += len(found.comparisons)
        _show(context, found)
        pushed = [task for task in found.tasks if not _why_off(context, task.sku)]
        tasks += [task for task in pushed if task.decision.pushes]
        waiting += sum(task.decision.state is SkuState.WAITING for task in pushed)
    _show_held(run, tasks)
    if waiting:
        context.show(f"{context.name}: {waiting} more would wait before they are increased.")


def _show(context: Context, found: Found) -> None:
    tasks = {task.sku: task for task in found.tasks}
    for each in sorted(found.comparisons, key=lambda comparison: comparison.sku):
        context.show(_row(context, each, tasks.get(each.sku)))


def _row(context: Context, comparison: Comparison, task: QuantityTask | None) -> str:
    if task is None or comparison.state is SkuState.UNPROVEN:
        return _ROW.format(comparison.sku, "-", "-", f"not sent: {comparison.note}")
    how = explain(task.computed)
    if off := _why_off(context, task.sku):
        how = f"not sent: {off} {how}"
    elif task.decision.state in _NOT_SENT:
        how = f"{how}; {task.decision.state}: {task.decision.note}"
    return _ROW.format(task.sku, amazons(task.known.listings), task.quantity, how)


def _why_off(context: Context, sku: str) -> str:
    """Why a SKU isn't sent although others are; a dry run shows an account that is off as if on."""
    stock = context.account.stock
    return "" if stock.pushes(sku) or not stock.is_on else _OFF


def _show_held(run: Run, tasks: Sequence[QuantityTask]) -> None:
    held = held_tasks(run.context, tasks)
    run.counts.notified = len(tasks) - len(held)
    if held:
        run.context.show(f"{len(held)} decreases to zero would be held (`stock.brake`).")
    run.context.show(
        f"{run.context.name}: {run.counts.notified} quantities would be sent to Amazon."
    )


def show_sku(context: Context, sku: str) -> bool:
    """Show each term of a SKU's quantity, and what Amazon has.

    Returns:
        False if Amazon has no such listing.
    """
    with scratch(context) as copy:
        places = [place.marketplace_id for place in copy.account.marketplaces]
        read = [_listing(copy, sku, place) for place in places]
        listings = [each for each in read if isinstance(each, KnownListing)]
        refusals = dict.fromkeys(each.reason for each in read if isinstance(each, ItemError))
        listed = [each.marketplace_id for each in listings]
        computed = Comparing(copy).computed(sku, listed or places[:1])
        known = copy.ledger.stock.known_all(copy.name, [sku])
    context.show(f"{sku} ({context.name})")
    for refusal in refusals:
        context.show(f"  not read from Amazon: {refusal}")
    for each in known:
        if each.state:
            context.show(f"  {str(each.state).replace('_', ' ')}. {each.note}".rstrip())
    if reason := _why_not_sent(context, sku, listings):
        context.show(f"  not sent: {reason}")
    for line in lines(computed, listings):
        context.show(line)
    return any(read)


def _why_not_sent(context: Context, sku: str, listings: Sequence[KnownListing]) -> str | None:
    """Why no quantity of a listed SKU is ever sent; None if it is, unless it has to wait."""
    if not listings:
        return None
    stock = context.account.stock
    channels = {channel for each in listings for channel in each.channels}
    reason = why_unproven(sorted(channels), both=sku in stock.both)
    return reason or (None if stock.pushes(sku) else _OFF)


def _listing(context: Context, sku: str, place: str) -> KnownListing | ItemError | None:
    """The listing, Amazon's refusal to show it, or None if there is none."""
    try:
        found = context.amazon.listings.get(sku, place)
    except ItemError as error:
        return None if error.kind == "not_found" else error
    return KnownListing(sku, place, found.channels, found.quantity)
