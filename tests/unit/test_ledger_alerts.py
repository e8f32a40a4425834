"""What the state store knows of alerts, in SQLite and in PostgreSQL."""

from datetime import timedelta

from clocks import NOON, Clock

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Alert

FAILS = Alert("acme", "fails", "orders")
QUARANTINED = Alert("acme", "quarantined", "orders", "404-1")
ELSEWHERE = Alert("other", "fails", "orders")
YEAR = timedelta(days=365)


def test_an_alert_is_known_until_it_ends(ledger: Ledger, clock: Clock):
    ledger.alerts.note(begun=[FAILS, QUARANTINED, ELSEWHERE], ended=[])
    clock.now += timedelta(hours=1)
    ledger.alerts.note(begun=[FAILS], ended=[QUARANTINED])
    assert ledger.alerts.known(["acme"]) == {FAILS: NOON}, "since it was first noted"
    assert ledger.alerts.known(["acme", "other"]).keys() == {FAILS, ELSEWHERE}
    assert ledger.alerts.known([]) == {}
    ledger.alerts.note(begun=[], ended=[FAILS, QUARANTINED])
    assert ledger.alerts.known(["acme"]) == {}


def test_an_alert_of_a_clock_that_was_set_back_begins_now(ledger: Ledger, clock: Clock):
    clock.now = NOON + YEAR
    ledger.alerts.note(begun=[FAILS], ended=[])
    ledger.runs.record("acme", "orders", started=clock.now, finished=clock.now, counts=Counts())
    clock.now = NOON
    assert ledger.continuity.correct_moments()
    assert ledger.alerts.known(["acme"]) == {FAILS: NOON}
