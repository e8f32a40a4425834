"""Orders as Amazon shows them: filed, fetched by id, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ConfigError, ItemError, RateLimited, Transient
from amazon_bridge.engine.records import Entry, InFlight, Seen, State
from amazon_bridge.engine.window import Reading
from amazon_bridge.flows.catalogue import mapped_pieces
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.decide import (
    TO_BE_SHIPPED,
    UNPAID,
    to_be_imported,
    units_in_flight,
)
from amazon_bridge.flows.orders.memo import JOB, Memo, entry_of, was_settled
from amazon_bridge.flows.sampling import shuffled
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.model import WITHOUT_ID, FulfilledBy, Order, UnreadableOrder
from amazon_bridge.odoo import sales
from amazon_bridge.odoo.buyers import identifiers

log = structlog.get_logger(__name__)

FetchedOrder = Order | UnreadableOrder


def newest(fetched: Iterable[FetchedOrder]) -> list[FetchedOrder]:
    """Return the latest version of each order.

    A page may repeat an order, and an older version may follow a newer one.
    """
    found: dict[str, FetchedOrder] = {}
    for each in fetched:
        known = found.get(each.order_id)
        if known is None or not _is_older(each, known):
            found[each.order_id] = each
    return list(found.values())


def _is_older(one: FetchedOrder, other: FetchedOrder) -> bool:
    """False if the date of the last change is unknown, as for an order that can't be parsed."""
    if isinstance(one, UnreadableOrder) or isinstance(other, UnreadableOrder):
        return False
    return one.last_updated < other.last_updated


def file(
    context: Context, fetched: Sequence[FetchedOrder], *, reading: Reading | None = None
) -> list[str]:
    """File orders in the state store.

    Their units are in flight until Odoo holds them. Unpaid orders of a window are not filed: only
    their units count.

    Args:
        context: of the account.
        fetched: orders as Amazon shows them now.
        reading: how far the reading of their window has come, noted in the same transaction.

    Returns:
        The ids of the orders to process: those that are new or changed. An order of which a newer
        version is filed is not among them.
    """
    seen = [
        _seen(each, importable=to_be_imported(each, filed_before=False))
        for each in fetched
        if reading is None or each.status not in UNPAID
    ]
    units = list(map(in_flight, fetched)) if context.account.sends_stock else ()
    return context.ledger.items.file(context.name, JOB, seen, reading=reading, units=units)


def in_flight(order: FetchedOrder, *, in_odoo: bool = False) -> InFlight:
    """Return the units of an order that are in flight: none if Odoo holds it."""
    version = order.last_updated if isinstance(order, Order) else None
    return InFlight(order.order_id, {} if in_odoo else units_in_flight(order), version)


def note_in_flight(
    context: Context, fetched: Sequence[FetchedOrder], *, reading: Reading | None = None
) -> None:
    """Note which units of orders are in flight: those of which Odoo has no confirmed sale order.

    Args:
        context: of the account.
        fetched: orders as Amazon shows them now; they are not filed.
        reading: how far a survey of the open orders has come.

    Raises:
        AccountError, Transient: Odoo is down, or refuses the login.
    """
    noted = units_beside_odoo(context, fetched)
    context.ledger.in_flight.note(context.name, JOB, noted, reading=reading)


def units_beside_odoo(context: Context, fetched: Sequence[FetchedOrder]) -> list[InFlight]:
    """Return the units in flight of orders, which are looked up in Odoo if they hold any."""
    noted = {each.order_id: in_flight(each) for each in fetched}
    holding = [order_id for order_id, each in noted.items() if each.units]
    existing = sales.find(context.odoo, holding) if holding else {}
    in_odoo = {order_id for order_id, each in existing.items() if not each.is_quotation}
    return [in_flight(each, in_odoo=each.order_id in in_odoo) for each in fetched]


def _seen(order: FetchedOrder, *, importable: bool) -> Seen:
    version = order.last_updated if isinstance(order, Order) else None
    return Seen(
        order.order_id,
        order.fingerprint,
        importable,
        version=version,
        due=order.ship_by if _is_due(order) else None,
        marketplace=order.marketplace_id,
    )


def _is_due(order: FetchedOrder) -> bool:
    """True if the merchant still has to ship the order, and Amazon expects it."""
    is_foreign = isinstance(order, Order) and not order.sold_on_amazon
    return _is_to_ship(order) and not is_foreign


