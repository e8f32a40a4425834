"""Sync runs of the orders job.

A run reads what changed on Amazon and files it in the state store, which moves the cursor; then
it processes what is filed, a page of orders at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Refused, Transient
from amazon_bridge.engine.records import CLOCKS_DIFFER
from amazon_bridge.engine.retrying import retry_transient
from amazon_bridge.engine.runner import Counts
from amazon_bridge.engine.window import Window, sweep_windows, windows
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import changes
from amazon_bridge.flows.orders.apply import COUNTED_AS, decide_for, work
from amazon_bridge.flows.orders.find import (
    FetchedOrder,
    ensure_mine,
    file,
    leave_to_owner,
    no_account,
    owner_of,
    read,
    read_window,
)
from amazon_bridge.flows.orders.memo import JOB
from amazon_bridge.flows.orders.tell import quarantine_all
from amazon_bridge.model import Order
from amazon_bridge.odoo import sales

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One run: read what changed since the cursor, file it, process it, and what was left over.

    What fails is told as the counts' ``error``. A part that fails keeps none of the others,
    unless Odoo is down.
    """
    begin = context.ledger.cursors.get(context.name) or _begin(context, dry_run=dry_run)
    slices = windows(begin, context.clock())
    run = _Run(context, context.clock())
    if problem := _unreachable_cursor(context, begin):
        run.counts.note_error(problem)
    if dry_run:
        run.attempt(lambda: run.foresee_all(slices))
        return run.counts
    run.attempt(lambda: run.process_windows(slices))
    run.attempt(run.process_leftovers)
    run.attempt(run.process_changed_by_people)
    return run.finish()


def _begin(context: Context, *, dry_run: bool) -> datetime:
    """Where a new account's cursor begins."""
    begin = context.account.start or context.clock()
    if not dry_run and begin <= context.clock():
        context.ledger.cursors.set(context.name, begin)
        log.info("cursor_created", account=context.name, cursor=begin.isoformat())
    return begin


def _unreachable_cursor(context: Context, cursor: datetime) -> str | None:
    """What is wrong if the cursor lies in the future: no order would be read, in silence.

    Either this machine's clock was set back, or it was wrong when the cursor was set. A `start`
    in the future is meant.
    """
    now, start = context.clock(), context.account.start
    if cursor <= now + CLOCKS_DIFFER or (start and start > now):
        return None
    return (
        f"The cursor is at {cursor:%Y-%m-%d %H:%M} UTC, but this machine's clock says"
        f" {now:%Y-%m-%d %H:%M}: no changed orders are read. Set the clock right. If it is right:"
        f" amazon-bridge cursor set {context.name} TIMESTAMP."
    )


def sweep(context: Context) -> Counts:
    """Look at the last days' orders again, for what Amazon showed late; the cursor stays.

    Nothing that changed before the account's beginning is looked at. Errors as in ``sync``.
    """
    began = context.ledger.cursors.began(context.name) or context.clock()
    run = _Run(context, context.clock())
    run.attempt(lambda: run.process_late_orders(sweep_windows(context.clock(), began)))
    return run.finish()


_LEFTOVERS = 30
"""Orders fetched one by one per batch: getOrder allows a burst of 30 calls."""


_LONGEST_REFUSAL = timedelta(days=1)
"""An order that Odoo refuses while there is no other for it to accept would be pending for ever."""

_MANY_REFUSED = 10
"""So many orders refused, and none accepted, mean that the account is to blame: all wait."""


