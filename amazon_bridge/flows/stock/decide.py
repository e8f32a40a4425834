"""The rules of the job ``stock``: which quantity is sent to Amazon, and when. Pure functions.

No quantity is guessed, and none is sent for a listing that isn't proven to be the merchant's: a
quantity of the channel DEFAULT makes Amazon sell FBA goods from the merchant's stock as well.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from fractions import Fraction

from amazon_bridge.config.stock import StockBrake
from amazon_bridge.engine.stock_records import KnownListing, KnownSku, SkuState
from amazon_bridge.model import AMAZON_CHANNELS, DEFAULT_CHANNEL, Listing
from amazon_bridge.odoo.availability import Availability

_HUNDRED = 100

VANISHED = "Amazon has no such listing any more."


# The quantity


@dataclass(frozen=True, slots=True)
class Terms:
    """What a quantity is computed from. Pieces are Odoo's, units are Amazon's."""

    left: Fraction
    """Unreserved pieces; negative if oversold."""
    in_flight: int = 0
    """Pieces of orders that Amazon has taken off its own count and Odoo doesn't hold yet."""
    unclear: bool = False
    """There may be more of them: of some orders the number of units can't be read."""
    units: int = 1
    """Pieces of one unit."""
    share: Fraction = Fraction(_HUNDRED)
    buffer_units: int = 0
    """Pieces that are kept back."""
    buffer_percent: Fraction = Fraction(0)
    """Of what the share leaves."""
    cap: int | None = None
    """Units."""

    @property
    def shared(self) -> int:
        """Whole pieces that the share leaves."""
        return math.floor(max(Fraction(0), self.left) * self.share / _HUNDRED)

    @property
    def buffer(self) -> int:
        """Pieces that are kept back; a percentage is rounded up."""
        return self.buffer_units + math.ceil(self.shared * self.buffer_percent / _HUNDRED)

    @property
    def quantity(self) -> int:
        """Units that Amazon may sell."""
        units = max(0, (self.shared - self.buffer - self.in_flight) // self.units)
        return units if self.cap is None else min(units, self.cap)


@dataclass(frozen=True, slots=True)
class PiecesInFlight:
    """Pieces in flight."""

    own: Mapping[int, Fraction] = field(default_factory=dict)
    """By product, as itself."""
    as_parts: Mapping[int, Mapping[int, Fraction]] = field(default_factory=dict)
    """By component, by kit."""
    unclear: frozenset[int] = frozenset()
    """The products with an unknown number of further pieces in flight."""

    def is_unclear(self, availability: Availability) -> bool:
        """True if there may be more pieces that a product's quantity depends on."""
        products = {availability.product_id, *(part.product_id for part in availability.parts)}
        kits = {kit for product in products for kit in self.as_parts.get(product, {})}
        return not self.unclear.isdisjoint(products | kits)

    def of(self, availability: Availability) -> int:
        """Pieces in flight of a product itself and, unless it is a kit, of kits that need it."""
        pieces = self.own.get(availability.product_id, Fraction(0))
        if not availability.is_kit:
            pieces += sum(self.as_parts.get(availability.product_id, {}).values())
        return math.ceil(pieces)

    def taken(self, component: int, kit: int) -> Fraction:
        """Pieces of a component in flight that aren't a kit's own."""
        kits = self.as_parts.get(component, {})
        return self.own.get(component, Fraction(0)) + sum(
            (pieces for other, pieces in kits.items() if other != kit), Fraction(0)
        )


def left_of(availability: Availability, in_flight: PiecesInFlight) -> Fraction:
    """Unreserved pieces; negative if oversold. A kit has as many as its scarcest part allows."""
    if not availability.is_kit:
        return availability.parts[0].left
    kit = availability.product_id
    numbers = (
        math.floor((part.left - in_flight.taken(part.product_id, kit)) / part.needed)
        for part in availability.parts
    )
    return Fraction(min(numbers))


# The proof


def why_unproven(channels: Collection[str], *, both: bool) -> str | None:
    """Why a listing isn't proven to be the merchant's; None if it is.

    Args:
        channels: Amazon's codes of who ships it.
        both: the configuration says that Amazon and the merchant ship it, on purpose.
    """
    amazons = [channel for channel in channels if channel.startswith(AMAZON_CHANNELS)]
    if amazons and not both:
        return f"Amazon ships it ({', '.join(amazons)})."
    if DEFAULT_CHANNEL not in channels:
        return "Amazon doesn't say that the merchant ships it."
    return None


# What to send


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions about all SKUs of a run depend on."""

    now: datetime
    raise_after: timedelta
    may_increase: bool = True
    """False while it is unknown which orders are in flight."""
    unclear: bool = False
    """An order in flight holds an unknown number of units of this SKU or its product."""
    separate: frozenset[str] = frozenset()
    """Marketplaces that quantities sent to others do not reach."""


@dataclass(frozen=True, slots=True)
class Push:
    """A quantity to send, for one marketplace."""

    marketplace_id: str
    covers: tuple[str, ...]
    """The marketplaces that it is expected to reach, with its own."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a SKU."""

    state: SkuState
    """Its state; ``DUE`` if something is to be sent."""
    note: str = ""
    pushes: tuple[Push, ...] = ()
    increase_since: datetime | None = None
    decreases: bool = False
    """Amazon has a higher quantity."""


def decide(known: KnownSku, quantity: int, rules: Rules, *, both: bool = False) -> Decision:
    """Decide what is sent to Amazon for a SKU.

    A lower quantity is sent at once. A higher one must have been higher for ``raise_after``, so
    that a short increase isn't sent, and orders of these minutes are known. It is sent for one of
    the marketplaces that share a quantity; each is read back.
    """
    listed = [each for each in known.listings if not each.gone]
    if not listed:
        return Decision(SkuState.VANISHED, VANISHED)
    if reason := _why_unproven(listed, both=both):
        return Decision(SkuState.UNPROVEN, reason)
    usable = [each for each in listed if both or each.sold_by_merchant]
    decreases = [each for each in usable if _decreases(each, quantity)]
    increases = [each for each in usable if each not in decreases and each.expected != quantity]
    since = (known.increase_since or rules.now) if increases else None
    wait = _why_wait(since, rules) if since else None
    targets = (
        decreases if wait else [each for each in usable if each in decreases or each in increases]
    )
    if targets:
        pushes = _pushes(targets, usable, rules.separate)
        return Decision(SkuState.DUE, wait or "", pushes, since, decreases=bool(decreases))
    if wait:
        return Decision(SkuState.WAITING, wait, increase_since=since)
    is_sent = any(each.is_open for each in usable)
    return Decision(SkuState.SENT if is_sent else SkuState.EQUAL)


def _why_unproven(listed: Sequence[KnownListing], *, both: bool) -> str | None:
    """A SKU that Amazon ships in one marketplace isn't sent in any."""
    channels = dict.fromkeys(channel for each in listed for channel in each.channels)
    if both and channels:
        return None  # proven by the re-check before anything is sent
    return why_unproven(list(channels), both=both)


def _decreases(listing: KnownListing, quantity: int) -> bool:
    if listing.is_open and listing.sent is None:
        return True  # unclear what was sent: whatever it was is replaced
    if listing.expected is None:
        return quantity == 0
    return listing.expected > quantity


def _why_wait(since: datetime, rules: Rules) -> str | None:
    """Why a higher quantity isn't sent yet."""
    if not rules.may_increase:
        return (
            "It is not known which units are in flight: the job `orders` must run, or an order"
            " without a SKU must be imported (`status` lists it)."
        )
    if rules.unclear:
        return (
            "The units of an order that holds this SKU can't be read: it must be in Odoo, or"
            " readable, before the quantity is increased (`quarantine list` shows why)."
        )
    if rules.now - since < rules.raise_after:
        return "A higher quantity is sent when it has been higher for `raise_after`."
    return None


def _pushes(
    targets: Sequence[KnownListing], usable: Sequence[KnownListing], separate: frozenset[str]
) -> tuple[Push, ...]:
    """One push for all marketplaces that share quantities, one for each other."""
    alone = [each.marketplace_id for each in targets if each.marketplace_id in separate]
    shared = [each.marketplace_id for each in usable if each.marketplace_id not in separate]
    first = [each.marketplace_id for each in targets if each.marketplace_id not in separate][:1]
    pushes = [Push(place, tuple(shared)) for place in first]
    return (*pushes, *(Push(place, (place,)) for place in alone))


class Recheck(Enum):
    """Result of re-checking a listing before a push."""

    SEND = auto()
    EQUAL = auto()
    """Amazon shows the quantity already."""
    LOWER = auto()
    """Amazon shows less than expected: the increase waits like any other."""
    UNPROVEN = auto()
    GONE = auto()
    """Amazon has no such listing any more."""


def recheck(
    fresh: Listing, known: KnownListing, quantity: int, *, both: bool, decreases: bool
) -> Recheck:
    """Decide whether a push is sent, by the listing as it is now.

    Args:
        fresh: the listing as it is now.
        known: as it was known when the push was decided.
        quantity: to be sent.
        both: the configuration says that Amazon and the merchant ship it.
        decreases: the push was decided because the quantity is lower than Amazon's.
    """
    if why_unproven(fresh.channels, both=both):
        return Recheck.UNPROVEN
    if known.is_open:
        return Recheck.SEND  # what was sent before may take effect later
    if fresh.quantity == quantity:
        return Recheck.EQUAL
    is_increase = fresh.quantity is not None and fresh.quantity < quantity
    if is_increase and (decreases or _has_risen(fresh, known)):
        return Recheck.LOWER
    return Recheck.SEND


def _has_risen(fresh: Listing, known: KnownListing) -> bool:
    """True if Amazon has increased its count itself, as after an order that lapsed.

    What was sold of it since then may not be known yet.
    """
    if fresh.quantity is None or known.expected is None:
        return False
    return fresh.quantity > known.expected


def becomes_zero(known: KnownSku, quantity: int) -> bool:
    """True if a SKU that Amazon sells would not be sold any more."""
    return quantity == 0 and any(
        not each.gone and ((each.expected or 0) > 0 or (each.quantity or 0) > 0)
        for each in known.listings
    )


def reason_to_hold(decreases: int, watched: int, brake: StockBrake) -> str | None:
    """Why so many decreases to zero look like a mistake; None if they don't."""
    if decreases <= brake.skus or decreases * _HUNDRED <= brake.percent * watched:
        return None
    return (
        f"{decreases} of {watched} SKUs would decrease to zero at once, more than {brake.skus} and"
        f" more than {brake.percent:g} %."
    )


def separate_marketplaces(
    known: Mapping[str, KnownListing], current: Mapping[str, int | None]
) -> set[str]:
    """The marketplaces that a quantity did not reach, although it reached another one.

    Args:
        known: the listings of a SKU before they were read back, by marketplace.
        current: the quantities that Amazon shows now, by marketplace.
    """
    quantities = {place: each.sent for place, each in known.items() if each.is_open}
    reached = {p for p, sent in quantities.items() if sent is not None and current.get(p) == sent}
    return {
        place
        for place, sent in quantities.items()
        if reached and sent != current.get(place) == known[place].quantity
    }


def has_drifted(known: KnownListing, current: int | None) -> bool:
    """True if Amazon shows another quantity than was sent, less what it may have sold since.

    Args:
        known: the listing before it was read back.
        current: the quantity that Amazon shows now.
    """
    if known.sent == known.quantity:
        return False  # read again without an update: Amazon has increased it after a lapsed order
    if current is None or known.sent is None:
        return True
    return current > known.sent or current == known.quantity
