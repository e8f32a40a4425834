from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from collections import Counter
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from filled import (
    BOOKING,
    CLAIMED,
    CONFIG,
    FR,
    HOUR,
    MINUTE,
    NOON,
    NOW,
    SENDING,
    busy_runner,
    idle_runner,
    succeed,
)
from running import needs
from werkzeug.test import Client

from amazon_bridge.config import HttpConfig
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.records import Event, Seen
from amazon_bridge.flows.ship_by.find import Deliveries
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.odoo.open_deliveries import OpenDelivery
from amazon_bridge.service import order_hours, page
from amazon_bridge.service.bars import Bar, bars, round_up
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
    open_ = {"403-2": OpenDelivery(17, "WH/OUT/17", 4, has_stock=False, ship_by=None)}
    busy.deliveries = Deliveries(open_, busy.clock())
    html = page.show(busy, NOW).get_data(as_text=True)
    assert "To ship 1 overdue · 0 due today · 2 at risk · 0 on track" in text_of(html)
    assert "403-2 acme-eu, FR · at risk · ship by 2026-11-24 20:37" in text_of(html)
    assert "https://erp.example.com/web#id=17&amp;model=stock.picking&amp;view_type=form" in html


def test_it_lists_skus_without_a_product(busy: JobRunner):
    assert "SKUs without a product" not in page.show(busy, NOW).get_data(as_text=True)
    skus, why = busy.app.ledger.skus, "No product has this internal reference."
    orders = [("MUG-9", "403-7", why), ("MUG-9", "403-8", why)]
    skus.note_matches("acme-eu", unmatched=orders, matched=[])
    text = text_of(page.show(busy, NOW).get_data(as_text=True))
    assert "SKUs without a product 1" in text
    assert f"MUG-9 acme-eu 2 403-8 {why}" in text
    other = page.show(busy, NOW, account="acme-us").get_data(as_text=True)
    assert "MUG-9" not in other


def test_commands_in_remedies_are_code(busy: JobRunner):
    error = ItemError("unknown_sku", "No <b> product.", "Map it in `product_map`, and `retry`.")
    busy.app.ledger.items.quarantine("acme-eu", "orders", "403-9", error)
    html = page.show(busy, NOW).get_data(as_text=True)
    assert "Map it in <code>product_map</code>, and <code>retry</code>." in html
    assert "No &lt;b&gt; product." in html


def test_it_says_why_shipments_are_pending(busy: JobRunner):
    items = busy.app.ledger.items
    lacking = ("carrier", "tracking reference")
    for key, progress in {
        "403-5#17": ShipmentProgress(Stage.SENT, NOW, "403-5"),
        "403-6#18": ShipmentProgress(Stage.INCOMPLETE, NOW, "403-6", lacking),
    }.items():
        items.file("acme-eu", "pickings", [Seen(key, "x")])
        items.remember("acme-eu", "pickings", key, progress)
    text = text_of(page.show(busy, NOW).get_data(as_text=True))
    sent, incomplete = text.index("403-5#17 acme-eu"), text.index("403-6#18 acme-eu")
    assert "Is confirmed; Amazon does not show the package yet." in text[sent:incomplete]
    assert "Lacks carrier and tracking reference." in text[incomplete:]


def client_of(runner: JobRunner) -> Client:
    pages = {"/": lambda **chosen: page.show(runner, NOW, **chosen)}
    return Client(Website(pages, HttpConfig()))


def test_it_shows_one_account_alone(tmp_path: Path):
    client = client_of(busy_runner(tmp_path, BOOKING))
    alone = text_of(client.get("/?account=acme-us").get_data(as_text=True))
    assert "Only acme-us · all accounts" in alone
    assert "Amazon for acme-us has been down" in alone
    assert "Nothing is quarantined." in alone
    assert "0 of 1 Amazon accounts up" in alone
    choice = "acme-us · amazon-bridge Skip to the content amazon · bridge Needs attention"
    choice += " as of 2026-11-23 14:37:00Z All accounts acme-eu acme-us acme-jp"
    assert alone.startswith(choice)
    assert not re.search("acme-eu|acme-jp|403-1", alone.removeprefix(choice))
    other = text_of(client.get("/?account=acme-eu").get_data(as_text=True))
    assert "Only acme-eu · all accounts · other accounts have problems (1)" in other
    assert "403-1182736-5518731" in other
    assert "OK" not in other
    assert "Running; see the quarantine" in other
    assert "acme-us US" not in other
    assert "17654321012" in other


