"""What of the status page is shown: all accounts or one, as of a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Holding, State
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.job import Job
from amazon_bridge.service.job_runner import JobRunner

STAYS = "off"
"""The value of the parameter ``reload`` of a page that does not reload itself."""


@dataclass(frozen=True)
class View:
    """The status page as it was requested."""

    runner: JobRunner
    now: datetime
    account: str | None = None
    """The name of the one account that is shown; None: all are."""
    reload: str | None = None

    @property
    def ledger(self) -> Ledger:
        return self.runner.app.ledger

    @cached_property
    def accounts(self) -> Sequence[AccountConfig]:
        """The configured accounts that are shown."""
        return [each for each in self.runner.app.config.accounts if self.shows(each.name)]

    @cached_property
    def holdings(self) -> dict[str, Holding | None]:
        """Which daemon works for each seller, where several share the state store."""
        return self.ledger.holdings.all()

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.accounts]

    @property
    def reloads(self) -> bool:
        return self.reload != STAYS

    def shows(self, account: str) -> bool:
        """Whether the items of an account are shown; also of one that was configured once."""
        return self.account in {None, account}

    @cached_property
    def open_items(self) -> dict[tuple[str, str, State], int]:
        """The numbers of open items that are shown, by account, job and state."""
        counts = self.ledger.items.open_counts()
        return {key: number for key, number in counts.items() if self.shows(key[0])}

    @property
    def quarantined(self) -> int:
        """The number of quarantined items."""
        return sum(n for (*_, state), n in self.open_items.items() if state == State.QUARANTINED)

    def pending(self, jobs: Sequence[Job]) -> int:
        """The number of pending items of some jobs."""
        return sum(self.pending_of(name, job) for name in self.names for job in jobs)

    def pending_of(self, account: str, job: Job) -> int:
        """The number of pending items of a job of one account."""
        return self.open_items.get((account, job.name, State.PENDING), 0)

    @cached_property
    def jobs(self) -> list[Job]:
        """The jobs that are on for any account that is shown."""
        return [job for job in JOBS if any(each.runs(job) for each in self.accounts)]

    def address(self, *, account: str | None, reload: str | None) -> str:
        """The relative address of a view of the page."""
        chosen = {"account": account, "reload": reload}
        return "?" + urlencode({name: value for name, value in chosen.items() if value})

    def address_of(self, account: str | None) -> str:
        """The same view of one account, or of all."""
        return self.address(account=account, reload=self.reload)
