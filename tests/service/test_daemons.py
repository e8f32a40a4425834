"""Daemons that share a state store: killed, frozen, cut off and stopped, while orders come in."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from forwarder import SocketForwarder
from odoo_server.databases import OdooDatabase
from postgresql_server import Server
from running import ACCOUNT, RunningDaemon, an_hour_ago, wait_for
from test_daemon import imported

from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.simulator import Seller, Simulator

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow, pytest.mark.postgresql]

TAKE_OVER = 60
"""Seconds in which the jobs of a daemon that fails must run on another one."""


EVENLY = 300
"""Seconds in which the sellers are spread again. None changes daemons in the midst of a run."""

SCALE = float(os.environ.get("AMAZON_BRIDGE_PROOF_SCALE", "0"))
TAKE_OVERS = max(1, round(100 * SCALE))
SELLERS = 60 if SCALE else 6
EVERY = "30s" if SCALE else "10s"


class Shop:
    """Sellers with an account each, and what they sold."""

    def __init__(self, simulator: Simulator, odoo: OdooDatabase) -> None:
        simulator.settings.rate_multiplier = 1000
        self._simulator, self._odoo = simulator, odoo
        names = [f"A{number}SELLER" for number in range(SELLERS)]
        self.sellers = [simulator.world.add_seller(name, ("FR",)) for name in names]
        self.sold: set[str] = set()

    def accounts(self) -> str:
        return "".join(
            ACCOUNT.format(
                name=name_of(seller),
                seller=seller,
                countries="FR",
                amazon=self._simulator.url,
                every=EVERY,
                start=an_hour_ago(),
            )
            for seller in self.sellers
        )

    def sell(self, times: int = 1) -> None:
        """An order of each seller, which changed long enough ago for searchOrders to show it."""
        earlier = datetime.now(UTC) - timedelta(minutes=3)
        for seller in self.sellers * times:
            order = self._simulator.world.place_order(
                "FR", seller=seller, created=earlier, last_updated=earlier
            )
            self.sold.add(order.order_id)

    def is_imported(self) -> bool:
        """Whether all that was sold is in Odoo; nothing may be there twice."""
        return imported(self._odoo, self.sold) == self.sold


def name_of(seller: Seller) -> str:
    return seller.seller_id.lower()


class Daemons:
    """Daemons with the same configuration."""

    def __init__(self, folder: Path, store: PostgresqlStore, odoo: OdooDatabase, shop: Shop):
        self._folder, self._store, self._odoo, self._shop = folder, store, odoo, shop
        self._numbers = count(1)
        self.all: list[RunningDaemon] = []

    def start(self, store: str | None = None) -> RunningDaemon:
        """Start one more; ``store`` is another URL of the state store."""
        folder = self._folder / f"machine-{next(self._numbers)}"
        folder.mkdir()
        daemon = RunningDaemon(folder, dict(self._odoo.access()), self._shop.accounts())
        daemon.write()
        file = daemon.config.read_text()
        daemon.config.write_text(file.replace("state: bridge.db", f"state: {store or self._store}"))
        self.all.append(daemon)
        daemon.start()
        return daemon

    def url_by(self, port: int) -> str:
        """The state store's URL, by a port of this machine."""
        _, options = self._store.url.split("&", 1)
        return f"postgresql://odoo@127.0.0.1:{port}/postgres?{options}"

    def end(self) -> None:
        for daemon in self.all:
            if daemon.process and daemon.process.poll() is None:
                daemon.signal(signal.SIGKILL)
                daemon.process.wait(60)


def held_by(daemon: RunningDaemon) -> set[str]:
    """The accounts that a daemon works for."""
    return {job["account"] for job in daemon.get("/readyz").json()["jobs"]}


def shares(*daemons: RunningDaemon) -> list[int]:
    return sorted(len(held_by(daemon)) for daemon in daemons)