def test_an_unknown_account_gets_a_page_that_says_so(busy: JobRunner):
    client = client_of(busy)
    found = client.get("/?account=acme-jpp")
    assert found.status_code == 404
    text = text_of(found.get_data(as_text=True))
    assert "The configuration has no account acme-jpp. Did you mean acme-jp?" in text
    assert 'href="?account=acme-eu"' in found.get_data(as_text=True)
    assert "default-src 'none'" in found.headers["Content-Security-Policy"]
    other = client.get("/?account=<b>").get_data(as_text=True)
    assert "no account &lt;b&gt;. Choose one of those above." in other
    for all_accounts in ("/?account=", "/?other=<b>"):
        assert client.get(all_accounts).status_code == 200


def test_reloading_can_be_stopped_and_stays_so(busy: JobRunner):
    client = client_of(busy)
    reloading = client.get("/?account=acme-eu").get_data(as_text=True)
    assert '<meta http-equiv="refresh" content="60">' in reloading
    assert 'href="?account=acme-eu&amp;reload=off">stop reloading</a>' in reloading
    staying = client.get("/?account=acme-eu&reload=off").get_data(as_text=True)
    assert "http-equiv" not in staying
    assert 'href="?account=acme-us&amp;reload=off"' in staying
    assert 'href="?account=acme-eu">reload every minute</a>' in staying


def test_one_account_needs_no_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("filled.CONFIG", "\n".join(CONFIG.splitlines()[:4]) + "\n")
    runner, _ = idle_runner(tmp_path)
    html = page.show(runner, NOW).get_data(as_text=True)
    assert "<nav" not in html
    assert "acme-eu" in html
    assert "Imported in each hour</th>" not in html, "there is nothing to compare"


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
    own = {"readyz", "metrics", "#main", "?", "?reload=off", *accounts}
    assert parsed.references == {order, delivery, its_order, *own}
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


def test_the_plots_show_each_hour_once_by_kind(busy: JobRunner):
    html = page.show(busy, NOW).get_data(as_text=True)
    hours = busy.app.ledger.statistics.by_hour(NOW - order_hours.PERIOD)
    sums = Counter[str]()
    for hour, number in hours.items():
        sums[f"{hour.name}"] += number
        sums[f"{hour.name} {hour.fulfilled_by}"] += number
    tooltips = [int(n) for n in re.findall(r"<title>\w+ \d+ \w+, \d+:00: (\d+)", html)]
    assert len(tooltips) == 3 * 72
    shown = [sum(tooltips[n : n + 72]) for n in (0, 72, 144)]
    assert shown == [sums["imported"], sums["cancelled"], sums["confirmed"]]
    heights = {colour: path_heights(html, colour) for colour in ("fbm", "fba")}
    assert all(heights.values())
    assert max(heights["fbm"] + heights["fba"]) <= 100
    text = text_of(html)
    of_both = sums["imported MERCHANT"], sums["imported AMAZON"]
    assert f"Imported {sums['imported']:,} · FBM {of_both[0]:,} · FBA {of_both[1]:,}" in text
    assert "before the update" not in text


def path_heights(html: str, colour: str) -> list[float]:
    """The heights of a plot's bars of one colour."""
    (first, *_) = re.findall(f'<path class="{colour}" d="([^"]*)"', html)
    return [float(height) for height in re.findall(r"v([\d.]+)", first)]


def test_bars_are_stacked_to_scale():
    numbers = [
        Bar(NOON - HOUR, {"fbm": 1, "fba": 3}),
        Bar(NOON, {"fbm": 2, "fba": 0}),
    ]
    html = bars("Imported in each hour", numbers)
    assert '<path class="fbm" d="M1 75.0h8v25.0h-8z M11 50.0h8v50.0h-8z"/>' in html
    assert '<path class="fba" d="M1 0.0h8v75.0h-8z"/>' in html
    assert "Mon 23 Nov, 11:00: 4 (1 FBM, 3 FBA)" in html
    assert 'aria-label="Imported in each hour: 6 in all, at most 4, on Mon 23 Nov, 11:00"' in html
    empty = bars("Cancelled in each hour", [Bar(NOON, {"fbm": 0})])
    assert 'aria-label="Cancelled in each hour: none"' in empty
    assert "<path" not in empty


