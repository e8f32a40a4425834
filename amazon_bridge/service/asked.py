"""Syncs that the daemon is asked for: it works their rounds as it works its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import structlog
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response

from amazon_bridge.app import JOBS
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.runner import Counts
from amazon_bridge.service.rounds import Rounds
from amazon_bridge.service.web import as_json

log = structlog.get_logger(__name__)

Results = dict[str, dict[str, Counts]]
"""What rounds did, by account and job."""

_MOST = 32
"""Syncs that are remembered: those that aren't over, and the last ones that are."""

_USAGE = 'Send {"job": J} or {"job": J, "account": NAME}, where J is one of ' + ", ".join(
    [*JOBS, "all."]
)


def as_told(results: Results) -> dict[str, Any]:
    """What ``sync --json`` prints."""
    told = {name: {job: asdict(counts) for job, counts in d.items()} for name, d in results.items()}
    return {"accounts": told}


def jobs_of(job: str) -> Sequence[str]:
    """The jobs that are meant by one, or by ``all``."""
    return list(JOBS) if job == "all" else [job]


class Wish(BaseModel, extra="forbid", strict=True):
    """What is asked for."""

    job: str
    account: str | None = None
    configuration: str | None = None
    """The digest of the one that the sync is meant for, where that matters."""


def _refusal(reason: str, status: int) -> Response:
    return as_json({"reason": reason}, status)


@dataclass(slots=True)
class _Sync:
    accounts: Sequence[str]
    jobs: Sequence[str]
    results: Results = field(default_factory=dict)
    over: bool = False
    whole: bool = False
    """Whether all rounds were done, well or not, when it was over."""


class Asked:
    """Takes up wishes for a sync, and tells what came of them."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._lock = threading.Lock()
        self._syncs: dict[str, _Sync] = {}

    def take(self, document: bytes) -> Response:
        """Take up a wish; the answer tells under which name to ask for its result."""
        try:
            wish = Wish.model_validate_json(document)
        except ValidationError:
            return _refusal(_USAGE, 400)
        app = self._rounds.app
        if wish.configuration not in (None, app.config.digest()):
            return _refusal(
                "The daemon works with another configuration: SIGHUP makes it read its file again.",
                409,
            )
        if wish.job not in (*JOBS, "all"):
            return _refusal(_USAGE, 400)
        try:
            accounts = [account.name for account in app.accounts(wish.account)]
        except ConfigError as error:
            return _refusal(str(error), 400)
        return self._begin(wish, _Sync(accounts, jobs_of(wish.job)))

    def _begin(self, wish: Wish, sync: _Sync) -> Response:
        name = uuid4().hex
        with self._lock:
            if self._rounds.stopping.is_set() or not self._has_room():
                return _refusal("The daemon stops, or has too many syncs in line already.", 503)
            self._syncs[name] = sync
        log.info("sync_requested", job=wish.job, account=wish.account)
        self._rounds.timetable.at_once(self._work, name)
        return as_json({"id": name}, 202)

    def _has_room(self) -> bool:
        """Forget the oldest result, if need be."""
        if len(self._syncs) < _MOST:
            return True
        oldest = next((name for name, sync in self._syncs.items() if sync.over), None)
        return oldest is not None and self._syncs.pop(oldest) is not None

    def _work(self, name: str) -> None:
        sync = self._syncs[name]
        try:
            sync.whole = all(
                self._is_done(sync, account, job) for account in sync.accounts for job in sync.jobs
            )
        finally:
            sync.over = True

    def _is_done(self, sync: _Sync, account: str, job: str) -> bool:
        counts = self._rounds.run_now(account, job)
        if counts is None:
            return False
        sync.results.setdefault(account, {})[job] = counts
        return True

    def tell(self, name: str) -> Response:
        """The result of a sync; status 202 as long as there is none."""
        sync = self._syncs.get(name)
        if sync is None:
            return _refusal("The daemon doesn't know of this sync, or has forgotten it.", 404)
        if not sync.over:
            return as_json({"id": name}, 202)
        if not sync.whole:
            return _refusal("The daemon stopped before all rounds were done.", 503)
        return as_json(as_told(sync.results))
