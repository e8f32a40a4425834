"""Odoo → Amazon: delivery orders that are done are confirmed as shipments, one by one.

Which are to be told is a predicate: done, on its way to the customer, of a merchant-fulfilled
order that the bridge imported, and Amazon hasn't been told. The ledger remembers of each how far
it is (``Standing``); it is settled when Amazon shows the package. The package reference is the
delivery order's database id: unless nobody can have told Amazon yet, Amazon is asked first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import TypeGuard

import structlog

from amazon_bridge.amazon.shipments import carrier_for
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, Transient
from amazon_bridge.engine.ledger import Entry, Ledger, Seen, State
from amazon_bridge.engine.runner import Counts, Patience
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.standing import Standing, Word
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order, Shipment
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


class Outcome(StrEnum):
    """What came of a delivery order in a round."""

    SENT = auto()
    """Amazon was told, and accepted it."""
    CONFIRMED = auto()
    """Amazon shows the package."""
    ELSEWHERE = auto()
    """Amazon was told by someone else, such as in Seller Central."""
    PATIENCE = auto()
    """Amazon doesn't show the package yet."""


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery order that Amazon is to be told of, or is yet to show."""

    delivery: DeliveryOrder
    memo: orders.Memo
    shipped: tuple[Shipped, ...]

    @property
    def name(self) -> str:
        return self.delivery.name


def shipment_of(task: Task, carriers: Mapping[str, str], now: datetime) -> Shipment:
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
            "Confirm the whole order in Seller Central, then: amazon-bridge quarantine retry.",
        )
    carrier_code, carrier_name = carrier_for(delivery.carrier or "", carriers)
    return Shipment(
        order_id=delivery.order_id,
        marketplace_id=task.memo.marketplace_id,
        package_reference_id=str(delivery.id),
        carrier_code=carrier_code,
        carrier_name=carrier_name,
        shipping_method=None,
        tracking_number=delivery.tracking_references[0],
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
        if dry_run:
            return _foresee(context, _find(context))
        tasks = _file(context, _find(context), counts)
        counts.seen = len(tasks)
        _show_waiting(context, tasks)
        _work(context, _due(context, tasks), counts)
    except (AccountError, Transient) as error:
        counts.error = str(error)
    counts.unchanged = max(0, counts.seen - counts.notified - counts.quarantined)
    return counts


# Find


@dataclass(frozen=True, slots=True)
class _Found:
    """The delivery orders that aren't settled yet."""

    tasks: Sequence[Task]
    entries: Mapping[str, Entry | None]
    """What the ledger knows of each, by its name."""
    told: Sequence[DeliveryOrder]
    """New to this state store, but a note on them says that Amazon was told."""
    not_ours: Sequence[DeliveryOrder]
    """Of other accounts, of FBA orders, or without any goods that Amazon has sold."""
    unknown: Sequence[DeliveryOrder]
    """Amazon didn't say what their orders are."""
    failures: Sequence[tuple[DeliveryOrder, ItemError]]
    """Their orders can't be understood."""


def _find(context: Context) -> _Found:
    entries, open_ = _open_delivery_orders(context)
    new = [delivery.id for delivery in open_ if entries[delivery.name] is None]
    told = notes.told(context.odoo, notes.DELIVERY_ORDER, new, _TOLD)
    untold = [delivery for delivery in open_ if delivery.id not in told]
    memos = orders.memos_of(context, {delivery.order_id for delivery in untold})
    errors = {order_id: memo for order_id, memo in memos.items() if isinstance(memo, ItemError)}
    known = [each for each in untold if each.order_id in memos.keys() - errors.keys()]
    tasks = _tasks(context, known, memos)
    mine = {task.name for task in tasks}
    return _Found(
        tasks=tasks,
        entries=entries,
        told=[delivery for delivery in open_ if delivery.id in told],
        not_ours=[delivery for delivery in known if delivery.name not in mine],
        unknown=[delivery for delivery in untold if delivery.order_id not in memos],
        failures=[(d, errors[d.order_id]) for d in untold if d.order_id in errors],
    )


def _open_delivery_orders(
    context: Context,
) -> tuple[dict[str, Entry | None], list[DeliveryOrder]]:
    """Those that aren't settled, nor put aside and unchanged; and what the ledger knows of each."""
    done = done_delivery_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=context.since(JOB, overlap=_OVERLAP, first_look=_FIRST_LOOK),
        names={entry.key for entry in context.ledger.pending_entries(context.name, JOB)},
        except_location_id=context.setup.fba_location_id,
    )
    entries = {each.name: context.ledger.entry(context.name, JOB, each.name) for each in done}
    return entries, [each for each in done if _is_open(each, entries[each.name])]


