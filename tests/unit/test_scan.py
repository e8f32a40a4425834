"""Which changes in Odoo are read, whatever long transactions and clocks do to ``write_date``."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.scan import (
    LATE,
    LOOKS_BACK_EVERY,
    OVERLAP,
    Scan,
    ScanProgress,
    is_remembered,
    next_scan,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
FIRST = NOON - timedelta(days=60)
KNOWN = ScanProgress(complete_until=NOON - 5 * MINUTE, looked_back=NOON - 5 * MINUTE)


def test_the_first_scan_begins_where_the_job_says() -> None:
    assert next_scan(ScanProgress(), NOON, first=FIRST) == Scan(FIRST, NOON, looks_back=True)


def test_a_scan_looks_back_a_little_and_once_an_hour_a_day() -> None:
    short = Scan(NOON - 5 * MINUTE - OVERLAP, NOON, looks_back=False)
    assert next_scan(KNOWN, NOON, first=FIRST) == short
    later = NOON + LOOKS_BACK_EVERY
    long = Scan(NOON - 5 * MINUTE - LATE, later, looks_back=True)
    assert next_scan(KNOWN, later, first=FIRST) == long


def test_after_an_outage_a_scan_begins_before_it() -> None:
    later = NOON + timedelta(days=3)
    assert next_scan(KNOWN, later, first=FIRST).since == NOON - 5 * MINUTE - LATE


def test_an_interrupted_scan_is_continued() -> None:
    rest = Scan(FIRST, NOON - HOUR, looks_back=True, after=17)
    assert next_scan(ScanProgress(unfinished=rest), NOON, first=FIRST) == rest


def test_what_a_wrong_clock_has_recorded_counts_for_nothing() -> None:
    ahead = NOON + timedelta(days=400)
    anew = Scan(FIRST, NOON, looks_back=True)
    assert next_scan(ScanProgress(ahead, ahead), NOON, first=FIRST) == anew
    rest = Scan(FIRST, ahead, looks_back=True, after=17)
    assert next_scan(ScanProgress(unfinished=rest), NOON, first=FIRST) == anew


def test_only_what_later_scans_see_again_is_remembered() -> None:
    scan = Scan(FIRST, NOON, looks_back=True)
    assert is_remembered(scan, NOON - HOUR)
    assert not is_remembered(scan, NOON), "it may be changed again in the same second"
    assert not is_remembered(scan, NOON - LATE - SECOND)


# Odoo's transactions


@dataclass(frozen=True)
class Transaction:
    """A transaction that writes one record.

    Those of the same record don't overlap, and begin in different seconds.
    """

    record: int
    begun: datetime
    committed: datetime


@dataclass
class Runs:
    """Runs every few minutes, and what they processed."""

    skew: timedelta
    """How far Odoo's clock is ahead."""
    progress: ScanProgress = field(default_factory=ScanProgress)
    known: dict[int, datetime] = field(default_factory=dict)
    processed: dict[int, Transaction] = field(default_factory=dict)

    def run(self, now: datetime, visible: dict[int, Transaction]) -> int:
        """One scan; returns the number of rows that it read."""
        scan = next_scan(self.progress, now, first=FIRST)
        written = {id_: self.written(each) for id_, each in visible.items()}
        rows = {id_: at for id_, at in written.items() if at >= scan.since.replace(microsecond=0)}
        for id_, at in rows.items():
            if self.known.get(id_) != at:
                self.processed[id_] = visible[id_]
                if is_remembered(scan, at):
                    self.known[id_] = at
        looked_back = now if scan.looks_back else self.progress.looked_back
        self.progress = ScanProgress(now, looked_back)
        return len(rows)

    def written(self, each: Transaction) -> datetime:
        return (each.begun + self.skew).replace(microsecond=0)


@st.composite
def transactions(draw: st.DrawFn) -> list[Transaction]:
    made = []
    for record in range(draw(st.integers(1, 3))):
        at = NOON
        for _ in range(draw(st.integers(1, 4))):
            begun = at + draw(st.timedeltas(SECOND, 8 * HOUR))
            at = begun + draw(st.timedeltas(SECOND / 100, 20 * HOUR))
            made.append(Transaction(record, begun, at))
    return sorted(made, key=lambda each: each.committed)


@given(transactions(), st.timedeltas(-4 * MINUTE, 4 * MINUTE), st.integers(1, 60))
def test_no_change_is_lost(made: list[Transaction], skew: timedelta, every: int) -> None:
    runs, now = Runs(skew), NOON
    end = made[-1].committed + LOOKS_BACK_EVERY + every * MINUTE
    while now <= end:
        now += every * MINUTE
        runs.run(now, {each.record: each for each in made if each.committed <= now})
    assert runs.processed == {each.record: each for each in made}


def test_quiet_runs_read_nothing_and_an_hourly_one_the_last_day() -> None:
    runs = Runs(timedelta(0))
    visible = {id_: Transaction(id_, NOON, NOON + SECOND) for id_ in range(100)}
    times = [NOON + MINUTE + 5 * MINUTE * number for number in range(30)]
    rows = [runs.run(now, visible) for now in times]
    recent = [now - OVERLAP <= NOON + 5 * MINUTE for now in times]
    hourly = [number % 12 == 0 for number in range(30)]
    assert rows == [100 * (a or b) for a, b in zip(recent, hourly, strict=True)]
