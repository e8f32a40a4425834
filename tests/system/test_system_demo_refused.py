"""The demonstration refuses a database that somebody works with, before it writes anything."""

import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from memory_odoo import MemoryOdoo
from memory_odoo.served import served
from odoo_server.databases import OdooDatabase

from amazon_bridge.cli import main

pytestmark = pytest.mark.odoo("in memory")

WRONG_USAGE, OUT_OF_REACH = 2, 3


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demonstration makes its folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def demo(odoo: OdooDatabase, database: str) -> Result:
    return CliRunner().invoke(main, ["demo", "--odoo", odoo.url, "--database", database])


def make_order(odoo: OdooDatabase, amazon_order_id: str) -> int:
    partner = odoo.rpc("res.partner", "create", {"name": "A customer"})
    names = {"client_order_ref": amazon_order_id, "origin": f"Amazon Order {amazon_order_id}"}
    order: int = odoo.rpc("sale.order", "create", {"partner_id": partner, **names})
    return order


def test_an_unknown_database_leaves_nothing_behind(
    odoo_database: OdooDatabase, folder: Path
) -> None:
    done = demo(odoo_database, "nope")
    assert done.exit_code == OUT_OF_REACH
    assert "Odoo has no database" in done.stderr
    assert list(folder.iterdir()) == []


def test_records_of_the_bridge_are_refused(odoo_database: OdooDatabase, folder: Path) -> None:
    partner = odoo_database.rpc("res.partner", "create", {"name": "A customer"})
    known = {"module": "amazon_bridge", "name": "partner_1", "model": "res.partner"}
    entry = odoo_database.rpc("ir.model.data", "create", {**known, "res_id": partner})
    done = demo(odoo_database, odoo_database.database)
    assert done.exit_code == WRONG_USAGE
    assert "is not empty: it holds records of amazon-bridge." in done.stderr
    odoo_database.rpc("ir.model.data", "unlink", [entry])


def test_sale_orders_are_refused_and_nothing_is_written(
    odoo_database: OdooDatabase, folder: Path
) -> None:
    make_order(odoo_database, "1-1")
    products = odoo_database.rpc("product.product", "search", [])
    done = demo(odoo_database, odoo_database.database)
    assert done.exit_code == WRONG_USAGE
    assert "is not empty: it holds sale orders" in done.stderr
    assert "createdb" in done.stderr
    assert odoo_database.rpc("product.product", "search", []) == products
    assert list(folder.iterdir()) == []


def test_an_odoo_that_lacks_what_is_shown_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryOdoo, "release", "15.0")
    with served(MemoryOdoo()) as odoo:
        done = demo(odoo, odoo.database)
        assert done.exit_code == WRONG_USAGE
        assert "The demo needs Odoo 16 or newer; this is Odoo 15." in done.stderr
        assert odoo.rpc("product.product", "search", [("default_code", "=", "MUG-BLUE")]) == []
    assert list(folder.iterdir()) == []
