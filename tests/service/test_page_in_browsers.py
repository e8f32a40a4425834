"""The status page as people get it: on desktops and phones, by keyboard, by screen readers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pictures
import pytest
from filled import BOOKING, NOW, busy_runner
from running import needs

from amazon_bridge.config import HttpConfig
from amazon_bridge.service import page
from amazon_bridge.service.web import Listener, Website

pytestmark = [pytest.mark.slow, needs(pictures.CHROMIUM, "Chromium")]

DESKTOP, PHONE, SMALL_PHONE = 1100, 390, 320


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with every section, whose table and plots have rows."""
    runner = busy_runner(tmp_path_factory.mktemp("busy"), BOOKING)
    pages = {"/": lambda **chosen: page.show(runner, NOW, **chosen)}
    listener = Listener(Website(pages, HttpConfig(listen="127.0.0.1:0")))
    yield f"http://127.0.0.1:{listener.port}/"
    listener.close()


@pytest.fixture(scope="module")
def tab() -> Iterator[pictures.Browser]:
    with pictures.browser() as tab:
        yield tab


def shown(
    tab: pictures.Browser, url: str, width: int = DESKTOP, *, dark: bool = False
) -> pictures.Browser:
    """The page on a screen of a width, with everything that can be opened opened."""
    tab.size(width, 844, phone=width < DESKTOP, dark=dark)
    tab.show(url, "footer")
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return tab


def value_of(node: dict[str, Any], field: str) -> Any:
    return node.get(field, {}).get("value")


