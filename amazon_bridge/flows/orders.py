"""Amazon → Odoo: orders are imported, completed, and cancelled.

A round reads what changed on Amazon and files it in the ledger, which moves the cursor; then
it works what is filed, a page of orders at a time. Each order is worked from what Amazon says
of it now and from what stands in Odoo: ``decide`` has the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum, auto

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import AccountError, ItemError, ItemErrors, Transient
from amazon_bridge.engine.ledger import Entry, Seen, State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.engine.window import Window, sweep_windows, windows
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.drafts import drafts_of
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order, UnreadableOrder
from amazon_bridge.odoo import deliveries, notes, pricing, sales
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.sales import Draft, SaleOrder

log = structlog.get_logger(__name__)

JOB = "orders"

Shown = Order | UnreadableOrder


@dataclass(frozen=True, slots=True)
class Memo:
    """What the ledger remembers of an order that was worked."""

    worth: Decimal
    marketplace_id: str
    fulfilled_by: str
    status: str

    @classmethod
    def of(cls, order: Order) -> Memo:
        told = (order.marketplace_id or "", order.fulfilled_by or "", order.status)
        return cls(order.worth, *told)

    @classmethod
    def read(cls, entry: Entry | None) -> Memo | None:
        """The memo of a ledger's entry, if it has one."""
        if entry is None or entry.memo is None:
            return None
        worth, *told = entry.memo.split(" ")
        return cls(Decimal(worth), *told)

    def text(self) -> str:
        return f"{self.worth} {self.marketplace_id} {self.fulfilled_by} {self.status}"


class Step(StrEnum):
    """What is to be done about an order."""

    IMPORT = auto()
    """Make its sale order, confirm it and, for FBA, do its delivery."""
    COMPLETE = auto()
    """Go on where an earlier round was interrupted."""
    CANCEL = auto()
    HOLD = auto()
    """Cancelled on Amazon although goods have left, or an invoice is made: people must look."""
    NOTHING = auto()
    LEAVE_OUT = auto()
    """It is not to stand in Odoo."""
    NOT_OURS = auto()
    """Someone made a sale order for it by hand."""


def decide(
    order: Order, sale_order: SaleOrder | None, *, fba_location_id: int, filed_before: bool
) -> Step:
    """What to do about an order, given what stands in Odoo.

    Args:
        order: as Amazon shows it now.
        sale_order: the one that stands for it in Odoo.
        fba_location_id: the stock location that FBA goods leave from.
        filed_before: an earlier round saw the order when it was to be imported.
    """
    if not order.sold_on_amazon or order.fulfilled_by is None:
        return Step.LEAVE_OUT
    if sale_order is None:
        return Step.IMPORT if _to_be_imported(order, filed_before=filed_before) else Step.LEAVE_OUT
    if not sale_order.made_by_bridge:
        return Step.NOT_OURS
    if order.status == FulfillmentStatus.CANCELLED:
        return _about_cancelled(sale_order)
    if order.status not in _LIVE or sale_order.is_cancelled:
        return Step.NOTHING
    return Step.COMPLETE if _is_unfinished(order, sale_order, fba_location_id) else Step.NOTHING


_LIVE = {
    FulfillmentStatus.UNSHIPPED,
    FulfillmentStatus.PARTIALLY_SHIPPED,
    FulfillmentStatus.SHIPPED,
}


def _to_be_imported(order: Order, *, filed_before: bool) -> bool:
    """FBA when Amazon has shipped; FBM when there is something to ship, or was when first seen."""
    if order.fulfilled_by == FulfilledBy.AMAZON:
        return order.status == FulfillmentStatus.SHIPPED
    if order.status == FulfillmentStatus.SHIPPED:
        return filed_before
    return order.status in {FulfillmentStatus.UNSHIPPED, FulfillmentStatus.PARTIALLY_SHIPPED}


def _about_cancelled(sale_order: SaleOrder) -> Step:
    if sale_order.is_cancelled:
        return Step.NOTHING
    return Step.HOLD if sale_order.goods_left or sale_order.is_invoiced else Step.CANCEL


