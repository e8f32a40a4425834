"""Holds cancellations that look like a mistaken mass action."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import HELD
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import CancellationTask
from amazon_bridge.flows.cancellations.memo import JOB, Memo, remember_passed
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.odoo.cancelled_orders import count_open_orders

log = structlog.get_logger(__name__)

_FEW = 5
"""Up to this many cancellations in a run are never held, whatever their share of the orders."""


def pass_brake(run: Run, tasks: Sequence[CancellationTask]) -> Sequence[CancellationTask]:
    """Return the tasks that may be sent; hold new ones that look like a mistaken mass action."""
    context = run.context
    new = not_passed(context, tasks)
    why = reason_to_hold(context, len(new))
    if not why:
        for task in new:
            remember_passed(context, task.order_id)
        return tasks
    errors = {task.order_id: _held(context.name, why) for task in new}
    tell.quarantine(run, errors, {task.order_id: task.sale_order for task in new})
    log.warning("cancellations_held", account=context.name, orders=len(new))
    return [task for task in tasks if task not in new]


def not_passed(context: Context, tasks: Sequence[CancellationTask]) -> list[CancellationTask]:
    """Return the tasks that neither an earlier run nor a person has let pass yet."""
    entries = {t.order_id: context.ledger.items.get(context.name, JOB, t.order_id) for t in tasks}
    return [
        task
        for task in tasks
        if (entry := entries[task.order_id]) is None
        or not (entry.attempts or (Memo.read(entry) or Memo()).passed_brake)
    ]


def reason_to_hold(context: Context, number: int) -> str | None:
    """Return why this many new cancellations look like a mistake; None if they don't."""
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


def _held(account: str, why: str) -> ItemError:
    return ItemError(
        HELD,
        f"{why} They were not sent to Amazon, in case this was a mistake.",
        "If it was intended: amazon-bridge quarantine retry --all --kind held --account"
        f" {account}. If not: set the orders back to quotation in Odoo and confirm them again.",
    )
