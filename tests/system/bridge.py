"""The bridge in this process: its clock can be put forward, together with Amazon's."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from program import ENVIRONMENT, Program
from structlog.testing import capture_logs

from amazon_bridge import config
from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import App
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.simulator import Received, Simulator


class ShiftedClock:
    """The machine's time, put forward; Odoo keeps its own."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic(self) -> float:
        """Seconds for rates, which time that is skipped adds to."""
        return time.monotonic() + self.shift.total_seconds()

    def advance(self, **duration: float) -> None:
        self.shift += timedelta(**duration)


class Bridge:
    """Sync runs with a program's configuration, without pauses between attempts."""

    def __init__(
        self, program: Program, clock: ShiftedClock, make_app: Callable[..., App] = App
    ) -> None:
        self.program, self.clock, self.make_app = program, clock, make_app
        self.events: list[dict[str, Any]] = []
        self._app: App | None = None

    @property
    def simulator(self) -> Simulator:
        return self.program.simulator

    @property
    def app(self) -> App:
        if self._app is None:
            path = self.program.configure()
            loaded = config.load(path, ENVIRONMENT)
            limits = {name: replace(limit, rate=1000) for name, limit in LIMITS.items()}
            throttle = Throttle(limits, clock=self.clock.monotonic)
            self._app = self.make_app(
                loaded, clock=self.clock, sleep=lambda _: None, throttle=throttle
            )
        return self._app

    def close(self) -> None:
        """End the program; the next run starts with the configuration as it is then."""
        if self._app:
            self._app.close()
            self._app = None

    def forget(self) -> None:
        """Lose the state store."""
        self.close()
        self.program.forget()

    @contextmanager
    def configured(self, account: str = "acme", **settings: Any) -> Iterator[None]:
        (mine,) = (each for each in self.program.accounts if each["name"] == account)
        before = dict(mine)
        mine.update(settings)
        self.close()
        yield
        mine.clear()
        mine.update(before)
        self.close()

    def sync(self, job: str, *, account: str = "acme", dry_run: bool = False) -> dict[str, Any]:
        """Run a job, a second after the last one; returns its counts without the zeros."""
        self.clock.advance(seconds=1)
        (found,) = self.app.accounts(account)
        with capture_logs() as events:
            counts: Counts = self.app.runs.sync(found, job, dry_run=dry_run)
        self.events = list(events)
        return {name: value for name, value in asdict(counts).items() if value}

    def calls(self, job: str) -> int:
        """The number of calls to Odoo that a run takes."""
        before = self.app.odoo.calls.total()
        self.sync(job)
        return self.app.odoo.calls.total() - before

    def logged(self, event: str) -> list[dict[str, Any]]:
        """These events of the last run."""
        return [each for each in self.events if each["event"] == event]

    def quarantine(self, job: str) -> dict[str, Entry]:
        return {e.key: e for e in self.app.ledger.items.quarantined() if e.job == job}

    def state(self, job: str, key: str, *, account: str = "acme") -> State | None:
        entry = self.app.ledger.items.get(account, job, key)
        return entry and entry.state

    def received(self, operation: str) -> list[Received]:
        return [each for each in self.simulator.requests if each.operation == operation]

    def confirmations(self, order_id: str) -> list[dict[str, Any]]:
        """The confirmations of an order's shipments that Amazon got, accepted or not."""
        return [
            json.loads(each.body)
            for each in self.received("confirmShipment")
            if f"/{order_id}/" in each.path
        ]

    def feeds(self) -> list[list[str]]:
        """The orders that each feed named."""
        documents = self.simulator.documents
        contents = [
            documents[feed.document_id].content for feed in self.simulator.feeds.feeds.values()
        ]
        return [
            [e.text or "" for e in ET.fromstring(c or b"").iter("AmazonOrderID")] for c in contents
        ]