def _is_unfinished(order: Order, sale_order: SaleOrder, fba_location_id: int) -> bool:
    """A quotation without any delivery was never confirmed.

    One with deliveries has been, and someone has set it back to a quotation: theirs to decide.
    """
    if sale_order.is_quotation:
        return not sale_order.deliveries
    is_fba = order.fulfilled_by == FulfilledBy.AMAZON
    return is_fba and bool(sale_order.open_from(fba_location_id))


# A round


def sync(context: Context, *, dry_run: bool = False) -> Counts:
    """One round: read what changed since the cursor, file it, work it, and what was left over.

    When a side is down or refuses the account, the counts tell so as their ``error``; what
    could be done before is done.
    """
    counts = Counts()
    begin = context.ledger.cursor(context.name) or _begin(context, dry_run=dry_run)
    try:
        for window in windows(begin, context.clock()):
            counts += _sync_window(context, window, dry_run=dry_run)
        return counts if dry_run else counts + _work_leftovers(context)
    except (AccountError, Transient) as error:
        return counts + Counts(error=str(error))


def _begin(context: Context, *, dry_run: bool) -> datetime:
    """Where a new account's cursor begins."""
    begin = context.account.start or context.clock()
    if not dry_run:
        context.ledger.set_cursor(context.name, begin)
        log.info("cursor_begins", account=context.name, cursor=begin.isoformat())
    return begin


def sweep(context: Context) -> Counts:
    """Look at the last days' orders again, for what Amazon showed late; the cursor stays.

    Nothing that changed before the account's beginning is looked at. Errors as in ``sync``.
    """
    counts = Counts()
    began = context.ledger.began(context.name) or context.clock()
    try:
        for window in sweep_windows(context.clock(), began):
            counts += _work_changed(context, _read(context, window))
    except (AccountError, Transient) as error:
        return counts + Counts(error=str(error))
    return counts


def _sync_window(context: Context, window: Window, *, dry_run: bool) -> Counts:
    shown = _read(context, window)
    if dry_run:
        return _foresee(context, shown)
    return _work_changed(context, shown, window=window)


def _read(context: Context, window: Window) -> list[Shown]:
    pages = runner.patiently(
        lambda: list(context.amazon.changed_orders(window.after, window.before)),
        sleep=context.sleep,
    )
    return _newest(order for page in pages for order in page)


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


def _work_changed(
    context: Context, shown: Sequence[Shown], *, window: Window | None = None
) -> Counts:
    todo = file(context, shown, window=window)
    if todo:
        log.info("orders_filed", account=context.name, shown=len(shown), changed=len(todo))
    changed = set(todo)
    counts = work(context, [order for order in shown if order.order_id in changed])
    return counts + Counts(seen=len(shown), unchanged=len(shown) - len(todo))


def file(context: Context, shown: Sequence[Shown], *, window: Window | None = None) -> list[str]:
    """File orders in the ledger; answer with the ids of those that are to be worked."""
    seen = [Seen(order.order_id, order.fingerprint, _importable(order)) for order in shown]
    return context.ledger.file(context.name, JOB, seen, window=window)


def _importable(shown: Shown) -> bool:
    return isinstance(shown, Order) and _to_be_imported(shown, filed_before=False)


def _work_leftovers(context: Context) -> Counts:
    """Work what earlier rounds filed and didn't finish, as Amazon shows it now.

    Raises:
        AccountError: a side is down, or refuses the account.
    """
    counts = Counts()
    pending = context.ledger.pending(context.name, JOB)
    for start in range(0, len(pending), _LEFTOVERS):
        counts += _work_again(context, pending[start : start + _LEFTOVERS])
    return counts


_LEFTOVERS = 30
"""So many are fetched and then worked together: getOrder allows 30 calls at once."""


def _work_again(context: Context, order_ids: Sequence[str]) -> Counts:
    counts, shown = Counts(seen=len(order_ids)), []
    for order_id, fetched in context.one_by_one(JOB, order_ids, context.amazon.order, key=str):
        if isinstance(fetched, ItemError):
            _put_aside(context, order_id, fetched)
            counts.quarantined += 1
        elif not isinstance(fetched, Transient):
            shown.append(fetched)
    file(context, shown)
    return counts + work(context, shown)


