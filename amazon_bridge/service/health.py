"""Is the daemon alive, and does it do its work? With the reasons where it doesn't."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from amazon_bridge.app import ODOO
from amazon_bridge.service.board import Board
from amazon_bridge.service.timetable import Entry

if TYPE_CHECKING:
    from amazon_bridge.service.rounds import Rounds

BEAT = timedelta(seconds=10)
"""How often the scheduler is to show that it lives."""

_LONGEST_WITHOUT_BEAT = 60.0
_LONGEST_SILENCE = 300.0
"""Seconds that a round may go on beyond the time-out of a call without calling either side."""

_INTERVALS = 3
_GRACE = timedelta(minutes=1)


@dataclass(slots=True)
class Pulse:
    """The scheduler's last sign of life, in monotonic seconds."""

    at: float = 0.0

    def beat(self) -> None:
        self.at = time.monotonic()


def overdue_at(board: Board, entry: Entry) -> datetime:
    """From when on a job is late: when it was due three times and didn't succeed.

    Counted from its last success, but not from before the daemon began.
    """
    last = board[entry.key].last_success or board.began
    return entry.due(max(last, board.began), _INTERVALS) + _GRACE


def ailments(rounds: Rounds, pulse: Pulse) -> list[str]:
    """Why the daemon should be started anew; empty when it lives."""
    found = []
    if time.monotonic() - pulse.at > _LONGEST_WITHOUT_BEAT:
        found.append("The scheduler doesn't start anything.")
    patience = _LONGEST_SILENCE + rounds.app.config.odoo.timeout
    if (silence := rounds.board.longest_silence) > patience:
        found.append(f"A round has been stuck for {silence:.0f} seconds.")
    return found


def hindrances(rounds: Rounds, now: datetime) -> list[str]:
    """Why work isn't being done; empty when it is."""
    return [
        *(reason for side in _sides(rounds) if (reason := _trouble(rounds, side))),
        *(_lateness(rounds.board, e) for e in rounds.timetable.planned if _is_late(rounds, e, now)),
    ]


def _sides(rounds: Rounds) -> list[str]:
    return [ODOO, *(account.name for account in rounds.app.config.accounts)]


def named(side: str) -> str:
    """A side as people call it."""
    return ODOO if side == ODOO else f"Amazon for {side}"


def _trouble(rounds: Rounds, name: str) -> str | None:
    side = rounds.sides[name]
    if side.down_since:
        return f"{named(name)} has been down since {_told(side.down_since)}: {side.failure}"
    if name == ODOO and side.last_answer is None and not side.failure:
        return "Odoo has not been asked yet."  # a new account asks Amazon nothing at first
    return None


def _is_late(rounds: Rounds, entry: Entry, now: datetime) -> bool:
    """A job that is refused is late at once: waiting does not help.

    A round that runs isn't late: one that is stuck is told by ``ailments``.
    """
    if rounds.board[entry.key].is_refused:
        return True
    running = rounds.board[entry.key].running_since is not None
    return not running and now > overdue_at(rounds.board, entry)


def _lateness(board: Board, entry: Entry) -> str:
    standing = board[entry.key]
    last = _told(standing.last_success) if standing.last_success else "never"
    why = f" {standing.error}" if standing.error else ""
    return f"{entry.account}, {entry.job}: last success {last}.{why}"


def _told(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def report(rounds: Rounds, now: datetime) -> dict[str, Any]:
    """All that ``/readyz`` tells."""
    reasons = hindrances(rounds, now)
    return {
        "ready": not reasons,
        "reasons": reasons,
        "sides": {
            named(name): {"up": rounds.sides.are_up(name), **_plain(rounds.sides[name])}
            for name in _sides(rounds)
        },
        "jobs": [
            {"account": e.account, "job": e.job, **_plain(rounds.board[e.key])}
            for e in rounds.timetable.planned
        ],
    }


def _plain(known: Any) -> dict[str, Any]:
    moments = {k: _told(v) for k, v in asdict(known).items() if isinstance(v, datetime)}
    others = {k: v for k, v in asdict(known).items() if not isinstance(v, datetime | timedelta)}
    return others | moments
