"""Units in flight: sold on Amazon, and not yet in a confirmed sale order in Odoo.

``find`` notes them as orders are read, ``apply`` releases them once Odoo holds an order. Here is
what makes sure that none is missing, and that none is held forever; and what other jobs ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from amazon_bridge.amazon.pages import pages
from amazon_bridge.amazon.selling_partner import Page
from amazon_bridge.engine.errors import RateLimited
from amazon_bridge.engine.window import latest_searchable
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.decide import UNPAID
from amazon_bridge.flows.orders.find import (
    FetchedOrder,
    file,
    newest,
    note_in_flight,
    owner_of,
    units_beside_odoo,
)
from amazon_bridge.flows.orders.reading import OPEN_FOR, ChangedOrders, filters
from amazon_bridge.model import WITHOUT_ID, Order

log = structlog.get_logger(__name__)

_CHECK_AFTER = timedelta(hours=1)
"""An order that holds units is looked up again after this time without news of it."""

WITHOUT_ID_FOR = timedelta(days=1)
"""How long an order whose id can't be read holds its units: nothing shows how it ends."""

_CHECKS = 10  # per run: getOrder allows a burst of 30 calls, then one in two seconds


def known_until(context: Context) -> datetime | None:
    """Return up to when all units in flight are known; None if there may be others.

    Others are possible with a new state store, after a rewind, or while it is caught up with what
    happened in a long pause.
    """
    ledger, name = context.ledger, context.name
    if not ledger.in_flight.is_surveyed(name, filters(context.account)):
        return None
    known = (ledger.in_flight.surveyed(name), ledger.cursors.synced_until(name))
    return max(filter(None, known), default=None)


def ensure_read(context: Context) -> None:
    """Find all open orders, unless the units in flight are known.

    Raises:
        RateLimited: it takes more calls than may be made at once; the next attempt goes on.
        AccountError, Transient: a remote is down, or refuses the account.
    """
    ChangedOrders(context, context.clock(), lambda *_: None).read_in_flight()


def read_units_in_flight(context: Context) -> dict[str, int]:
    """Return the units in flight by SKU, read from Amazon and Odoo now; nothing is stored.

    Units that can't be read don't count.

    Raises:
        RateLimited: it takes more calls than may be made at once.
        AccountError, Transient: a remote is down, or refuses the account.
    """
    units = Counter[str]()
    for page in _open_orders(context):
        for order in units_beside_odoo(context, newest(page.orders)):
            units.update({sku: number or 0 for sku, number in order.units.items()})
    return dict(units)


def _open_orders(context: Context) -> Iterator[Page]:
    end = latest_searchable(context.clock())
    fetch = context.amazon.open_orders
    return pages(lambda t: fetch(end - OPEN_FOR, end, t), lambda p: p.next_token, of="orders")


def unchecked(context: Context, now: datetime) -> list[str]:
    """Return ids of orders to look up: some that hold units and were not heard of for long."""
    if not context.account.sends_stock:
        return []
    due = context.ledger.in_flight.unchecked(context.name, now - _CHECK_AFTER, _CHECKS)
    without_id = [each for each in due if each.startswith(WITHOUT_ID)]
    if without_id:
        _expire(context, without_id, now)
    return [each for each in due if each not in without_id]


def _expire(context: Context, order_ids: Sequence[str], now: datetime) -> None:
    """Release the units of orders that can't be looked up, when they were held long enough."""
    context.ledger.in_flight.note_lookup(context.name, *order_ids)
    context.ledger.in_flight.expire(context.name, order_ids, now - WITHOUT_ID_FOR)


def look_up(context: Context, order_id: str) -> FetchedOrder:
    """Fetch an order that holds units. Others are next, also if it can't be fetched.

    Raises:
        ItemError, Transient, AccountError: as ``context.amazon.order`` raises them.
        RateLimited: it was not looked up.
    """
    try:
        order = context.amazon.order(order_id)
    except RateLimited:
        raise
    except Exception:
        context.ledger.in_flight.note_lookup(context.name, order_id)
        raise
    context.ledger.in_flight.note_lookup(context.name, order_id)
    return order


def note_checked(
    context: Context, fetched: Sequence[FetchedOrder], gone: Collection[str]
) -> list[str]:
    """Note the units of orders that were looked up.

    Args:
        context: of the account.
        fetched: orders as Amazon shows them now. Those that changed since the account's beginning,
            and that the search has not shown, are filed.
        gone: ids of orders that Amazon doesn't know any more.

    Returns:
        The ids of those to process.

    Raises:
        AccountError, Transient: Odoo is down, or refuses the login.
    """
    if gone:
        log.info("in_flight_lapsed", account=context.name, orders=len(gone))
    context.ledger.in_flight.release(context.name, gone)
    todo = file(context, [each for each in fetched if _is_due(context, each)])
    note_in_flight(context, fetched)
    return todo


def _is_due(context: Context, order: FetchedOrder) -> bool:
    began = context.ledger.cursors.began(context.name)
    is_late = isinstance(order, Order) and began is not None and order.last_updated >= began
    is_mine = owner_of(context, order) == context.name
    return is_mine and is_late and order.status not in UNPAID