def recover(context: Context, order_id: str) -> Counts:
    """Fetch one order by its id, and work it.

    Raises:
        AccountError: a side is down, or refuses the account.
    """
    try:
        shown = runner.patiently(lambda: context.amazon.order(order_id), sleep=context.sleep)
    except ItemError as error:
        _put_aside(context, order_id, error)
        return Counts(seen=1, quarantined=1)
    except Transient as error:
        raise AccountError(error.reason, error.remedy) from error
    file(context, [shown])
    return Counts(seen=1) + work(context, [shown])


def fetch(context: Context, order_id: str) -> Order:
    """The order as Amazon shows it now.

    Raises:
        ItemError: Amazon doesn't show it to this seller, or it can't be understood.
        Transient: Amazon is down.
    """
    shown = context.amazon.order(order_id)
    if isinstance(shown, UnreadableOrder):
        raise _unreadable(shown)
    return shown


def memos_of(context: Context, order_ids: Iterable[str]) -> dict[str, Memo | ItemError | None]:
    """What the ledger remembers of orders; where it remembers nothing, Amazon is asked.

    None for another account's orders; an ``ItemError`` for those that can't be understood.
    Those that Amazon doesn't answer for are absent.

    Raises:
        AccountError: Amazon is down, or refuses the account.
    """
    found = runner.one_by_one(order_ids, lambda order_id: _memo_of(context, order_id), key=str)
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


# Work


def work(context: Context, shown: Sequence[Shown]) -> Counts:
    """Make filed orders true in Odoo, and put those aside that can't be.

    Raises:
        AccountError: Odoo is down, or refuses the login; the orders stay pending.
    """
    outcomes: dict[str, str] = {}
    failures = {s.order_id: _unreadable(s) for s in shown if isinstance(s, UnreadableOrder)}
    failures |= runner.work(
        [s for s in shown if isinstance(s, Order)],
        lambda orders: _apply(context, orders, outcomes),
        key=lambda order: order.order_id,
        alive=context.odoo.ping,
        sleep=context.sleep,
    )
    for order_id, error in failures.items():
        _put_aside(context, order_id, error)
    done = [outcome for order_id, outcome in outcomes.items() if order_id not in failures]
    return Counts(
        created=done.count("created"),
        updated=done.count("updated"),
        cancelled=done.count("cancelled"),
        unchanged=done.count("unchanged"),
        quarantined=len(failures),
    )


def _unreadable(order: UnreadableOrder) -> ItemError:
    remedy = "It comes back by itself when it changes on Amazon, or with `quarantine retry`."
    return ItemError(_UNREADABLE, order.reason, remedy)


_UNREADABLE = "unreadable"


def _put_aside(context: Context, order_id: str, error: ItemError) -> None:
    context.ledger.put_aside(context.name, JOB, order_id, error)
    log.warning(
        "order_put_aside",
        account=context.name,
        order=order_id,
        kind=error.kind,
        reason=error.reason,
    )


def _apply(context: Context, orders: Sequence[Order], outcomes: dict[str, str]) -> None:
    """Work a batch. ``outcomes`` gets a word of the counts for each order that is done.

    Raises:
        ItemErrors: these can't be worked. Of the others all is done, or none.
    """
    standing = sales.find(context.odoo, [order.order_id for order in orders])
    steps = {order.order_id: _decide(context, order, standing) for order in orders}

    def having(*wanted: Step) -> list[Order]:
        return [order for order in orders if steps[order.order_id] in wanted]

    errors = {o.order_id: _not_ours(standing[o.order_id]) for o in having(Step.NOT_OURS)}
    _restore_dates(context, having(Step.COMPLETE, Step.NOTHING), standing)
    failures = _import(context, having(Step.IMPORT, Step.COMPLETE), standing, outcomes)
    errors |= failures
    _deliver(context, having(Step.IMPORT, Step.COMPLETE), standing, failures)
    errors |= _hold(context, having(Step.HOLD), standing)
    errors |= _find_changed_worth(context, having(Step.NOTHING), standing)
    _cancel(context, having(Step.CANCEL), standing)
    live = having(Step.IMPORT, Step.COMPLETE, Step.NOTHING)
    errors |= _find_unpriced(context, live, standing)
    _show_requests(context, live, standing)
    _show_gift_messages(context, live, standing)
    for order in orders:
        if order.order_id not in errors:
            _settle(context, order, steps[order.order_id])
            outcomes.setdefault(order.order_id, _OUTCOMES[steps[order.order_id]])
    if errors:
        raise ItemErrors(errors)


