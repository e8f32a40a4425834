"""The composition root: the one place where clients are built and put together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from amazon_bridge.amazon import doctor as amazon_doctor
from amazon_bridge.amazon import operations
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, BridgeError, ConfigError, Transient
from amazon_bridge.engine.lazy import Lazy
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import DatabaseId
from amazon_bridge.engine.runner import Counts, internal_error
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.flows import (
    cancellations,
    continuity,
    invoices,
    orders,
    shipments,
)
from amazon_bridge.flows.context import Context
from amazon_bridge.housekeeping import Housekeeping
from amazon_bridge.model import Finding
from amazon_bridge.odoo import doctor as odoo_doctor
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.geography import read_geography
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Inspection, Setup

log = structlog.get_logger(__name__)


def _orders(context: Context, *, dry_run: bool = False) -> Counts:
    """A run of orders, and the invoices of what was delivered since the last one.

    Invoices need Amazon for nothing: an error of the orders leaves them out only if Odoo is down.
    """
    counts = orders.sync(context, dry_run=dry_run)
    try:
        if counts.error:
            context.odoo.ping()
    except (AccountError, Transient):
        return counts
    return counts + invoices.sync(context, dry_run=dry_run)


JOBS: dict[str, Callable[..., Counts]] = {
    orders.JOB: _orders,
    cancellations.JOB: cancellations.sync,
    shipments.JOB: shipments.sync,
}
"""The jobs of an account, in the order in which a whole round works them."""

_DAILY = timedelta(days=1)

KEPT_JOBS = (*JOBS, invoices.KEPT)
"""Under these names the state store keeps items."""

SWEEP = "sweep"
"""The name under which the daily sweep's rounds are recorded."""

ODOO = "Odoo"
"""The side that all accounts share. The others are Amazon, each named by its account (in small
letters)."""

Watch = Callable[[str, str, BridgeError | None, float], None]
"""Is told of each call: the side, the operation, the error that it ended with, its seconds."""

_Work = Callable[[Context], Counts]

_LOGIN_LIFETIME = 3600.0
"""Seconds after which a daemon logs in to Odoo again: what was looked up at the login (version,
fields, the user's language) may have changed with an upgrade that was over between two runs."""

_GEOGRAPHY_LIFETIME = 24 * 3600.0
"""Seconds after which countries and states are read again: people add some."""


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)


def _nobody_watches(_side: str, _operation: str, _error: BridgeError | None, _: float) -> None:
    pass


