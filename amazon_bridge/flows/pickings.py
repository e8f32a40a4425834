"""Odoo → Amazon: delivery orders that are done are confirmed as shipments, one by one.

Which are to be told is a predicate: done, outgoing, of a merchant-fulfilled order that the
bridge imported, and Amazon hasn't been told. A delivery order passes through these words, kept
in the ledger's memo: ``waiting`` for its carrier or tracking reference, ``sending``, ``sent``,
and, once Amazon shows the package, it is settled as done. The package reference is the delivery
order's database id: when it isn't sure whether a confirmation arrived, Amazon's packages are
read before anything is sent again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto

import structlog

from amazon_bridge.amazon.shipments import carrier_for
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.ledger import Entry, Seen, State
from amazon_bridge.engine.runner import Counts, Patience
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Shipment
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.delivery_orders import (
    DeliveryOrder,
    Shipped,
    done_delivery_orders,
    shipped_by,
)
from amazon_bridge.odoo.notes import Note

log = structlog.get_logger(__name__)

JOB = "pickings"

_OVERLAP = timedelta(days=1)
"""How far a round looks back behind the last one that went well."""

_FIRST_LOOK = timedelta(days=60)
"""How far the first round of a state store looks back: Amazon itself cancels orders that nobody
has confirmed long before."""

_READ_BACK_AFTER = timedelta(minutes=10)
_READ_BACKS = 20
"""A round reads back this many at most: getOrder allows 30 at once, then one in two seconds."""

_NOT_SHOWN_AFTER = timedelta(hours=6)
"""Amazon can drop a confirmation that it has accepted (204) without a word."""

_PATIENCE = Patience(attempts=3, seconds=60)
_DOWN_AFTER = 3
"""So many delivery orders in a row that Amazon doesn't answer for mean that Amazon is down."""


class Word(StrEnum):
    """How far a delivery order is, as the ledger's memo has it with the moment."""

    NEW = auto()
    UNSURE = auto()
    """Another state store may have had it told."""
    WAITING = auto()
    REMINDED = auto()
    SENDING = auto()
    SENT = auto()


class Outcome(StrEnum):
    """What became of a delivery order in this round."""

    SENT = auto()
    CONFIRMED = auto()
    """Amazon shows the package already."""
    ELSEWHERE = auto()
    """Amazon was told by someone else, such as in Seller Central."""


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery order that Amazon is to be told of."""

    delivery: DeliveryOrder
    marketplace_id: str
    shipped: tuple[Shipped, ...]

    @property
    def is_waiting(self) -> bool:
        return not (self.delivery.carrier and references(self.delivery.tracking_reference))


def references(text: str | None) -> list[str]:
    """The tracking references in Odoo's one field: separated by comma, plus or white space."""
    return [part for part in re.split(r"[,+\s]+", text or "") if part]


def shipment_of(task: Task, carriers: dict[str, str], now: datetime) -> Shipment:
    """What Amazon is told: of several tracking references the first.

    The ship date is when the delivery order was done, not before the order and not in the
    future, as confirmShipment demands.

    Raises:
        ItemError: the units of a kit can't be told.
    """
    delivery = task.delivery
    if any(each.quantity is None for each in task.shipped):
        raise ItemError(
            "kit_unclear",
            f"How many units of the item left with {delivery.name} can't be told from its moves.",
            "Confirm the shipment in Seller Central; then it is recognised with"
            " `amazon-bridge quarantine retry`.",
        )
    carrier_code, carrier_name = carrier_for(delivery.carrier or "", carriers)
    return Shipment(
        order_id=delivery.order_id,
        marketplace_id=task.marketplace_id,
        package_reference_id=str(delivery.id),
        carrier_code=carrier_code,
        carrier_name=carrier_name,
        shipping_method=None,
        tracking_number=references(delivery.tracking_reference)[0],
        ship_date=max(delivery.ordered, min(delivery.done, now)),
        quantities=tuple((s.order_item_id, s.quantity) for s in task.shipped if s.quantity),
    )