def _is_to_ship(order: FetchedOrder) -> bool:
    """True as well if Amazon does not say who ships it."""
    return order.fulfilled_by != FulfilledBy.AMAZON and order.status in TO_BE_SHIPPED


def customers_of(order: FetchedOrder) -> set[str]:
    """Return the identifiers by which the buyer is matched to Odoo customers.

    Empty if the buyer gets a customer of its own.
    """
    return set() if isinstance(order, UnreadableOrder) else identifiers(order.buyer)


def fetch(context: Context, order_id: str) -> Order:
    """Return the order as Amazon shows it now.

    Raises:
        ItemError: Amazon doesn't show it to this seller, or it can't be parsed.
        Transient: Amazon is down.
    """
    order = context.amazon.order(order_id)
    if isinstance(order, UnreadableOrder):
        raise unreadable(context, order)
    return order


@dataclass(slots=True)
class OrderMemos:
    """What is known of some orders; each is in exactly one of the first three."""

    known: dict[str, Memo | ItemError | None] = field(default_factory=dict)
    """By Amazon order id. None: it is another account's for certain. An ``ItemError``: it can't
    be parsed, or belongs to no account."""
    not_shown: set[str] = field(default_factory=set)
    """Amazon did not show them to this account, or did not respond."""
    not_fetched: set[str] = field(default_factory=set)
    """Amazon's rate allowed no call for them."""
    limit: RateLimited | None = None
    """When these can be fetched."""
    fetched: int = 0
    """Number of orders that Amazon responded for."""


def memos_of(context: Context, order_ids: Iterable[str]) -> OrderMemos:
    """Return the memos of orders; those of unknown orders are made by fetching them from Amazon.

    Unknown orders are fetched in another sequence each time, as far as the rate allows.

    Raises:
        AccountError: Amazon is down, or refuses the account.
    """
    memos, unknown = OrderMemos(), []
    for order_id in sorted(set(order_ids)):
        if entries := processed(context, context.ledger.items.with_key(order_id)):
            memos.known[order_id] = _memo_in(entries, context.name)
        else:
            unknown.append(order_id)
    try:
        _fetch_memos(context, memos, unknown)
    except RateLimited as limit:
        memos.limit = limit
        memos.not_fetched.update(set(unknown) - memos.known.keys() - memos.not_shown)
    return memos


def _fetch_memos(context: Context, memos: OrderMemos, order_ids: Sequence[str]) -> None:
    fetched = runner.one_by_one(
        shuffled(order_ids, context.clock()),
        lambda order_id: _fetch_memo(context, order_id),
        key=str,
        alive=context.amazon.marketplace_participations,
    )
    for order_id, memo in fetched:
        if isinstance(memo, Transient) or is_not_shown(memo):
            memos.not_shown.add(order_id)
        else:
            memos.known[order_id] = memo
        memos.fetched += not isinstance(memo, Transient)


def is_not_shown(result: object) -> bool:
    """True if Amazon shows no such order to this account.

    It may be another account's, or show up later.
    """
    return isinstance(result, ItemError) and result.kind == _NOT_FOUND


_NOT_FOUND = "not_found"


def processed(context: Context, entries: Iterable[Entry]) -> list[Entry]:
    """Select the orders job's entries of an order that it processed, in any configured account."""
    accounts = context.configured_accounts
    return [e for e in entries if e.job == JOB and e.account in accounts and was_settled(e)]


def _memo_in(entries: Sequence[Entry], account: str) -> Memo | None:
    return next((Memo.read(entry) for entry in entries if entry.account == account), None)


def _fetch_memo(context: Context, order_id: str) -> Memo | None:
    order = fetch(context, order_id)
    owner = owner_of(context, order)
    if owner is None:
        raise no_account(context, order)
    if owner != context.name:
        return None
    if order.fulfilled_by is None:
        raise _unknown_shipper(order)
    memo = Memo.of(order, mapped_pieces(context, order))
    _remember(context, order_id, memo)
    return memo


def _unknown_shipper(order: Order) -> ItemError:
    shipper = f": {order.fulfilled_by_text}" if order.fulfilled_by_text else ""
    return ItemError(
        "unclear",
        f"Amazon does not say whether the merchant or Amazon ships the order{shipper}.",
        "Look the order up in Seller Central and settle it there; or retry later.",
    )


