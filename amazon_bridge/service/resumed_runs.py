"""Sync runs for somebody who waits for them: runs ended by a rate limit are resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from amazon_bridge.engine.counts import Counts
from amazon_bridge.service.job_health import JobKey
from amazon_bridge.service.sync_protocol import Results

_SHORTEST_PAUSE = 5.0
"""Seconds before a run is resumed: each run has a fixed cost."""


def resume_pause(seconds: float) -> timedelta:
    """Pause before a rate-limited run is resumed.

    Args:
        seconds: ``resume_in`` of its counts.
    """
    return timedelta(seconds=max(seconds, _SHORTEST_PAUSE))


@dataclass(slots=True)
class ResumedRuns:
    """Runs of jobs, each repeated until it is through, and the sum of what they did."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds; setting the machine's clock has no effect."""
    results: Results = field(default_factory=dict)
    _due: dict[JobKey, float] = field(default_factory=dict)

    def add(self, keys: Iterable[JobKey]) -> None:
        """Run these jobs, in this order."""
        self._due |= dict.fromkeys(keys, self.monotonic())

    @property
    def pause(self) -> timedelta | None:
        """Time until the next run is due; None if all are through."""
        if not self._due:
            return None
        return timedelta(seconds=max(0.0, min(self._due.values()) - self.monotonic()))

    def do_due(self, run: Callable[[str, str], Counts | None]) -> bool:
        """Do the runs that are due now.

        Args:
            run: runs a job of an account; returns None if that is impossible.

        Returns:
            False if a run was impossible; the others were not tried then.
        """
        now = self.monotonic()
        return all(self._do(key, run) for key, at in list(self._due.items()) if at <= now)

    def _do(self, key: JobKey, run: Callable[[str, str], Counts | None]) -> bool:
        counts = run(*key)
        if counts is None:
            return False
        account, job = key
        before = self.results.setdefault(account, {}).get(job, Counts())
        self.results[account][job] = (before + counts).final
        del self._due[key]
        if counts.resume_in is not None and not counts.error:
            pause = resume_pause(counts.resume_in)
            self._due[key] = self.monotonic() + pause.total_seconds()
        return True
