"""Which delivery orders are done and not settled yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from amazon_bridge.engine.errors import ItemError, RateLimited
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import memos_of
from amazon_bridge.flows.orders.memo import Memo as OrderMemo
from amazon_bridge.flows.scanning import batches
from amazon_bridge.flows.shipments.decide import ShipmentTask, is_foreign, is_open
from amazon_bridge.flows.shipments.progress import JOB
from amazon_bridge.flows.shipments.subjects import CONFIRMED, NOTHING_TO_CONFIRM
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.delivery_orders import (
    DeliveryOrder,
    changed_delivery_orders,
    finished_delivery_orders,
    id_of,
)
from amazon_bridge.odoo.paging import ChangedPage
from amazon_bridge.odoo.shipped_goods import goods_of


@dataclass(frozen=True, slots=True)
class Found:
    """A batch of delivery orders that aren't settled yet."""

    tasks: Sequence[ShipmentTask]
    entries: Mapping[str, Entry | None]
    """State store entry of each delivery order, by its key; None if it is new."""
    confirmed: Sequence[DeliveryOrder]
    """New to this state store, but a note on them says that they were confirmed to Amazon."""
    foreign: Sequence[DeliveryOrder]
    """Of other accounts, or of orders that Amazon ships."""
    unknown: Sequence[DeliveryOrder]
    """Amazon did not show their orders."""
    not_fetched: Sequence[DeliveryOrder]
    """Their orders could not be fetched from Amazon yet."""
    limit: RateLimited | None
    """When these can be."""
    fetched: int
    """Number of orders that were fetched."""
    failures: Sequence[tuple[DeliveryOrder, ItemError]]
    """Their orders can't be parsed, or belong to no account."""
    vanished: Sequence[Entry]
    """Filed earlier; Odoo doesn't have them any more, or not as done."""
    finished: Sequence[DeliveryOrder]
    """Deliveries cancelled in Odoo whose orders have no units open on Amazon."""


def find(context: Context) -> Iterator[Found]:
    """Read the delivery orders that are done, and sort them by what is known of their orders."""
    if not context.odoo.capabilities.has_tracking:
        context.odoo.forget_capabilities()  # somebody may have installed the module meanwhile
    pending: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in context.ledger.items.pending_entries(context.name, JOB):
        pending[id_of(entry.key)].append(entry)
    read: set[int] = set()
    for batch in batches(context, JOB, partial(_changed, context), sorted(pending)):
        ids = {*batch.changed, *batch.filed} - read
        read |= ids
        yield _found(context, ids, [entry for id_ in ids for entry in pending.get(id_, ())])


def _changed(context: Context, since: datetime, after: int) -> Iterator[ChangedPage]:
    known = context.known_setup
    return changed_delivery_orders(
        context.odoo,
        company_id=known.company_id,
        except_location_id=known.fba_location_id,
        since=since,
        after=after,
    )


def _found(context: Context, ids: Collection[int], pending: Sequence[Entry]) -> Found:
    done = _finished(context, ids)
    entries = {each.key: context.ledger.items.get(context.name, JOB, each.key) for each in done}
    open_ = [each for each in done if is_open(each, entries[each.key])]
    new = [each.id for each in open_ if entries[each.key] is None]
    noted = notes.records_with_note(
        context.odoo, notes.DELIVERY_ORDER, new, CONFIRMED, NOTHING_TO_CONFIRM
    )
    confirmed = [each for each in open_ if each.id in noted and entries[each.key] is None]
    unconfirmed = [each for each in open_ if each not in confirmed]
    memos = memos_of(context, {delivery.order_id for delivery in unconfirmed})
    errors = {id_: memo for id_, memo in memos.known.items() if isinstance(memo, ItemError)}
    known = {id_: memo for id_, memo in memos.known.items() if not isinstance(memo, ItemError)}
    tasks = _tasks(unconfirmed, known)
    return Found(
        tasks=[task for task in tasks if not task.is_finished],
        entries=entries,
        confirmed=confirmed,
        foreign=[d for d in unconfirmed if d.order_id in known and is_foreign(known[d.order_id])],
        unknown=[d for d in unconfirmed if d.order_id in memos.not_shown],
        not_fetched=[d for d in unconfirmed if d.order_id in memos.not_fetched],
        limit=memos.limit,
        fetched=memos.fetched,
        failures=[(d, errors[d.order_id]) for d in unconfirmed if d.order_id in errors],
        vanished=[entry for entry in pending if entry.key not in entries],
        finished=[task.delivery for task in tasks if task.is_finished],
    )


def _finished(context: Context, ids: Collection[int]) -> list[DeliveryOrder]:
    return finished_delivery_orders(
        context.odoo,
        ids,
        company_id=context.setup.company_id,
        except_location_id=context.setup.fba_location_id,
    )


def _tasks(
    deliveries: Sequence[DeliveryOrder], memos: Mapping[str, OrderMemo | None]
) -> list[ShipmentTask]:
    ours = {id_: memo for id_, memo in memos.items() if memo and not is_foreign(memo)}
    mine = [each for each in deliveries if each.order_id in ours]
    return [ShipmentTask(each, ours[each.order_id]) for each in mine]


def with_goods(context: Context, tasks: Sequence[ShipmentTask]) -> list[ShipmentTask]:
    """Return the tasks with the goods that left the warehouse."""
    pieces = {item: number for task in tasks for item, number in task.memo.pieces.items()}
    goods = goods_of(context.odoo, [task.delivery for task in tasks], pieces)
    return [
        replace(task, goods=replace(goods[task.key], pieces=_above_one(task.memo.pieces)))
        for task in tasks
    ]


def _above_one(pieces: Mapping[str, int]) -> dict[str, int]:
    return {item: number for item, number in pieces.items() if number > 1}