def _remember(context: Context, order_id: str, memo: Memo) -> None:
    """Keep the memo of an order that only another job has fetched.

    It proves to all accounts whose order it is. Its fingerprint differs from that of any order, so
    that the orders job processes the order when it sees it.
    """
    if context.dry_run or entry_of(context, order_id):
        return
    context.ledger.items.file(context.name, JOB, [Seen(order_id, _AS_FETCHED)])
    context.ledger.items.settle(context.name, JOB, order_id, _AS_FETCHED, memo=memo)


_AS_FETCHED = "fetched"
"""Replaces the fingerprint; differs from that of any order."""


def owner_of(context: Context, order: FetchedOrder) -> str | None:
    """Return the name of the account that an order of this seller belongs to, if any.

    An order without a marketplace belongs to the account that fetched it.
    """
    if order.marketplace_id is None:
        return context.name
    return context.accounts_by_marketplace.get(order.marketplace_id)


def leave_to_owner(context: Context, order: FetchedOrder) -> bool:
    """File an order for the account of the seller that it belongs to, and leave it out here.

    Its marketplace was moved to that account, whose cursor may already be past the order.

    Returns:
        True if another account is configured for it.
    """
    owner, items = owner_of(context, order), context.ledger.items
    if owner in {None, context.name}:
        return False
    entry = entry_of(context, order.order_id)
    importable = entry is not None and entry.importable
    items.file(owner, JOB, [_seen(order, importable=importable)])
    items.settle(context.name, JOB, order.order_id, order.fingerprint, State.LEFT_OUT)
    return True


def no_account(context: Context, order: FetchedOrder) -> ItemError:
    """The error of an order from a marketplace that no account is configured for."""
    known = marketplace(order.marketplace_id or "")
    name = f"Amazon {known.country_code}" if known else f"the marketplace {order.marketplace_id}"
    return ItemError(
        "no_account",
        f"The order was placed on {name}, which no account of the seller"
        f" {context.account.seller_id} is configured for.",
        "Add the marketplace to an account's `marketplaces`, then retry.",
    )


def ensure_mine(context: Context, order: FetchedOrder) -> None:
    """Refuse an order of another account.

    Raises:
        ConfigError: the order belongs to another account, or to none.
    """
    owner = owner_of(context, order)
    if owner is None:
        error = no_account(context, order)
        raise ConfigError(error.reason, "Add the marketplace to an account's `marketplaces`.")
    if owner != context.name:
        raise ConfigError(
            f"{order.order_id} belongs to the account {owner}, not to {context.name}.",
            f"Run: amazon-bridge order recover {owner} {order.order_id}",
        )


def unreadable(context: Context, order: UnreadableOrder) -> ItemError:
    """The quarantine error of an order that could not be parsed."""
    if order.order_id.startswith(WITHOUT_ID):
        return ItemError(order.kind, order.reason, f"{_by_hand(order)}{_NEVER_RETRIED}")
    remedy = f"{_by_hand(order)}{_RETRIED}{_as_is(context, order)}"
    return ItemError(order.kind, order.reason, remedy)


def _as_is(context: Context, order: UnreadableOrder) -> str:
    """A sentence with the command that imports the order anyway; empty if that is impossible."""
    possible = order.importable_as_is and order.fulfilled_by is not None
    if not possible or not to_be_imported(order, filed_before=False):
        return ""
    command = f"amazon-bridge order import {context.name} {order.order_id} --as-is"
    return f" To import it at the total that Amazon states: {command}"


def _by_hand(order: UnreadableOrder) -> str:
    """A sentence for FBM orders: they have to be shipped, whether Odoo has them or not."""
    if not _is_to_ship(order):
        return ""
    by = f" by {order.ship_by:%Y-%m-%d %H:%M} UTC" if order.ship_by else " in time"
    return f"If you ship it yourself: look it up in Seller Central and ship it from there{by}. "


_RETRIED = "It is retried when it changes on Amazon, or with `quarantine retry`."
_NEVER_RETRIED = (
    "Its id can't be read, so it can't be fetched again: settle it in Seller Central, and take what"
    " you ship off Odoo's stock."
)
