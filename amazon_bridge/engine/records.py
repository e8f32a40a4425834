"""What the state store returns and takes. No SQL: importing this module is cheap."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from amazon_bridge.engine.counts import Counts

MAX_ATTEMPTS = 10
"""An item quarantined this often is retried only manually, or when it changed on Amazon."""

HELD = "held"
"""The kind of error of an item that only a person may release."""

CLOCKS_DIFFER = timedelta(minutes=5)
"""Moments at most this far in the future are no sign of a clock that was set back."""


LEASE_LIFETIME = timedelta(seconds=30)
"""How long a lease is valid after it was renewed, and a daemon alive after it was seen."""


class State(StrEnum):
    """The state of an item; it is always in exactly one."""

    PENDING = "pending"
    DONE = "done"
    LEFT_OUT = "left_out"
    QUARANTINED = "quarantined"


class Seen(NamedTuple):
    """An item as a run saw it."""

    key: str
    fingerprint: str
    importable: bool = False
    """It has been in a state in which it should exist in the other system; never reset."""
    label: str | None = None
    """What people call the item, where the key alone means nothing to them."""
    version: datetime | None = None
    """When it changed last, as the remote says; None if unknown. Older versions are ignored."""
    due: datetime | None = None
    """When it is due on Amazon; None if it isn't, or if that is unknown."""
    marketplace: str | None = None
    """The id of its marketplace."""


class InFlight(NamedTuple):
    """The units of an order that Amazon has taken off its stock count."""

    key: str
    units: Mapping[str, int | None]
    """By SKU; empty if the order holds no units (any more). None: the number can't be read."""
    version: datetime | None = None
    """When the order changed last; None if unknown. Older versions are ignored."""


class UnitsOfOrder(NamedTuple):
    """Units of one SKU that are in flight with an order."""

    order_id: str
    units: int | None
    """None: the number can't be read."""
    since: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """What the state store knows of one item. Datetimes are aware, in UTC."""

    account: str
    job: str
    key: str
    fingerprint: str
    importable: bool
    state: State
    kind: str | None
    reason: str | None
    """Why it is quarantined; or why it is pending, where that is known."""
    remedy: str | None
    attempts: int
    memo: str | None
    first_seen: datetime
    last_seen: datetime
    last_tried: datetime | None
    unanswered_since: datetime | None
    label: str | None = None
    """What people call the item; not unique."""
    refused_since: datetime | None = None
    """When Odoo began to refuse it although it is up."""
    due: datetime | None = None
    """When it is due on Amazon; None if it isn't, or if that is unknown."""
    marketplace: str | None = None
    """The id of its marketplace; None if unknown, as in stores of older versions."""
    record: int | None = None
    """The database id of its record in Odoo, where that is known and not in the key."""

    opened: datetime | None = None
    """Since when it is open, if it was finished before; None if it never was, or if unknown."""

    @property
    def open_since(self) -> datetime:
        """Since when it is open, if it is."""
        return self.opened or self.first_seen

    @property
    def display_key(self) -> str:
        """The key as people see it, with the label where there is one."""
        return f"{self.label}@{self.key}" if self.label else self.key


class OldestOpen(NamedTuple):
    """Open items of one kind."""

    account: str
    job: str
    kind: str | None
    """Why they are quarantined; None: they are pending."""
    number: int
    since: datetime
    """Since when the oldest one is open."""


class Event(NamedTuple):
    """What happened to an order, for the statistics."""

    name: str
    fulfilled_by: str
    took: timedelta | None = None
    """How long it took; None if that is of no interest."""


class HourOfEvents(NamedTuple):
    """Events of one kind in one hour."""

    hour: datetime
    account: str
    name: str
    fulfilled_by: str
    """Empty if unknown, as of events that older versions counted."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Items that were sent together, or were about to be when the bridge was interrupted."""

    number: int
    keys: tuple[str, ...]
    begun: datetime
    feed_id: str | None


class Alert(NamedTuple):
    """Something that people were alerted about, as long as it lasts."""

    account: str
    kind: str
    job: str = ""
    """Empty if it is no job's."""
    key: str = ""
    """Of an item; empty if it is none's."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A seller SKU for which a fallback product is used."""

    name: str
    reason: str
    """Why, as of the last time."""
    items: int
    """Number of items in which the fallback product replaces it."""
    last_key: str
    """The greatest key of these items."""


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a job. Datetimes are aware, in UTC."""

    account: str
    job: str
    last_started: datetime
    last_finished: datetime
    last_success: datetime | None
    last_error: str | None
    """Why the last run failed; None if it succeeded."""
    counts: Counts


class DaemonSeen(NamedTuple):
    """A daemon of those that share a state store."""

    name: str
    """Its process, for people."""
    began: datetime
    seen: datetime
    accounts: Mapping[str, Collection[str]]
    """The names of the accounts in its configuration, by seller."""


class Holding(NamedTuple):
    """Which daemon holds the lease of a seller."""

    daemon: str
    """Its id."""
    name: str
    """Its process, for people."""
    since: datetime
    configuration: str
    """A digest of the daemon's configuration."""
    accounts: frozenset[str]
    """The names of the seller's accounts that are in it."""


class StoredRequest(NamedTuple):
    """A request to run a job of an account."""

    request: str
    account: str
    job: str


class RequestProgress(NamedTuple):
    """What became of such a request."""

    daemon: str | None
    """The id of the daemon that runs it; None before."""
    counts: Counts | None
    """The result; None before."""


class DatabaseId(NamedTuple):
    """Identity of an Odoo database. ``uuid`` is None where the login may not read it."""

    url: str
    name: str
    uuid: str | None

    def is_same(self, other: DatabaseId) -> bool:
        """Compare by uuid if both are known, else by name."""
        if self.uuid and other.uuid:
            return self.uuid == other.uuid
        return self.name == other.name
