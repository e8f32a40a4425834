"""How far delivery orders are on their way to Amazon: the memo that the ledger keeps of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from amazon_bridge.engine.codec import BaseMemo

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
class Progress(BaseMemo):
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
