"""Which delivery orders are done and not settled yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows import orders, outbound
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments.decide import Task, is_open, is_somebody_elses
from amazon_bridge.flows.shipments.progress import JOB
from amazon_bridge.flows.shipments.subjects import NOTHING_TOLD, TOLD
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.delivery_orders import DeliveryOrder, finished_delivery_orders, id_of
from amazon_bridge.odoo.shipped_goods import goods_of


@dataclass(frozen=True, slots=True)
class Found:
    """The delivery orders that aren't settled yet."""

    tasks: Sequence[Task]
    entries: Mapping[str, Entry | None]
    """What the ledger knows of each, by its key."""
    told: Sequence[DeliveryOrder]
    """New to this state store, but a note on them says that Amazon was told."""
    somebody_elses: Sequence[DeliveryOrder]
    """Of other accounts, or of orders that Amazon ships."""
    unknown: Sequence[DeliveryOrder]
    """Amazon didn't say what their orders are."""
    failures: Sequence[tuple[DeliveryOrder, ItemError]]
    """Their orders can't be understood, or aren't found."""
    vanished: Sequence[Entry]
    """Filed earlier; Odoo has them no more, or not as done."""
    over: Sequence[DeliveryOrder]
    """Deliveries cancelled in Odoo whose orders have no units open on Amazon."""


def find(context: Context) -> Found:
    """Read the delivery orders that are done, and sort out which are to be worked."""
    pending = context.ledger.items.pending_entries(context.name, JOB)
    done = _finished(context, pending)
    entries = {each.key: context.ledger.items.get(context.name, JOB, each.key) for each in done}
    open_ = [each for each in done if is_open(each, entries[each.key])]
    new = [each.id for each in open_ if entries[each.key] is None]
    told = notes.records_with_note(context.odoo, notes.DELIVERY_ORDER, new, TOLD, NOTHING_TOLD)
    new_told = [each for each in open_ if each.id in told and entries[each.key] is None]
    untold = [each for each in open_ if each not in new_told]
    memos = orders.memos_of(context, {delivery.order_id for delivery in untold})
    errors = {order_id: memo for order_id, memo in memos.items() if isinstance(memo, ItemError)}
    known = {order_id: m for order_id, m in memos.items() if not isinstance(m, ItemError)}
    tasks = _tasks(untold, known)
    return Found(
        tasks=[task for task in tasks if not task.is_over],
        entries=entries,
        told=new_told,
        somebody_elses=[
            d for d in untold if d.order_id in known and is_somebody_elses(known[d.order_id])
        ],
        unknown=[delivery for delivery in untold if delivery.order_id not in memos],
        failures=[(d, errors[d.order_id]) for d in untold if d.order_id in errors],
        vanished=[entry for entry in pending if entry.key not in entries],
        over=[task.delivery for task in tasks if task.is_over],
    )


def _finished(context: Context, pending: Sequence[Entry]) -> list[DeliveryOrder]:
    return finished_delivery_orders(
        context.odoo,
        company_id=context.setup.company_id,
        since=outbound.changed_since(context, JOB),
        ids={id_of(entry.key) for entry in pending},
        except_location_id=context.setup.fba_location_id,
    )


def _tasks(
    deliveries: Sequence[DeliveryOrder], memos: Mapping[str, orders.Memo | None]
) -> list[Task]:
    ours = {id_: memo for id_, memo in memos.items() if memo and not is_somebody_elses(memo)}
    mine = [each for each in deliveries if each.order_id in ours]
    return [Task(each, ours[each.order_id]) for each in mine]


def with_goods(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """The tasks, with what left the warehouse."""
    pieces = {item: number for task in tasks for item, number in task.memo.pieces.items()}
    goods = goods_of(context.odoo, [task.delivery for task in tasks], pieces)
    return [
        replace(task, goods=replace(goods[task.key], pieces=_several(task.memo.pieces)))
        for task in tasks
    ]


def _several(pieces: Mapping[str, int]) -> dict[str, int]:
    return {item: number for item, number in pieces.items() if number > 1}
