"""The description of a job, from which everything about it is derived.

``flows/jobs.py`` lists all jobs. Configuration, command line, scheduler, metrics, health, status
page, ``check`` and the documentation's tables follow from their descriptions. These are data
only, so that reading them loads none of the code that the jobs run.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

EntryPoint = str
"""``package.module:function``, imported when it is called."""


@dataclass(frozen=True, slots=True)
class OdooModule:
    """An Odoo module, recognised by a field that it adds: logins may not read the module list."""

    title: str
    model: str
    field: str
    remedy: str
    """What to do if it is missing."""


@dataclass(frozen=True, slots=True)
class OdooRight:
    """A right that the bridge's login needs in Odoo."""

    model: str
    operation: str
    """``create``, ``read``, ``write`` or ``unlink``."""
    purpose: str
    group: str
    """The group that gives it, as Odoo's settings name it."""


@dataclass(frozen=True, slots=True)
class NotifySwitch:
    """The key of ``notify_amazon`` that switches a job on and off."""

    key: str
    title: str
    used_keys: tuple[str, ...] = ()
    """Keys of an account that have no effect while the job is switched off."""


@dataclass(frozen=True, slots=True)
class PendingItem:
    """An item that is neither processed nor quarantined yet."""

    key: str
    since: datetime
    note: str
    """Why it is pending, or what happens next."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Its fields in ``status --json``, besides ``since``."""


@dataclass(frozen=True, slots=True)
class PendingList:
    """The first pending items of a job, and how many there are."""

    items: Sequence[PendingItem]
    total: int


@dataclass(frozen=True, slots=True)
class PendingView:
    """How ``status`` lists the pending items of a job."""

    title: str
    """Noun phrase after their number, such as ``orders are pending``."""
    json_key: str
    items: EntryPoint
    """Function of the state store, an account's name and the number of items to list; None: all.

    Returns:
        A ``PendingList``; it may have more items than that.
    """
    title_of_one: str
    """The same phrase in the singular, such as ``order is pending``."""

    def counted(self, number: int) -> str:
        """The number of pending items as a phrase, such as ``3 orders are pending``."""
        return f"{number} {self.title_of_one if number == 1 else self.title}"


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of what a job watches, for `status`, the status page and the metrics."""

    noun: str
    """What is counted, such as ``SKUs``; the metric is named after the job and this."""
    numbers: EntryPoint
    """Function of the state store and an account's name.

    Returns:
        The numbers by the name of what they count.
    """


@dataclass(frozen=True, slots=True)
class EventCounter:
    """A metric of a job that only grows."""

    name: str
    """Behind the job's in the metric's name."""
    meaning: str
    number: EntryPoint
    """Function of the state store and an account's name that returns the number so far."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric of a job that goes up and down."""

    name: str
    """Behind the job's in the metric's name."""
    meaning: str
    label: str
    """What there is a number of, such as ``currency``."""
    numbers: EntryPoint
    """Function of the state store and an account's name.

    Returns:
        The numbers by the label's values.
    """


@dataclass(frozen=True, slots=True)
class Series:
    """A number over time."""

    title: str
    points: Sequence[tuple[date, float]]
    """In the sequence of their days."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What the status page shows of a job's results for one account."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    series: Sequence[Series] = ()


@dataclass(frozen=True, slots=True)
class StaleAlert:
    """The alert about a job that has not succeeded for long."""

    what: str
    """What is stale then, in the plural, such as ``quantities``."""
    after: Callable[[Any], timedelta]
    """How long that is for an account (an ``AccountConfig``)."""


COMMON_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "access_refused": "give the login the missing right, or correct the proxy; then retry",
        "internal_error": "report the log event `internal_error`",
        "keeps_failing": "look into the other system's log, or into Seller Central; then retry",
        "odoo_answer": "look for an Odoo module, or a proxy, that changes responses; then retry",
        "odoo_fault": "as the message says; Odoo's log has more",
        "odoo_refused": "as the message says; Odoo's log has more",
    }
)
"""Quarantine kinds of every job, with their remedies."""

ORDER_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "no_account": "add the marketplace to an account, then retry",
        "not_found": "check the id and the account's `seller_id`, then retry",
        "order_refused": "check the id and the account's `seller_id`, then retry",
    }
)
"""Quarantine kinds of jobs that look up orders on Amazon, with their remedies."""


def _always(_account: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything the bridge knows about a job besides the code that it runs."""

    name: str
    """Its name in the configuration, commands, state store and metrics."""
    title: str
    """What it does, in one sentence."""
    run: EntryPoint
    """Function of a ``Context`` and ``dry_run`` that does one sync run.

    Returns:
        Its ``Counts``.
    """
    schedule: str = "5m"
    """Default schedule: an interval or a cron line."""
    is_on: Callable[[Any], bool] = _always
    """Whether the settings of an account (an ``AccountConfig``) switch the job on. A job that is
    off has no schedule, and is not part of ``sync all`` and ``check``; ``sync JOB`` runs it in dry
    runs only."""
    amazon_roles: tuple[str, ...] = ()
    """Roles that the application needs at Amazon."""
    amazon_check: EntryPoint | None = None
    """Read-only probe for ``check``: function of a ``SellingPartner`` and the time.

    Returns:
        Its ``Finding`` objects.
    """
    odoo_check: EntryPoint | None = None
    """Examination for ``check``: function of an ``OdooSession``, an ``AccountConfig``, the
    ``Ledger`` and the whole ``Config``.

    Returns:
        Its ``Finding`` objects.
    """
    odoo_modules: tuple[OdooModule, ...] = ()
    odoo_rights: tuple[OdooRight, ...] = ()
    books_settlements: bool = False
    """Whether it needs the journal and accounts of settlements in Odoo, without which the other
    jobs work."""
    quarantine_kinds: Mapping[str, str] = field(default_factory=dict)
    """Its own quarantine kinds, with their remedies."""
    also_stores: tuple[str, ...] = ()
    """Further names under which it keeps items in the state store."""
    notify_amazon: NotifySwitch | None = None
    """Set if the job sends something to Amazon."""
    explain: EntryPoint | None = None
    """Function of a pending item's ``Entry`` that returns it with the reason why it is pending."""
    pending: PendingView | None = None
    """Set if ``status`` lists its pending items."""
    pending_heading: str = "Pending"
    """Section of the status page with its pending items; jobs may share one."""
    tally: Tally | None = None
    counters: tuple[EventCounter, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    panel: EntryPoint | None = None
    """Function of the state store and an account's name that returns a ``Panel`` for the status
    page."""
    stale_alert: StaleAlert | None = None

    @property
    def remedies(self) -> Mapping[str, str]:
        """All its quarantine kinds, with their remedies."""
        return {**COMMON_KINDS, **self.quarantine_kinds}


def load(entry_point: EntryPoint) -> Any:
    """Import an entry point."""
    return pkgutil.resolve_name(entry_point)
