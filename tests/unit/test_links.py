"""Links to Odoo and to Seller Central."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from clocks import NOON
from examples import UNKNOWN_SKU

from amazon_bridge.cli import main
from amazon_bridge.config import load
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen
from amazon_bridge.flows.links import Links
from amazon_bridge.marketplaces import MARKETPLACES, marketplace

CONFIG = """
state: bridge.db
http: null
odoo: {url: "https://erp.example.com/odoo-path/", database: prod, login: bridge, password: a}
accounts:
- name: acme
  seller_id: A1
  marketplaces: [NL, SE]
  credentials: {client_id: a, client_secret: b, refresh_token: c}
"""
ODOO = "https://erp.example.com/odoo-path/web#id={}&model={}&view_type=form"
SE = "A2NODRKZP88ZB9"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.yaml"
    path.write_text(CONFIG)
    with Ledger(load(path, {}).state, lambda: NOON) as ledger:
        items = ledger.items
        items.file("acme", "orders", [Seen("404-1", "f", marketplace=SE), Seen("404-2", "f")])
        items.file("acme", "orders", [Seen("unknown-1f", "f"), Seen("404-3", "f")])
        items.note_records("acme", "orders", {"404-1": 4})
        for key in ("404-1", "404-2", "unknown-1f"):
            items.quarantine("acme", "orders", key, UNKNOWN_SKU)
        items.quarantine("acme", "cancellations", "404-1", UNKNOWN_SKU)
        items.quarantine("acme", "stock", "MUG", UNKNOWN_SKU)
        items.quarantine("gone", "orders", "404/9", UNKNOWN_SKU)
        items.file("acme", "pickings", [Seen("404-1#17", "f", label="WH/OUT/17")])
    return path


def of_order(host: str, order_id: str) -> str:
    return f"https://{host}/orders-v3/order/{order_id}"


def printed(config: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["--config", str(config), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_quarantine_as_json_has_links(config: Path):
    found = {
        (each["job"], each["key"]): (each["odoo_url"], each["amazon_url"])
        for each in json.loads(printed(config, "quarantine", "list", "--json"))
    }
    sale_order = ODOO.format(4, "sale.order")
    assert found == {
        ("orders", "404-1"): (sale_order, of_order("sellercentral.amazon.se", "404-1")),
        ("orders", "404-2"): (None, of_order("sellercentral.amazon.nl", "404-2")),
        ("orders", "unknown-1f"): (None, None),
        ("cancellations", "404-1"): (sale_order, of_order("sellercentral.amazon.se", "404-1")),
        ("stock", "MUG"): (None, None),
        ("orders", "404/9"): (None, None),
    }


def test_what_is_pending_as_json_has_links(config: Path):
    acme = json.loads(printed(config, "status", "--json"))["accounts"]["acme"]
    [delivery], [order] = acme["waiting"], acme["waiting_orders"]
    assert delivery["odoo_url"] == ODOO.format(17, "stock.picking")
    assert delivery["amazon_url"] == of_order("sellercentral.amazon.se", "404-1")
    assert order["amazon_url"] == of_order("sellercentral.amazon.nl", "404-3")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["quarantine", "list"], ["status"]])
def test_a_terminal_gets_hyperlinks_and_a_file_none(config: Path, arguments: Sequence[str]):
    assert "https://" not in printed(config, *arguments)
    shown = on_a_terminal(config, *arguments)
    url = of_order("sellercentral.amazon.se", "404-1")
    assert f"\x1b]8;;{url}\x1b\\Seller Central\x1b]8;;\x1b\\" in shown


def on_a_terminal(config: Path, *arguments: str) -> str:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "amazon_bridge", "--config", str(config), *arguments]
    subprocess.run(command, stdin=slave, stdout=slave, check=True, env={"TERM": "xterm-256color"})
    os.close(slave)
    try:
        return os.read(master, 65536).decode()
    finally:
        os.close(master)


def test_an_order_id_stays_within_the_address(config: Path, tmp_path: Path):
    with Ledger(tmp_path / "other.db", lambda: NOON) as ledger:
        links = Links(load(config, {}), ledger)
        assert links.amazon("acme", "a/../b?c", SE) == of_order(
            "sellercentral.amazon.se", "a%2F..%2Fb%3Fc"
        )


def test_each_marketplace_has_its_seller_central():
    hosts = {each.country_code: each.seller_central for each in MARKETPLACES}
    europe = {code for code, host in hosts.items() if host == "sellercentral-europe.amazon.com"}
    assert europe == {"DE", "ES", "FR", "GB", "IT"}
    assert hosts["US"] == "sellercentral.amazon.com"
    assert hosts["JP"] == "sellercentral.amazon.co.jp"
    assert marketplace("UK") is marketplace("GB")