def _decide(context: Context, order: Order, standing: Mapping[str, SaleOrder]) -> Step:
    entry = context.ledger.entry(context.name, JOB, order.order_id)
    return decide(
        order,
        standing.get(order.order_id),
        fba_location_id=context.setup.fba_location_id,
        filed_before=entry is not None and entry.importable,
    )


_OUTCOMES = {
    Step.IMPORT: "created",
    Step.COMPLETE: "updated",
    Step.CANCEL: "cancelled",
    Step.NOTHING: "unchanged",
    Step.LEAVE_OUT: "unchanged",
}


def _settle(context: Context, order: Order, step: Step) -> None:
    state = State.LEFT_OUT if step == Step.LEAVE_OUT else State.DONE
    memo = None if step == Step.LEAVE_OUT else Memo.of(order).text()
    context.ledger.settle(context.name, JOB, order.order_id, order.fingerprint, state, memo=memo)
    log.info("order_worked", account=context.name, order=order.order_id, step=step)


def _not_ours(sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "needs_attention",
        f"The sale order {sale_order.name} carries this Amazon order id, but the bridge didn't"
        " make it.",
        "Clear its customer reference in Odoo and retry, if the bridge is to import the order;"
        " else leave it here.",
    )


# Import


def _import(
    context: Context,
    orders: Sequence[Order],
    standing: dict[str, SaleOrder],
    outcomes: dict[str, str],
) -> dict[str, ItemError]:
    """Bring sale orders to their confirmation, from wherever they stand: made, priced, confirmed.

    ``standing`` gets them as they stand then. Answers with the errors of the orders that could
    not be brought there.
    """
    unconfirmed = [
        order
        for order in orders
        if order.order_id not in standing or standing[order.order_id].is_quotation
    ]
    if not unconfirmed:
        return {}
    drafts = drafts_of(context, unconfirmed)
    made = _made(context, [draft for draft in drafts if draft.order_id not in standing])
    outcomes |= dict.fromkeys(made, "created")
    standing |= made
    standing |= _priced(context, drafts, standing)
    errors = _wrong_totals(drafts, standing)
    right = [d for d in drafts if d.order_id not in errors and standing[d.order_id].is_quotation]
    if right:
        _note_fallbacks(context, right)
        sales.add_purchase_orders(context.odoo, right, standing)
        sales.confirm(context.odoo, right, standing)
        ids = {draft.order_id: standing[draft.order_id].id for draft in right}
        standing |= sales.read(context.odoo, ids)
    return errors


def _made(context: Context, drafts: Sequence[Draft]) -> dict[str, SaleOrder]:
    return sales.read(context.odoo, sales.make(context.odoo, drafts)) if drafts else {}


def _note_fallbacks(context: Context, drafts: Sequence[Draft]) -> None:
    """Remember the SKUs that have no product of their own, for someone to give them one."""
    lines = [(draft, line) for draft in drafts for line in draft.lines if line.sku]
    matched = {line.sku for _, line in lines if not line.why_fallback}
    unmatched = [(i.sku, d.order_id, i.why_fallback) for d, i in lines if i.why_fallback]
    context.ledger.note_matches(context.name, unmatched=unmatched, matched=matched)


def _priced(
    context: Context, drafts: Sequence[Draft], now: Mapping[str, SaleOrder]
) -> dict[str, SaleOrder]:
    """Give the quotations that have no prices yet the prices that lead to Amazon's totals."""
    quotations = [draft for draft in drafts if now[draft.order_id].is_quotation]
    if not quotations:
        return {}
    pricing.set_prices(context.odoo, quotations, now)
    ids = {draft.order_id: now[draft.order_id].id for draft in quotations}
    priced = sales.read(context.odoo, ids)
    product_id = context.setup.products.rounding
    small = pricing.add_rounding_lines(context.odoo, quotations, priced, product_id)
    # The terms of those that get a purchase order are read as late as can be: they are people's.
    with_terms = [draft.order_id for draft in quotations if draft.purchase_order]
    again = {order_id: ids[order_id] for order_id in (*small, *with_terms)}
    return priced | (sales.read(context.odoo, again) if again else {})


