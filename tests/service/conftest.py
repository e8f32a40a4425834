"""A daemon between the module's real Odoo and a simulated Amazon; both can be taken away."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from forwarder import Forwarder
from odoo_server.databases import OdooDatabase
from running import ACCOUNT, RunningDaemon, an_hour_ago

from amazon_bridge.simulator import Seller, Simulator, World


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """Its orders have other ids than those of the other tests in the module's database."""
    world = World(seed=zlib.crc32(request.node.nodeid.encode()))
    with Simulator(world) as running:
        yield running


@pytest.fixture
def seller(simulator: Simulator) -> Seller:
    simulator.settings.rate_multiplier = 1000
    return simulator.world.add_seller(countries=("FR", "DE"))


@pytest.fixture
def way_to_odoo(odoo_database: OdooDatabase) -> Iterator[Forwarder]:
    forwarder = Forwarder(odoo_database.url)
    yield forwarder
    forwarder.take_away()


@pytest.fixture
def way_to_amazon(simulator: Simulator) -> Iterator[Forwarder]:
    forwarder = Forwarder(simulator.url)
    yield forwarder
    forwarder.take_away()


@pytest.fixture
def daemon(
    tmp_path: Path,
    odoo_database: OdooDatabase,
    seller: Seller,
    way_to_odoo: Forwarder,
    way_to_amazon: Forwarder,
) -> Iterator[RunningDaemon]:
    """Not started yet; its one account runs its jobs every two seconds."""
    accounts = ACCOUNT.format(
        name="acme",
        seller=seller,
        countries="FR, DE",
        amazon=way_to_amazon.url,
        every="2s",
        start=an_hour_ago(),
    )
    running = RunningDaemon(tmp_path, {**odoo_database.access(), "url": way_to_odoo.url}, accounts)
    running.write()
    yield running
    if running.process and running.process.poll() is None:
        running.process.kill()
        running.process.wait()
