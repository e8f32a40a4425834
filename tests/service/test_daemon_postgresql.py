"""A daemon with its state store in PostgreSQL, which goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from odoo_server.databases import OdooDatabase
from postgresql_server import Server
from running import RunningDaemon, wait_for
from test_daemon import imported, is_ready, place_orders

from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.simulator import Simulator

pytestmark = [pytest.mark.odoo("in memory"), pytest.mark.slow, pytest.mark.postgresql]


@pytest.fixture
def store(postgresql_server: Server, daemon: RunningDaemon) -> Iterator[PostgresqlStore]:
    with postgresql_server.common_store() as store:
        daemon.write()
        file = daemon.config.read_text()
        daemon.config.write_text(file.replace("state: bridge.db", f"state: {store}"))
        yield store
        if daemon.process and daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def test_the_server_restarts_under_a_daemon(
    daemon: RunningDaemon,
    store: PostgresqlStore,
    postgresql_server: Server,
    simulator: Simulator,
    odoo_database: OdooDatabase,
):
    daemon.start()
    orders = place_orders(simulator, 2)
    wait_for(lambda: imported(odoo_database, orders) == orders)
    postgresql_server.stop()
    try:
        orders |= place_orders(simulator, 2)
        wait_for(lambda: "is out of reach" in str(daemon.get("/readyz").json()["jobs"]))
        assert daemon.get("/healthz").status_code == 200
        for page in ("/", "/metrics"):
            assert "is out of reach" in daemon.get(page).text, page
        unreachable = daemon.program("cursor", "show")
        _, err = unreachable.communicate(timeout=60)
        assert (unreachable.returncode, "out of reach" in err) == (3, True)
    finally:
        postgresql_server.restart()
    wait_for(lambda: imported(odoo_database, orders) == orders)
    wait_for(lambda: is_ready(daemon))
    copy = daemon.program("state", "copy", str(store), str(daemon.folder / "copy.db"))
    _, err = copy.communicate(timeout=60)
    assert (copy.returncode, "A daemon runs with the state store" in err) == (3, True)
    assert daemon.events_named("internal_error") == []
    assert daemon.events_named("lease_lost") == []
    assert daemon.stop()[0] == 0
