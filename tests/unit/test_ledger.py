"""The state store's cursors, items and quarantine."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial

import pytest
from clocks import NOON, Clock
from examples import UNKNOWN_SKU, live_window

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import HELD, MAX_ATTEMPTS, Seen, State

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Price(BaseMemo):
    amount: Decimal

    @property
    def is_watched(self) -> bool:
        return self.amount > 100


# Cursors


def test_an_account_begins_without_a_cursor_and_keeps_the_one_it_is_given(ledger: Ledger):
    assert ledger.cursors.get("acme") is None
    ledger.cursors.set("acme", NOON.astimezone(timezone(5 * HOUR)))
    assert ledger.cursors.get("acme") == NOON
    assert ledger.cursors.get("acme").tzinfo is UTC
    assert ledger.cursors.get("beta") is None
    ledger.cursors.set("acme", NOON - 30 * HOUR)
    assert ledger.cursors.get("acme") == NOON - 30 * HOUR


def test_a_naive_cursor_is_refused(ledger: Ledger):
    with pytest.raises(ValueError, match="without time zone"):
        ledger.cursors.set("acme", datetime(2026, 11, 15))  # noqa: DTZ001
    assert ledger.cursors.get("acme") is None


def test_filing_a_window_moves_the_cursor_to_its_end(ledger: Ledger):
    ledger.items.file("acme", "orders", [], reading=live_window(NOON - HOUR, NOON))
    assert ledger.cursors.get("acme") == NOON
    ledger.items.file("acme", "orders", [], reading=live_window(NOON - HOUR, NOON + HOUR))
    assert ledger.cursors.get("acme") == NOON + HOUR


def test_filing_without_a_window_leaves_the_cursor(ledger: Ledger):
    ledger.cursors.set("acme", NOON)
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    assert ledger.cursors.get("acme") == NOON


def test_filing_an_older_window_does_not_take_the_cursor_back(ledger: Ledger):
    ledger.cursors.set("acme", NOON)
    ledger.items.file("acme", "orders", [], reading=live_window(NOON - 2 * HOUR, NOON - HOUR))
    assert ledger.cursors.get("acme") == NOON


def test_a_cursor_set_back_during_a_run_is_not_overrun_by_it(ledger: Ledger):
    ledger.cursors.set("acme", NOON - 48 * HOUR)
    ledger.items.file("acme", "orders", [], reading=live_window(NOON - HOUR, NOON))
    assert ledger.cursors.get("acme") == NOON - 48 * HOUR


# Items


def test_new_and_changed_items_are_to_be_processed_and_unchanged_ones_drop_out(ledger: Ledger):
    assert ledger.items.file("acme", "orders", [Seen("1", "a"), Seen("2", "a")]) == ["1", "2"]
    assert ledger.items.settle("acme", "orders", "1", "a")
    assert ledger.items.settle("acme", "orders", "2", "a", State.LEFT_OUT)
    assert ledger.items.file("acme", "orders", [Seen("1", "a"), Seen("2", "a")]) == []
    assert ledger.items.file("acme", "orders", [Seen("2", "b"), Seen("1", "a")]) == ["2"]


def test_an_item_seen_twice_at_once_is_processed_once_in_its_last_shape(ledger: Ledger):
    seen = [Seen("2", "a"), Seen("1", "a"), Seen("2", "b")]
    assert ledger.items.file("acme", "orders", seen) == ["2", "1"]
    assert ledger.items.settle("acme", "orders", "2", "b")


def test_an_older_version_changes_nothing(ledger: Ledger, clock: Clock):
    newer, older = Seen("1", "b", version=NOON), Seen("1", "a", version=NOON - HOUR)
    assert ledger.items.file("acme", "orders", [newer]) == ["1"]
    assert ledger.items.file("acme", "orders", [older]) == []
    assert ledger.items.pending("acme", "orders") == ["1"]
    assert ledger.items.settle("acme", "orders", "1", "b")
    clock.now += HOUR
    assert ledger.items.file("acme", "orders", [older, newer]) == []
    (entry,) = ledger.items.with_key("1")
    assert (entry.state, entry.fingerprint, entry.last_seen) == (State.DONE, "b", NOON + HOUR)


@pytest.mark.parametrize("version", [NOON, NOON + HOUR, None])
def test_another_version_that_is_not_known_to_be_older_is_processed(
    ledger: Ledger, version: datetime | None
):
    ledger.items.file("acme", "orders", [Seen("1", "b", version=NOON)])
    ledger.items.settle("acme", "orders", "1", "b")
    assert ledger.items.file("acme", "orders", [Seen("1", "c", version=version)]) == ["1"]
    assert ledger.items.file("acme", "orders", [Seen("1", "a", version=NOON - HOUR)]) == []


def test_what_was_left_pending_by_an_earlier_run_is_still_pending(ledger: Ledger, clock: Clock):
    ledger.items.file("acme", "orders", [Seen("9", "a")])
    clock.now += HOUR
    assert ledger.items.file("acme", "orders", [Seen("1", "a")]) == ["1"]
    assert ledger.items.pending("acme", "orders") == ["9", "1"]
    assert ledger.items.pending("acme", "pickings") == []
    assert ledger.items.pending("beta", "orders") == []


def test_items_without_a_marketplace_are_found_among_any_number(ledger: Ledger):
    keys = [f"{number:04}" for number in range(1300)]
    ledger.items.file("acme", "orders", [Seen(key, "a", marketplace="FR") for key in keys])
    ledger.items.file("acme", "orders", [Seen("old", "a"), Seen("unasked", "a")])
    ledger.items.file("acme", "pickings", [Seen("0007", "a")])
    ledger.items.file("beta", "orders", [Seen("0008", "a")])
    shuffled = [*keys[:600], "old", *keys[600:], "absent"]
    found = ledger.items.without_marketplace("acme", "orders", shuffled)
    assert [entry.key for entry in found] == ["old"]
    assert ledger.items.without_marketplace("acme", "orders", []) == []


def test_accounts_and_jobs_keep_their_items_apart(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    ledger.items.settle("acme", "orders", "1", "a")
    assert ledger.items.file("acme", "pickings", [Seen("1", "a")]) == ["1"]
    assert ledger.items.file("beta", "orders", [Seen("1", "a")]) == ["1"]
    assert len(ledger.items.with_key("1")) == 3


def test_an_item_that_changed_while_it_was_processed_stays_pending(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    ledger.items.file("acme", "orders", [Seen("1", "b")])
    assert not ledger.items.settle("acme", "orders", "1", "a")
    assert ledger.items.pending("acme", "orders") == ["1"]


def test_an_entry_shows_all_that_is_known(ledger: Ledger, clock: Clock):
    ledger.items.file("acme", "orders", [Seen("1", "a", importable=True)])
    clock.now += HOUR
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    clock.now += HOUR
    ledger.items.settle("acme", "orders", "1", "a", memo=Price(Decimal("12.34")))
    (entry,) = ledger.items.with_key("1")
    assert (entry.account, entry.job, entry.key, entry.fingerprint) == ("acme", "orders", "1", "a")
    assert (entry.state, entry.kind, entry.memo) == (State.DONE, None, '{"amount":"12.34"}')
    assert (entry.first_seen, entry.last_seen) == (NOON, NOON + HOUR)
    assert entry.last_tried == NOON + 2 * HOUR
    ledger.items.settle("acme", "orders", "1", "a")
    assert Price.read(ledger.items.with_key("1")[0]) == Price(Decimal("12.34"))
    assert ledger.items.with_key("2") == []


def test_watched_items_are_found_while_they_are_done(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen(key, "a") for key in "123"])
    for key, amount in (("1", 99), ("2", 101), ("3", 102)):
        assert ledger.items.settle("acme", "orders", key, "a", memo=Price(Decimal(amount)))
    ledger.items.settle("acme", "orders", "3", "a")
    assert [entry.key for entry in ledger.items.watched("acme", "orders")] == ["2", "3"]
    ledger.items.file("acme", "orders", [Seen("2", "b")])
    ledger.items.remember("acme", "orders", "3", None)
    assert ledger.items.watched("acme", "orders") == []


def test_an_item_once_importable_stays_importable(ledger: Ledger):
    assert ledger.items.get("acme", "orders", "1") is None
    for fingerprint, importable, expected in (
        ("pending", False, False),
        ("unshipped", True, True),
        ("shipped", False, True),
    ):
        ledger.items.file("acme", "orders", [Seen("1", fingerprint, importable)])
        entry = ledger.items.get("acme", "orders", "1")
        assert entry is not None
        assert entry.importable == expected
    assert ledger.items.get("beta", "orders", "1") is None


def test_the_tally_counts_by_state(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen(key, "a") for key in "1234"])
    ledger.items.file("acme", "pickings", [Seen("5", "a")])
    ledger.items.settle("acme", "orders", "1", "a")
    ledger.items.quarantine("acme", "orders", "2", UNKNOWN_SKU)
    assert ledger.items.tally("acme") == {State.PENDING: 3, State.DONE: 1, State.QUARANTINED: 1}
    assert ledger.items.tally("acme", "pickings") == {State.PENDING: 1}
    assert ledger.items.tally("beta") == {}


# Quarantine


def test_a_quarantined_item_shows_why_and_is_not_processed_again(ledger: Ledger, clock: Clock):
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    clock.now += HOUR
    ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)
    (entry,) = ledger.items.quarantined()
    assert (entry.kind, entry.reason, entry.remedy) == (
        "unknown_sku",
        "Nobody knows SKU X-1.",
        "Create the product.",
    )
    assert (entry.attempts, entry.first_seen, entry.last_tried) == (1, NOON, NOON + HOUR)
    assert ledger.items.file("acme", "orders", [Seen("1", "a")]) == []
    assert ledger.items.quarantined("beta") == []


def test_an_item_never_filed_can_be_quarantined(ledger: Ledger):
    ledger.items.quarantine("acme", "pickings", "WH/OUT/00017", UNKNOWN_SKU)
    assert [entry.key for entry in ledger.items.quarantined("acme")] == ["WH/OUT/00017"]
    assert ledger.items.file("acme", "pickings", [Seen("WH/OUT/00017", "a")]) == ["WH/OUT/00017"]


def test_a_quarantined_item_comes_back_when_it_changed(ledger: Ledger):
    ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)
    assert ledger.items.file("acme", "orders", [Seen("1", "b")]) == ["1"]
    (entry,) = ledger.items.with_key("1")
    assert (entry.state, entry.kind, entry.attempts) == (State.PENDING, None, 0)


def test_a_quarantined_item_is_retried_manually(ledger: Ledger):
    for key in "123":
        ledger.items.quarantine("acme", "orders", key, UNKNOWN_SKU)
    ledger.items.file("beta", "orders", [Seen("1", "a")])
    assert ledger.items.retry("2") == 1
    assert ledger.items.retry("2") == 0
    assert ledger.items.retry("none") == 0
    assert ledger.items.pending("acme", "orders") == ["2"]
    assert ledger.items.retry() == 2
    assert ledger.items.pending("acme", "orders") == ["1", "2", "3"]
    ledger.items.quarantine("acme", "orders", "2", UNKNOWN_SKU)
    assert ledger.items.quarantined()[0].attempts == 2


def test_a_settled_item_leaves_the_quarantine(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)
    assert ledger.items.settle("acme", "orders", "1", "a")
    assert ledger.items.quarantined() == []


def test_quarantined_items_come_back_when_the_configuration_changed(ledger: Ledger):
    ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)
    ledger.items.quarantine("beta", "orders", "1", UNKNOWN_SKU)
    assert not ledger.items.configuration_changed("acme", "first")
    assert not ledger.items.configuration_changed("acme", "first")
    assert ledger.items.pending("acme", "orders") == []
    assert ledger.items.configuration_changed("acme", "second")
    assert not ledger.items.configuration_changed("acme", "second")
    assert ledger.items.pending("acme", "orders") == ["1"]
    assert ledger.items.pending("beta", "orders") == []


@pytest.mark.parametrize(
    ("account", "kinds", "retried"),
    [
        (None, None, ["1", "2", "3"]),
        ("acme", None, ["1", "2"]),
        (None, {"unknown_sku"}, ["1", "3"]),
        ("acme", {"unknown_sku"}, ["1"]),
        ("acme", {HELD, "unknown_sku"}, ["1", "2"]),
        (None, [], []),
    ],
)
def test_items_of_an_account_or_of_some_kinds_alone_are_retried(
    ledger: Ledger, account: str | None, kinds: Collection[str] | None, retried: list[str]
) -> None:
    ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)
    ledger.items.quarantine("acme", "orders", "2", ItemError(HELD, "too many", "look at them"))
    ledger.items.quarantine("beta", "orders", "3", UNKNOWN_SKU)
    assert ledger.items.retry(account=account, kinds=kinds) == len(retried)
    assert (
        ledger.items.pending("acme", "orders") + ledger.items.pending("beta", "orders") == retried
    )


def test_an_item_is_not_retried_by_itself_for_ever(ledger: Ledger):
    for attempt in range(MAX_ATTEMPTS):
        ledger.items.configuration_changed("acme", f"digest {attempt}")
        ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU)
    assert ledger.items.configuration_changed("acme", "one more")
    assert ledger.items.pending("acme", "orders") == []
    assert ledger.items.retry("1") == 1


@pytest.mark.parametrize(
    ("named", "retried"),
    [
        ("402-1#17", ["402-1#17"]),
        ("WH/OUT/00012@402-1#17", ["402-1#17"]),
        ("WH/OUT/00012", ["402-1#17", "402-2#17"]),
        ("402-1", ["402-1", "402-1#17", "402-1#18"]),
        ("402", []),
        ("WH/OUT/0001_", []),
        (None, ["402-1", "402-1#17", "402-1#18", "402-2#17"]),
    ],
)
def test_what_is_retried_may_be_named_in_several_ways(
    ledger: Ledger, named: str | None, retried: list[str]
):
    """Two orders' deliveries have the same name, and the same id, after Odoo was restored."""
    labels = {"402-1#17": "WH/OUT/00012", "402-2#17": "WH/OUT/00012", "402-1#18": "WH/OUT/00013"}
    ledger.items.file(
        "acme", "pickings", [Seen(k, "a", label=label) for k, label in labels.items()]
    )
    ledger.items.file("acme", "pickings", [Seen(key, "b") for key in labels])
    for key in labels:
        ledger.items.quarantine("acme", "pickings", key, UNKNOWN_SKU)
    ledger.items.quarantine("acme", "orders", "402-1", UNKNOWN_SKU)
    assert [e.key for e in ledger.items.of_order("402-1")] == ["402-1", "402-1#17", "402-1#18"]
    shown = {entry.key: entry.display_key for entry in ledger.items.quarantined()}
    assert shown["402-1"] == "402-1"
    assert shown["402-1#17"] == "WH/OUT/00012@402-1#17"
    assert ledger.items.retry(named) == len(retried)
    pending = ledger.items.pending("acme", "orders") + ledger.items.pending("acme", "pickings")
    assert sorted(pending) == retried