# A round


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One round: tell Amazon of what left, and read back what it was told before.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    if not context.account.notify_amazon.shipments:
        return Counts()
    counts = Counts()
    try:
        tasks = _find_tasks(context, dry_run=dry_run)
        counts.seen = len(tasks)
        if dry_run:
            return counts + _foresee(context, tasks)
        _show_waiting(context, [task for task in tasks if task.is_waiting])
        ready = [task for task in tasks if not task.is_waiting]
        _tell_all(context, [t for t in ready if _word(context, t)[0] != Word.SENT], counts)
        _read_back(context, [t for t in ready if _word(context, t)[0] == Word.SENT], counts)
    except (AccountError, Transient) as error:
        counts.error = str(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


def _find_tasks(context: Context, *, dry_run: bool) -> list[Task]:
    """The delivery orders that Amazon is still to be told of, or is yet to show."""
    pending = {entry.key for entry in context.ledger.pending_entries(context.name, JOB)}
    found = done_delivery_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=_since(context),
        names=pending,
        except_location_id=context.setup.fba_location_id,
    )
    entries = {each.name: context.ledger.entry(context.name, JOB, each.name) for each in found}
    settled = {State.DONE, State.LEFT_OUT}
    open_ = [d for d in found if (entry := entries[d.name]) is None or entry.state not in settled]
    unknown = [delivery for delivery in open_ if entries[delivery.name] is None]
    told = notes.told(context.odoo, "stock.picking", [d.id for d in unknown], _TOLD)
    marketplaces = _marketplaces(context, [d for d in open_ if d.id not in told])
    shipped = shipped_by(context.odoo, [d for d in open_ if d.name in marketplaces])
    tasks = [Task(d, marketplaces[d.name], tuple(shipped[d.id])) for d in open_ if d.id in shipped]
    if dry_run:
        return [task for task in tasks if task.shipped]
    _settle(context, (d for d in unknown if d.id in told), State.DONE)
    _settle(context, (d for d in open_ if d.id not in shipped and d.id not in told), State.LEFT_OUT)
    _settle(context, (task.delivery for task in tasks if not task.shipped), State.LEFT_OUT)
    return _filed(context, [task for task in tasks if task.shipped], entries)


def _since(context: Context) -> datetime:
    last = _last_success(context)
    return last - _OVERLAP if last else context.clock() - _FIRST_LOOK


def _last_success(context: Context) -> datetime | None:
    rounds = (r for r in context.ledger.rounds() if (r.account, r.job) == (context.name, JOB))
    return next((r.last_success for r in rounds), None)


def _marketplaces(context: Context, deliveries: Sequence[DeliveryOrder]) -> dict[str, str]:
    """The marketplace of each delivery order that is this account's to tell, by its name."""
    found = {}
    for delivery in deliveries:
        memo = orders.memo_of(context, delivery.order_id)
        if memo and memo.fulfilled_by == FulfilledBy.MERCHANT:
            found[delivery.name] = memo.marketplace_id
    return found


def _filed(context: Context, tasks: Sequence[Task], entries: dict[str, Entry | None]) -> list[Task]:
    """File the tasks; those that are put aside and haven't changed since drop out."""
    last = _last_success(context)
    seen = [Seen(task.delivery.name, _fingerprint(task)) for task in tasks]
    pending = set(context.ledger.file(context.name, JOB, seen))
    for task in tasks:
        if entries[task.delivery.name] is None:
            known = last is not None and task.delivery.done >= last
            _remember(context, task, Word.NEW if known else Word.UNSURE)
    return [task for task in tasks if task.delivery.name in pending]


def _fingerprint(task: Task) -> str:
    told = f"{task.delivery.carrier}\n{task.delivery.tracking_reference}"
    return hashlib.sha256(told.encode()).hexdigest()


def _settle(context: Context, deliveries: Iterable[DeliveryOrder], state: State) -> None:
    for delivery in deliveries:
        known = context.ledger.entry(context.name, JOB, delivery.name)
        fingerprint = known.fingerprint if known else ""
        context.ledger.file(context.name, JOB, [Seen(delivery.name, fingerprint)])
        context.ledger.settle(context.name, JOB, delivery.name, fingerprint, state)


def _remember(context: Context, task: Task, word: Word) -> None:
    memo = f"{word} {context.clock().isoformat()}"
    context.ledger.remember(context.name, JOB, task.delivery.name, memo)


