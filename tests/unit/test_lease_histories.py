"""Random histories of daemons that share leases, with clocks that jump, in a real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psycopg
import pytest
from clocks import NOON
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from postgresql_server import EMPTY, Server
from test_leases import SELLERS, Daemon, Time

from amazon_bridge.engine.errors import AccountError, StorageError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.postgresql import fence
from amazon_bridge.engine.postgresql.fence import Lease
from amazon_bridge.engine.store import PostgresqlStore

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]

EXAMPLES = 10 + round(500 * float(os.environ.get("AMAZON_BRIDGE_PROOF_SCALE", "0")))
NAMES = st.sampled_from(["a", "b"])


class Machine(Time):
    """The clocks of a machine: the database's, and seconds that may stand still."""

    def __init__(self, database: Time) -> None:
        super().__init__()
        self._database = database
        self.behind = 0.0

    def __call__(self, _: object = None) -> datetime:
        return self._database.now

    def monotonic(self) -> float:
        return self._database.now.timestamp() - self.behind


@dataclass(frozen=True)
class Work:
    """Something that is being done, maybe by a process that does not know that its time is over."""

    daemon: Daemon
    lease: Lease


class Histories(RuleBasedStateMachine):
    """Daemons renew, work and end; clocks jump, machines are suspended."""

    store: PostgresqlStore

    def __init__(self) -> None:
        super().__init__()
        with psycopg.connect(self.store.url, autocommit=True) as connection:
            connection.execute(EMPTY)
        self.database = Time()
        self.machines: dict[str, Machine] = {}
        self.daemons: dict[str, Daemon] = {}
        self.work: list[Work] = []
        self.ledger = Ledger(self.store, lambda: NOON)

    def teardown(self) -> None:
        for daemon in self.daemons.values():
            daemon.keeper._disconnect()
        self.ledger.close()

    @rule(name=NAMES)
    def renew(self, name: str) -> None:
        if name not in self.daemons:
            self.machines[name] = Machine(self.database)
            self.daemons[name] = Daemon(name, self.store, self.machines[name])
        self.daemons[name].renew()
        self.begin_work(name)

    @rule(seconds=st.sampled_from([1, 10, 24, 31, 3700]))
    def time_passes(self, seconds: int) -> None:
        self.database.pass_by(seconds)

    @rule(seconds=st.sampled_from([-60, -10, 60]))
    def the_clock_of_the_database_jumps(self, seconds: int) -> None:
        self.database.pass_by(seconds)
        for machine in self.machines.values():
            machine.behind += seconds

    @rule(name=NAMES, seconds=st.sampled_from([20, 40, 3700]))
    def a_machine_is_suspended(self, name: str, seconds: int) -> None:
        self.database.pass_by(seconds)
        if name in self.machines:
            self.machines[name].behind += seconds

    @rule(name=NAMES)
    def a_daemon_ends(self, name: str) -> None:
        if name in self.daemons:
            self.daemons.pop(name).keeper.close()

    @rule(name=NAMES)
    def a_daemon_is_killed(self, name: str) -> None:
        if name in self.daemons:
            self.daemons.pop(name).keeper._disconnect()

    @rule(name=NAMES)
    def begin_work(self, name: str) -> None:
        """For each seller that it believes to hold."""
        if name in self.daemons:
            for seller in SELLERS:
                with suppress(AccountError):
                    lease = self.daemons[name].keeper._begin(seller)
                    self.work.append(Work(self.daemons[name], lease))

    @precondition(lambda self: len(self.work) > len(SELLERS))
    @rule(number=st.integers(0, 3))
    def end_work(self, number: int) -> None:
        if number < len(self.work):
            work = self.work.pop(number)
            work.daemon.keeper._active[work.lease.seller] -= 1

    @rule()
    def all_is_quiet_for_a_while(self) -> None:
        """Then each seller has one daemon, and they are spread evenly."""
        while self.work:
            self.end_work(0)
        self.database.pass_by(120)
        for _ in range(5):
            self.database.pass_by(1)
            for daemon in self.daemons.values():
                daemon.renew()
        held = [seller for each in self.daemons.values() for seller in each.keeper.sellers()]
        assert sorted(held) == (sorted(SELLERS) if self.daemons else [])
        shares = [len(each.keeper.sellers()) for each in self.daemons.values()]
        assert not shares or max(shares) - min(shares) <= 1

    @invariant()
    def one_daemon_at_most_writes_for_a_seller(self) -> None:
        writers = {(each.lease.seller, each.daemon) for each in self.work if self.writes(each)}
        assert len(writers) == len({seller for seller, _ in writers})

    def writes(self, work: Work) -> bool:
        try:
            with fence.under(work.lease):
                self.ledger.chores.note("something")
        except StorageError:
            return False
        return True


@pytest.fixture
def store(postgresql_server: Server) -> Iterator[PostgresqlStore]:
    with postgresql_server.common_store() as empty:
        yield empty


def test_one_daemon_at_a_time_writes_for_a_seller(
    store: PostgresqlStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Histories, "store", store, raising=False)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Histories, settings=settings(max_examples=EXAMPLES, stateful_step_count=25)
    )
