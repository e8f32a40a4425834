"""Histories of the ledger, against a model of it: one state an item, and nothing forgotten."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import MAX_ATTEMPTS, Seen, State
from amazon_bridge.engine.window import Lane, Reading, Window

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 15, tzinfo=UTC)

accounts = st.sampled_from(["acme", "beta"])
keys = st.sampled_from(["1", "2", "3"])
fingerprints = st.sampled_from(["a", "b"])
hours = st.integers(-48, 48)
versions = st.none() | hours.map(lambda hour: START + timedelta(hours=hour))
seen_items = st.lists(
    st.builds(
        Seen,
        keys,
        fingerprints,
        st.booleans(),
        st.none(),
        versions,
        due=versions,
        marketplace=st.none(),
    ),
    max_size=4,
)


@dataclass
class Item:
    fingerprint: str
    importable: bool = False
    state: State = State.PENDING
    attempts: int = 0
    version: datetime | None = None
    due: datetime | None = None


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = START
        self.ledger = self._open()
        self.items: dict[tuple[str, str], Item] = {}
        self.cursors: dict[str, datetime] = {}
        self.digests: dict[str, str] = {}

    def _open(self) -> Ledger:
        return Ledger(Path(self.folder.name) / "bridge.db", lambda: self.now)

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    @rule(account=accounts, seen=seen_items)
    def file(self, account: str, seen: list[Seen]) -> None:
        keys = self.ledger.items.file(account, "orders", seen)
        self._file(account, seen, keys)

    @rule(account=accounts, seen=seen_items, start=hours, length=st.integers(1, 24))
    def file_window(self, account: str, seen: list[Seen], start: int, length: int) -> None:
        window = Window(_at(start), _at(start + length))
        keys = self.ledger.items.file(
            account, "orders", seen, reading=Reading.of(Lane.LIVE, window, "FR", self.now)
        )
        cursor = self.cursors.get(account)
        if cursor is None or window.after <= cursor <= window.before:
            self.cursors[account] = window.before
        self._file(account, seen, keys)

    def _file(self, account: str, seen: list[Seen], keys: list[str]) -> None:
        for key, fingerprint, importable, _, version, due, _ in seen:
            item = self.items.setdefault((account, key), Item(fingerprint))
            item.importable |= importable
            if item.version and version and version < item.version:
                continue
            item.due = due if version else due or item.due
            item.version = version or item.version
            if item.fingerprint != fingerprint:
                item.fingerprint, item.state, item.attempts = fingerprint, State.PENDING, 0
        latest = {key: self.items[account, key] for key, *_ in seen}
        shown = {key: fingerprint for key, fingerprint, *_ in seen}
        pending = {
            key
            for key, item in latest.items()
            if item.state is State.PENDING and item.fingerprint == shown[key]
        }
        assert set(keys) == pending
        assert len(keys) == len(pending)

    @rule(
        account=accounts,
        key=keys,
        fingerprint=fingerprints,
        state=st.sampled_from([State.DONE, State.LEFT_OUT]),
    )
    def settle(self, account: str, key: str, fingerprint: str, state: State) -> None:
        item = self.items.get((account, key))
        fits = item is not None and item.fingerprint == fingerprint
        assert self.ledger.items.settle(account, "orders", key, fingerprint, state) == fits
        if item and fits:
            item.state = state

    @rule(account=accounts, key=keys)
    def quarantine(self, account: str, key: str) -> None:
        self.ledger.items.quarantine(
            account, "orders", key, ItemError("bad", "It is bad.", "Correct it.")
        )
        item = self.items.setdefault((account, key), Item(""))
        item.state = State.QUARANTINED
        item.attempts += 1

    @rule(key=st.none() | keys)
    def retry(self, key: str | None) -> None:
        chosen = [
            item
            for (_, name), item in self.items.items()
            if item.state is State.QUARANTINED and key in (None, name)
        ]
        assert self.ledger.items.retry(key) == len(chosen)
        for item in chosen:
            item.state = State.PENDING

    @rule(account=accounts, digest=st.sampled_from(["x", "y"]))
    def configure(self, account: str, digest: str) -> None:
        before = self.digests.get(account)
        changed = before is not None and before != digest
        assert self.ledger.items.configuration_changed(account, digest) == changed
        self.digests[account] = digest
        for (name, _), item in self.items.items():
            tired = item.attempts >= MAX_ATTEMPTS
            if changed and name == account and item.state is State.QUARANTINED and not tired:
                item.state = State.PENDING

    @rule(account=accounts, hour=hours)
    def set_cursor(self, account: str, hour: int) -> None:
        self.ledger.cursors.set(account, _at(hour))
        self.cursors[account] = _at(hour)

    @rule()
    def kill(self) -> None:
        """Leave the old connection as a killed process would; go on with a new one."""
        killed, self.ledger = self.ledger, self._open()
        killed.close()

    @rule(minutes=st.integers(0, 120))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def nothing_is_forgotten(self) -> None:
        entries = [entry for key in ("1", "2", "3") for entry in self.ledger.items.with_key(key)]
        assert {(entry.account, entry.key): entry.state for entry in entries} == {
            name: item.state for name, item in self.items.items()
        }
        for entry in entries:
            item = self.items[entry.account, entry.key]
            assert (entry.fingerprint, entry.attempts) == (item.fingerprint, item.attempts)
            assert entry.importable == item.importable
            assert entry == self.ledger.items.get(entry.account, "orders", entry.key)
            assert (entry.reason is not None) == (item.state is State.QUARANTINED)

    @invariant()
    def every_open_item_is_listed(self) -> None:
        for account in ("acme", "beta"):
            mine = {key: item for (name, key), item in self.items.items() if name == account}
            pending = {key for key, item in mine.items() if item.state is State.PENDING}
            aside = {key for key, item in mine.items() if item.state is State.QUARANTINED}
            assert set(self.ledger.items.pending(account, "orders")) == pending
            assert {entry.key for entry in self.ledger.items.quarantined(account)} == aside
            assert self.ledger.items.tally(account).total() == len(mine)
            due = {key for key, item in mine.items() if item.due and not _is_left_out(item)}
            assert {entry.key for entry in self.ledger.items.due(account, "orders")} == due

    @invariant()
    def the_cursor_stands_where_it_should(self) -> None:
        for account in ("acme", "beta"):
            assert self.ledger.cursors.get(account) == self.cursors.get(account)


def _is_left_out(item: Item) -> bool:
    return item.state is State.LEFT_OUT


def _at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
