"""Which orders of an account lack their invoice, or a part of it.

Odoo lists orders of all accounts of the company, and those of accounts that leave invoices to
people stay on that list. So a run looks at a bounded number of them, and the state store remembers
which ones aren't this account's. Those are examined again after a while.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from amazon_bridge.engine.errors import ItemError, RateLimited
from amazon_bridge.engine.records import Entry, Seen, State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import memos_of, processed
from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.flows.sampling import sample
from amazon_bridge.flows.scanning import in_turn
from amazon_bridge.odoo import invoices, sales
from amazon_bridge.odoo.paging import Query
from amazon_bridge.odoo.session import chunks

KEPT = "invoices"
"""The job name under which the state store keeps orders whose invoice is quarantined, and those
that are left out."""

_FETCHED = 20  # orders in a run: getOrder allows a burst of 30 calls, then one call per 2 s

_LEFT_OUT_FOR = timedelta(days=1)
"""How long an order is left out that Amazon does not show, or not clearly: it may do so later."""


_OTHERS_FOR = timedelta(days=7)
"""How long an order of another account is left out, unless the account's marketplaces change."""

_FETCHED_AGAIN = 5  # of these in a run

_UNCLEAR = "unclear"
"""Amazon does not show whose it is; takes the place of the fingerprint."""


def _others(context: Context) -> str:
    """Takes the place of the fingerprint of other accounts' orders.

    These are orders of marketplaces that this account doesn't have, or not created by the bridge.
    """
    names = sorted(place.marketplace_id for place in context.account.marketplaces)
    return " ".join(["others", *names])


def due(context: Context) -> tuple[list[str], RateLimited | None]:
    """Return the ids of orders to invoice; settle retried ones that are not due any more.

    Returns:
        Also why it could not be looked up whose the others are, if Amazon's rate was used up.
    """
    retried = context.ledger.items.pending(context.name, KEPT)
    again = [order_id for chunk in chunks(retried) for order_id in _still_due(context, chunk)]
    settle_others(context, again)
    return _mine(context, dict.fromkeys([*again, *_listed(context)]))


def settle_others(context: Context, due: Collection[str]) -> None:
    """Settle retried orders that are no longer due: people have invoiced them."""
    for order_id in context.ledger.items.pending(context.name, KEPT):
        if order_id not in due:
            context.ledger.items.settle(context.name, KEPT, order_id, "", State.DONE)


def _queries(context: Context) -> tuple[Query, Query]:
    known = context.known_setup
    pays = known.payment_journal_id is not None
    unfinished = invoices.unfinished(context.odoo, known.company_id, payments=pays)
    return unfinished, invoices.to_invoice(context.odoo, known.company_id)


def _listed(context: Context) -> Iterable[str]:
    """Yield the orders that Odoo lists: the newest, and some of the others in turn."""
    unfinished, to_invoice = _queries(context)
    for rows in in_turn(context, "unfinished invoices", unfinished):
        yield from invoices.invoiced_orders(context.odoo, rows)
    for rows in in_turn(context, "orders to invoice", to_invoice):
        yield from invoices.order_references(rows)


def _still_due(context: Context, order_ids: Sequence[str]) -> list[str]:
    unfinished, to_invoice = _queries(context)
    drafts = unfinished.of(("ref", "in", order_ids))
    orders = to_invoice.of(("client_order_ref", "in", order_ids))
    return [*invoices.invoiced_orders(context.odoo, drafts), *invoices.order_references(orders)]


def _mine(context: Context, order_ids: Iterable[str]) -> tuple[list[str], RateLimited | None]:
    """Return those that the bridge has imported for this account and that aren't quarantined."""
    known, unknown = _sorted_by_memory(context, order_ids)
    created = {o for chunk in chunks([*known, *unknown]) for o in _made_by_bridge(context, chunk)}
    memos = memos_of(context, [o for o in unknown if o in created])
    for order_id in set(unknown) - memos.not_fetched:
        memo = _NOT_SHOWN if order_id in memos.not_shown else memos.known.get(order_id)
        _remember(context, order_id, memo)
    mine = {*known, *(id_ for id_, memo in memos.known.items() if isinstance(memo, Memo))}
    return [each for each in [*known, *unknown] if each in mine & created], memos.limit


_NOT_SHOWN = ItemError("not_found", "Amazon does not show it.", "")


def _sorted_by_memory(context: Context, order_ids: Iterable[str]) -> tuple[list[str], list[str]]:
    """Select this account's orders, and some whose account is unknown or was examined long ago.

    The others are left out.
    """
    known: list[str] = []
    new: list[str] = []
    again: list[str] = []
    for order_id in order_ids:
        entries = context.ledger.items.with_key(order_id)
        kept = next((e for e in entries if (e.account, e.job) == (context.name, KEPT)), None)
        if kept and kept.state is State.QUARANTINED:
            continue
        owners = {entry.account for entry in processed(context, entries)}
        if context.name in owners:
            known.append(order_id)
        elif not owners and not _is_left_out(context, kept):
            (again if kept else new).append(order_id)
    now = context.clock()
    unknown = [*sample(new, now, _FETCHED), *sample(again, now, _FETCHED_AGAIN)]
    return known, unknown[:_FETCHED]


def _is_left_out(context: Context, kept: Entry | None) -> bool:
    if kept is None or kept.state is not State.LEFT_OUT or kept.last_tried is None:
        return False
    age = abs(context.clock() - kept.last_tried)
    if kept.fingerprint == _UNCLEAR:
        return age < _LEFT_OUT_FOR
    return kept.fingerprint == _others(context) and age < _OTHERS_FOR


def _made_by_bridge(context: Context, order_ids: Sequence[str]) -> list[str]:
    found = sales.find(context.odoo, order_ids)
    return [order_id for order_id, order in found.items() if order.made_by_bridge]


def _remember(context: Context, order_id: str, memo: Memo | ItemError | None) -> None:
    """Remember whose order it is, so that the next runs don't fetch it again."""
    if isinstance(memo, Memo):
        return
    reason = _others(context) if memo is None else _UNCLEAR
    items, name = context.ledger.items, context.name
    items.file(name, KEPT, [Seen(order_id, reason)])
    items.settle(name, KEPT, order_id, reason, State.LEFT_OUT)