def _word(context: Context, task: Task) -> tuple[Word, datetime]:
    """How far the delivery order is, and since when."""
    entry = context.ledger.entry(context.name, JOB, task.delivery.name)
    word, _, since = (entry.memo if entry and entry.memo else "").partition(" ")
    return (Word(word), datetime.fromisoformat(since)) if word else (Word.UNSURE, context.clock())


# Tell


def _tell_all(context: Context, tasks: Sequence[Task], counts: Counts) -> None:
    """Tell Amazon of each; one that fails doesn't keep the others.

    Raises:
        AccountError: Amazon is down, or refuses the account.
    """
    unanswered = 0
    told: list[Task] = []
    try:
        for task in tasks:
            try:
                outcome = _tell(context, task)
            except ItemError as error:
                _put_aside(context, task, error)
                counts.quarantined += 1
                unanswered = 0
            except Transient as error:
                log.warning("shipment_not_told", **_names(context, task), reason=error.reason)
                unanswered += 1
                if unanswered == _DOWN_AFTER:
                    raise AccountError(error.reason, error.remedy) from error
            else:
                told.append(task)
                counts.notified += outcome == Outcome.SENT
                unanswered = 0
                _note_outcome(context, task, outcome)
    finally:
        _say_in_odoo(context, told)


def _tell(context: Context, task: Task) -> Outcome:
    shipment = shipment_of(task, context.account.carriers, context.clock())
    return runner.patiently(
        lambda: _send(context, task, shipment), patience=_PATIENCE, sleep=context.sleep
    )


def _send(context: Context, task: Task, shipment: Shipment) -> Outcome:
    """Send the confirmation, unless Amazon has it already.

    Raises:
        ItemError: Amazon refuses it, or the order is cancelled there.
        Transient: no answer; the next try looks first.
    """
    if _word(context, task)[0] in {Word.UNSURE, Word.SENDING}:
        outcome = _look(context, shipment)
        if outcome:
            return outcome
    _remember(context, task, Word.SENDING)
    try:
        context.amazon.confirm_shipment(shipment)
    except ItemError:
        outcome = _look(context, shipment)
        if outcome:
            return outcome
        raise
    _remember(context, task, Word.SENT)
    return Outcome.SENT


def _look(context: Context, shipment: Shipment) -> Outcome | None:
    """Look whether Amazon knows of the shipment; None when it is still to be told.

    Raises:
        ItemError: the order is cancelled on Amazon.
    """
    order = orders.fetch(context, shipment.order_id)
    if any(p.package_reference_id == shipment.package_reference_id for p in order.packages):
        return Outcome.CONFIRMED
    if order.status == FulfillmentStatus.CANCELLED:
        raise ItemError(
            "cancelled_on_amazon",
            "The order is cancelled on Amazon, but its goods have left.",
            "Stop the parcel, or bring the goods back: Amazon won't pay for them.",
        )
    return Outcome.ELSEWHERE if order.status == FulfillmentStatus.SHIPPED else None


def _note_outcome(context: Context, task: Task, outcome: Outcome) -> None:
    log.info("shipment_told", **_names(context, task), outcome=outcome)
    if outcome != Outcome.SENT:
        _settle(context, [task.delivery], State.DONE)


def _names(context: Context, task: Task) -> dict[str, str]:
    return {
        "account": context.name,
        "order": task.delivery.order_id,
        "delivery_order": task.delivery.name,
    }


_TOLD = "Amazon: shipment confirmed"


def _say_in_odoo(context: Context, tasks: Sequence[Task]) -> None:
    """Note on the delivery orders what Amazon was told, and close what had asked for it."""
    told = {task.delivery.id: Note("told", _TOLD, _told_text(context, task)) for task in tasks}
    notes.post(context.odoo, "stock.picking", told)
    for topic in (_REFUSED, _INCOMPLETE):
        notes.close_reminders(
            context.odoo, "stock.picking", _reminded(context, tasks), topic, "Amazon was told."
        )


def _reminded(context: Context, tasks: Sequence[Task]) -> list[int]:
    """Those that may have an open activity: they failed before, or waited long."""
    entries = [context.ledger.entry(context.name, JOB, task.delivery.name) for task in tasks]
    late = context.account.tracking_reminder
    return [
        task.delivery.id
        for task, entry in zip(tasks, entries, strict=True)
        if (entry and entry.attempts) or context.clock() - task.delivery.done > late
    ]


