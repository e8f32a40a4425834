"""Sync requests: the daemon runs jobs on demand, one at a time with its scheduled runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from pydantic import ValidationError
from werkzeug.wrappers import Response

from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.flows.jobs import NAMES
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.resumed_runs import ResumedRuns
from amazon_bridge.service.sync_protocol import SyncRequest, results_json, runs_of
from amazon_bridge.service.web import as_json

log = structlog.get_logger(__name__)

_MOST = 32
"""Sync requests kept in memory: all unfinished ones, and the latest finished ones."""

_USAGE = 'Send {"job": J} or {"job": J, "account": NAME}, where J is one of ' + ", ".join(
    [*NAMES, "all."]
)


def _refusal(reason: str, status: int) -> Response:
    return as_json({"reason": reason}, status)


@dataclass(slots=True)
class _Sync:
    runs: ResumedRuns
    is_finished: bool = False
    is_complete: bool = False
    """True if all runs took place, successful or not."""


class SyncRequests:
    """Accepts sync requests, runs them, and returns their results."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._syncs: dict[str, _Sync] = {}

    def accept(self, document: bytes) -> Response:
        """Accept a sync request; the response has the id to ask for its result with."""
        try:
            request = SyncRequest.model_validate_json(document)
        except ValidationError:
            return _refusal(_USAGE, 400)
        app = self._runner.app
        if request.configuration not in (None, app.config.digest()):
            return _refusal(
                "The daemon runs with another configuration. Send it SIGHUP to reload its file.",
                409,
            )
        if request.job not in (*NAMES, "all"):
            return _refusal(_USAGE, 400)
        try:
            accounts = app.accounts(request.account)
        except ConfigError as error:
            return _refusal(str(error), 400)
        runs = ResumedRuns(self._runner.monotonic)
        runs.add(runs_of(request.job, accounts))
        return self._start(request, _Sync(runs))

    def _start(self, request: SyncRequest, sync: _Sync) -> Response:
        id_ = uuid4().hex
        with self._lock:
            if self._runner.stopping.is_set() or not self._has_room():
                return _refusal("The daemon is stopping, or has too many sync requests.", 503)
            self._syncs[id_] = sync
        log.info("sync_requested", job=request.job, account=request.account)
        self._run_after(timedelta(0), id_)
        return as_json({"id": id_}, 202)

    def _has_room(self) -> bool:
        """Make room by removing the oldest finished request, if necessary."""
        if len(self._syncs) < _MOST:
            return True
        oldest = next((id_ for id_, sync in self._syncs.items() if sync.is_finished), None)
        return oldest is not None and self._syncs.pop(oldest) is not None

    def _run(self, id_: str) -> None:
        """Do the runs that are due; no worker waits for a rate limit."""
        sync = self._syncs[id_]
        pause: timedelta | None = None
        try:
            sync.is_complete = sync.runs.do_due(self._runner.run_now)
            pause = sync.runs.pause if sync.is_complete else None
        finally:
            sync.is_finished = pause is None
        if pause is not None:
            self._run_after(pause, id_)

    def _run_after(self, pause: timedelta, id_: str) -> None:
        at = self._runner.clock() + pause
        self._runner.scheduler.at(at, self._run, id_, name=f"request:{id_}", pool="requests")

    def result(self, name: str) -> Response:
        """The result of a sync request; status 202 until it is finished."""
        sync = self._syncs.get(name)
        if sync is None:
            return _refusal("The daemon does not know this sync request, or no longer.", 404)
        if not sync.is_finished:
            return as_json({"id": name}, 202)
        if not sync.is_complete:
            return _refusal("The daemon stopped before all runs were finished.", 503)
        return as_json(results_json(sync.runs.results))