@dataclass(slots=True)
class _Run:
    """One run of the job in progress."""

    context: Context
    began: datetime
    counts: Counts = field(default_factory=Counts)
    refused: dict[str, ItemError] = field(default_factory=dict)
    """The errors of orders that Odoo refused as if the account were to blame."""

    def attempt(self, part: Callable[[], None]) -> None:
        """Do a part of the run; after an earlier error only if Odoo is up."""
        try:
            if self.counts.error:
                self.context.odoo.ping()
            part()
        except (AccountError, Transient) as error:
            self.counts.note_error(error)

    def process_windows(self, slices: Sequence[Window]) -> None:
        for window in slices:
            self._process_changed(*read_window(self.context, window))

    def process_late_orders(self, slices: Sequence[Window]) -> None:
        for window in slices:
            self._process_changed(read(self.context, window), None)

    def _process_changed(self, shown: Sequence[FetchedOrder], window: Window | None) -> None:
        todo = file(self.context, shown, window=window)
        if todo:
            name = self.context.name
            log.info("orders_filed", account=name, shown=len(shown), changed=len(todo))
        self.counts += Counts(seen=len(shown), unchanged=len(shown) - len(todo))
        changed = set(todo)
        self._process([order for order in shown if order.order_id in changed])

    def process_leftovers(self) -> None:
        """Process what earlier runs filed and didn't finish, as Amazon shows it now.

        Raises:
            AccountError: a side is down, or refuses the account.
        """
        pending = self.context.ledger.items.pending(self.context.name, JOB)
        again = [order_id for order_id in pending if order_id not in self.refused]
        for start in range(0, len(again), _LEFTOVERS):
            self._process_again(again[start : start + _LEFTOVERS])

    def process_changed_by_people(self) -> None:
        """Process orders again whose reminders may be settled, or hold no longer as they are.

        Raises:
            AccountError: a side is down, or refuses the account.
        """
        again = changes.changed_by_people(self.context, before=self.began)
        for start in range(0, len(again), _LEFTOVERS):
            self._process_again(again[start : start + _LEFTOVERS])

    def _process_again(self, order_ids: Sequence[str]) -> None:
        context, shown, errors = self.context, [], {}
        for order_id, fetched in context.one_by_one(JOB, order_ids, context.amazon.order, key=str):
            if isinstance(fetched, ItemError):
                errors[order_id] = fetched
            elif isinstance(fetched, runner.RefusedItem):
                self.counts.note_error(fetched)
            elif not isinstance(fetched, Transient):
                shown.append(fetched)
        file(context, shown)
        errors |= _without_account(context, shown)
        quarantine_all(context, errors)
        self.counts += Counts(seen=len(order_ids), quarantined=len(errors))
        self._process([each for each in shown if owner_of(context, each) == context.name])

    def _process(self, shown: Sequence[FetchedOrder]) -> None:
        try:
            self.counts += work(self.context, shown)
        except Refused as error:
            self.refused |= error.errors

    def finish(self) -> Counts:
        """Decide who is to blame for what Odoo refused: the account only if it accepted nothing.

        Returns:
            The counts of the whole run.
        """
        counts = self.counts
        refused = self.refused
        if not (counts.created or counts.updated or counts.cancelled):
            refused = self._refused_too_long()
            if others := self.refused.keys() - refused.keys():
                counts.note_error(self.refused[min(others)])
        if refused:
            quarantine_all(self.context, refused)
            counts.quarantined += len(refused)
        return counts

    def _refused_too_long(self) -> dict[str, ItemError]:
        """The orders refused for a day, where they are so few that each may be to blame itself."""
        note, name = self.context.ledger.items.note_refusal, self.context.name
        since = {order_id: note(name, JOB, order_id) for order_id in self.refused}
        if len(self.refused) >= _MANY_REFUSED:
            return {}
        limit = self.context.clock() - _LONGEST_REFUSAL
        return {
            key: self.refused[key] for key, moment in since.items() if moment and moment <= limit
        }

    def foresee_all(self, slices: Sequence[Window]) -> None:
        for window in slices:
            self.counts += _foresee(self.context, read(self.context, window))


def _without_account(context: Context, shown: Sequence[FetchedOrder]) -> dict[str, ItemError]:
    """The errors of orders that no account has; those of another account are left to it."""
    others = [each for each in shown if owner_of(context, each) != context.name]
    return {
        each.order_id: no_account(context, each)
        for each in others
        if not leave_to_owner(context, each)
    }


def recover(context: Context, order_id: str) -> Counts:
    """Fetch one order by its id, and import it.

    Raises:
        AccountError: a side is down, or refuses the account.
        ConfigError: the order belongs to another account, or to none.
    """
    try:
        shown = retry_transient(lambda: context.amazon.order(order_id), sleep=context.sleep)
    except ItemError as error:
        quarantine_all(context, {order_id: error})
        return Counts(seen=1, quarantined=1)
    except Transient as error:
        raise AccountError(error.reason, error.remedy) from error
    ensure_mine(context, shown)
    file(context, [shown])
    return Counts(seen=1) + work(context, [shown])


def _foresee(context: Context, shown: Sequence[FetchedOrder]) -> Counts:
    """Say what a round would do, without doing it."""
    orders = [s for s in shown if isinstance(s, Order)]
    existing = sales.find(context.odoo, [order.order_id for order in orders])
    counts = Counts(seen=len(shown), quarantined=len(shown) - len(orders))
    for order in orders:
        step = decide_for(context, order, existing.get(order.order_id))
        log.info("dry_run_order", account=context.name, order=order.order_id, step=step)
        outcome = COUNTED_AS.get(step, "quarantined")
        setattr(counts, outcome, getattr(counts, outcome) + 1)
    return counts
