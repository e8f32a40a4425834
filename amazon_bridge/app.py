"""The composition root: the one place where clients are built and put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property

import structlog

from amazon_bridge.amazon import doctor as amazon_doctor
from amazon_bridge.amazon import operations
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, BridgeError, ConfigError, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.runner import Counts
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Finding
from amazon_bridge.odoo import doctor as odoo_doctor
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Setup

log = structlog.get_logger(__name__)

JOBS = {orders.JOB: orders.sync}
"""The jobs of an account, in the order in which a whole round works them."""

_LOCK_WAIT = 5.0
"""Seconds to wait for another process that works the same (account, job)."""


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)


class App:
    """The bridge of one configuration: its state store, and its clients, each built once."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = config
        self.ledger = Ledger(config.state, clock)
        self._clock = clock
        self._sleep = sleep
        self._throttle = Throttle(operations.LIMITS, sleep=sleep)
        self._partners: dict[str, SellingPartner] = {}
        self._setups: dict[str, Setup] = {}

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

    @cached_property
    def odoo(self) -> OdooSession:
        """The login to Odoo."""
        odoo = self.config.odoo
        return OdooSession.connect(
            odoo.url,
            odoo.database,
            odoo.login,
            odoo.password.get_secret_value(),
            protocol=odoo.protocol,
            timeout=odoo.timeout,
        )

    def amazon(self, account: AccountConfig) -> SellingPartner:
        """The account's client of the Selling Partner API."""
        if account.name not in self._partners:
            self._partners[account.name] = SellingPartner(
                seller_id=account.seller_id,
                marketplaces=account.marketplaces,
                credentials=account.credentials,
                endpoint=account.endpoint,
                token_url=account.token_url,
                throttle=self._throttle,
                prices_include_tax=_told_by(account),
                sleep=self._sleep,
            )
        return self._partners[account.name]

    def setup(self, account: AccountConfig) -> Setup:
        """What the account uses in Odoo; made where it is missing.

        Raises:
            AccountError: it is missing, and the login may not make it.
        """
        if account.name not in self._setups:
            self._setups[account.name] = setup.prepare(self.odoo, account)
        return self._setups[account.name]

    def context(self, account: AccountConfig, *, dry_run: bool = False) -> Context:
        """What a job of the account works with.

        Raises:
            AccountError, Transient: Odoo is down, or refuses the login, or lacks something.
        """
        prepared = self._inspected(account) if dry_run else self.setup(account)
        return Context(
            account=account,
            amazon=self.amazon(account),
            odoo=self.odoo.for_company(prepared.company_id),
            setup=prepared,
            ledger=self.ledger,
            clock=self._clock,
            sleep=self._sleep,
        )

    def _inspected(self, account: AccountConfig) -> Setup:
        found, missing = setup.inspect(self.odoo, account)
        if found is None:
            lacks = "; ".join(each.what for each in missing)
            raise AccountError(f"Odoo lacks {lacks}.", "Run `amazon-bridge setup` first.")
        return found

    def sync(self, account: AccountConfig, job: str, *, dry_run: bool = False) -> Counts:
        """One round of one job, alone among all processes that share the state store.

        What stops the round is told as the counts' ``error``.
        """
        started = self._clock()
        try:
            with lock.held(self.config.state, account.name, job, wait=_LOCK_WAIT):
                counts = self._round(account, job, dry_run=dry_run)
                if not dry_run:
                    self._record(account, job, started, counts)
        except (AccountError, Transient) as error:
            counts = Counts(error=str(error))
        log.info("round_done", account=account.name, job=job, **_told(counts))
        return counts

    def _round(self, account: AccountConfig, job: str, *, dry_run: bool) -> Counts:
        if not dry_run and self.ledger.configuration_changed(account.name, account.digest()):
            log.info("configuration_changed", account=account.name)
        try:
            return JOBS[job](self.context(account, dry_run=dry_run), dry_run=dry_run)
        except BridgeError as error:
            if isinstance(error, ConfigError):
                raise
            return Counts(error=str(error))

    def _record(self, account: AccountConfig, job: str, started: datetime, counts: Counts) -> None:
        self.ledger.record_round(
            account.name, job, started=started, finished=self._clock(), counts=counts
        )

    def examine(self, account: AccountConfig) -> list[Finding]:
        """What the doctor finds on both sides of an account."""
        try:
            findings = odoo_doctor.examine(self.odoo, account)
        except BridgeError as error:
            findings = [Finding(ok=False, what=error.reason, remedy=error.remedy)]
        return findings + amazon_doctor.examine(self.amazon(account), account.marketplaces)

    def recover(self, account: AccountConfig, order_id: str) -> Counts:
        """Fetch one order from Amazon by its id and bring it to Odoo, now."""
        with lock.held(self.config.state, account.name, orders.JOB, wait=_LOCK_WAIT):
            return orders.recover(self.context(account), order_id)


def _told_by(account: AccountConfig) -> bool | None:
    """Whether prices include the tax, where the configuration says so."""
    return None if account.prices_include_tax == "auto" else account.prices_include_tax


def _told(counts: Counts) -> dict[str, object]:
    return {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}


@contextmanager
def opened(config: Config) -> Iterator[App]:
    """The bridge of a configuration, closed again at the end."""
    app = App(config)
    try:
        yield app
    finally:
        app.ledger.close()
