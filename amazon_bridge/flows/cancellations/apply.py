"""Files cancellations, and settles those that need no notification of Amazon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.flows import notices
from amazon_bridge.flows.cancellations import tell
from amazon_bridge.flows.cancellations.decide import (
    CancellationTask,
    Resolution,
    decide,
    error_of_deleted,
)
from amazon_bridge.flows.cancellations.find import Found
from amazon_bridge.flows.cancellations.memo import CANCELLED, JOB, LIVE, memo_of
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import fetch
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.sampling import shuffled
from amazon_bridge.model import Cancellation
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.sales import SaleOrder

log = structlog.get_logger(__name__)


def settle(run: Run, found: Found) -> None:
    """File the tasks, settle those that need no notification, and quarantine unclear ones."""
    context = run.context
    _resolve(run, found.resolutions)
    filed = [*(t.order_id for t in found.tasks), *found.unknown, *found.not_fetched]
    context.ledger.items.file(context.name, JOB, [Seen(key, CANCELLED) for key in filed])
    failures = {
        **found.failures,
        **context.all_given_up(JOB, found.unknown),
        **_settle_deleted(run, found),
    }
    tell.quarantine(run, failures, found.sale_orders)
    run.counts.seen += len({*found.unknown, *found.not_fetched, *found.deleted, *failures})
    run.note_lookups(found.fetched, found.limit)


def _settle_deleted(run: Run, found: Found) -> dict[str, ItemError]:
    """Settle deleted orders that Amazon has cancelled, and return the errors of the others."""
    errors: dict[str, ItemError] = {}
    for order_id, error in errors_of_deleted(run, found):
        if error:
            errors[order_id] = error
        else:
            settle_order(run, order_id, State.DONE, CANCELLED)
    return errors


def errors_of_deleted(run: Run, found: Found) -> Iterator[tuple[str, ItemError | None]]:
    """Fetch the orders whose sale orders were deleted; yield None where Amazon has cancelled it."""
    fetched = run.as_many_as_allowed(
        shuffled(sorted(found.deleted), run.context.clock()),
        lambda id_: fetch(run.context, id_),
        key=str,
    )
    for order_id, result in fetched:
        yield order_id, result if isinstance(result, ItemError) else error_of_deleted(result)


def _resolve(run: Run, resolutions: Sequence[Resolution]) -> None:
    """Post the notes on the orders, close their activities, and settle them."""
    posted = {each.sale_order.id: each.note for each in resolutions if each.note}
    notices.post(run.context, notes.SALE_ORDER, posted)
    tell.close_reminders(run.context, [each.sale_order for each in resolutions])
    for each in resolutions:
        fingerprint = CANCELLED if each.sale_order.is_cancelled else LIVE
        settle_order(run, each.sale_order.order_id, each.state, fingerprint)


def settle_order(run: Run, order_id: str, state: State, fingerprint: str) -> None:
    """Settle an order, whether it was filed before or not."""
    name = run.context.name
    run.settle(order_id, fingerprint, state)
    if fingerprint == LIVE:
        run.context.ledger.items.remember(name, JOB, order_id, None)
    log.info("cancellation_settled", account=name, order=order_id, state=state)


def check(run: Run, tasks: Sequence[CancellationTask]) -> list[Cancellation]:
    """Fetch the orders, return the cancellations to send, and settle or quarantine the others.

    Orders that the rate does not allow to fetch now stay pending for the next feed.

    Raises:
        AccountError: Amazon is down.
    """
    cancellations: list[Cancellation] = []
    resolutions: list[Resolution] = []
    failures: dict[str, ItemError] = {}
    checked = run.as_many_as_allowed(
        tasks, lambda task: fetch_and_decide(run.context, task), key=lambda task: task.order_id
    )
    for task, result in checked:
        match result:
            case Cancellation():
                cancellations.append(result)
            case Resolution():
                resolutions.append(result)
            case ItemError():
                failures[task.order_id] = result
    _resolve(run, resolutions)
    tell.quarantine(run, failures, _sale_orders(tasks))
    return cancellations


def _sale_orders(tasks: Sequence[CancellationTask]) -> Mapping[str, SaleOrder]:
    return {task.order_id: task.sale_order for task in tasks}


def fetch_and_decide(
    context: Context, task: CancellationTask
) -> Cancellation | Resolution | ItemError:
    """Fetch an order from Amazon and decide what to do about it.

    Raises:
        ItemError: the order can't be parsed.
        Transient: Amazon is down.
    """
    order = fetch(context, task.order_id)
    feeds = memo_of(context, task.order_id).feeds
    return decide(task, order, reason=context.account.cancel_reason, feeds=feeds)
