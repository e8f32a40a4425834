"""Sync runs of the orders job.

A run reads what changed on Amazon a page at a time; each page is filed in the state store, which
moves the cursor at the end of a window, and then processed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import ItemError, RateLimited, Refused, Transient
from amazon_bridge.engine.parallel import Batches
from amazon_bridge.engine.records import CLOCKS_DIFFER
from amazon_bridge.engine.retrying import retry_transient
from amazon_bridge.engine.window import Lane, Reading, latest_searchable
from amazon_bridge.flows.attempts import attempt
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import changes, flight
from amazon_bridge.flows.orders.apply import COUNTED_AS, decide_for, work
from amazon_bridge.flows.orders.find import (
    FetchedOrder,
    customers_of,
    ensure_mine,
    file,
    is_not_shown,
    leave_to_owner,
    no_account,
    owner_of,
)
from amazon_bridge.flows.orders.memo import JOB, entry_of
from amazon_bridge.flows.orders.reading import ChangedOrders, pages_from
from amazon_bridge.flows.orders.tell import quarantine_all
from amazon_bridge.flows.sampling import sample
from amazon_bridge.model import Order
from amazon_bridge.odoo import sales

log = structlog.get_logger(__name__)


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """Do one sync run: read and file what changed since the cursor, and process what is filed.

    Returns:
        The counts; their ``error`` says what failed. A part that fails doesn't stop the others,
        unless Odoo is down.
    """
    begin = context.ledger.cursors.get(context.name) or _begin(context, dry_run=dry_run)
    run = _Run(context, context.clock())
    if problem := _unreachable_cursor(context, begin):
        run.counts.note_error(problem)
    if dry_run:
        run.attempt(lambda: run.preview_from(begin))
        return run.counts
    run.read_and_process(begin)
    return run.finish()


def _begin(context: Context, *, dry_run: bool) -> datetime:
    """Return the first cursor of a new account, and set it."""
    begin = context.account.start or context.clock()
    if not dry_run and begin <= context.clock():
        context.ledger.cursors.set(context.name, begin)
        log.info("cursor_created", account=context.name, cursor=begin.isoformat())
    return begin


def _unreachable_cursor(context: Context, cursor: datetime) -> str | None:
    """Return a message if the cursor is in the future: no order would ever be read.

    This machine's clock was set back, or was wrong when the cursor was set. A `start` in the
    future is intended.
    """
    now, start = context.clock(), context.account.start
    if cursor <= now + CLOCKS_DIFFER or (start and start > now):
        return None
    return (
        f"The cursor is at {cursor:%Y-%m-%d %H:%M} UTC, but this machine's clock says"
        f" {now:%Y-%m-%d %H:%M}: no changed orders are read. Set the clock right. If it is right:"
        f" amazon-bridge cursor set {context.name} TIMESTAMP."
    )


_LEFTOVERS = 30
"""Orders fetched one by one per run: getOrder allows a burst of 30 calls."""

_LEFTOVERS_PAUSE = 60.0
"""Seconds after which getOrder allows so many again."""

_RECENTLY = timedelta(minutes=4)
"""A run that only goes on with leftovers reads no changes again so soon: that costs a call, of
which there is one in three minutes."""

_LONGEST_REFUSAL = timedelta(days=1)
"""An order that Odoo refuses, without another one that it accepts, would stay pending forever."""

_MANY_REFUSED = 10
"""If this many orders are refused and none is accepted, the account is to blame: all wait."""


@dataclass(slots=True)
class _Run:
    """One run of the job in progress."""

    context: Context
    began: datetime
    counts: Counts = field(default_factory=Counts)
    refused: dict[str, ItemError] = field(default_factory=dict)
    """The errors of orders that Odoo refused as if the account were to blame."""
    counted: set[str] = field(default_factory=set)
    """Orders that were read and counted; windows may overlap."""
    has_advanced: bool = False
    """Amazon has shown a page of changed orders, or an order of an earlier run."""
    batches: Batches[FetchedOrder] = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(
            self.context.pace,
            self._process,
            self._count,
            key=lambda each: each.order_id,
            claims=customers_of,
        )

    def read_and_process(self, cursor: datetime) -> None:
        """Process what changed lately, then the back-log and what is left of earlier runs.

        The back-log comes before the leftovers: after a rewind it shows, a hundred in a call, the
        orders that are pending.
        """
        changed = ChangedOrders(self.context, self.began, self._process_page, self.batches.wait)
        through = self._is_resumed(cursor) or self.attempt(changed.read_live)
        through = through and self.attempt(changed.read_in_flight)
        through = through and self.attempt(changed.read_backlog)
        self.attempt(self.process_leftovers)
        self.attempt(self.process_changed_by_people)
        if through:
            self.attempt(changed.read_second_looks)
        self.attempt(self.check_units_in_flight)

    def _is_resumed(self, cursor: datetime) -> bool:
        is_recent = timedelta(0) <= latest_searchable(self.began) - cursor < _RECENTLY
        return is_recent and len(self._leftovers()) > _LEFTOVERS

    def attempt(self, part: Callable[[], None]) -> bool:
        """Do a part of the run; after an earlier error only if Odoo is up.

        Returns:
            Whether it was done to its end.
        """

        def step() -> None:
            try:
                part()
            finally:
                self.batches.drain()

        return attempt(self, step)

    def _process_page(
        self, reading: Reading, fetched: Sequence[FetchedOrder], todo: Sequence[str]
    ) -> None:
        """Process the new and changed orders of a page. A second look counts only these."""
        self.has_advanced = True
        if todo:
            name = self.context.name
            log.info("orders_filed", account=name, shown=len(fetched), changed=len(todo))
        changed = set(todo)
        is_first_look = reading.lane in (Lane.LIVE, Lane.BACKLOG)
        seen = {each.order_id for each in fetched} if is_first_look else changed
        new = seen - self.counted
        self.counted |= new
        self.counts += Counts(seen=len(new), unchanged=len(new - changed))
        todo_now = [order for order in fetched if order.order_id in changed]
        self.batches.submit(todo_now, is_last=reading.token is None)

    def process_leftovers(self) -> None:
        """Process what earlier runs filed and didn't finish, as Amazon shows it now.

        A run takes some of them, in no particular order, so that those that stay pending don't keep
        others from their turn. If some are left, the run is resumed soon, unless none was settled.

        Raises:
            AccountError: a remote is down, or refuses the account.
        """
        before = self._leftovers()
        self._process_again(sample(before, self.began, _LEFTOVERS))
        if len(before) > _LEFTOVERS and len(self._leftovers()) < len(before):
            self.counts.resume_after(_LEFTOVERS_PAUSE)

    def _leftovers(self) -> list[str]:
        pending = self.context.ledger.items.pending(self.context.name, JOB)
        return [order_id for order_id in pending if order_id not in self.refused]

    def process_changed_by_people(self) -> None:
        """Process orders again that people have changed, so that their reminders may be outdated.

        Raises:
            AccountError: a remote is down, or refuses the account.
        """
        again = changes.changed_by_people(self.context, before=self.began)
        self._process_again(sample(again, self.began, _LEFTOVERS))

    def check_units_in_flight(self) -> None:
        """Look up orders that hold units for long: the search need not show how they ended.

        Raises:
            AccountError, Transient: a remote is down, or refuses the account.
        """
        due = flight.unchecked(self.context, self.began)
        fetched: list[FetchedOrder] = []
        gone: list[str] = []
        try:
            for order_id, result in self._fetched_again(due, partial(flight.look_up, self.context)):
                if is_not_shown(result):
                    gone.append(order_id)
                elif not isinstance(result, ItemError | Transient):
                    fetched.append(result)
        finally:
            self._note_checked(fetched, gone)

    def _note_checked(self, fetched: Sequence[FetchedOrder], gone: Sequence[str]) -> None:
        todo = flight.note_checked(self.context, fetched, gone)
        self.counts.seen += len(todo)
        self.batches.submit([each for each in fetched if each.order_id in todo])

    def _process_again(self, order_ids: Sequence[str]) -> None:
        context, fetched, errors = self.context, [], {}
        for order_id, result in self._fetched_again(order_ids, self.context.amazon.order):
            self.counts.seen += 1
            if isinstance(result, ItemError):
                errors[order_id] = result
            elif isinstance(result, runner.RefusedItem):
                self.counts.note_error(result)
            elif not isinstance(result, Transient):
                fetched.append(result)
        self.has_advanced = self.has_advanced or bool(fetched or errors)
        file(context, fetched)
        errors |= _without_account(context, fetched)
        quarantine_all(context, errors)
        self.counts.quarantined += len(errors)
        mine = [each for each in fetched if owner_of(context, each) == context.name]
        self.batches.submit(mine)

    def _fetched_again(
        self, order_ids: Sequence[str], fetch: Callable[[str], FetchedOrder]
    ) -> Iterator[tuple[str, FetchedOrder | ItemError | Transient]]:
        """Fetch as many orders as the rate allows; the others stay pending."""
        try:
            yield from self.context.one_by_one(JOB, order_ids, fetch, key=str)
        except RateLimited as limit:
            self.counts.note_rate_limit(limit)

    def _process(self, fetched: Sequence[FetchedOrder]) -> Counts:
        """Process orders, in any thread."""
        try:
            return work(self.context, fetched)
        except Refused as error:
            self.refused.update(error.errors)
            return Counts()

    def _count(self, counts: Counts) -> None:
        self.counts += counts

    def finish(self) -> Counts:
        """Quarantine the refused orders, or blame the account if Odoo accepted no order.

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
        counts.stalled = counts.resume_in is not None and not self.has_advanced
        return counts

    def _refused_too_long(self) -> dict[str, ItemError]:
        """Errors of the orders refused for a day, if they are few enough to blame each itself."""
        note, name = self.context.ledger.items.note_refusal, self.context.name
        since = {order_id: note(name, JOB, order_id) for order_id in self.refused}
        if len(self.refused) >= _MANY_REFUSED:
            return {}
        limit = self.context.clock() - _LONGEST_REFUSAL
        return {
            key: self.refused[key] for key, moment in since.items() if moment and moment <= limit
        }

    def preview_from(self, cursor: datetime) -> None:
        for fetched in pages_from(self.context, cursor):
            self.counts += _preview(self.context, fetched)


