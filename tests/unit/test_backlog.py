"""How a back-log is shown to people and programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from clocks import NOON, Clock

from amazon_bridge.cli.progress import backlog_bars
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.window import Backlog, live_start
from amazon_bridge.flows.orders import backlog

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF = Backlog(
    begins=NOON - 10 * DAY,
    position=NOON - 5 * DAY,
    ends=NOON,
    live_until=NOON,
    since=NOON - 3 * HOUR,
)


def test_a_back_log_is_shown_with_an_estimate():
    assert backlog.sentence(HALF, NOON) == (
        "changes from 2026-11-05 12:00 to 2026-11-15 12:00 are being caught up on: 50%, up to"
        " 2026-11-10 12:00, about 3 h left. New orders do not wait for them."
    )
    assert backlog.as_json(HALF, NOON) == {
        "from": "2026-11-05T12:00:00Z",
        "to": "2026-11-15T12:00:00Z",
        "position": "2026-11-10T12:00:00Z",
        "share_done": 0.5,
        "seconds_left": 3 * 3600,
    }


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=3), "1 min"),
        (timedelta(minutes=90), "90 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_lengths_of_time_are_rough(span: timedelta, text: str):
    assert backlog.duration(span) == text


def test_bars_show_nothing_where_there_is_no_terminal(
    ledger: Ledger, clock: Clock, capsys: pytest.CaptureFixture[str]
):
    ledger.cursors.set("acme", NOON - 9 * DAY)
    ledger.lanes.begin_backlog("acme", NOON - 9 * DAY, live_start(NOON))
    with backlog_bars(ledger, clock, ["acme"]) as refresh:
        refresh()
    assert capsys.readouterr() == ("", "")


def test_bars_on_a_terminal_name_the_back_log_until_it_is_done(
    ledger: Ledger,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    ledger.cursors.set("acme", NOON - 9 * DAY)
    ledger.lanes.begin_backlog("acme", NOON - 9 * DAY, live_start(NOON))
    with backlog_bars(ledger, clock, ["acme", "other"]) as refresh:
        refresh()
        ledger.cursors.set("acme", NOON)
        refresh()
    shown = capsys.readouterr().err
    assert "acme: changes from 2026-11-06 to 2026-11-15" in shown
    assert "other" not in shown