def are_spread(*daemons: RunningDaemon) -> bool:
    """Whether each of them works for as many sellers as the others."""
    return shares(*daemons) == [SELLERS // len(daemons)] * len(daemons)


def metrics(daemon: RunningDaemon, name: str) -> list[str]:
    return [line for line in daemon.get("/metrics").text.splitlines() if line.startswith(name)]


@pytest.fixture
def shop(simulator: Simulator, odoo_database: OdooDatabase) -> Shop:
    return Shop(simulator, odoo_database)


@pytest.fixture
def daemons(
    tmp_path: Path, postgresql_server: Server, odoo_database: OdooDatabase, shop: Shop
) -> Iterator[Daemons]:
    with postgresql_server.common_store() as store:
        found = Daemons(tmp_path, store, odoo_database, shop)
        yield found
        found.end()


def test_daemons_that_are_killed_and_frozen_are_replaced(daemons: Daemons, shop: Shop):
    one, two, three = daemons.start(), daemons.start(), daemons.start()
    wait_for(lambda: are_spread(one, two, three))
    shop.sell()
    wait_for(shop.is_imported)

    two.signal(signal.SIGSTOP)
    three.signal(signal.SIGKILL)
    begun = time.monotonic()
    shop.sell()
    wait_for(shop.is_imported, TAKE_OVER)
    assert are_spread(one), f"after {time.monotonic() - begun:.0f} s"

    two.signal(signal.SIGCONT)
    wait_for(lambda: are_spread(one, two))
    assert len(two.events_named("lease_lost")) == SELLERS // 3
    shop.sell()
    wait_for(shop.is_imported)

    code, _ = one.stop()
    begun = time.monotonic()
    wait_for(lambda: are_spread(two))
    assert time.monotonic() - begun < 10, "it gave its leases back"
    shop.sell()
    wait_for(shop.is_imported)
    assert code == two.stop()[0] == 0
    for daemon in (one, two, three):
        assert daemon.events_named("internal_error") == []


def test_a_daemon_that_is_cut_off_is_replaced(
    daemons: Daemons, shop: Shop, postgresql_server: Server
):
    network = SocketForwarder(postgresql_server.socket)
    one = daemons.start(daemons.url_by(network.port))
    two = daemons.start()
    wait_for(lambda: are_spread(one, two))
    network.cut()
    shop.sell()
    wait_for(shop.is_imported, TAKE_OVER)
    assert len(held_by(two)) == SELLERS
    network.mend()
    wait_for(lambda: are_spread(one, two))
    shop.sell()
    wait_for(shop.is_imported)
    assert len(one.events_named("lease_lost")) == SELLERS // 2
    assert one.events_named("internal_error") == two.events_named("internal_error") == []
    assert one.stop()[0] == 0
    network.take_away()


def test_every_take_over_is_done_within_a_minute(
    daemons: Daemons, shop: Shop, capsys: pytest.CaptureFixture[str]
):
    chance = random.Random(1)
    running = [daemons.start() for _ in range(3)]
    for _ in range(TAKE_OVERS):
        wait_for(lambda: are_spread(*running), EVENLY)
        failing = running.pop(chance.randrange(3))
        how = chance.choice([signal.SIGKILL, signal.SIGSTOP])
        begun = time.monotonic()
        failing.signal(how)
        shop.sell()
        wait_for(shop.is_imported, TAKE_OVER)
        if SCALE:
            with capsys.disabled():
                print(f"{how.name} {time.monotonic() - begun:.0f} s", flush=True)  # noqa: T201
        if how is signal.SIGSTOP:
            failing.signal(signal.SIGCONT)
            wait_for(lambda: are_spread(failing, *running), EVENLY)  # noqa: B023
            assert failing.stop()[0] == 0
        running.append(daemons.start())


def test_commands_and_pages_work_on_any_machine(daemons: Daemons, shop: Shop):
    one, two = daemons.start(), daemons.start()
    wait_for(lambda: are_spread(one, two))
    elsewhere = min(held_by(two))
    command = one.program("sync", "orders", "--account", elsewhere)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0, err
    assert elsewhere in out
    assert [e["account"] for e in one.events_named("sync_relayed")] == [elsewhere]
    assert [e["account"] for e in two.events_named("sync_accepted")] == [elsewhere]

    page = one.get("/").text
    processes = {f"{daemon.process.pid} on" for daemon in (one, two) if daemon.process}
    assert Counter(process in page for process in processes) == {True: 2}
    wait_for(lambda: len(metrics(one, "amazon_bridge_cursor_age")) == SELLERS // 2)
    wait_for(lambda: len(metrics(two, "amazon_bridge_cursor_age")) == SELLERS // 2)
    assert len(metrics(one, "amazon_bridge_lease_since")) == SELLERS

    status = two.program("status")
    out, _ = status.communicate(timeout=60)
    assert all(process in out for process in processes)