def test_it_is_known_since_when_a_remote_is_silent_about_an_item(ledger: Ledger, clock: Clock):
    noted = partial(ledger.items.note_silence, "acme", "orders", "1")
    assert noted() is None
    ledger.items.file("acme", "orders", [Seen("1", "a")])
    assert noted() == NOON
    for ending in (
        lambda: ledger.items.note_response("acme", "orders", "1"),
        lambda: ledger.items.settle("acme", "orders", "1", "a"),
        lambda: ledger.items.quarantine("acme", "orders", "1", UNKNOWN_SKU),
        lambda: ledger.items.file("acme", "orders", [Seen("1", "b")]),
    ):
        began = noted()
        clock.now += HOUR
        assert noted() == began
        ending()
        assert noted() == clock()


def test_items_with_a_date_are_found_the_most_urgent_first(ledger: Ledger):
    soon, later = NOON + HOUR, NOON + 5 * HOUR
    seen = [Seen("1", "a", due=later), Seen("2", "a", due=soon, marketplace="FR1"), Seen("3", "a")]
    seen.append(Seen("4", "a", due=soon))
    ledger.items.file("acme", "orders", seen)
    ledger.items.settle("acme", "orders", "1", "a")
    ledger.items.quarantine("acme", "orders", "2", UNKNOWN_SKU)
    ledger.items.settle("acme", "orders", "4", "a", State.LEFT_OUT)
    due = ledger.items.due("acme", "orders")
    assert [(each.key, each.due, each.marketplace) for each in due] == [
        ("2", soon, "FR1"),
        ("1", later, None),
    ]
    unparsed = [Seen("1", "b"), Seen("2", "a")]
    ledger.items.file("acme", "orders", unparsed)
    assert [each.key for each in ledger.items.due("acme", "orders")] == ["2", "1"]
    ledger.items.file("acme", "orders", [each._replace(version=NOON) for each in unparsed])
    assert ledger.items.due("acme", "orders") == []
    assert ledger.items.get("acme", "orders", "2").marketplace == "FR1"


def test_an_older_version_does_not_make_an_item_due_again(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("1", "shipped", version=NOON)])
    ledger.items.file("acme", "orders", [Seen("1", "open", version=NOON - HOUR, due=NOON)])
    assert ledger.items.due("acme", "orders") == []


def test_the_record_of_an_item_is_kept(ledger: Ledger):
    ledger.items.file("acme", "orders", [Seen("1", "a"), Seen("2", "a")])
    ledger.items.note_records("acme", "orders", {"1": 17})
    ledger.items.file("acme", "orders", [Seen("1", "b")])
    assert [ledger.items.get("acme", "orders", key).record for key in "12"] == [17, None]
