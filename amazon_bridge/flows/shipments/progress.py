"""How far delivery orders are on their way to Amazon: the memo that the ledger keeps of each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum, auto

from amazon_bridge.engine.records import Entry

JOB = "pickings"


class Stage(StrEnum):
    """How far a delivery order is."""

    NEW = auto()
    """Nobody can have told Amazon yet."""
    UNSURE = auto()
    """Somebody may have: an earlier state store's bridge, or a person in Seller Central."""
    WAITING = auto()
    """For its carrier or its tracking reference."""
    REMINDED = auto()
    """The same, and an activity asks for them."""
    SENDING = auto()
    SENT = auto()


@dataclass(frozen=True, slots=True)
class Progress:
    """The memo of a delivery order."""

    stage: Stage
    since: datetime
    order_id: str
    lacks: tuple[str, ...] = ()
    """What it waits for, in Odoo's words."""
    asked: datetime | None = None
    """When Amazon was last asked for the package that was sent."""
    told: str | None = None
    """A digest of the carrier and tracking reference that Amazon has from us."""
    corrects: bool = False
    """What was sent last corrects a package that Amazon had."""
    refused_since: datetime | None = None
    """Since when Amazon doesn't find the package that is to be corrected."""
    done: datetime | None = None
    """When the delivery order was done that this is about."""
    stated: str | None = None
    """A digest of what a person said left, as of the last look."""

    @classmethod
    def read(cls, entry: Entry | None) -> Progress | None:
        """The memo of a ledger's entry, if it has one."""
        if entry is None or entry.memo is None:
            return None
        known = json.loads(entry.memo)
        return cls(
            stage=Stage(known["stage"]),
            since=datetime.fromisoformat(known["since"]),
            order_id=known["order_id"],
            lacks=tuple(known["lacks"]),
            asked=_moment(known["asked"]),
            told=known["told"],
            corrects=known["corrects"],
            refused_since=_moment(known["refused_since"]),
            done=_moment(known["done"]),
            stated=known["stated"],
        )

    def text(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
