"""The program is killed (SIGKILL) at some call to either side, and started again.

``make crash`` kills it before and after each call of a day of the scenario, and while the other
side works; every other test run takes the same few of these.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

import pytest
import structlog
from figures import FIGURES, ODOO, SCALE, SEED
from forks import Fork
from program import Run
from proxy import Proxy
from scenario import Scenario
from scenario_pictures import Picture, different

pytestmark = pytest.mark.odoo(ODOO)

FEW = 3
FEWER = 8
"""Calls that a day may need less than the first one, as for reading back."""

log = structlog.get_logger(__name__)


class Moment(Enum):
    """When the program dies, as the other side sees it."""

    BEFORE = auto()
    """The call never came."""
    DURING = auto()
    """The call takes effect, perhaps while the next program already runs."""
    AFTER = auto()
    """The call took effect, and nobody read the response."""


@dataclass
class Killer:
    """Intercepts all calls to Odoo and Amazon, counts them, and kills at one of them."""

    call: int
    moment: Moment
    victim: Fork | None = None
    calls: int = 0
    kills: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self) -> bool:
        with self._lock:
            self.calls += 1
            due = self.calls == self.call and self.moment is not Moment.AFTER
        if due:
            self._kill()
            return self.moment is Moment.DURING
        return True

    def after(self) -> bool:
        if self.calls == self.call and self.moment is Moment.AFTER:
            self._kill()
            return False
        return True

    def _kill(self) -> None:
        assert self.victim
        self.kills += 1  # before the kill, which the waiting test notices at once
        self.victim.kill()
        self.victim.wait()


class Watched:
    """The scenario's sync runs, killed once by a killer."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.killer = Killer(0, Moment.AFTER)

    def sync(self) -> Run:
        if self.killer.kills:
            return self.scenario.sync()
        victim = self.killer.victim = self.scenario.begin_sync()
        out, err = victim.communicate(timeout=300)
        assert victim.returncode == (-9 if self.killer.kills else 0), err
        assert "Traceback" not in out + err, err
        return Run(("sync", "all"), victim.returncode, out, err)


@contextmanager
def watched(scenario: Scenario) -> Iterator[Watched]:
    watched_runs = Watched(scenario)

    def before() -> bool:
        return watched_runs.killer.before()

    def after() -> bool:
        return watched_runs.killer.after()

    with ExitStack() as stack:
        program = scenario.program
        odoo = stack.enter_context(Proxy(program.odoo_url, before=before, after=after))
        amazon = stack.enter_context(Proxy(program.amazon_url, before=before, after=after))
        program.odoo_url, program.amazon_url = odoo.url, amazon.url
        yield watched_runs


@pytest.fixture(scope="module")
def watched_runs(scenario: Scenario, undisturbed: Picture) -> Iterator[Watched]:
    with watched(scenario) as watched_runs:
        yield watched_runs


@pytest.fixture(scope="module")
def calls(scenario: Scenario, watched_runs: Watched, undisturbed: Picture) -> int:
    """The number of calls of an undisturbed day."""
    scenario.play_day()
    assert scenario.run_until_quiet(watched_runs.sync) == 2
    assert scenario.picture() == undisturbed
    assert watched_runs.killer.calls > 60
    return watched_runs.killer.calls


def test_killed_and_started_again(
    scenario: Scenario, watched_runs: Watched, calls: int, undisturbed: Picture
) -> None:
    every = [(call, moment) for call in range(1, calls + 1) for moment in Moment]
    chosen = random.Random(SEED).sample(every, round(SCALE * len(every)) or FEW)
    FIGURES["moments to kill at"] = len(every)
    broken = {}
    for call, moment in sorted(chosen, key=str):
        watched_runs.killer = Killer(call, moment)
        scenario.play_day()
        scenario.run_until_quiet(watched_runs.sync)
        assert watched_runs.killer.kills == 1 or calls - call < FEWER, (call, moment)
        FIGURES["kills"] += watched_runs.killer.kills
        if differences := different(scenario.picture(), undisturbed):
            broken[call, moment] = differences
            log.error("picture_differs", call=call, moment=moment, differences=differences)
    assert not broken
