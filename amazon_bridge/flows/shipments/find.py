"""Which delivery orders are done and not settled yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Entry
from amazon_bridge.flows import orders
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.shipments.decide import Task, is_merchants, is_open
from amazon_bridge.flows.shipments.progress import JOB
from amazon_bridge.flows.shipments.tell import TOLD
from amazon_bridge.odoo import notes
from amazon_bridge.odoo.delivery_orders import (
    DeliveryOrder,
    done_delivery_orders,
    id_of,
    shipped_by,
)

_OVERLAP = timedelta(days=1)
"""How far a round looks back behind the last one that went well."""

_FIRST_LOOK = timedelta(days=60)
"""How far the first round of a state store looks back: Amazon itself cancels orders that nobody
has confirmed long before."""


@dataclass(frozen=True, slots=True)
class Found:
    """The delivery orders that aren't settled yet."""

    tasks: Sequence[Task]
    entries: Mapping[str, Entry | None]
    """What the ledger knows of each, by its key."""
    told: Sequence[DeliveryOrder]
    """New to this state store, but a note on them says that Amazon was told."""
    not_ours: Sequence[DeliveryOrder]
    """Of other accounts, of FBA orders, or without any goods that Amazon has sold."""
    unknown: Sequence[DeliveryOrder]
    """Amazon didn't say what their orders are."""
    failures: Sequence[tuple[DeliveryOrder, ItemError]]
    """Their orders can't be understood."""


def find(context: Context) -> Found:
    """Read the delivery orders that are done, and sort out which are to be worked."""
    entries, open_ = _open_delivery_orders(context)
    new = [delivery.id for delivery in open_ if entries[delivery.key] is None]
    told = notes.told(context.odoo, notes.DELIVERY_ORDER, new, TOLD)
    untold = [delivery for delivery in open_ if delivery.id not in told]
    memos = orders.memos_of(context, {delivery.order_id for delivery in untold})
    errors = {order_id: memo for order_id, memo in memos.items() if isinstance(memo, ItemError)}
    known = [each for each in untold if each.order_id in memos.keys() - errors.keys()]
    tasks = _tasks(context, known, memos)
    mine = {task.key for task in tasks}
    return Found(
        tasks=tasks,
        entries=entries,
        told=[delivery for delivery in open_ if delivery.id in told],
        not_ours=[delivery for delivery in known if delivery.key not in mine],
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
        ids={id_of(entry.key) for entry in context.ledger.pending_entries(context.name, JOB)},
        except_location_id=context.setup.fba_location_id,
    )
    entries = {each.key: context.ledger.entry(context.name, JOB, each.key) for each in done}
    return entries, [each for each in done if is_open(each, entries[each.key])]


def _tasks(
    context: Context,
    deliveries: Sequence[DeliveryOrder],
    memos: Mapping[str, orders.Memo | ItemError | None],
) -> list[Task]:
    ours = {order_id: memo for order_id, memo in memos.items() if is_merchants(memo)}
    mine = [each for each in deliveries if each.order_id in ours]
    shipped = shipped_by(context.odoo, mine)
    return [Task(d, ours[d.order_id], tuple(shipped[d.id])) for d in mine if shipped[d.id]]