def _is_open(delivery: DeliveryOrder, entry: Entry | None) -> bool:
    if entry is None or entry.state == State.PENDING:
        return True
    return entry.state == State.QUARANTINED and entry.fingerprint != _fingerprint(delivery)


def _fingerprint(delivery: DeliveryOrder) -> str:
    """Of what a person can correct when Amazon refuses it."""
    told = f"{delivery.carrier}\n{delivery.tracking_reference}"
    return hashlib.sha256(told.encode()).hexdigest()


def _tasks(
    context: Context,
    deliveries: Sequence[DeliveryOrder],
    memos: Mapping[str, orders.Memo | ItemError | None],
) -> list[Task]:
    ours = {order_id: memo for order_id, memo in memos.items() if _is_merchants(memo)}
    mine = [each for each in deliveries if each.order_id in ours]
    shipped = shipped_by(context.odoo, mine)
    return [Task(d, ours[d.order_id], tuple(shipped[d.id])) for d in mine if shipped[d.id]]


def _is_merchants(memo: orders.Memo | ItemError | None) -> TypeGuard[orders.Memo]:
    return isinstance(memo, orders.Memo) and memo.fulfilled_by == FulfilledBy.MERCHANT


# File


def _file(context: Context, found: _Found, counts: Counts) -> Sequence[Task]:
    """File what was found; answer with what is to be worked."""
    _settle(context, found.told, State.DONE)
    _settle(context, found.not_ours, State.LEFT_OUT)
    tasks, unclear = [task.delivery for task in found.tasks], [each for each, _ in found.failures]
    seen = [Seen(each.name, _fingerprint(each)) for each in (*tasks, *unclear, *found.unknown)]
    context.ledger.file(context.name, JOB, seen)
    failures = {delivery.name: error for delivery, error in found.failures}
    failures |= context.all_given_up(JOB, (each.name for each in found.unknown))
    for name, error in failures.items():
        context.ledger.put_aside(context.name, JOB, name, error)
    counts.quarantined += len(failures)
    last = context.ledger.last_success(context.name, JOB)
    for task in found.tasks:
        if found.entries[task.name] is None:
            fresh = last is not None and task.delivery.done >= last
            untouched = task.memo.status == FulfillmentStatus.UNSHIPPED
            _remember(context, task, Word.NEW if fresh and untouched else Word.UNSURE)
    return found.tasks


def _settle(context: Context, deliveries: Iterable[DeliveryOrder], state: State) -> None:
    for delivery in deliveries:
        known = context.ledger.entry(context.name, JOB, delivery.name)
        fingerprint = known.fingerprint if known else ""
        context.ledger.file(context.name, JOB, [Seen(delivery.name, fingerprint)])
        context.ledger.settle(context.name, JOB, delivery.name, fingerprint, state)


def _standing(context: Context, task: Task) -> Standing:
    entry = context.ledger.entry(context.name, JOB, task.name)
    unknown = Standing(Word.UNSURE, task.delivery.done, task.delivery.order_id)
    return Standing.read(entry) or unknown


