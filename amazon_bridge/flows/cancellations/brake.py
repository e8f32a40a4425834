"""Holds what looks like a mistaken mass action."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import HELD
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import Task
from amazon_bridge.flows.cancellations.memo import JOB, Memo, remember_passed
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.outbound import Run
from amazon_bridge.odoo.cancelled_orders import count_open_orders

log = structlog.get_logger(__name__)

_FEW = 5
"""Up to so many cancellations in a round are no mass action, whatever part of the orders."""


def released(run: Run, tasks: Sequence[Task]) -> Sequence[Task]:
    """Hold what looks like a mistaken mass action; what has passed here before passes again."""
    context = run.context
    new = fresh(context, tasks)
    why = suspicion(context, len(new))
    if not why:
        for task in new:
            remember_passed(context, task.order_id)
        return tasks
    errors = {task.order_id: _held(why) for task in new}
    tell.quarantine(run, errors, {task.order_id: task.sale_order for task in new})
    log.warning("cancellations_held", account=context.name, orders=len(new))
    return [task for task in tasks if task not in new]


def fresh(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """Those that neither an earlier run nor a person has let pass yet."""
    entries = {t.order_id: context.ledger.items.get(context.name, JOB, t.order_id) for t in tasks}
    return [
        task
        for task in tasks
        if (entry := entries[task.order_id]) is None
        or not (entry.attempts or (Memo.read(entry) or Memo()).passed_brake)
    ]


def suspicion(context: Context, number: int) -> str | None:
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