def _without_account(context: Context, fetched: Sequence[FetchedOrder]) -> dict[str, ItemError]:
    """Return the errors of orders without an account; leave those of other accounts to them."""
    others = [each for each in fetched if owner_of(context, each) != context.name]
    return {
        each.order_id: no_account(context, each)
        for each in others
        if not leave_to_owner(context, each)
    }


def recover(context: Context, order_id: str) -> Counts:
    """Fetch one order by its id, and import it.

    Raises:
        AccountError, Transient: a remote is down, or refuses the account.
        RateLimited: Amazon's rate allows no call now.
        ConfigError: the order belongs to another account, or to none.
        ItemError: neither Amazon nor the state store has an order of this id.
    """
    try:
        order = retry_transient(lambda: context.amazon.order(order_id), sleep=context.sleep)
    except ItemError as error:
        if entry_of(context, order_id) is None:
            raise  # nothing to retry: the id is mistyped, or another seller's
        quarantine_all(context, {order_id: error})
        return Counts(seen=1, quarantined=1)
    ensure_mine(context, order)
    file(context, [order])
    return Counts(seen=1) + work(context, [order])


def _preview(context: Context, fetched: Sequence[FetchedOrder]) -> Counts:
    """Log and count what a run would do."""
    orders = [order for order in fetched if isinstance(order, Order)]
    existing = sales.find(context.odoo, [order.order_id for order in orders])
    counts = Counts(seen=len(fetched), quarantined=len(fetched) - len(orders))
    for order in orders:
        step = decide_for(context, order, existing.get(order.order_id))
        log.info("dry_run_order", account=context.name, order=order.order_id, step=step)
        outcome = COUNTED_AS.get(step, "quarantined")
        setattr(counts, outcome, getattr(counts, outcome) + 1)
    return counts
