"""The composition root: the only place that builds clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import structlog

from amazon_bridge.account_setups import AccountSetups
from amazon_bridge.amazon import operations
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig, Config, OdooConfig
from amazon_bridge.engine import errors, lock
from amazon_bridge.engine.batch_size import BatchSize
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, BridgeError, nobody_watches
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.engine.lazy import Lazy
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.parallel import Pace
from amazon_bridge.engine.records import DatabaseId
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.flows import check, continuity
from amazon_bridge.flows.context import Context, show_nobody
from amazon_bridge.flows.filters import Filters
from amazon_bridge.flows.orders import ORDERS, run
from amazon_bridge.flows.orders.as_is import import_as_is
from amazon_bridge.housekeeping import Housekeeping
from amazon_bridge.model import Finding
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.geography import geography_of
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.transport.gateway import READ_METHODS
from amazon_bridge.sync_runs import SyncRuns

log = structlog.get_logger(__name__)

ODOO = "Odoo"
"""Name of the remote that all accounts share. The others are Amazon, each named by its account
(in small letters)."""

Watch = Callable[[str, str, BridgeError | None, float], None]
"""Called after every remote call: with the remote, the operation, its error, its seconds."""

_LOGIN_LIFETIME = 3600.0
"""Seconds after which a daemon logs in to Odoo again: an upgrade between two runs may have changed
the version, the fields or the user's language."""

_GEOGRAPHY_LIFETIME = 24 * 3600.0
"""Seconds after which countries and states are read again: people may add some."""


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


def _no_watch(_remote: str, _operation: str, _error: BridgeError | None, _: float) -> None:
    pass


class App:
    """The bridge of one configuration: its state store and clients, each built on first use.

    Thread-safe.

    Args:
        config: the configuration.
        clock: returns the time in UTC.
        sleep: takes seconds; may raise ``Stopped``.
        throttle: of an earlier configuration, whose calls still count for Amazon's rate limits.
        ledger: of an earlier configuration with the same state store.
        watch: called after every remote call.
        show: shows a line of a dry run to whoever waits for it.

    Raises:
        ConfigError: the state store cannot be opened.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        throttle: Throttle | None = None,
        ledger: Ledger | None = None,
        watch: Watch = _no_watch,
        show: Callable[[str], None] = show_nobody,
    ) -> None:
        self.config = config
        self.ledger = ledger or Ledger(config.state, clock)
        self.throttle = throttle or Throttle(operations.LIMITS, sleep=sleep)
        self.clock = clock
        self._pace = Pace(config.odoo.parallel)
        self._batch_size = BatchSize(config.odoo.timeout)
        self._sleep = sleep
        self._callback = watch
        self._show = show
        self._odoo = Lazy(self._logged_in, _LOGIN_LIFETIME)
        self._geography = Lazy(lambda: geography_of(self._odoo.get), _GEOGRAPHY_LIFETIME)
        self._database: DatabaseId  # of the login, once there is one
        accounts = {account.name: account for account in config.accounts}
        self._partners = {n: Lazy(partial(self._partner, a)) for n, a in accounts.items()}
        self.setups = AccountSetups(config.accounts, self._odoo.get, clock)
        self._locations = {
            n: Lazy(partial(self._stock_locations, a), _LOGIN_LIFETIME) for n, a in accounts.items()
        }
        self.housekeeping = Housekeeping(
            config=config, ledger=self.ledger, odoo=self._odoo.get, clock=clock, sleep=sleep
        )
        self.runs = SyncRuns(
            config=config,
            ledger=self.ledger,
            clock=clock,
            context=self.context,
            inspection=self.setups.inspection,
        )

    def accounts(self, name: str | None = None) -> Sequence[AccountConfig]:
        """Return the account of this name, or all accounts.

        Raises:
            ConfigError: there is no account of this name.
        """
        return self.config.accounts if name is None else [self.config.account(name)]

    @property
    def odoo(self) -> OdooSession:
        """The login to Odoo."""
        return self._odoo.get()

    def amazon(self, account: AccountConfig) -> SellingPartner:
        """The account's client of the Selling Partner API."""
        return self._partners[account.name].get()

    @property
    def filters(self) -> Filters:
        """The shared filters that Odoo gets."""
        session = self.odoo
        return Filters(self.ledger, session, self._database)

    def log_in_again(self) -> None:
        """Log in to Odoo again on next use: after an outage it may be another version."""
        self._odoo.forget()

    def _logged_in(self) -> OdooSession:
        session = self._log_in()
        self._database = self._identify(session)
        continuity.ensure_same(self.ledger, session, self._database)
        return session

    def _identify(self, session: OdooSession) -> DatabaseId:
        return continuity.identify(session, self.config.odoo.url, self.config.odoo.database)

    def _watch(
        self, remote: str, operation: str, error: BridgeError | None, seconds: float
    ) -> None:
        """Call the watch; a bug in it must not fail the remote call."""
        if remote == ODOO and operation.rpartition(".")[2] not in READ_METHODS:
            self._batch_size.note(seconds)
        try:
            self._callback(remote, operation, error, seconds)
        except Exception as failure:  # noqa: BLE001 (any bug in a callback)
            internal_error(failure)

    def _log_in(self) -> OdooSession:
        return log_in(self.config.odoo, watch=partial(self._watch, ODOO), sleep=self._sleep)

    def _partner(self, account: AccountConfig) -> SellingPartner:
        watch = partial(self._watch, account.name)
        return selling_partner(account, self.throttle, watch=watch, sleep=self._sleep)

    def context(self, account: AccountConfig, *, dry_run: bool = False) -> Context:
        """The clients and records that a job of the account uses.

        Raises:
            AccountError, Transient: Odoo is down, refuses the login, or lacks a record.
        """
        odoo = self.odoo
        if not dry_run:
            continuity.note(self.ledger, self._database)
        setups = self.setups
        prepared = Lazy(partial(setups.expected if dry_run else setups.get, account))
        checked = None if dry_run else setups.checked_lately(account)
        known = checked or prepared.get()
        return Context(
            account=account,
            amazon=self.amazon(account),
            odoo=odoo.for_company(known.company_id),
            prepared=prepared,
            known_setup=known,
            geography=self._geography.get(),
            ledger=self.ledger,
            accounts_by_marketplace=_by_marketplace(self.config.accounts, account.seller_id),
            clock=self.clock,
            sleep=self._sleep,
            pace=self._pace,
            batch_size=self._batch_size,
            fba_locations=self.config.fba_locations,
            others=[a for a in self.config.accounts if a.name != account.name and a.sends_stock],
            shares_stock=partial(self._shares_stock, account),
            other_sellers=[
                a.name for a in self.config.accounts if a.seller_id != account.seller_id
            ],
            dry_run=dry_run,
            show=self._show,
        )

    def _stock_locations(self, account: AccountConfig) -> frozenset[int]:
        return setup.stock_locations(self.odoo, account)

    def _shares_stock(self, one: AccountConfig, other: AccountConfig) -> bool:
        """True if two accounts ship from a common location, or if that is unknown."""
        try:
            places, others = (self._locations[each.name].get() for each in (one, other))
        except AccountError:
            return True
        return not places.isdisjoint(others)

    def examine(self, account: AccountConfig) -> list[Finding]:
        """Examine both remotes of an account."""
        try:
            findings = check.examine_odoo(self.odoo, account)
            findings += check.examine_jobs(self.odoo, account, self.ledger, self.config)
            findings += continuity.examine(self.ledger, self.odoo)
        except BridgeError as error:
            findings = [Finding(ok=False, what=error.reason, remedy=error.remedy)]
        return findings + check.examine_amazon(self.amazon(account), account)

    def move_cursor(
        self, account: AccountConfig, at: datetime, *, skip: bool = False
    ) -> datetime | None:
        """Process everything again that happened in an account since a moment.

        The cursor moves back to it. It moves forward only with ``skip``: what changed on Amazon
        in between has not been read.

        Returns:
            The previous cursor.
        """
        before = self.ledger.cursors.get(account.name)
        if skip and before and before < at:
            self.ledger.cursors.skip(account.name, at)
        continuity.rewind(self.ledger, account.name, at)
        return before

    def adopt(self, since: datetime | None) -> dict[str, datetime]:
        """Assign the state store to the configured database, whichever it belonged to before.

        Returns:
            By account, since when everything is processed again.
        """
        names = [account.name for account in self.config.accounts]
        return continuity.adopt(self.ledger, self._identify(self._log_in()), names, since)

    def close(self) -> None:
        """Close the state store."""
        self.ledger.close()

    def recover(self, account: AccountConfig, order_id: str) -> Counts:
        """Fetch one order from Amazon by its id and import it now."""
        with lock.held(self.config.state, account.name, ORDERS.name, wait=lock.WAIT):
            return run.recover(self.context(account), order_id)

    def import_as_is(self, account: AccountConfig, order_id: str) -> Counts:
        """Import a quarantined order at the total that Amazon states."""
        with lock.held(self.config.state, account.name, ORDERS.name, wait=lock.WAIT):
            return import_as_is(self.context(account), order_id)


