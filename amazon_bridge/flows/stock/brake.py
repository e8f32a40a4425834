"""Holds decreases to zero that look like a mistake: a location was moved, or rights were lost."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import HELD, Seen, State
from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.stock import STOCK, tell
from amazon_bridge.flows.stock.compare import HELD_FINGERPRINT, QuantityTask
from amazon_bridge.flows.stock.decide import becomes_zero, reason_to_hold

log = structlog.get_logger(__name__)

_UNWATCHED = {
    SkuState.OFF,
    SkuState.UNPROVEN,
    SkuState.VANISHED,
    SkuState.NO_PRODUCT,
    SkuState.NOT_COUNTED,
}
"""SKUs in these states have no quantity that could decrease."""


def pass_brake(run: Run, tasks: Sequence[QuantityTask]) -> list[QuantityTask]:
    """Return the tasks that may be sent; hold the others."""
    held = {task.sku for task in held_tasks(run.context, tasks)}
    if held:
        _hold(run, [task for task in tasks if task.sku in held])
    return [task for task in tasks if task.sku not in held]


def held_tasks(context: Context, tasks: Sequence[QuantityTask]) -> list[QuantityTask]:
    """The tasks that the brake holds."""
    decreasing = [task for task in tasks if _decreases(task)]
    return decreasing if _reason(context, len(decreasing)) else []


def _decreases(task: QuantityTask) -> bool:
    """True if a person has not released its decrease to zero."""
    entry = task.entry
    released = entry and entry.state is State.PENDING and entry.fingerprint == HELD_FINGERPRINT
    return bool(task.decision.pushes) and becomes_zero(task.known, task.quantity) and not released


def _reason(context: Context, decreases: int) -> str | None:
    if not decreases:
        return None
    counts = context.ledger.stock.counts(context.name)
    watched = sum(number for state, number in counts.items() if state not in _UNWATCHED)
    return reason_to_hold(decreases + counts[SkuState.HELD], watched, context.account.stock.brake)


def _hold(run: Run, tasks: Sequence[QuantityTask]) -> None:
    context = run.context
    why = _reason(context, len(tasks)) or ""
    error = ItemError(
        HELD,
        f"{why} They were not sent to Amazon, in case this is a mistake.",
        "If they are really sold out: amazon-bridge quarantine retry --all --kind held --account"
        f" {context.name}. If not, correct the stock in Odoo, or `stock.locations`.",
    )
    seen = [Seen(task.sku, HELD_FINGERPRINT) for task in tasks]
    context.ledger.items.file(context.name, STOCK.name, seen)
    tell.quarantine(run, {task.sku: error for task in tasks})
    for task in tasks:
        context.ledger.stock.note_state(context.name, task.sku, SkuState.HELD, error.reason)
    log.warning("stock_held", account=context.name, skus=len(tasks))
