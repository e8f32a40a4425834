"""A daemon among others that share a state store in PostgreSQL, and the sellers."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.engine.leases.keeper import LeaseKeeper, Member
from amazon_bridge.engine.leases.rows import Taken
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.engine.throttle import Levels
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.lease_thread import LeaseThread

log = structlog.get_logger(__name__)


class Cluster:
    """Holds leases of sellers, and runs what other daemons and commands request.

    Args:
        store: the state store.
        runner: runs the jobs.
        on_change: called by another thread when the sellers changed; then ``plan`` is due.

    Raises:
        AccountError: the database can't be reached, or is needed without daemons.
    """

    def __init__(
        self, store: PostgresqlStore, runner: JobRunner, on_change: Callable[[], None]
    ) -> None:
        self._runner = runner
        self._keeper = LeaseKeeper(
            store, member=self._member, levels=self._levels, on_taken=self._restore_rates
        )
        self._keeper.connect()
        self._thread = LeaseThread(self._keeper, on_change, self._look_for_requests)
        self._accounts: set[str] = set()
        self._unwritten: dict[str, Counts] = {}
        """Results that could not be written yet, by request."""
        runner.leases = self._keeper
        runner.app.throttle.guard = self._keeper.guard

    def start(self) -> None:
        """Take leases, and renew them until ``close``."""
        self._thread.start()

    def close(self) -> None:
        """Give all leases back."""
        self._thread.close()

    def plan(self) -> None:
        """Plan the jobs of the accounts that this daemon works for, and no others."""
        runner = self._runner
        accounts = {account.name for account in runner.accounts()}
        jobs = runner.scheduled_jobs()
        try:
            runner.take_over(each for each in jobs if each.account not in self._accounts)
        except BridgeError as error:
            log.warning("runs_not_read", reason=str(error))
        self._accounts = accounts
        runner.scheduler.adjust(jobs, runner.monitor, runner.queue)
        log.info("accounts_changed", accounts=len(accounts))

    def _member(self) -> Member:
        config = self._runner.app.config
        accounts: dict[str, list[str]] = {}
        for account in config.accounts:
            accounts.setdefault(account.seller_id, []).append(account.name)
        return Member(
            {seller: sorted(names) for seller, names in accounts.items()}, config.digest_of_runs()
        )

    def _levels(self, seller: str) -> Levels:
        return self._runner.app.throttle.levels(seller)

    def _restore_rates(self, taken: Taken) -> None:
        """Go on with the tokens that the former holder left in the seller's buckets."""
        self._runner.app.throttle.restore(taken.lease.seller, taken.levels, taken.age)

    # Requests of others

    def _look_for_requests(self) -> None:
        """Look for requests in another thread, because this one must not wait."""
        scheduler, now = self._runner.scheduler, self._runner.clock()
        scheduler.at(now, self._accept_requests, name="requests of others", pool="care")

    def _accept_requests(self) -> None:
        runner, requests = self._runner, self._runner.app.ledger.sync_requests
        names = [account.name for account in runner.accounts()]
        try:
            for request, counts in list(self._unwritten.items()):
                requests.finish(request, self._keeper.daemon, counts)
                self._unwritten.pop(request, None)
            found = requests.accept(names, self._keeper.daemon)
        except BridgeError:
            return  # runs report it; the next renewal looks again
        for each in found:
            log.info("sync_accepted", account=each.account, job=each.job)
            name = f"request:{each.request}"
            runner.scheduler.at(runner.clock(), self._run, *each, name=name, pool="relayed")

    def _run(self, request: str, account: str, job: str) -> None:
        """Run a job for whoever requested it; the next holder does if this daemon has to end it."""
        requests = self._runner.app.ledger.sync_requests
        counts = self._runner.run_here(account, job)
        try:
            if counts is None:
                requests.offer_again(request, self._keeper.daemon)
            else:
                requests.finish(request, self._keeper.daemon, counts)
        except BridgeError as error:
            log.warning("sync_result_not_written", account=account, job=job, reason=str(error))
            self._unwritten[request] = counts or Counts(error=str(error))
