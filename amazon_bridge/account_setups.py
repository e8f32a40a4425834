"""The records that each account uses in Odoo: prepared once, and checked when they are used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.lazy import Lazy
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Advice, Inspection, Setup

log = structlog.get_logger(__name__)

_CHECKED_FOR = timedelta(hours=1)
"""How long records count as checked for a run that only searches: in a shop without orders, an
archived record is reported within this time."""


class AccountSetups:
    """What the accounts use in Odoo. Thread-safe.

    Args:
        accounts: all that are configured.
        odoo: returns the login to Odoo.
        clock: returns the time in UTC.
    """

    def __init__(
        self,
        accounts: Iterable[AccountConfig],
        odoo: Callable[[], OdooSession],
        clock: Callable[[], datetime],
    ) -> None:
        by_name = {each.name: each for each in accounts}
        self._odoo, self._clock = odoo, clock
        self._preparing = threading.Lock()  # accounts share records
        self._setups = {name: Lazy(partial(self._prepared, a)) for name, a in by_name.items()}
        self._inspections = {name: Lazy(partial(self._inspected, a)) for name, a in by_name.items()}
        self._checked: dict[str, datetime] = {}

    def get(self, account: AccountConfig) -> Setup:
        """Return an account's records, after checking that they exist; missing ones are created.

        Raises:
            AccountError: a record is archived, or missing and the login may not create it.
        """
        prepared = self._setups[account.name]
        known = prepared.known()
        if known and (known.settlement_missing or not setup.is_current(self._odoo(), known)):
            log.info("odoo_setup_changed", account=account.name)
            prepared.forget()
        found = prepared.get()
        self._checked[account.name] = self._clock()
        return found

    def checked_lately(self, account: AccountConfig) -> Setup | None:
        """Return the records if they were checked within the last hour; calls nothing."""
        checked = self._checked.get(account.name)
        if not checked or not timedelta(0) <= self._clock() - checked < _CHECKED_FOR:
            return None
        return self._setups[account.name].known()

    def forget(self, account: AccountConfig) -> None:
        """Read the account's records again on next use: people may have changed them."""
        self._setups[account.name].forget()

    def restore(self, account: AccountConfig) -> Setup:
        """Create the records that the account lacks in Odoo, and unarchive those that are archived.

        Raises:
            AccountError: the login may not do that.
        """
        with self._preparing:
            return setup.prepare(self._odoo(), account, restore=True)

    def advice(self, account: AccountConfig) -> Sequence[Advice]:
        """Return what could be better in Odoo, as it is now; read-only."""
        return setup.inspect(self._odoo(), account).advice

    def inspection(self, account: AccountConfig) -> Inspection:
        """Return the records that the account would use, and those it lacks; read-only."""
        return self._inspections[account.name].get()

    def expected(self, account: AccountConfig) -> Setup:
        """Return what a dry run works with: the records, or what would be created.

        Raises:
            AccountError: a dry run can't tell what some would be.
        """
        inspection = self.inspection(account)
        if inspection.expected is None:
            raise setup.refusal(account, inspection.missing)
        return inspection.expected

    def _prepared(self, account: AccountConfig) -> Setup:
        found = setup.inspect(self._odoo(), account).setup
        if found:
            return found
        with self._preparing:
            return setup.prepare(self._odoo(), account)

    def _inspected(self, account: AccountConfig) -> Inspection:
        inspection = setup.inspect(self._odoo(), account)
        for each in inspection.missing:
            log.info("dry_run_setup", account=account.name, missing=each.what)
        return inspection
