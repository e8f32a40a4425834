"""How far delivery orders are on their way to Amazon: the memo that the ledger keeps of each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum, auto

from amazon_bridge.engine.ledger import Entry

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
    """The memo of a delivery order that isn't settled."""

    stage: Stage
    since: datetime
    order_id: str
    lacks: tuple[str, ...] = ()
    """What it waits for, in Odoo's words."""
    asked: datetime | None = None
    """When Amazon was last asked for the package that was sent."""

    @classmethod
    def read(cls, entry: Entry | None) -> Progress | None:
        """The memo of a ledger's entry, if it has one."""
        if entry is None or entry.memo is None:
            return None
        told = json.loads(entry.memo)
        asked = told["asked"]
        return cls(
            stage=Stage(told.get("stage") or told["word"]),
            since=datetime.fromisoformat(told["since"]),
            order_id=told["order_id"],
            lacks=tuple(told["lacks"]),
            asked=datetime.fromisoformat(asked) if asked else None,
        )

    def text(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)