class App(Housekeeping):
    """The bridge of one configuration: its state store, and its clients, each built once.

    May be shared by threads.

    Args:
        config: what to bridge.
        clock: tells the time in UTC.
        sleep: takes seconds; may raise ``Stopped``.
        throttle: of an earlier configuration, whose calls count for Amazon's rates still.
        watch: is told of each call to a side.

    Raises:
        ConfigError: the state store can't be opened.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        throttle: Throttle | None = None,
        watch: Watch = _nobody_watches,
    ) -> None:
        self.config = config
        self.jobs = KEPT_JOBS
        self.ledger = Ledger(config.state, clock)
        self.throttle = throttle or Throttle(operations.LIMITS, sleep=sleep)
        self.clock = clock
        self._sleep = sleep
        self._callback = watch
        self._making = threading.Lock()
        self._odoo = Lazy(self._logged_in, _LOGIN_LIFETIME)
        self._geography = Lazy(lambda: read_geography(self.odoo), _GEOGRAPHY_LIFETIME)
        self._database: DatabaseId  # of the login, once there is one
        accounts = {account.name: account for account in config.accounts}
        self._partners = {n: Lazy(partial(self._partner, a)) for n, a in accounts.items()}
        self._setups = {n: Lazy(partial(self._prepared, a)) for n, a in accounts.items()}
        self._inspections = {n: Lazy(partial(self._inspected, a)) for n, a in accounts.items()}

    def accounts(self, name: str | None = None) -> Sequence[AccountConfig]:
        """The account of this name, or all of them.

        Raises:
            ConfigError: there is none of this name.
        """
        found = [account for account in self.config.accounts if name in (None, account.name)]
        if not found:
            known = ", ".join(account.name for account in self.config.accounts)
            raise ConfigError(f"There is no account {name!r}.", f"The file has: {known}.")
        return found

    @property
    def odoo(self) -> OdooSession:
        """The login to Odoo."""
        return self._odoo.get()

    def amazon(self, account: AccountConfig) -> SellingPartner:
        """The account's client of the Selling Partner API."""
        return self._partners[account.name].get()

    def setup(self, account: AccountConfig) -> Setup:
        """What the account uses in Odoo, as it exists now; made where it is missing.

        Raises:
            AccountError: it is missing, and the login may not make it; or it is archived.
        """
        remembered = self._setups[account.name]
        known = remembered.known()
        if known and not setup.is_current(self.odoo, known):
            log.info("odoo_setup_changed", account=account.name)
            remembered.forget()
        return remembered.get()

    def restore_setup(self, account: AccountConfig) -> Setup:
        """Make in Odoo what the account lacks, and unarchive what people archived.

        Raises:
            AccountError: the login may not do that.
        """
        with self._making:
            return setup.prepare(self.odoo, account, restore=True)

    def inspection(self, account: AccountConfig) -> Inspection:
        """What the account would use in Odoo, and what it lacks; nothing is made."""
        return self._inspections[account.name].get()

    def look_again(self, account: AccountConfig) -> None:
        """Forget what is known of the account in Odoo: people may have changed it meanwhile."""
        self._setups[account.name].forget()

    def log_in_again(self) -> None:
        """Forget the login to Odoo: after it was down it may be another version."""
        self._odoo.forget()

    def _logged_in(self) -> OdooSession:
        session = self._log_in()
        self._database = self._identify(session)
        continuity.ensure_same(self.ledger, session, self._database)
        return session

    def _identify(self, session: OdooSession) -> DatabaseId:
        return continuity.identify(session, self.config.odoo.url, self.config.odoo.database)

    def _watch(self, side: str, operation: str, error: BridgeError | None, seconds: float) -> None:
        """Tell the watch of a call; a bug in the watch costs no call, which may be done by now."""
        try:
            self._callback(side, operation, error, seconds)
        except Exception as failure:  # noqa: BLE001 (any bug in a callback)
            internal_error(failure)

    def _log_in(self) -> OdooSession:
        odoo = self.config.odoo
        return OdooSession.connect(
            odoo.url,
            odoo.database,
            odoo.login,
            odoo.password.get_secret_value(),
            protocol=odoo.protocol,
            timeout=odoo.timeout,
            watch=partial(self._watch, ODOO),
            sleep=self._sleep,
        )

    def _partner(self, account: AccountConfig) -> SellingPartner:
        return SellingPartner(
            seller_id=account.seller_id,
            marketplaces=account.marketplaces,
            credentials=account.credentials,
            endpoint=account.endpoint,
            token_url=account.token_url,
            throttle=self.throttle,
            prices_include_tax=_told_by(account),
            sleep=self._sleep,
            watch=partial(self._watch, account.name),
        )

    def _prepared(self, account: AccountConfig) -> Setup:
        found = setup.inspect(self.odoo, account).setup
        if found:
            return found
        with self._making:  # accounts share some of what is made
            return setup.prepare(self.odoo, account)

    def context(self, account: AccountConfig, *, dry_run: bool = False) -> Context:
        """What a job of the account works with.

        Raises:
            AccountError, Transient: Odoo is down, or refuses the login, or lacks something.
        """
        odoo = self.odoo
        if not dry_run:
            continuity.note(self.ledger, self._database)
        prepared = self._expected(account) if dry_run else self.setup(account)
        return Context(
            account=account,
            amazon=self.amazon(account),
            odoo=odoo.for_company(prepared.company_id),
            setup=prepared,
            geography=self._geography.get(),
            ledger=self.ledger,
            accounts_by_marketplace=_by_marketplace(self.config.accounts, account.seller_id),
            clock=self.clock,
            sleep=self._sleep,
            dry_run=dry_run,
        )

    def _inspected(self, account: AccountConfig) -> Inspection:
        inspection = setup.inspect(self.odoo, account)
        for each in inspection.missing:
            log.info("dry_run_setup", account=account.name, missing=each.what)
        return inspection

    def _expected(self, account: AccountConfig) -> Setup:
        inspection = self.inspection(account)
        if inspection.expected is None:
            raise setup.refusal(account, inspection.missing)
        return inspection.expected

    def sync(self, account: AccountConfig, job: str, *, dry_run: bool = False) -> Counts:
        """One round of one job, alone among all processes that share the state store.

        What stops the round is told as the counts' ``error``.
        """
        work = partial(JOBS[job], dry_run=dry_run)
        if dry_run:
            return self._alone(account, job, lambda: self._foreseen(account, work))
        counts = self._alone(account, job, lambda: self._recorded(account, job, work))
        _log_round(account, job, counts)
        return counts

    def is_sweep_due(self, account: AccountConfig, job: str) -> bool:
        """Whether a run of this job is to be followed by the daily sweep, in this process.

        Whoever asks is to do it: it counts as begun. The first one is due a day after the
        account's first run, which has read everything.
        """
        chore = f"sweep of {account.name}"
        return job == orders.JOB and self.ledger.chores.is_due(chore, _DAILY, at_first=False)

    def sync_with_sweep(self, account: AccountConfig, job: str) -> Counts:
        """``sync``, and the daily sweep if it is due. Only what the sweep changed is counted."""
        counts = self.sync(account, job)
        if self.is_sweep_due(account, job):
            counts += replace(self.sweep(account), seen=0, unchanged=0)
        return counts

    def sweep(self, account: AccountConfig) -> Counts:
        """Look at the last days' orders again, for what Amazon showed late; like ``sync``."""
        counts = self._alone(
            account, orders.JOB, lambda: self._recorded(account, SWEEP, orders.sweep)
        )
        _log_round(account, SWEEP, counts)
        return counts

    def _alone(self, account: AccountConfig, job: str, work: Callable[[], Counts]) -> Counts:
        try:
            with lock.held(self.config.state, account.name, job, wait=lock.WAIT):
                counts = work()
        except (AccountError, Transient) as error:
            counts = Counts(error=str(error))
        return counts

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
            counts = self._tried(account, work, dry_run=False)
        except ConfigError as error:
            record(finished=self.clock(), counts=Counts(error=str(error)), rewinds=rewinds)
            raise
        record(finished=self.clock(), counts=counts, rewinds=rewinds)
        return counts

    def _foreseen(self, account: AccountConfig, work: _Work) -> Counts:
        """What a run would do. An ``error`` says that it couldn't begin, for want of a setup."""
        counts = self._tried(account, work, dry_run=True)
        if counts.error:
            return counts
        obstacles = [each for each in self.inspection(account).missing if each.obstacle]
        error = str(setup.refusal(account, obstacles)) if obstacles else None
        return counts + Counts(error=error)

    def _tried(self, account: AccountConfig, work: _Work, *, dry_run: bool) -> Counts:
        try:
            return work(self.context(account, dry_run=dry_run))
        except BridgeError as error:
            if isinstance(error, ConfigError):
                raise
            return Counts(error=str(error))
        except Exception as error:  # noqa: BLE001  a bug must cost one round, not all the others
            return Counts(error=str(internal_error(error)))

    def examine(self, account: AccountConfig) -> list[Finding]:
        """What the doctor finds on both sides of an account."""
        try:
            findings = odoo_doctor.examine(self.odoo, account)
            findings += continuity.examine(self.ledger, self.odoo)
        except BridgeError as error:
            findings = [Finding(ok=False, what=error.reason, remedy=error.remedy)]
        return findings + amazon_doctor.examine(self.amazon(account), account.marketplaces)

    def move_cursor(
        self, account: AccountConfig, at: datetime, *, skip: bool = False
    ) -> datetime | None:
        """Look again at all that happened in an account since a moment.

        The cursor moves back to it. It moves forward only with ``skip``: what changed on Amazon
        in between was not read yet.

        Returns:
            Where the cursor was.
        """
        before = self.ledger.cursors.get(account.name)
        if skip and before and before < at:
            self.ledger.cursors.skip(account.name, at)
        continuity.look_again(self.ledger, account.name, at)
        return before

    def adopt(self, since: datetime | None) -> dict[str, datetime]:
        """Let the state store work for the configured database, whichever it belonged to before.

        Returns:
            By account, from when on everything is looked at again.
        """
        names = [account.name for account in self.config.accounts]
        return continuity.adopt(self.ledger, self._identify(self._log_in()), names, since)

    def close(self) -> None:
        """Close the state store and all connections to Amazon that were opened."""
        self.ledger.close()

    def recover(self, account: AccountConfig, order_id: str) -> Counts:
        """Fetch one order from Amazon by its id and bring it to Odoo, now."""
        with lock.held(self.config.state, account.name, orders.JOB, wait=lock.WAIT):
            return orders.recover(self.context(account), order_id)

    def import_as_is(self, account: AccountConfig, order_id: str) -> Counts:
        """Import a quarantined order at the total that Amazon states."""
        with lock.held(self.config.state, account.name, orders.JOB, wait=lock.WAIT):
            return orders.import_as_is(self.context(account), order_id)