def _wrong_totals(drafts: Sequence[Draft], now: Mapping[str, SaleOrder]) -> dict[str, ItemError]:
    return {
        draft.order_id: _wrong_total(draft, now[draft.order_id])
        for draft in drafts
        if now[draft.order_id].is_quotation
        and (now[draft.order_id].total, now[draft.order_id].currency)
        != (draft.total, draft.currency)
    }


def _wrong_total(draft: Draft, sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "total_differs",
        f"The quotation {sale_order.name} comes to {sale_order.total} {sale_order.currency} in"
        f" Odoo, the order on Amazon to {draft.total} {draft.currency}.",
        "Correct the quotation's prices or taxes in Odoo, or delete it and correct the taxes of"
        " its products; then retry.",
    )


def _deliver(
    context: Context,
    orders: Sequence[Order],
    standing: Mapping[str, SaleOrder],
    failures: Collection[str],
) -> None:
    """Do what Amazon has shipped: the open transfers out of Amazon's location.

    Raises:
        ItemErrors: some can't be done without a person.
    """
    transfers = {
        delivery.id: order.order_id
        for order in orders
        if order.fulfilled_by == FulfilledBy.AMAZON and order.order_id not in failures
        for delivery in standing[order.order_id].open_from(context.setup.fba_location_id)
    }
    deliveries.deliver(context.odoo, transfers)


def _restore_dates(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> None:
    """Give back Amazon's date to orders whose round ended right after their confirmation."""
    lost = {
        standing[order.order_id].id: order.created
        for order in orders
        if _lost_its_date(context, order, standing[order.order_id])
    }
    sales.set_dates(context.odoo, lost)


def _lost_its_date(context: Context, order: Order, sale_order: SaleOrder) -> bool:
    """It was confirmed since the ledger knows the order, and no round has come to its end."""
    if not sale_order.is_confirmed or sale_order.ordered == order.created.replace(microsecond=0):
        return False
    entry = context.ledger.entry(context.name, JOB, order.order_id)
    if entry is None or entry.memo is not None:
        return False
    return sale_order.ordered > entry.first_seen - _CLOCKS_DIFFER


_CLOCKS_DIFFER = timedelta(minutes=5)
"""As much may Odoo's clock be behind ours."""


# Cancel, hold, show


def _cancel(context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]) -> None:
    if not orders:
        return
    ids = [standing[order.order_id].id for order in orders]
    # First the note: a round that ends in between must not leave a cancellation unexplained.
    notes.post(context.odoo, notes.SALE_ORDER, dict.fromkeys(ids, CANCELLED_THERE))
    sales.cancel(context.odoo, ids)


CANCELLED_THERE = Note(
    "cancelled_there",
    "Amazon: cancelled",
    "Amazon has cancelled this order, so it was cancelled here, with its open deliveries.",
)
"""Tells a cancellation that came from Amazon from one that Amazon is to be told of."""


