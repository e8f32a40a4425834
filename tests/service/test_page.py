from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from filled import BOOKING, FR, HOUR, NOW, SENDING, busy_runner, idle_runner, succeed
from running import needs
from werkzeug.test import Client

from amazon_bridge.config import HttpConfig
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.records import Seen
from amazon_bridge.odoo.open_deliveries import OpenDelivery
from amazon_bridge.service import page
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.web import Listener, Website

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIETLY = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
    " --enable-logging=stderr"
)


@pytest.fixture
def busy(tmp_path: Path) -> JobRunner:
    return busy_runner(tmp_path)


def text_of(html: str) -> str:
    without_style = re.sub(r"<style>.*</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", without_style).split())


class Parser(HTMLParser):
    """Collects tags, attributes' names and what refers to elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.references: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.references |= {v or "" for name, v in attrs if name in {"href", "src", "action"}}


def test_it_shows_settlements_and_the_difference_over_time(busy: JobRunner, tmp_path: Path):
    assert "Settlements" not in text_of(page.show(busy, NOW).get_data(as_text=True))
    folder = tmp_path / "booking"
    folder.mkdir()
    html = page.show(busy_runner(folder, BOOKING), NOW).get_data(as_text=True)
    text = text_of(html)
    assert "17654321012 2026-11-07 2026-11-21 2026-11-23 1234.56 EUR booked" in text
    assert "Amazon's balance less Odoo's, EUR, -5.00 of it unexplained -10.00" in text.replace(
        "&#39;", "'"
    )
    assert "2026-11-20: 0.00" in text
    [points] = re.findall('<polyline class="line" points="([^"]*)"', html)
    assert [point.split(",")[0] for point in points.split()] == ["0.0", "360.0", "720.0"]
    assert "Nothing yet." in text


def test_it_shows_the_skus_whose_quantities_are_sent(busy: JobRunner, tmp_path: Path):
    assert "Stock" not in text_of(page.show(busy, NOW).get_data(as_text=True))
    folder = tmp_path / "sending"
    folder.mkdir()
    text = text_of(page.show(busy_runner(folder, SENDING), NOW).get_data(as_text=True))
    assert "Stock SKUs acme-eu 2 watched · 1 sent" in text


def test_it_shows_what_is_wrong_what_waits_and_what_to_do(busy: JobRunner):
    text = text_of(page.show(busy, NOW).get_data(as_text=True))
    for said in (
        "Needs attention",
        "Amazon for acme-us has been down since 2026-11-23T14:34:00Z: searchOrders got no",
        "2 of 3 Amazon accounts up",
        "1 quarantined",
        "orders: Amazon refuses the account.",
        "403-1182736-5518731 acme-eu · orders · internal_error · 5 h ago",
        "WH/OUT/00231@403-1#231 acme-eu · pickings · 5 h ago",
        "acme-eu FR, DE, IT, ES 5 h ago 3 min ago",
    ):
        assert said in text
    assert text.index("acme-us US, CA") < text.index("acme-eu FR")  # the worst come first


def test_it_shows_the_orders_to_ship_with_links(busy: JobRunner):
    late = Seen("403-2", "1", due=NOW + 30 * HOUR, marketplace=FR)
    busy.app.ledger.items.file("acme-eu", "orders", [late, late._replace(key="403-3")])
    busy.app.ledger.items.settle("acme-eu", "orders", "403-2", "1")
    busy.deliveries = {"403-2": OpenDelivery(17, "WH/OUT/17", 4, has_stock=False, ship_by=None)}
    html = page.show(busy, NOW).get_data(as_text=True)
    assert "To ship 1 overdue · 0 due today · 2 at risk · 0 on track" in text_of(html)
    assert "403-2 acme-eu, FR · at risk · ship by 2026-11-24 20:37" in text_of(html)
    assert "https://erp.example.com/web#id=17&amp;model=stock.picking&amp;view_type=form" in html


def test_it_shows_one_account_alone(busy: JobRunner):
    website = Website({"/": lambda account=None: page.show(busy, NOW, account)}, HttpConfig())
    client = Client(website)
    alone = text_of(client.get("/?account=acme-us").get_data(as_text=True))
    assert "Only acme-us · all accounts" in alone
    assert "Nothing is quarantined." in alone
    assert "403-1182736-5518731" not in alone
    assert "0 in the last 3 days" in alone
    assert "acme-eu FR" not in alone
    other = text_of(client.get("/?account=acme-eu").get_data(as_text=True))
    assert "403-1182736-5518731" in other
    assert "acme-us US" not in other
    assert client.get("/?account=<b>").status_code == 404
    assert client.get("/?account=").status_code == 200


def test_it_shows_the_age_of_the_oldest_item_of_each_kind(busy: JobRunner):
    text = text_of(page.show(busy, NOW).get_data(as_text=True))
    assert "Job Kind Items Oldest orders acme-eu internal_error 1 5 h ago" in text
    assert "pickings acme-eu pending 1 5 h ago" in text


def test_nothing_of_it_is_taken_for_html(busy: JobRunner):
    html = page.show(busy, NOW).get_data(as_text=True)
    assert "It holds &lt;script&gt;alert(1)&lt;/script&gt; &amp; more." in html
    assert "<script" not in html


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(busy: JobRunner):
    response = page.show(busy, NOW)
    html = response.get_data(as_text=True)
    parsed = Parser(html)
    assert parsed.tags.isdisjoint({"script", "img", "link", "iframe", "form", "object"})
    assert not any(name.startswith("on") or name == "style" for name in parsed.attributes)
    order = "https://sellercentral-europe.amazon.com/orders-v3/order/403-1182736-5518731"
    delivery = "https://erp.example.com/web#id=231&model=stock.picking&view_type=form"
    its_order = "https://sellercentral-europe.amazon.com/orders-v3/order/403-1"
    accounts = {f"?account={name}" for name in ("acme-eu", "acme-us", "acme-jp")}
    assert parsed.references == {"readyz", "metrics", order, delivery, its_order, *accounts}
    (style,) = re.findall(r"<style>(.*)</style>", html, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_a_new_store_has_a_page_too(tmp_path: Path):
    runner, _ = idle_runner(tmp_path)
    assert "not called yet Odoo" in text_of(page.show(runner, NOW).get_data(as_text=True))
    runner.watch("Odoo", "login", None, 0.3)
    text = text_of(page.show(runner, NOW).get_data(as_text=True))
    assert "up Odoo" in text
    for said in ("OK", "0 orders imported", "Nothing is quarantined.", "nothing yet"):
        assert said in text


def test_an_hour_is_counted_once_and_the_scale_fits(busy: JobRunner):
    html = page.show(busy, NOW).get_data(as_text=True)
    bars = [int(n) for n in re.findall(r"<title>\w+ \d+ \w+, \d+:00: (\d+)</title>", html)]
    assert len(bars) == 72
    assert sum(bars) == sum(busy.app.ledger.runs.created_by_hour(NOW - page.CHARTED).values())
    heights = re.findall(r'class="bar"[^>]* height="([\d.]+)"', html)
    assert max(map(float, heights)) <= 100


@pytest.mark.parametrize(
    ("number", "top"), [(0, 4), (3, 4), (5, 6), (10, 10), (11, 20), (95, 100), (401, 600)]
)
def test_the_scale_is_easy_to_read(number: int, top: int):
    assert page.round_up(number) == top


def test_orders_that_wait_are_shown_with_the_reason(busy: JobRunner):
    ledger = busy.app.ledger
    ledger.items.file("acme-eu", "orders", [Seen(f"403-{n}", "1") for n in range(60)])
    ledger.items.explain("acme-eu", "orders", "403-59", "Its status is unknown.")
    html = page.show(busy, NOW).get_data(as_text=True)
    assert "Its status is unknown." in html
    assert "60, the first 50 are shown" in html


def test_a_running_run_is_shown_as_running(tmp_path: Path):
    runner, _ = idle_runner(tmp_path)
    succeed(runner, "acme-eu", "orders")
    runner.monitor.begin(("acme-eu", "orders"))
    text = text_of(page.show(runner, NOW).get_data(as_text=True))
    assert "acme-eu FR, DE, IT, ES nothing yet running" in text


@needs(CHROMIUM, "Chromium")
def test_a_browser_shows_it_and_has_nothing_to_object(busy: JobRunner, tmp_path: Path):
    website = Website({"/": lambda: page.show(busy, NOW)}, HttpConfig(listen="127.0.0.1:0"))
    listener = Listener(website)
    address = f"http://127.0.0.1:{listener.port}/"
    profile = f"--user-data-dir={tmp_path}"
    command = [str(CHROMIUM), *QUIETLY.split(), profile, "--dump-dom", address]
    try:
        seen = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    finally:
        listener.close()
    assert "403-1182736-5518731" in seen.stdout
    assert "Content Security Policy" not in seen.stderr
    assert "CONSOLE" not in seen.stderr


def test_nothing_from_outside_is_markup(busy: JobRunner):
    error = ItemError("<u>kind</u>", "<s>reason</s>", "<q>remedy</q>")
    busy.app.ledger.items.quarantine("acme-eu", "orders", "<i>key</i>", error)
    busy.app.ledger.items.file("acme-eu", "pickings", [Seen("<dfn>WH</dfn>", "1")])
    succeed(busy, "acme-eu", "orders", error="<em>run</em>")
    busy.watch("acme-us", "searchOrders", Transient("<kbd>side</kbd>"), 30)
    busy.availability.mark_down("acme-us")
    html = page.show(busy, NOW).get_data(as_text=True)
    assert not Parser(html).tags & {"u", "s", "q", "i", "dfn", "em", "kbd"}
    shown = [f"&lt;{tag}&gt;" for tag in ("u", "s", "q", "i", "dfn", "em", "kbd")]
    assert [tag for tag in shown if tag not in html] == []


def test_a_back_log_is_shown_beside_what_is_synced(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    ledger = runner.app.ledger
    clock.now = NOW - timedelta(hours=2)
    ledger.cursors.set("acme-eu", NOW - timedelta(days=20))
    ledger.lanes.begin_backlog("acme-eu", NOW - timedelta(days=20), NOW - timedelta(minutes=5))
    clock.now = NOW
    text = text_of(page.show(runner, NOW).get_data(as_text=True))
    assert "5 min" in text
    assert "Back-log: changes from 2026-11-03" in text
    assert "New orders do not wait for them." in text
