"""The demonstration, as `make demo` runs it."""

import os
import re
import tempfile
from pathlib import Path

import pictures
import pytest
from click.testing import CliRunner
from odoo_server.common import NEWEST
from odoo_server.databases import VERSION, OdooDatabase

from amazon_bridge.cli import main
from amazon_bridge.demo.shop import Shop
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.simulator import PRODUCTS

pytestmark = [pytest.mark.slow, pytest.mark.since_odoo(16, "all that is shown")]


def test_it_shows_the_whole_life(
    odoo_database: OdooDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    odoo = ["--odoo", odoo_database.url, "--database", odoo_database.database]
    done = CliRunner().invoke(main, ["demo", *odoo], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    shown = [
        *(
            r"In Odoo now: \d+",
            r"is validated in Odoo, with DHL",
            r"Confirmed to Amazon: carrier DHL",
        ),
        *(r"The buyer of S\d+ cancels on Amazon", r"in Odoo is now 'cancel'"),
        *(r"S\d+ is cancelled in Odoo", r"on Amazon is now CANCELLED"),
        *(r"SPOON-SET", r"→ ", r"quarantine retry \S+", r"is in Odoo: S\d+", r"0 quarantined"),
        *(r"quantities on Amazon before and now", r"is booked, to the cent"),
        *(r"nothing of the bridge keeps running", r"quarantine list"),
    ]
    assert re.search(".*".join(shown), done.output, re.DOTALL), done.output
    if int(NEWEST) == VERSION:
        menus = odoo_database.rpc("ir.ui.menu", "search_read", [], ["complete_name"])
        named = re.findall(r"^ +(\w+ > [\w >]+): ", done.output, re.MULTILINE)
        assert len(named) == 3
        paths = {each["complete_name"].replace("/", " > ") for each in menus}
        assert set(named) <= paths, sorted(paths)
    assert re.search(r"can be up to \d+ minutes ahead", done.output)
    moments = [int(each) for each in re.findall(r"^\[ *(\d+) s\] ", done.output, re.MULTILINE)]
    assert len(moments) > 10
    assert moments == sorted(moments)


def test_the_mended_order_is_whole(odoo_database: OdooDatabase) -> None:
    """The orders that were quarantined have their product, and a delivery order."""
    domain = [("product_id.default_code", "=", "SPOON-SET"), ("order_id.origin", "!=", False)]
    lines = odoo_database.rpc("sale.order.line", "search_read", domain, ["order_id", "name"])
    assert lines
    assert all(PRODUCTS["SPOON-SET"].title in line["name"] for line in lines)
    orders = [line["order_id"][0] for line in lines]
    for order in odoo_database.rpc("sale.order", "read", orders, ["state", "picking_ids"]):
        assert order["state"] == "sale"
        assert order["picking_ids"]


def test_other_sale_orders_are_not_touched(odoo_database: OdooDatabase) -> None:
    """Also those of another bridge that began meanwhile."""
    domain = [("origin", "=like", "Amazon Order %")]
    orders = odoo_database.rpc("sale.order", "search_read", domain, ["client_order_ref"])
    own = orders[0]["client_order_ref"]
    session = OdooSession.connect(**odoo_database.access("xmlrpc"))
    found = Shop(session, [own]).sale_orders()
    assert [each["client_order_ref"] for each in found] == [own]


@pytest.mark.skipif(
    pictures.CHROMIUM is None and "CI" not in os.environ, reason="there is no Chromium here"
)
@pytest.mark.since_odoo(19, "list of sale orders as in the documentation's picture")
def test_the_picture_of_its_sale_orders(odoo_database: OdooDatabase, tmp_path: Path) -> None:
    """As `make pictures` takes it for the README."""
    with pictures.browser() as tab:
        pictures.sale_orders(tab, odoo_database.url, odoo_database.database, tmp_path)
        shown = tab.evaluate("document.querySelector('.o_list_table').innerText")
    domain = [("origin", "=like", "Amazon Order %")]
    orders = odoo_database.rpc("sale.order", "search_read", domain, ["client_order_ref"])
    assert sum(each["client_order_ref"] in shown for each in orders) > 10
    (taken,) = tmp_path.iterdir()
    assert taken.name == "odoo-sale-orders.png"
    assert 10_000 < taken.stat().st_size < 150_000
