"""Runs jobs of the first account in this process, and prints the figures of each as JSON.

``measured_run.py CONFIGURATION SECONDS JOB…``; the clock is put forward by so many seconds.
"""

import json
import sys
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from recorder import recorded

from amazon_bridge import config, log
from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import App
from amazon_bridge.engine.throttle import Throttle

STATUS = Path("/proc/self/status")


def main(path: str, shift: str, *jobs: str) -> None:
    loaded = config.load(Path(path), {})
    log.configure("warning")
    throttle = Throttle({name: replace(limit, rate=1_000_000) for name, limit in LIMITS.items()})
    put_forward = timedelta(seconds=float(shift))
    app = App(loaded, clock=lambda: datetime.now(UTC) + put_forward, throttle=throttle)
    try:
        log_in(app)
        for job in jobs:
            print(json.dumps(measured(app, job)), flush=True)
            time.sleep(1)  # windows have whole seconds
    finally:
        app.close()


def log_in(app: App) -> None:
    """Read also what a daemon reads once a day, so that it counts for no run."""
    account = app.accounts()[0]
    geography = app.context(account).geography
    geography.read_states(place.country_code for place in account.marketplaces)
    assert geography.parts_of_streets is not None


def measured(app: App, job: str) -> dict[str, Any]:
    account = app.accounts()[0]
    amazon = app.amazon(account)
    before = amazon.calls.total()
    with recorded() as calls:
        begun, cpu = time.perf_counter(), time.process_time()
        counts = app.runs.sync(account, job)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert not counts.error, counts.error
    return {
        "counts": asdict(counts),
        "calls": [(call.name, round(call.seconds, 4), call.rows) for call in calls],
        "amazon_calls": amazon.calls.total() - before,
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """The peak of this program's memory; ``ru_maxrss`` would be that of whoever started it."""
    (line,) = (each for each in STATUS.read_text().splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