def _by_marketplace(accounts: Iterable[AccountConfig], seller_id: str) -> dict[str, str]:
    """The names of one seller's accounts, by marketplace id."""
    return {
        place.marketplace_id: account.name
        for account in accounts
        if account.seller_id == seller_id
        for place in account.marketplaces
    }


def switched_off(account: AccountConfig) -> set[str]:
    """The jobs that the account's configuration switches off."""
    on = {
        cancellations.JOB: account.notify_amazon.cancellations,
        shipments.JOB: account.notify_amazon.shipments,
    }
    return {job for job, is_on in on.items() if not is_on}


def _told_by(account: AccountConfig) -> bool | None:
    """Whether prices include the tax, where the configuration says so."""
    return None if account.prices_include_tax == "auto" else account.prices_include_tax


def _log_round(account: AccountConfig, job: str, counts: Counts) -> None:
    """At ``info`` when something happened; a quiet day needs no line every five minutes."""
    told = {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}
    happened = told.keys() - {"seen", "unchanged"}
    (log.info if happened else log.debug)("run_finished", account=account.name, job=job, **told)


@contextmanager
def opened(config: Config) -> Iterator[App]:
    """The bridge of a configuration, closed again at the end."""
    app = App(config)
    try:
        yield app
    finally:
        app.close()