def _remember(context: Context, task: Task, word: Word) -> None:
    """Remember how far the delivery order is; while it isn't told, since when it is done."""
    since = context.clock() if word == Word.SENT else task.delivery.done
    standing = Standing(word, since, task.delivery.order_id, task.delivery.lacks)
    context.ledger.remember(context.name, JOB, task.name, standing.text())


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
        standing, lacks = _standing(context, task), task.delivery.lacks
        if standing.word == Word.SENT:
            continue
        waits = standing.word in {Word.WAITING, Word.REMINDED}
        if lacks and not waits:
            log.info("shipment_waiting", **_names(context, task), lacks=lacks)
            _remember(context, task, Word.WAITING)
        elif waits and standing.lacks != lacks:
            _remember(context, task, standing.word if lacks else Word.UNSURE)
        overdue = context.clock() - task.delivery.done > context.account.tracking_reminder
        if lacks and overdue and standing.word != Word.REMINDED:
            late.append(task)
    _remind(context, {task.delivery.id: _TRACKING_MISSING for task in late})
    for task in late:
        _remember(context, task, Word.REMINDED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery order that is done and that Amazon hasn't been told of."""

    delivery_order: str
    order_id: str
    since: datetime
    lacks: tuple[str, ...]
    """Empty: it can be told, and the next round does."""


def waiting(ledger: Ledger, account: str) -> list[Waiting]:
    """An account's delivery orders that Amazon is still to be told of, those done first in front.

    As the last round found them.
    """
    found = [
        Waiting(entry.key, standing.order_id, standing.since, standing.lacks)
        for entry in ledger.pending_entries(account, JOB)
        if (standing := Standing.read(entry)) and standing.word != Word.SENT
    ]
    return sorted(found, key=lambda each: (each.since, each.delivery_order))


# Work


def _due(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """What is to be done now: what is ready to be told, then what is to be read back.

    One that waits is due when Amazon has the order as shipped: then somebody has told it.
    """
    standings = {task.name: _standing(context, task) for task in tasks}
    sent = [task for task in tasks if standings[task.name].word == Word.SENT]
    ready = [
        task
        for task in tasks
        if task not in sent
        and (not task.delivery.lacks or task.memo.status == FulfillmentStatus.SHIPPED)
    ]
    return ready + _to_be_read_back(sent, standings, context.clock())


def _to_be_read_back(
    sent: Sequence[Task], standings: Mapping[str, Standing], now: datetime
) -> list[Task]:
    """As many as a round takes, those first that weren't looked at for longest."""
    last = {task.name: standings[task.name].asked or standings[task.name].since for task in sent}
    due = [task for task in sent if now - last[task.name] >= _READ_BACK_AFTER]
    return sorted(due, key=lambda task: last[task.name])[:_READ_BACKS]


def _work(context: Context, tasks: Sequence[Task], counts: Counts) -> None:
    """Tell Amazon, or read back; one that fails doesn't keep the others.

    Odoo is told of all of them at the end. What happens to the bridge before that is made up
    for later: those sent are read back, and the others are worked again.

    Raises:
        AccountError: Amazon is down, or refuses the account.
        Transient: Odoo is down.
    """
    outcomes: list[tuple[Task, Outcome]] = []
    failures: list[tuple[Task, ItemError]] = []
    results = context.one_by_one(JOB, tasks, lambda t: _worked(context, t), key=lambda t: t.name)
    try:
        for task, result in results:
            match result:
                case ItemError():
                    failures.append((task, result))
                case Transient():
                    counts.error = str(result)
                case _:
                    log.info("shipment_worked", **_names(context, task), outcome=result)
                    outcomes.append((task, result))
    finally:
        counts.notified += sum(outcome == Outcome.SENT for _, outcome in outcomes)
        counts.quarantined += len(failures)
        _put_aside(context, failures)
        _say_told(context, [each for each in outcomes if each[1] != Outcome.PATIENCE])


def _worked(context: Context, task: Task) -> Outcome:
    """Work one delivery order.

    Raises:
        ItemError: Amazon refuses it, or has dropped it.
        Transient: no answer; a later round goes on.
    """
    if _standing(context, task).word == Word.SENT:
        return _read_back(context, task)
    return runner.patiently(lambda: _tell(context, task), patience=_PATIENCE, sleep=context.sleep)


def _tell(context: Context, task: Task) -> Outcome:
    """Send the confirmation, unless Amazon may have it and does."""
    if _standing(context, task).word != Word.NEW:
        outcome = _look(context, task)
        if outcome != Outcome.PATIENCE or task.delivery.lacks:
            return outcome
    shipment = shipment_of(task, context.account.carriers, context.clock())
    _remember(context, task, Word.SENDING)
    try:
        context.amazon.confirm_shipment(shipment)
    except ItemError as error:
        outcome = _look(context, task)
        if outcome == Outcome.PATIENCE:
            raise _refused(error) from error
        return outcome
    _remember(context, task, Word.SENT)
    return Outcome.SENT


def _look(context: Context, task: Task) -> Outcome:
    """Look whether Amazon knows of the shipment.

    Raises:
        ItemError: the order is cancelled on Amazon.
    """
    order = orders.fetch(context, task.delivery.order_id)
    if _shows(order, task):
        return Outcome.CONFIRMED
    if order.status == FulfillmentStatus.CANCELLED:
        raise ItemError(
            "cancelled_on_amazon",
            "The order is cancelled on Amazon, but its goods have left.",
            "Stop the parcel or bring the goods back: the buyer doesn't pay for them.",
        )
    return Outcome.ELSEWHERE if order.status == FulfillmentStatus.SHIPPED else Outcome.PATIENCE


def _shows(order: Order, task: Task) -> bool:
    return any(p.package_reference_id == str(task.delivery.id) for p in order.packages)


def _refused(error: ItemError) -> ItemError:
    return ItemError(
        error.kind,
        error.reason,
        error.remedy
        or "Correct the carrier or the tracking reference of the delivery order: then it is told"
        " again. If it is something else, confirm the shipment in Seller Central.",
    )


def _read_back(context: Context, task: Task) -> Outcome:
    outcome = _look(context, task)
    if outcome != Outcome.PATIENCE:
        return Outcome.CONFIRMED
    standing, now = _standing(context, task), context.clock()
    if now - standing.since >= _NOT_SHOWN_AFTER:
        raise ItemError(
            "shipment_not_shown",
            "Amazon accepted the confirmation, but doesn't show the package hours later.",
            "Look at the order in Seller Central; `amazon-bridge quarantine retry` sends it again"
            " if it isn't there.",
        )
    memo = replace(standing, asked=now).text()
    context.ledger.remember(context.name, JOB, task.name, memo)
    return outcome


# Say


_TOLD = "Amazon: shipment confirmed"
_REFUSED = "refused"


def _say_told(context: Context, outcomes: Sequence[tuple[Task, Outcome]]) -> None:
    """Note on the delivery orders what Amazon knows, and close what had asked for it."""
    told = {task.delivery.id: _told(context, task, outcome) for task, outcome in outcomes}
    notes.post(context.odoo, notes.DELIVERY_ORDER, told)
    notes.close_reminders(
        context.odoo, notes.DELIVERY_ORDER, told.keys(), (_REFUSED, _INCOMPLETE), "Amazon knows."
    )
    _settle(context, (t.delivery for t, outcome in outcomes if outcome != Outcome.SENT), State.DONE)


def _told(context: Context, task: Task, outcome: Outcome) -> Note:
    if outcome == Outcome.ELSEWHERE or task.delivery.lacks:
        text = "Amazon knows of this shipment already; the bridge sent nothing."
    else:
        text = _sent_text(task, context.account.carriers)
    return Note("told", _TOLD, text)


def _sent_text(task: Task, carriers: Mapping[str, str]) -> str:
    units = sum(each.quantity or 0 for each in task.shipped)
    carrier_code, carrier_name = carrier_for(task.delivery.carrier or "", carriers)
    first, *others = task.delivery.tracking_references
    text = (
        f"Amazon was told of this shipment: units {units}, carrier {carrier_name or carrier_code},"
        f" tracking reference {first}. Amazon tells the customer."
    )
    return text + (" It takes one tracking reference; the others stand here." if others else "")


def _put_aside(context: Context, failures: Sequence[tuple[Task, ItemError]]) -> None:
    """Put delivery orders aside, with an activity on each that says why and what to do."""
    _remind(context, {task.delivery.id: _why(task, error) for task, error in failures})
    for task, error in failures:
        context.ledger.put_aside(context.name, JOB, task.name, error)
        _remember(context, task, Word.UNSURE)
        names = _names(context, task)
        log.warning("shipment_put_aside", **names, kind=error.kind, reason=error.reason)


def _why(task: Task, error: ItemError) -> Note:
    """Once for each reason and for each correction."""
    digest = hashlib.sha256(f"{error.reason}{_fingerprint(task.delivery)}".encode()).hexdigest()[:8]
    return Note(f"{_REFUSED}_{digest}", "Amazon doesn't take this shipment", str(error))


def _remind(context: Context, asked: Mapping[int, Note]) -> None:
    notes.remind(
        context.odoo,
        {(notes.DELIVERY_ORDER, id_): note for id_, note in asked.items()},
        today=context.clock().date(),
        user_id=context.setup.salesperson_id,
    )


def _names(context: Context, task: Task) -> dict[str, str]:
    return {
        "account": context.name,
        "order": task.delivery.order_id,
        "delivery_order": task.name,
    }


# Dry run


def _foresee(context: Context, found: _Found) -> Counts:
    """Say what a round would tell Amazon."""
    counts = Counts()
    for task in found.tasks:
        counts.seen += 1
        if _standing(context, task).word == Word.SENT:
            counts.unchanged += 1
            continue
        lacks = task.delivery.lacks
        log.info("would_tell", **_names(context, task), lacks=lacks)
        counts.unchanged += bool(lacks)
        counts.notified += not lacks
    return counts
