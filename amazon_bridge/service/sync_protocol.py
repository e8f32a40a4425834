"""What ``amazon-bridge sync`` and the daemon send each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.counts import Counts
from amazon_bridge.flows.jobs import JOBS

Results = dict[str, dict[str, Counts]]
"""Counts of finished runs, by account and job."""


class SyncRequest(BaseModel, extra="forbid", strict=True):
    """Body of ``POST /sync``."""

    job: str
    """Name of a job, or ``all``."""
    account: str | None = None
    configuration: str | None = None
    """Digest of the sender's configuration; None if any will do."""


def results_json(results: Results) -> dict[str, Any]:
    """Content of ``sync --json`` and of a finished ``GET /sync/<id>``."""
    return {
        "accounts": {
            account: {job: counts.as_json() for job, counts in of_account.items()}
            for account, of_account in results.items()
        }
    }


def runs_of(job: str, accounts: Iterable[AccountConfig]) -> Iterator[tuple[str, str]]:
    """Yield the account and job of each run of ``sync JOB``; ``all`` are those that are on."""
    for account in accounts:
        on = [each.name for each in JOBS if account.runs(each)]
        yield from ((account.name, name) for name in (on if job == "all" else [job]))