def log_in(
    odoo: OdooConfig,
    *,
    watch: errors.Watch = nobody_watches,
    sleep: Callable[[float], None] = time.sleep,
) -> OdooSession:
    """Log in to Odoo.

    Raises:
        AccountError, Transient: it refuses the login, or can't be reached.
    """
    return OdooSession.connect(
        odoo.url,
        odoo.database,
        odoo.login,
        odoo.password.get_secret_value(),
        protocol=odoo.protocol,
        timeout=odoo.timeout,
        watch=watch,
        sleep=sleep,
        defaults={str(model): cells for model, cells in odoo.defaults.items()},
    )


def selling_partner(
    account: AccountConfig,
    throttle: Throttle,
    *,
    watch: errors.Watch = nobody_watches,
    sleep: Callable[[float], None] = time.sleep,
) -> SellingPartner:
    """An account's client of the Selling Partner API. It makes no call yet."""
    return SellingPartner(
        seller_id=account.seller_id,
        marketplaces=account.marketplaces,
        credentials=account.credentials,
        endpoint=account.endpoint,
        token_url=account.token_url,
        throttle=throttle,
        account=account.name,
        prices_include_tax=_configured_inclusion(account),
        sleep=sleep,
        watch=watch,
    )


def _by_marketplace(accounts: Iterable[AccountConfig], seller_id: str) -> dict[str, str]:
    """The names of one seller's accounts, by marketplace id."""
    return {
        place.marketplace_id: account.name
        for account in accounts
        if account.seller_id == seller_id
        for place in account.marketplaces
    }


def _configured_inclusion(account: AccountConfig) -> bool | None:
    """Whether prices include tax, if the configuration says so."""
    return None if account.prices_include_tax == "auto" else account.prices_include_tax


@contextmanager
def opened(config: Config, show: Callable[[str], None] = show_nobody) -> Iterator[App]:
    """The bridge of a configuration, closed at the end."""
    app = App(config, show=show)
    try:
        yield app
    finally:
        app.close()
