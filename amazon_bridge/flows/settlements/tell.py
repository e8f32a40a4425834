"""What people see of settlements: pending ones, the last ones, and the difference over time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.settlements.memo import JOB, TIES, SettlementMemo
from amazon_bridge.flows.settlements.ties import Tie
from amazon_bridge.job import Panel, PendingItem, PendingList, Series
from amazon_bridge.marketplaces import in_digits, in_words

_LAST = 6
_COLUMNS = ("Settlement", "From", "Until", "Deposit", "Total", "State")


def pending(ledger: Ledger, account: str, most: int | None) -> PendingList:
    """The settlements that are still to be booked."""
    entries = ledger.items.first_pending(account, JOB, most)
    number = len(ledger.items.pending(account, JOB))
    return PendingList([_pending(entry) for entry in entries], number)


def _pending(entry: Entry) -> PendingItem:
    note = entry.reason or "The next run books it."
    return PendingItem(entry.key, entry.first_seen, note, {"settlement": entry.key, "note": note})


def panel(ledger: Ledger, account: str) -> Panel:
    """The last settlements, and the difference between Amazon's balance and Odoo's."""
    entries = sorted(ledger.items.of_job(account, JOB), key=_end, reverse=True)
    ties = _ties(ledger, account)
    kinds = sorted({(tie.currency, tie.marketplace) for tie in ties})
    series = [_series(kind, [tie for tie in ties if _kind(tie) == kind]) for kind in kinds]
    return Panel(_COLUMNS, [_row(entry) for entry in entries[:_LAST]], series)


def memo_of(entry: Entry) -> SettlementMemo:
    """What is known of a settlement."""
    return SettlementMemo.read(entry) or SettlementMemo()


def _end(entry: Entry) -> tuple[date, str]:
    return memo_of(entry).end or date.max, entry.key


def _row(entry: Entry) -> list[str]:
    memo = memo_of(entry)
    days = [str(day or "") for day in (memo.start, memo.end, memo.deposit)]
    total = "" if memo.total is None else in_words(memo.total, memo.currency)
    return [entry.key, *days, total, state_of(entry)]


def state_of(entry: Entry) -> str:
    """What became of a settlement."""
    if entry.kind:
        return entry.kind
    memo = memo_of(entry)
    if memo.entries and entry.state is State.DONE:
        return "booked" if memo.posted else "draft"
    return entry.state.replace("_", " ")


def _ties(ledger: Ledger, account: str) -> list[Tie]:
    read = (Tie.read(entry) for entry in ledger.items.of_job(account, TIES))
    return sorted((tie for tie in read if tie), key=lambda tie: tie.day)


def _kind(tie: Tie) -> tuple[str, str]:
    return tie.currency, tie.marketplace


def _series(kind: tuple[str, str], ties: list[Tie]) -> Series:
    points = [(tie.day, float(tie.difference)) for tie in ties]
    what = " ".join(filter(None, kind))
    unknown = ties[-1].parts.get("unknown")
    noted = f", {in_digits(unknown, kind[0])} of it unexplained" if unknown else ""
    return Series(f"Amazon's balance less Odoo's, {what}{noted}", points)


def differences(ledger: Ledger, account: str) -> dict[str, float]:
    """The last difference, by currency."""
    return {name: float(tie.difference) for name, tie in _latest(ledger, account)}


def unexplained(ledger: Ledger, account: str) -> dict[str, float]:
    """What of the last difference nothing explains, by currency."""
    return {name: float(tie.parts.get("unknown", 0)) for name, tie in _latest(ledger, account)}


def _latest(ledger: Ledger, account: str) -> Iterator[tuple[str, Tie]]:
    yield from {tie.currency: tie for tie in _ties(ledger, account)}.items()
