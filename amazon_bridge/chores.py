"""What the state store and Odoo are to forget, as often as is due, in whichever process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime, timedelta

import structlog

from amazon_bridge.config import Config
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.runner import internal_error
from amazon_bridge.flows import orders, retention
from amazon_bridge.odoo.session import OdooSession

log = structlog.get_logger(__name__)

_HOURLY, _DAILY = timedelta(hours=1), timedelta(days=1)
_FORGETTING, _ANONYMISING = "forgetting", "anonymising"
"""The names of chores in the state store."""


class Chores:
    """The part of the bridge that forgets. The daemon calls it, and each ``sync`` without one."""

    config: Config
    ledger: Ledger
    jobs: Sequence[str]
    """The jobs whose items are forgotten."""
    clock: Callable[[], datetime]
    _sleep: Callable[[float], None]

    @property
    def odoo(self) -> OdooSession:
        """The login to Odoo."""
        raise NotImplementedError

    def do_chores(self) -> None:
        """Forget what the retention says, as often as is due, in whichever process.

        A failure is logged, and made up for with the next call.
        """
        try:
            if self.ledger.chores.is_due(_FORGETTING, _HOURLY):
                self.forget()
            self._forget_buyers_if_due()
        except BridgeError as error:
            log.warning("retention_failed", reason=str(error))
        except Exception as error:  # noqa: BLE001  a bug in a chore must cost nothing else
            internal_error(error)

    def _forget_buyers_if_due(self) -> None:
        after = self.config.retention.buyers
        if after is None or not self.ledger.chores.is_due(_ANONYMISING, _DAILY):
            return
        try:
            self.forget_buyers(after)
        except BaseException:
            self.ledger.chores.make_due(_ANONYMISING)
            raise

    def forget(self) -> None:
        """Forget items that were done with before the configured retention, and their hours."""
        before = self.clock() - self.config.retention.finished
        for account in self.config.accounts:
            for job in self.jobs:
                if number := self.ledger.items.forget_finished(account.name, job, before):
                    log.info("items_deleted", account=account.name, job=job, items=number)
        self.ledger.runs.forget_hours(before)

    def forget_buyers(self, after: timedelta, *, dry_run: bool = False) -> retention.Outcome:
        """Make customers anonymous whose last goods left so long ago.

        Raises:
            AccountError, Transient: Odoo is down or refuses the login, or a round of orders takes
                long; what was done stays done.
        """
        outcome = retention.forget_buyers(
            self.odoo,
            self.clock() - after,
            put_aside={entry.key.partition("#")[0] for entry in self.ledger.items.quarantined()},
            alone=nullcontext if dry_run else self._without_orders,
            sleep=self._sleep,
            dry_run=dry_run,
        )
        if outcome.anonymised and not dry_run:
            log.info("buyers_anonymised", customers=outcome.anonymised, kept=len(outcome.kept))
        return outcome

    @contextmanager
    def _without_orders(self) -> Iterator[None]:
        """Let no process that shares the state store import orders meanwhile."""
        with ExitStack() as held:
            for account in self.config.accounts:
                state, wait = self.config.state, lock.WAIT
                held.enter_context(lock.held(state, account.name, orders.JOB, wait=wait))
            yield
