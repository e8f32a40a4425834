"""Which orders changed on Amazon: windows read page by page, and orders fetched by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.engine.ledger import Seen
from amazon_bridge.engine.window import Window
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.decide import to_be_imported
from amazon_bridge.flows.orders.memo import JOB, Memo
from amazon_bridge.model import Order, UnreadableOrder

log = structlog.get_logger(__name__)

Shown = Order | UnreadableOrder


class Reading(NamedTuple):
    """The orders that changed in a window, each once, as it was changed last."""

    shown: list[Shown]
    window: Window
    """The part of the window that Amazon spoke of; the cursor must not move beyond it."""


def read(context: Context, window: Window) -> list[Shown]:
    """All orders that changed in a window, each once, as it was changed last."""
    return read_window(context, window).shown


def read_window(context: Context, window: Window) -> Reading:
    """Read a window page by page. Amazon may speak only of a part of it, and says so."""
    pages = runner.patiently(
        lambda: list(context.amazon.changed_orders(window.after, window.before)),
        sleep=context.sleep,
    )
    known = window.until(min(page.speaks_until for page in pages))
    if known != window:
        log.info("search_lags", account=context.name, until=known.before.isoformat())
    return Reading(_newest(order for page in pages for order in page.orders), known)


def _newest(shown: Iterable[Shown]) -> list[Shown]:
    """Each order once, as it was changed last.

    Pages may repeat an order, and may show an older version after a newer one.
    """
    found: dict[str, Shown] = {}
    for each in shown:
        known = found.get(each.order_id)
        if known is None or not _is_older(each, known):
            found[each.order_id] = each
    return list(found.values())


def _is_older(one: Shown, other: Shown) -> bool:
    """Of one that can't be understood it isn't known when it changed."""
    if isinstance(one, UnreadableOrder) or isinstance(other, UnreadableOrder):
        return False
    return one.last_updated < other.last_updated


def file(context: Context, shown: Sequence[Shown], *, window: Window | None = None) -> list[str]:
    """File orders in the ledger; answer with the ids of those that are to be worked."""
    seen = [Seen(order.order_id, order.fingerprint, _importable(order)) for order in shown]
    return context.ledger.file(context.name, JOB, seen, window=window)


def _importable(shown: Shown) -> bool:
    return isinstance(shown, Order) and to_be_imported(shown, filed_before=False)


def fetch(context: Context, order_id: str) -> Order:
    """The order as Amazon shows it now.

    Raises:
        ItemError: Amazon doesn't show it to this seller, or it can't be understood.
        Transient: Amazon is down.
    """
    shown = context.amazon.order(order_id)
    if isinstance(shown, UnreadableOrder):
        raise unreadable(shown)
    return shown


def memos_of(context: Context, order_ids: Iterable[str]) -> dict[str, Memo | ItemError | None]:
    """What the ledger remembers of orders; where it remembers nothing, Amazon is asked.

    None for another account's orders; an ``ItemError`` for those that can't be understood.
    Those that Amazon doesn't answer for are absent.

    Raises:
        AccountError: Amazon is down, or refuses the account.
    """
    alive = context.amazon.marketplace_participations
    found = runner.one_by_one(order_ids, lambda id_: _memo_of(context, id_), key=str, alive=alive)
    return {order_id: memo for order_id, memo in found if not isinstance(memo, Transient)}


def _memo_of(context: Context, order_id: str) -> Memo | None:
    known = [e for e in context.ledger.entries(order_id) if e.job == JOB and e.memo]
    if known:
        return next((Memo.read(e) for e in known if e.account == context.name), None)
    try:
        order = fetch(context, order_id)
    except ItemError as error:
        if error.kind == _UNREADABLE:
            raise
        return None
    mine = {each.marketplace_id for each in context.account.marketplaces}
    return Memo.of(order) if order.marketplace_id in mine else None


def unreadable(order: UnreadableOrder) -> ItemError:
    """The quarantine error of an order that could not be parsed."""
    remedy = "It comes back by itself when it changes on Amazon, or with `quarantine retry`."
    return ItemError(_UNREADABLE, order.reason, remedy)


_UNREADABLE = "unreadable"
