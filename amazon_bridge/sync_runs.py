"""Sync runs of an account's jobs: locked and recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    RateLimited,
    Transient,
)
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows import jobs
from amazon_bridge.flows.context import Context
from amazon_bridge.job import Job, load
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.setup import Inspection

log = structlog.get_logger(__name__)

_Work = Callable[[Context], Counts]


class ContextFactory(Protocol):
    """Builds the clients and records that a job of an account uses."""

    def __call__(self, account: AccountConfig, *, dry_run: bool) -> Context: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRuns:
    """Runs jobs."""

    config: Config
    ledger: Ledger
    clock: Callable[[], datetime]
    context: ContextFactory
    inspection: Callable[[AccountConfig], Inspection]
    """Returns the records that an account would use in Odoo, and those it lacks."""

    def sync(self, account: AccountConfig, job: str, *, dry_run: bool = False) -> Counts:
        """Run a job once, exclusively among all processes that share the state store.

        Errors that stop the run are returned as the counts' ``error``. A job that is switched off
        runs only as a dry run.

        Raises:
            ConfigError: the configuration makes the run impossible, or the lock file can't be
                written.
        """
        described = jobs.named(job)
        if not dry_run and not account.runs(described):
            return Counts()
        work = partial(load(described.run), dry_run=dry_run)
        if dry_run:
            return self._locked(account, job, lambda: self._preview(account, described, work))
        counts = self._locked(account, job, lambda: self._recorded(account, job, work))
        _log_run(account, job, counts)
        return counts

    def _locked(self, account: AccountConfig, job: str, work: Callable[[], Counts]) -> Counts:
        try:
            with lock.held(self.config.state, account.name, job, wait=lock.WAIT):
                return work()
        except (AccountError, Transient) as error:
            return Counts(error=str(error))

    def _recorded(self, account: AccountConfig, job: str, work: _Work) -> Counts:
        started, rewinds = self.clock(), self.ledger.continuity.rewinds(account.name)
        if self.ledger.continuity.correct_moments():
            log.warning(
                "timestamps_corrected", reason="The clock was set back since they were noted."
            )
        if self.ledger.items.configuration_changed(account.name, account.digest()):
            log.info("configuration_changed", account=account.name)
        record = partial(self.ledger.runs.record, account.name, job, started=started)
        try:
            counts = self._guarded(account, work, dry_run=False)
        except ConfigError as error:
            record(finished=self.clock(), counts=Counts(error=str(error)), rewinds=rewinds)
            raise
        record(finished=self.clock(), counts=counts, rewinds=rewinds)
        return counts

    def _preview(self, account: AccountConfig, job: Job, work: _Work) -> Counts:
        """What a run would do; its ``error`` says if the setup in Odoo is impossible."""
        counts = self._guarded(account, work, dry_run=True)
        if counts.error:
            return counts
        found = self.inspection(account)
        missing = found.missing if job.books_settlements else found.missing_for_all
        obstacles = [each for each in missing if each.obstacle]
        error = str(setup.refusal(account, obstacles)) if obstacles else None
        return counts + Counts(error=error)

    def _guarded(self, account: AccountConfig, work: _Work, *, dry_run: bool) -> Counts:
        try:
            return work(self.context(account, dry_run=dry_run))
        except ConfigError:
            raise
        except RateLimited as limit:
            return Counts(resume_in=limit.seconds, rate_limited=True, stalled=True)
        except BridgeError as error:
            return Counts(error=str(error))
        except Exception as error:  # noqa: BLE001  a bug must cost one run, not all the others
            return Counts(error=str(internal_error(error)))


def _log_run(account: AccountConfig, job: str, counts: Counts) -> None:
    """Log a run; at ``debug`` if it changed nothing."""
    nonzero = {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}
    changed = nonzero.keys() - {"seen", "unchanged"}
    level = log.info if changed else log.debug
    level("run_finished", account=account.name, job=job, **nonzero)