def tree(tab: pictures.Browser) -> list[tuple[str, str, dict[str, Any]]]:
    """What a screen reader gets: roles, names and properties, in the page's sequence."""
    nodes = tab._call("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}

    def below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("childIds", []):
            if child in by_id:
                yield from below(by_id[child])

    return [
        (
            str(value_of(node, "role")),
            str(value_of(node, "name") or ""),
            {each["name"]: each["value"].get("value") for each in node.get("properties", [])},
        )
        for node in below(nodes[0])
        if not node["ignored"]
    ]


def named(nodes: list[tuple[str, str, dict[str, Any]]], *roles: str) -> list[str]:
    return [name for role, name, _ in nodes if role in roles]


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_a_screen_reader_gets_the_whole_page(tab: pictures.Browser, address: str, width: int):
    nodes = tree(shown(tab, address, width))
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert len(named(nodes, landmark)) == 1, landmark
    levels = [facts["level"] for role, _, facts in nodes if role == "heading"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    plots = named(nodes, "image", "img")
    assert len(plots) == 3 + 3 + 1, "by kind, by account, of the settlements"
    assert "Imported in each hour: 689 in all, at most 26, on Sat 21 Nov, 13:00" in plots
    assert "Orders of acme-jp imported in each hour: none" in plots
    assert all(plots)
    assert all(named(nodes, "link"))


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_tables_stay_tables_for_screen_readers(tab: pictures.Browser, address: str, width: int):
    nodes = tree(shown(tab, address, width))
    assert {"Account", "Synced up to", "90 % within", "Shipments confirmed", "Kind"} <= set(
        named(nodes, "columnheader")
    )
    assert {"acme-eu", "Mon 23 Nov, 13:00", "17654321012"} <= set(named(nodes, "rowheader"))
    tables = tab.evaluate("document.querySelectorAll('table').length")
    assert len(named(nodes, "table", "grid")) == tables
    cells = named(nodes, "cell", "gridcell")
    assert "10 min" in cells, "the label that phones show beside it is not read out"


def test_a_failing_job_is_not_told_by_colour_alone(tab: pictures.Browser, address: str):
    nodes = tree(shown(tab, address))
    assert any("failing; last success not yet" in each for each in named(nodes, "cell"))


def test_the_chosen_account_is_the_current_one(tab: pictures.Browser, address: str):
    shown(tab, f"{address}?account=acme-eu")
    current = tab.evaluate("document.querySelector('[aria-current=page]').textContent")
    assert current == "acme-eu"
    assert tab.evaluate("document.title") == "acme-eu · amazon-bridge"


@pytest.mark.parametrize("width", [DESKTOP, PHONE, SMALL_PHONE])
@pytest.mark.parametrize("query", ["", "?account=acme-eu", "?account=none"])
def test_nothing_is_wider_than_the_screen(
    tab: pictures.Browser, address: str, width: int, query: str
):
    shown(tab, address + query, width)
    assert tab.evaluate("document.documentElement.clientWidth") == width
    assert tab.evaluate("document.documentElement.scrollWidth") == width


FOCUSED = """(() => {
  const now = document.activeElement, style = getComputedStyle(now);
  const box = now.getBoundingClientRect();
  const all = [...document.querySelectorAll('a[href], summary')];
  return JSON.stringify([all.indexOf(now), style.outlineStyle, box.width * box.height > 100,
    all.length, now.textContent.trim()]);
})()"""


def press(tab: pictures.Browser, key: str) -> None:
    codes = {"Tab": 9, "Enter": 13}
    details = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
    text = {"text": "\r"} if key == "Enter" else {}
    tab._call("Input.dispatchKeyEvent", type="keyDown", **details, **text)
    tab._call("Input.dispatchKeyEvent", type="keyUp", **details)


def test_the_keyboard_reaches_everything_in_sequence_and_shows_where_it_is(
    tab: pictures.Browser, address: str
):
    shown(tab, address)
    total = tab.evaluate("document.querySelectorAll('a[href], summary').length")
    texts = []
    for place in range(total):
        press(tab, "Tab")
        at, outline, is_visible, _, text = json.loads(tab.evaluate(FOCUSED))
        assert (at, is_visible) == (place, True), text
        assert outline != "none", text
        texts.append(text)
    assert texts[:5] == ["Skip to the content", "All accounts", "acme-eu", "acme-us", "acme-jp"]
    assert "The figures, hour by hour" in texts


def test_the_keyboard_chooses_an_account_and_opens_the_figures(tab: pictures.Browser, address: str):
    shown(tab, address)
    for _ in range(3):
        press(tab, "Tab")
    press(tab, "Enter")
    tab.wait("location.search === '?account=acme-eu'")
    tab.wait("document.querySelector('footer')")
    assert tab.evaluate("document.querySelector('details').open") is False
    tab.evaluate("document.querySelector('summary').focus()")
    press(tab, "Enter")
    assert tab.evaluate("document.querySelector('details').open") is True


CONTRASTS = """(() => {
  const channel = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = parts(getComputedStyle(element).backgroundColor);
      if (colour[3] === undefined || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + .05) / (low + .05);
  };
  const found = {text: [], graphics: []};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest('svg, style')) continue;
    if (element.closest('h1 > b')) continue;  // a decoration
    const colour = parts(getComputedStyle(element).color);
    found.text.push([ratio(colour, ground(element)), texts.currentNode.data.trim().slice(0, 40)]);
  }
  for (const each of document.querySelectorAll('svg path, svg polyline')) {
    const style = getComputedStyle(each);
    const colour = style.fill === 'none' ? style.stroke : style.fill;
    const behind = ground(each.closest('div, td'));
    found.graphics.push([ratio(parts(colour), behind), each.outerHTML.slice(0, 40)]);
  }
  return JSON.stringify(found);
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("query", ["", "?account=none"])
def test_everything_can_be_read(tab: pictures.Browser, address: str, query: str, *, dark: bool):
    found = json.loads(shown(tab, address + query, dark=dark).evaluate(CONTRASTS))
    assert len(found["text"]) > (100 if not query else 5)
    assert [each for each in found["text"] if each[0] < 4.5] == []
    assert [each for each in found["graphics"] if each[0] < 3] == []
    assert bool(found["graphics"]) == (not query)


def test_the_colours_of_a_key_are_those_of_its_bars(tab: pictures.Browser, address: str):
    shown(tab, address)
    for kind in ("fbm", "fba"):
        of_key = f"getComputedStyle(document.querySelector('.key.{kind}'), '::before')"
        of_bar = f"getComputedStyle(document.querySelector('path.{kind}'))"
        assert tab.evaluate(f"{of_key}.backgroundColor") == tab.evaluate(f"{of_bar}.fill")