def _hold(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    told = {order.order_id: standing[order.order_id] for order in orders}
    posted = {s.id: _TOO_LATE if s.goods_left else _INVOICED for s in told.values()}
    notes.post(context.odoo, notes.SALE_ORDER, posted)
    return {order_id: _held(sale_order) for order_id, sale_order in told.items()}


def _held(sale_order: SaleOrder) -> ItemError:
    credit = " Credit its invoice." if sale_order.is_invoiced else ""
    if sale_order.goods_left:
        return ItemError(
            "needs_attention",
            f"Cancelled on Amazon, but goods of {sale_order.name} have left.",
            f"Bring the goods back, or refund in Seller Central.{credit} Cancel the sale order in"
            " Odoo when that is settled, then retry.",
        )
    return ItemError(
        "needs_attention",
        f"Cancelled on Amazon, but {sale_order.name} is invoiced.",
        "Credit its invoice in Odoo, cancel the sale order, then retry.",
    )


_TOO_LATE = Note(
    "cancelled_too_late",
    "Amazon: cancelled after goods left",
    "Amazon has cancelled this order, but goods have left already. Nothing was cancelled here:"
    " bring the goods back or settle it with the buyer, then cancel this sale order.",
)
_INVOICED = Note(
    "cancelled_invoiced",
    "Amazon: cancelled after the invoice",
    "Amazon has cancelled this order, but it is invoiced already. Nothing was cancelled here:"
    " credit the invoice, then cancel this sale order.",
)


def _find_unpriced(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Orders that somebody confirmed, and perhaps locked, before they got their prices."""
    return {
        order.order_id: _confirmed_too_early(order, standing[order.order_id])
        for order in orders
        if order.worth and _is_unpriced(context, standing[order.order_id])
    }


def _is_unpriced(context: Context, sale_order: SaleOrder) -> bool:
    """It is confirmed at a worth of nothing, and no round has brought it to its end."""
    if sale_order.total or not sale_order.is_confirmed:
        return False
    entry = context.ledger.entry(context.name, JOB, sale_order.order_id)
    return entry is None or entry.memo is None


def _confirmed_too_early(order: Order, sale_order: SaleOrder) -> ItemError:
    return ItemError(
        "needs_attention",
        f"{sale_order.name} was confirmed by somebody before it had its prices: it comes to 0,"
        f" the order on Amazon to {order.worth} {order.currency}.",
        "Enter the prices in the sale order in Odoo, then retry.",
    )


def _find_changed_worth(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> dict[str, ItemError]:
    """Orders that Amazon has changed since they were imported, such as by cancelling units."""
    errors = {}
    for order in orders:
        sale_order = standing[order.order_id]
        if _has_changed_worth(context, order) and sale_order.total != order.worth:
            errors[order.order_id] = ItemError(
                "needs_attention",
                f"Amazon now says {order.worth} {order.currency}; the sale order"
                f" {sale_order.name} was imported before and comes to {sale_order.total}.",
                "Correct the quantities or prices of the sale order in Odoo, then retry.",
            )
    return errors


def _has_changed_worth(context: Context, order: Order) -> bool:
    entry = context.ledger.entry(context.name, JOB, order.order_id)
    memo = Memo.read(entry)
    return order.status in _LIVE and memo is not None and memo.worth != order.worth


def _show_requests(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> None:
    """Tell the people in Odoo that the buyer asks to cancel, before the parcel leaves."""
    asked = [
        standing[order.order_id]
        for order in orders
        if order.buyer_requested_cancellation and order.status == FulfillmentStatus.UNSHIPPED
    ]
    live = [sale_order for sale_order in asked if not sale_order.is_cancelled]
    records = [(notes.SALE_ORDER, sale_order.id) for sale_order in live]
    records += [(notes.DELIVERY_ORDER, d.id) for s in live for d in s.deliveries if d.is_open]
    notes.remind(
        context.odoo,
        dict.fromkeys(records, _BUYER_ASKS),
        today=context.clock().date(),
        user_id=context.setup.salesperson_id,
    )


_BUYER_ASKS = Note(
    "buyer_asks",
    "Amazon: the buyer asks to cancel",
    "The buyer has asked Amazon to cancel this order. Don't ship it without deciding: cancel"
    " this sale order to grant the request, or ship it to decline.",
)


def _show_gift_messages(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> None:
    """Write what goes into the parcel on the deliveries, for those who pack it."""
    messages = {
        order.order_id: [item.gift_message for item in order.items if item.gift_message]
        for order in orders
        if order.fulfilled_by == FulfilledBy.MERCHANT
    }
    texts = {
        delivery: its_messages
        for order_id, its_messages in messages.items()
        for delivery in standing[order_id].deliveries
        if delivery.is_open and its_messages
    }
    deliveries.note_gift_messages(context.odoo, texts)


# Dry run


def _foresee(context: Context, shown: Sequence[Shown]) -> Counts:
    """Say what a round would do, without doing it."""
    orders = [s for s in shown if isinstance(s, Order)]
    standing = sales.find(context.odoo, [order.order_id for order in orders])
    counts = Counts(seen=len(shown), quarantined=len(shown) - len(orders))
    for order in orders:
        step = _decide(context, order, standing)
        log.info("would_work", account=context.name, order=order.order_id, step=step)
        outcome = _OUTCOMES.get(step, "quarantined")
        setattr(counts, outcome, getattr(counts, outcome) + 1)
    return counts
