"""What the state store returns and takes of the job ``stock``. No SQL, and nothing of buyers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from amazon_bridge.model import Listing


class SkuState(StrEnum):
    """The state of a SKU since it was compared last."""

    EQUAL = "equal"
    SENT = "sent"
    """It was sent to Amazon, which has not been read back yet."""
    WAITING = "waiting"
    """Amazon has another quantity, and will be sent ours later."""
    REFUSED = "refused"
    HELD = "held"
    UNPROVEN = "unproven"
    """Amazon doesn't say that the merchant, and only the merchant, ships it."""
    NO_PRODUCT = "no_product"
    NOT_COUNTED = "not_counted"
    """Odoo doesn't count the stock of its product."""
    VANISHED = "vanished"
    """Amazon has no such listing any more."""
    DUE = "due"
    """It is to be compared in the next run, or to be sent in this one."""
    OFF = "off"
    """The configuration says that it isn't sent."""


@dataclass(frozen=True, slots=True)
class KnownListing(Listing):
    """A listing as Amazon showed it last, and what was sent since."""

    sent: int | None = None
    """The quantity that was sent; None while ``sent_at`` is set: it is unclear which."""
    sent_at: datetime | None = None
    """When it was sent; None if Amazon was read back since."""
    gone: bool = False

    @property
    def is_open(self) -> bool:
        """A quantity was sent, and Amazon has not been read back yet."""
        return self.sent_at is not None

    @property
    def expected(self) -> int | None:
        """The quantity that Amazon should show by now; None if unknown."""
        return self.sent if self.is_open else self.quantity


@dataclass(frozen=True, slots=True)
class KnownSku:
    """A SKU of an account."""

    sku: str
    listings: tuple[KnownListing, ...]
    state: SkuState | None = None
    note: str = ""
    """Why it is in this state, for people."""
    increase_since: datetime | None = None
    """Since when the quantity has been higher than Amazon's."""
    since: datetime | None = None
    """When it came into this state."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a run found of a SKU."""

    sku: str
    state: SkuState
    note: str = ""
    parts: tuple[int, ...] = ()
    """The products whose stock decides, by database id."""
    increase_since: datetime | None = None
    in_flight: int = 0
    """Units in flight when it was compared."""


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """State of a marketplace's listings report."""

    report_id: str | None = None
    """Of the report that was requested and isn't read yet."""
    requested: datetime | None = None
    read: datetime | None = None
    """When the last report was read."""
    is_separate: bool = False
    """A quantity sent to another marketplace does not reach this one."""


@dataclass(frozen=True, slots=True)
class FullComparison:
    """A comparison of all SKUs of an account that has begun."""

    began: datetime
    after: str = ""
    """The last SKU that was compared; empty at the start."""


@dataclass(frozen=True, slots=True)
class StockProgress:
    """When all SKUs of an account were compared last, with which settings."""

    compared: datetime | None = None
    """When the last full comparison that was finished began."""
    settings: str = ""
    """A digest, of the last one that began."""
    drifts: int = 0
    """How often Amazon was found to show another quantity than was sent."""
    unfinished: FullComparison | None = None


@dataclass(frozen=True, slots=True)
class StockFeed:
    """SKUs of one marketplace whose quantities were sent together."""

    number: int
    marketplace_id: str
    skus: tuple[str, ...]
    begun: datetime
    feed_id: str | None
    """None while it is unknown whether the feed was created."""
    covers: tuple[str, ...]
    """The marketplaces that the quantities are expected to reach, with its own."""
    given_up: bool
    """It took too long: its SKUs are sent again, but Amazon may still process it."""
