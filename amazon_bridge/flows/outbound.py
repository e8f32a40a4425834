"""The skeleton of the "Odoo → Amazon" jobs: read back, find, settle, quarantine, send, dry run.

A job defines its steps in an ``OutboundJob``; what all of them share is here. Each item that
a run finds ends as sent, pending, settled (done or left out) or quarantined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ItemError, RateLimited, Transient
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.flows import notices
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.notices import Announcement
from amazon_bridge.job import Job

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Run:
    """One sync run of an outbound job for one account."""

    context: Context
    job: str
    counts: Counts = field(default_factory=Counts)
    """What the run has done so far."""
    has_advanced: bool = False
    """An item was settled or quarantined, or Amazon responded for one: it is no stalled run."""

    def each(
        self, items: Iterable[T], work: Callable[[T], R], *, key: Callable[[T], str]
    ) -> Iterator[tuple[T, R | ItemError]]:
        """Process items one by one, and yield each with its result or error.

        Items that Amazon doesn't respond for are left out and stay pending.

        Raises:
            AccountError: Amazon is down, or refuses the account.
            RateLimited: the rate allows no further item now.
        """
        for item, result in self.context.one_by_one(self.job, items, work, key=key):
            if isinstance(result, Transient):
                self.counts.note_error(result)
            else:
                self.has_advanced = True
                yield item, result

    def as_many_as_allowed(
        self, items: Iterable[T], work: Callable[[T], R], *, key: Callable[[T], str]
    ) -> Iterator[tuple[T, R | ItemError]]:
        """Do the same as far as Amazon's rate allows; the other items stay pending as well."""
        try:
            yield from self.each(items, work, key=key)
        except RateLimited as limit:
            self.counts.note_rate_limit(limit)

    def note_lookups(self, fetched: int, limit: RateLimited | None) -> None:
        """Note how many orders were looked up on Amazon, and why not all of them."""
        self.has_advanced = self.has_advanced or bool(fetched)
        if limit:
            self.counts.note_rate_limit(limit)

    def settle(self, key: str, fingerprint: str, state: State, *, label: str | None = None) -> None:
        """Settle an item, whether it was filed before or not."""
        items, name = self.context.ledger.items, self.context.name
        items.file(name, self.job, [Seen(key, fingerprint, label=label)])
        items.settle(name, self.job, key, fingerprint, state)
        self.has_advanced = True

    def quarantine(
        self,
        errors: Mapping[str, ItemError],
        announcements: Mapping[str, Announcement],
        *,
        job: str | None = None,
    ) -> dict[str, ItemError]:
        """Quarantine items, after scheduling an activity in Odoo about each.

        Args:
            errors: by item key.
            announcements: by item key; of items that Odoo has a record of.
            job: under which they are stored; default: the job's own name.

        Returns:
            The errors as quarantined: they say where no activity could be scheduled.
        """
        announced = notices.announce(self.context, errors, announcements)
        for key, error in announced.items():
            self.context.ledger.items.quarantine(self.context.name, job or self.job, key, error)
        self.counts.quarantined += len(announced)
        self.has_advanced = self.has_advanced or bool(announced)
        return announced


class Found(Protocol):
    """A batch of what a job found in Odoo."""

    @property
    def tasks(self) -> Sequence[Any]:
        """Items that may have to be sent to Amazon."""


class LookedUp(Found, Protocol):
    """A batch whose orders were looked up on Amazon, as far as its rate allowed."""

    @property
    def failures(self) -> Sized:
        """Items whose orders can't be parsed, or belong to no account."""

    @property
    def fetched(self) -> int:
        """Number of orders that were fetched."""

    @property
    def limit(self) -> RateLimited | None:
        """When the others can be."""


F = TypeVar("F", bound=Found)


def preview_tasks(run: Run, batches: Iterable[LookedUp]) -> list[Any]:
    """Return the tasks of all batches, for a dry run, and count what would be quarantined."""
    tasks: list[Any] = []
    for found in batches:
        run.note_lookups(found.fetched, found.limit)
        run.counts.seen += len(found.tasks) + len(found.failures)
        run.counts.quarantined += len(found.failures)
        tasks += found.tasks
    return tasks


def _nothing(_run: Run) -> None:
    """Read back nothing, or not before the new tasks are known."""


@dataclass(frozen=True, slots=True)
class OutboundJob(Generic[F, T]):
    """The steps of an "Odoo → Amazon" job."""

    job: Job
    find: Callable[[Context], Iterable[F]]
    """Reads what changed in Odoo and what earlier runs filed, batch by batch; what is requested
    next is read when the batch before is settled. Changes nothing else."""
    settle: Callable[[Run, F], None]
    """Files the tasks, settles those that need no notification, quarantines unclear ones."""
    send: Callable[[Run, Sequence[T]], None]
    """Notifies Amazon of all tasks, and settles or quarantines them by its responses."""
    preview: Callable[[Run], None]
    """Does a dry run: logs and counts what a run would send. Changes nothing."""
    read_back: Callable[[Run], None] = _nothing
    """Reads from Amazon the results of what earlier runs sent."""

    def sync(self, context: Context, *, dry_run: bool = False) -> Counts:
        """Do one sync run.

        Returns:
            What was done, also if Odoo or Amazon went down or refused the account: then the
            ``error`` says so. If a rate limit of Amazon ended it, or it waits for what Amazon
            prepares, ``resume_in`` says when to go on.
        """
        if not context.account.is_enabled(self.job):
            self._skip(context, dry_run=dry_run)
            return Counts()
        run = Run(context, self.job.name)
        counts = run.counts
        try:
            if dry_run:
                self.preview(run)
            else:
                self._read_back(run)
                self.send(run, self._settled(run))
        except (AccountError, Transient) as error:
            counts.note_error(error)
        except RateLimited as limit:
            counts.note_rate_limit(limit)
        has_advanced = run.has_advanced or counts.notified or counts.quarantined
        counts.stalled = counts.resume_in is not None and not has_advanced
        counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
        return counts

    def _read_back(self, run: Run) -> None:
        """Read back as far as the rates of these calls allow: others need not wait for them."""
        try:
            self.read_back(run)
        except RateLimited as limit:
            run.counts.note_rate_limit(limit)

    def _skip(self, context: Context, *, dry_run: bool) -> None:
        """Forget how far Odoo was read: people notify Amazon themselves while the job is off."""
        if not dry_run:
            context.ledger.scans.forget(context.name, self.job.name)

    def _settled(self, run: Run) -> list[T]:
        """Settle what is found, batch by batch, and return the tasks of all batches.

        Their number depends on what must be sent to Amazon, not on what was read.
        """
        tasks: list[T] = []
        for found in self.find(run.context):
            self.settle(run, found)
            run.counts.seen += len(found.tasks)
            tasks += found.tasks
        return tasks
