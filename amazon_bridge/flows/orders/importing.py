"""Sale orders of imported orders: created, priced, confirmed, and delivered for FBA."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.catalogue import mapped_pieces
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.drafts import drafts_of, line_name
from amazon_bridge.flows.orders.amounts import alike
from amazon_bridge.flows.orders.memo import JOB, Memo, was_settled
from amazon_bridge.model import FulfilledBy, Order
from amazon_bridge.odoo import deliveries, pricing, sale_actions, sale_terms, sales
from amazon_bridge.odoo.sales import Draft, SaleOrder


def bring_to_confirmation(
    context: Context,
    orders: Sequence[Order],
    standing: dict[str, SaleOrder],
    outcomes: dict[str, str],
) -> dict[str, ItemError]:
    """Bring sale orders to their confirmation, from wherever they stand: made, priced, confirmed.

    ``standing`` gets them as they stand then. Returns the errors of the orders that could
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
    _remember(context, [order for order in unconfirmed if order.order_id not in standing])
    made = _made(context, [draft for draft in drafts if draft.order_id not in standing])
    outcomes |= dict.fromkeys(made, "created")
    standing |= made
    standing |= _priced(context, drafts, standing)
    errors = _wrong_totals(drafts, standing)
    right = [d for d in drafts if d.order_id not in errors and standing[d.order_id].is_quotation]
    if right:
        _note_fallbacks(context, right)
        sale_terms.add_purchase_orders(context.odoo, right, standing)
        errors |= _confirm(context, right, standing)
    return errors


def _confirm(
    context: Context, drafts: Sequence[Draft], standing: dict[str, SaleOrder]
) -> dict[str, ItemError]:
    """Confirm quotations, and return the error of one that Odoo leaves a quotation.

    Raises:
        ItemError: Odoo left some of several as they are. One of them may be the cause, so they
            are to be tried in smaller batches.
    """
    ids = {draft.order_id: standing[draft.order_id].id for draft in drafts}
    objection = sale_actions.confirm(context.odoo, ids.values())
    standing |= sales.read(context.odoo, ids)
    confirmed = [draft for draft in drafts if standing[draft.order_id].is_confirmed]
    _set_dates(
        context,
        {standing[d.order_id].id: d.created for d in confirmed},
        undated=[standing[d.order_id].id for d in confirmed if not d.ship_by and not d.route_id],
    )
    left = [draft.order_id for draft in drafts if draft not in confirmed]
    errors = {key: _not_confirmed(standing[key], objection) for key in left}
    if errors and len(drafts) > 1:
        raise errors[left[0]]
    return errors


def _not_confirmed(sale_order: SaleOrder, objection: str) -> ItemError:
    why = f": {objection}" if objection else ", and does not say why"
    return ItemError(
        "not_confirmed",
        f"Odoo did not confirm the quotation {sale_order.name}{why}.",
        "Open the quotation in Odoo and press Confirm: it shows what is missing. Correct that, or"
        " confirm it in spite of it; then retry.",
    )


def _made(context: Context, drafts: Sequence[Draft]) -> dict[str, SaleOrder]:
    if not drafts:
        return {}
    return sales.read(context.odoo, sales.create(context.odoo, drafts))


def _remember(context: Context, orders: Sequence[Order]) -> None:
    """Remember what Amazon says of orders whose sale orders are about to be created.

    Also of sale orders that Odoo lost, in a restored backup or by people: the new ones are
    unfinished as all new ones.
    """
    for order in orders:
        memo = Memo.at_import(order, mapped_pieces(context, order))
        context.ledger.items.remember(context.name, JOB, order.order_id, memo)


def _note_fallbacks(context: Context, drafts: Sequence[Draft]) -> None:
    """Remember the SKUs that have no product of their own, for someone to give them one."""
    lines = [(draft, line) for draft in drafts for line in draft.lines if line.sku]
    matched = {line.sku for _, line in lines if not line.why_fallback}
    unmatched = [(i.sku, d.order_id, i.why_fallback) for d, i in lines if i.why_fallback]
    context.ledger.skus.note_matches(context.name, unmatched=unmatched, matched=matched)


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
    odoos, amazons = alike(sale_order.total, draft.total)
    return ItemError(
        "total_differs",
        f"The total of the quotation {sale_order.name} is {odoos} {sale_order.currency} in Odoo,"
        f" the order's on Amazon is {amazons} {draft.currency}.",
        "Correct the quotation's prices or taxes in Odoo, or delete it and correct the taxes of"
        " its products; then retry.",
    )


def deliver(
    context: Context,
    orders: Sequence[Order],
    standing: Mapping[str, SaleOrder],
    failures: Collection[str],
) -> None:
    """Do what Amazon has shipped: the open transfers out of Amazon's location.

    Raises:
        ItemErrors: some can't be done without a person.
    """
    shipped = [
        order
        for order in orders
        if order.fulfilled_by == FulfilledBy.AMAZON and order.order_id not in failures
    ]
    transfers = {
        delivery.id: order.order_id
        for order in shipped
        for delivery in standing[order.order_id].open_from(context.setup.fba_location_id)
    }
    serial_numbers = {
        line_name(item.order_item_id): item.serial_numbers
        for order in shipped
        for item in order.items
    }
    deliveries.deliver(context.odoo, transfers, serial_numbers)


def restore_dates(
    context: Context, orders: Sequence[Order], standing: Mapping[str, SaleOrder]
) -> None:
    """Give back Amazon's date to orders whose round ended right after their confirmation."""
    lost = [order for order in orders if _lost_its_date(context, order, standing[order.order_id])]
    _set_dates(
        context,
        {standing[order.order_id].id: order.created for order in lost},
        undated=[
            standing[order.order_id].id
            for order in lost
            if order.fulfilled_by == FulfilledBy.MERCHANT and not order.ship_by
        ],
    )


def _set_dates(
    context: Context, dates: Mapping[int, datetime], *, undated: Collection[int]
) -> None:
    """Write order dates; the deadlines of the moves of undated orders follow them.

    Undated are orders that the merchant ships by no known date.
    """
    sale_actions.set_dates(context.odoo, dates)
    sale_actions.set_deadlines(context.odoo, {id_: dates[id_] for id_ in undated})


def _lost_its_date(context: Context, order: Order, sale_order: SaleOrder) -> bool:
    """It was confirmed since the ledger knows the order, and no round has come to its end."""
    if not sale_order.is_confirmed or sale_order.ordered == order.created.replace(microsecond=0):
        return False
    entry = context.ledger.items.get(context.name, JOB, order.order_id)
    if entry is None or was_settled(entry):
        return False
    return sale_order.ordered > entry.first_seen - _CLOCKS_DIFFER


_CLOCKS_DIFFER = timedelta(minutes=5)
"""As much may Odoo's clock be behind ours."""
