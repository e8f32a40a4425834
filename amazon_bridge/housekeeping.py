"""Retention: deletion of finished items and anonymisation of buyers, when due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from amazon_bridge.config import Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows import jobs, retention
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.odoo.session import OdooSession

log = structlog.get_logger(__name__)

_HOURLY, _DAILY = timedelta(hours=1), timedelta(days=1)
_HOURLY_FIGURES = timedelta(days=8)
"""How long what happened to orders is known by the hour; the status page looks back 7 days."""

_DELETION, _ANONYMISATION = "forgetting", "anonymising"
"""Names of the tasks in the state store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """Retention tasks; run by the daemon, or by each ``sync`` without a daemon."""

    config: Config
    ledger: Ledger
    odoo: Callable[[], OdooSession]
    """Logs in to Odoo, if that was not done yet."""
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    def run_due(self) -> None:
        """Run the tasks that are due in any process sharing the state store.

        A failure is logged; the task runs again with the next call.
        """
        self._run_if_due(_DELETION, _HOURLY, self.delete_finished)
        if (after := self.config.retention.buyers) is not None:
            self._run_if_due(_ANONYMISATION, _DAILY, lambda: self.anonymise_due(after))

    def _run_if_due(self, chore: str, interval: timedelta, work: Callable[[], object]) -> None:
        try:
            if self.ledger.chores.is_due(chore, interval):
                self._run(chore, work)
        except BridgeError as error:
            log.warning("retention_failed", reason=str(error))
        except Exception as error:  # noqa: BLE001  a bug here must affect no sync run
            internal_error(error)

    def _run(self, chore: str, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException:
            self.ledger.chores.make_due(chore)
            raise

    def delete_finished(self) -> None:
        """Delete what is finished or of no use any more, older than ``retention.finished``."""
        before = self.clock() - self.config.retention.finished
        for account in self.config.accounts:
            for job in jobs.stored_names():
                if number := self.ledger.items.forget_finished(account.name, job, before):
                    log.info("items_deleted", account=account.name, job=job, items=number)
        names = [account.name for account in self.config.accounts]
        self.ledger.feeds.forget(names, before)
        self.ledger.stock_catalogue.forget_feeds(names, before)
        self.ledger.stock.forget(names, before)
        self.ledger.statistics.forget_hours(self.clock() - _HOURLY_FIGURES)
        self.ledger.in_flight.forget(before)

    def anonymise(self, after: timedelta, *, dry_run: bool = False) -> retention.RetentionResult:
        """Anonymise all customers whose last goods left more than ``after`` ago.

        Raises:
            AccountError, Transient: Odoo is down or refuses the login, or a run of orders takes
                long; customers anonymised before stay so.
        """
        result = self._anonymisation(after, dry_run=dry_run).of_all()
        return result if dry_run else _logged(result)

    def anonymise_due(self, after: timedelta) -> retention.RetentionResult:
        """Do a day's part of it; errors as in ``anonymise``."""
        return _logged(self._anonymisation(after).of_due(self.ledger))

    def _anonymisation(self, after: timedelta, *, dry_run: bool = False) -> retention.Anonymisation:
        return retention.Anonymisation(
            session=self.odoo(),
            before=self.clock() - after,
            quarantined={entry.key.partition("#")[0] for entry in self.ledger.items.quarantined()},
            imports_locked=self._without_orders,
            sleep=self.sleep,
            dry_run=dry_run,
        )

    @contextmanager
    def _without_orders(self) -> Iterator[None]:
        """Prevent imports of orders by all processes that share the state store."""
        with ExitStack() as held:
            for account in self.config.accounts:
                state, wait = self.config.state, lock.WAIT
                held.enter_context(lock.held(state, account.name, ORDERS.name, wait=wait))
            yield


def _logged(result: retention.RetentionResult) -> retention.RetentionResult:
    if result.needs:
        log.info("buyers_anonymised", customers=result.anonymised, kept=len(result.kept))
    return result