def _told_text(context: Context, task: Task) -> str:
    shipment = shipment_of(task, context.account.carriers, context.clock())
    units = sum(quantity for _, quantity in shipment.quantities)
    carrier = shipment.carrier_name or shipment.carrier_code
    text = (
        f"Amazon knows of this shipment: {units} units with {carrier}, tracking reference"
        f" {shipment.tracking_number}. Amazon mails the customer."
    )
    several = len(references(task.delivery.tracking_reference)) > 1
    return text + (" It takes one tracking reference; the others stand here." if several else "")


_REFUSED = "refused"


def _put_aside(context: Context, task: Task, error: ItemError) -> None:
    """Put the delivery order aside, with an activity on it that says why and what to do."""
    context.ledger.put_aside(context.name, JOB, task.delivery.name, error)
    _remember(context, task, Word.UNSURE)
    log.warning("shipment_put_aside", **_names(context, task), kind=error.kind, reason=error.reason)
    digest = hashlib.sha256(error.reason.encode()).hexdigest()[:8]
    _remind(
        context,
        [task],
        Note(f"{_REFUSED}_{digest}", "Amazon doesn't take this shipment", str(error)),
    )


def _remind(context: Context, tasks: Sequence[Task], note: Note) -> None:
    notes.remind(
        context.odoo,
        "stock.picking",
        {task.delivery.id: note for task in tasks},
        today=context.clock().date(),
        user_id=context.setup.salesperson_id,
    )


# Wait


_INCOMPLETE = "incomplete"
_TRACKING_MISSING = Note(
    _INCOMPLETE,
    "Amazon waits for carrier and tracking reference",
    "Amazon can't be told of this shipment without a carrier and a tracking reference: enter"
    " both here. It is told as soon as they are there.",
)


def _show_waiting(context: Context, tasks: Sequence[Task]) -> None:
    """Log once that a delivery order waits, and after a while ask for what it lacks."""
    late = []
    for task in tasks:
        word = _word(context, task)[0]
        if word not in {Word.WAITING, Word.REMINDED}:
            log.info("shipment_waiting", **_names(context, task))
            _remember(context, task, Word.WAITING)
        waited = context.clock() - task.delivery.done
        if word != Word.REMINDED and waited > context.account.tracking_reminder:
            late.append(task)
    if late:
        _remind(context, late, _TRACKING_MISSING)
    for task in late:
        _remember(context, task, Word.REMINDED)


# Read back


def _read_back(context: Context, tasks: Sequence[Task], counts: Counts) -> None:
    """Settle what Amazon shows as a package by now; put aside what it doesn't show for hours.

    Raises:
        AccountError: Amazon refuses the account.
        Transient: Amazon is down.
    """
    now = context.clock()
    due = [task for task in tasks if now - _word(context, task)[1] >= _READ_BACK_AFTER]
    confirmed = []
    for task in due[:_READ_BACKS]:
        try:
            shown = _is_shown(context, task)
        except ItemError as error:
            _put_aside(context, task, error)
            counts.quarantined += 1
            continue
        if shown:
            confirmed.append(task)
            _note_outcome(context, task, Outcome.CONFIRMED)
    _say_in_odoo(context, confirmed)


def _is_shown(context: Context, task: Task) -> bool:
    order = orders.fetch(context, task.delivery.order_id)
    if any(p.package_reference_id == str(task.delivery.id) for p in order.packages):
        return True
    if context.clock() - _word(context, task)[1] < _NOT_SHOWN_AFTER:
        return False
    raise ItemError(
        "shipment_not_shown",
        "Amazon accepted the confirmation, but doesn't show the package hours later.",
        "Look at the order in Seller Central; `amazon-bridge quarantine retry` sends it again"
        " if it isn't there.",
    )


# Dry run


def _foresee(context: Context, tasks: Sequence[Task]) -> Counts:
    """Say what a round would tell Amazon."""
    for task in tasks:
        log.info("would_tell", **_names(context, task), waiting=task.is_waiting)
    waiting = sum(task.is_waiting for task in tasks)
    return Counts(notified=len(tasks) - waiting, unchanged=waiting)