def test_the_figures_by_account_and_by_hour(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    statistics = runner.app.ledger.statistics
    statistics.count("acme-us", [Event("imported", "AMAZON"), Event("cancelled", "AMAZON")])
    clock.now -= HOUR
    statistics.count("acme-eu", [Event("imported", "MERCHANT")] * 2)
    statistics.count("acme-eu", [Event("confirmed", "MERCHANT")])
    statistics.count("acme-jp", [Event("imported", "")])
    text = text_of(page.show(runner, NOW).get_data(as_text=True))
    assert "Imported 4 · FBM 2 · FBA 1 · before the update 1" in text
    assert "acme-eu 2 0 0 0 1 acme-us 0 1 0 1 0 acme-jp 0 0 1 0 0" in text
    assert "Mon 23 Nov, 14:00 0 1 0 1 0 Mon 23 Nov, 13:00 2 0 1 0 1" in text
    alone = text_of(page.show(runner, NOW, "acme-us").get_data(as_text=True))
    assert "Imported 1 · FBM 0 · FBA 1" in alone
    assert "Mon 23 Nov, 14:00 0 1 1 0" in alone
    assert "13:00 2" not in alone


def test_the_tile_counts_what_was_imported_in_a_day(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    for hours, number in ((0, 1), (23, 10), (24.5, 100), (26, 1000)):
        clock.now = NOW - hours * HOUR
        events = [Event("imported", "MERCHANT"), Event("confirmed", "MERCHANT")] * number
        runner.app.ledger.statistics.count("acme-eu", events)
    text = text_of(page.show(runner, NOW).get_data(as_text=True))
    assert re.search(r"\b11 orders imported in 24 hours", text)


def test_the_times_of_a_week_as_percentiles(tmp_path: Path):
    runner, clock = idle_runner(tmp_path)
    assert "Nothing was imported or confirmed." in text_of(
        page.show(runner, NOW).get_data(as_text=True)
    )
    clock.now = NOW - timedelta(days=6)
    took = [4 * MINUTE] * 50 + [12 * MINUTE] * 40 + [3 * HOUR] * 9 + [40 * 24 * HOUR]
    events = [Event("imported", "MERCHANT", each) for each in took]
    runner.app.ledger.statistics.count("acme-eu", events)
    runner.app.ledger.statistics.count("acme-eu", [Event("confirmed", "MERCHANT", MINUTE / 2)])
    runner.app.ledger.statistics.count("acme-us", [Event("imported", "AMAZON", 30 * HOUR)])
    clock.now = NOW - timedelta(days=8)
    runner.app.ledger.statistics.count("acme-eu", [Event("imported", "MERCHANT", HOUR)] * 1000)
    text = text_of(page.show(runner, NOW).get_data(as_text=True))
    assert "the last 7 days Account From, to 50 % within 90 % within 99 % within Number" in text
    assert "acme-eu purchase to Odoo, FBM 4 min 15 min 3 h 100" in text
    assert "acme-eu delivery to Amazon 30 s 30 s 30 s 1" in text
    assert "acme-us purchase to Odoo, FBA 1.5 d 1.5 d 1.5 d 1" in text
    alone = text_of(page.show(runner, NOW, "acme-us").get_data(as_text=True))
    assert "purchase to Odoo, FBM" not in alone


def test_a_time_beyond_all_bounds(tmp_path: Path):
    runner, _ = idle_runner(tmp_path)
    event = Event("imported", "MERCHANT", timedelta(days=40))
    runner.app.ledger.statistics.count("acme-eu", [event])
    assert "more than 30 d" in text_of(page.show(runner, NOW).get_data(as_text=True))


@pytest.mark.parametrize(
    ("number", "top"), [(0, 4), (3, 4), (5, 6), (10, 10), (11, 20), (95, 100), (401, 600)]
)
def test_the_scale_is_easy_to_read(number: int, top: int):
    assert round_up(number) == top


def test_long_lists_of_quarantined_items_are_cut(busy: JobRunner):
    for number in range(60):
        busy.app.ledger.items.quarantine("acme-eu", "orders", f"404-{number:02}", CLAIMED)
    html = page.show(busy, NOW).get_data(as_text=True)
    assert "61, the first 50 are shown" in html
    assert len(re.findall(r"<code>40[34]-\d+[-\d]*</code> <span", html)) == 50
    alone = page.show(busy, NOW, "acme-us").get_data(as_text=True)
    assert "404-" not in alone


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
