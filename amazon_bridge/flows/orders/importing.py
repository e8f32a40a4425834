"""Creates sale orders, prices and confirms them, and delivers those of FBA orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.catalogue import mapped_pieces
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.drafts import drafts_of, line_name
from amazon_bridge.flows.orders.amounts import alike
from amazon_bridge.flows.orders.batch import Batch, Result, errors_of_one
from amazon_bridge.flows.orders.decide import Step
from amazon_bridge.flows.orders.memo import JOB, Memo, entry_of, was_settled
from amazon_bridge.model import FulfilledBy, Order
from amazon_bridge.odoo import deliveries, pricing, quotations, sale_actions, sale_terms, sales
from amazon_bridge.odoo.sales import Delivery, Draft, SaleOrder


def create(context: Context, batch: Batch) -> Result:
    """Create the sale orders that don't exist yet, as quotations without prices.

    Returns:
        They, as far as they are known without reading them, and the drafts of all sale orders that
        are not confirmed.
    """
    known = batch.sale_orders
    unconfirmed = [
        order
        for order in batch.orders_with(Step.IMPORT, Step.COMPLETE)
        if order.order_id not in known or known[order.order_id].is_quotation
    ]
    if not unconfirmed:
        return Result()
    drafts = drafts_of(context, unconfirmed)
    _remember(context, [order for order in unconfirmed if order.order_id not in known])
    created = _create(context, [draft for draft in drafts if draft.order_id not in known])
    return Result(drafts={draft.order_id: draft for draft in drafts}, sale_orders=created)


def _create(context: Context, drafts: Sequence[Draft]) -> dict[str, SaleOrder]:
    if not drafts:
        return {}
    ids = quotations.create(context.odoo, drafts)
    return {draft.order_id: quotations.created(draft, ids[draft.order_id]) for draft in drafts}


def _quotations(batch: Batch) -> list[Draft]:
    """The drafts of sale orders that are quotations and have no error."""
    return [
        draft
        for order_id, draft in batch.drafts.items()
        if batch.sale_orders[order_id].is_quotation and order_id not in batch.errors
    ]


def confirm(context: Context, batch: Batch) -> Result:
    """Confirm the quotations whose total is Amazon's, and date them as on Amazon.

    Returns:
        The sale orders, and the errors of those that are not confirmed.

    Raises:
        ItemError: Odoo left some of several as they are; see ``errors_of_one``.
    """
    quotations = _quotations(batch)
    errors = _wrong_totals(quotations, batch.sale_orders)
    right = [draft for draft in quotations if draft.order_id not in errors]
    if not right:
        return Result(errors)
    _note_fallbacks(context, right)
    sale_terms.add_purchase_orders(context.odoo, right, batch.sale_orders)
    confirmed = _confirm(context, right, batch.sale_orders)
    return Result({**errors, **confirmed.errors}, sale_orders=confirmed.sale_orders)


def _confirm(
    context: Context, drafts: Sequence[Draft], quotations: Mapping[str, SaleOrder]
) -> Result:
    ids = {draft.order_id: quotations[draft.order_id].id for draft in drafts}
    objection = sale_actions.confirm(context.odoo, ids.values())
    now = sales.read(context.odoo, ids, are_new=True)
    _set_dates_of_confirmed(context, [d for d in drafts if now[d.order_id].is_confirmed], ids)
    errors = {
        key: _not_confirmed(sale_order, objection)
        for key, sale_order in now.items()
        if not sale_order.is_confirmed
    }
    return Result(errors_of_one(errors, len(drafts)), sale_orders=now)


def _set_dates_of_confirmed(
    context: Context, drafts: Sequence[Draft], ids: Mapping[str, int]
) -> None:
    _set_dates(
        context,
        {ids[draft.order_id]: draft.created for draft in drafts},
        undated=[ids[d.order_id] for d in drafts if not d.ship_by and not d.route_id],
    )


def _not_confirmed(sale_order: SaleOrder, objection: str) -> ItemError:
    why = f": {objection}" if objection else ", and does not say why"
    return ItemError(
        "not_confirmed",
        f"Odoo did not confirm the quotation {sale_order.name}{why}.",
        "Open the quotation in Odoo and press Confirm: it shows what is missing. Correct that, or"
        " confirm it in spite of it; then retry.",
    )


def _remember(context: Context, orders: Sequence[Order]) -> None:
    """Remember the figures of orders whose sale orders are about to be created.

    Sale orders that Odoo lost, in a restored backup or by people, are created again: they are
    unfinished like any new one.
    """
    for order in orders:
        memo = Memo.at_import(order, mapped_pieces(context, order))
        context.ledger.items.remember(context.name, JOB, order.order_id, memo)


def _note_fallbacks(context: Context, drafts: Sequence[Draft]) -> None:
    """Record the SKUs that were imported with the fallback product, so that people see them."""
    lines = [(draft, line) for draft in drafts for line in draft.lines if line.sku]
    matched = {line.sku for _, line in lines if not line.why_fallback}
    unmatched = [(i.sku, d.order_id, i.why_fallback) for d, i in lines if i.why_fallback]
    context.ledger.skus.note_matches(context.name, unmatched=unmatched, matched=matched)


def price(context: Context, batch: Batch) -> Result:
    """Write the prices that result in Amazon's totals to quotations without prices."""
    quotations = _quotations(batch)
    if not quotations:
        return Result()
    ids = {draft.order_id: batch.sale_orders[draft.order_id].id for draft in quotations}
    priced = pricing.set_prices(context.odoo, quotations, ids)
    product_id = context.setup.products.rounding
    small = pricing.add_rounding_lines(context.odoo, quotations, priced, product_id)
    if not small:
        return Result(sale_orders=priced)
    # The terms of those that get a purchase order are read as late as can be: they are people's.
    with_terms = [draft.order_id for draft in quotations if draft.purchase_order]
    again = {order_id: ids[order_id] for order_id in (*small, *with_terms)}
    return Result(sale_orders=priced | sales.read(context.odoo, again))


def _wrong_totals(drafts: Sequence[Draft], now: Mapping[str, SaleOrder]) -> dict[str, ItemError]:
    return {
        draft.order_id: _wrong_total(draft, now[draft.order_id])
        for draft in drafts
        if (now[draft.order_id].total, now[draft.order_id].currency)
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


def deliver(context: Context, batch: Batch) -> Result:
    """Validate the open transfers out of the FBA location, which Amazon has shipped.

    Raises:
        ItemErrors: some can't be done without a person.
    """
    shipped = [
        (order, sale_order)
        for order, sale_order in batch.sale_orders_with(Step.IMPORT, Step.COMPLETE)
        if order.fulfilled_by == FulfilledBy.AMAZON and order.order_id not in batch.errors
    ]
    transfers = {
        delivery.id: order.order_id
        for order, sale_order in shipped
        for delivery in sale_order.open_from(context.setup.fba_location_id)
    }
    serial_numbers = {
        line_name(item.order_item_id): item.serial_numbers
        for order, _ in shipped
        for item in order.items
    }
    deliveries.deliver(context.odoo, transfers, serial_numbers)
    return Result()


def restore_contacts(context: Context, batch: Batch) -> Result:
    """Set the contact of FBA transfers where a run was interrupted while it validated them."""
    lost = {
        delivery.id: sale_order.delivery_contact_id
        for order, sale_order in batch.sale_orders_with(Step.COMPLETE, Step.NOTHING)
        for delivery in _without_contact(context, order, sale_order)
        if _interrupted(context, order)
    }
    deliveries.address(context.odoo, lost)
    return Result()


def _without_contact(context: Context, order: Order, sale_order: SaleOrder) -> list[Delivery]:
    if order.fulfilled_by != FulfilledBy.AMAZON or not sale_order.delivery_contact_id:
        return []
    location_id = context.setup.fba_location_id
    of_amazon = [d for d in sale_order.deliveries if d.location_id == location_id]
    return [d for d in of_amazon if not d.contact_id and (d.is_open or d.is_done)]


def restore_dates(context: Context, batch: Batch) -> Result:
    """Set Amazon's order date where a run was interrupted between confirmation and dating."""
    lost = [
        (order, sale_order)
        for order, sale_order in batch.sale_orders_with(Step.COMPLETE, Step.NOTHING)
        if _lost_its_date(context, order, sale_order)
    ]
    _set_dates(
        context,
        {sale_order.id: order.created for order, sale_order in lost},
        undated=[
            sale_order.id
            for order, sale_order in lost
            if order.fulfilled_by == FulfilledBy.MERCHANT and not order.ship_by
        ],
    )
    return Result()


def _set_dates(
    context: Context, dates: Mapping[int, datetime], *, undated: Collection[int]
) -> None:
    """Write order dates; the deadlines of the moves of undated orders follow them.

    Undated are orders that the merchant ships by no known date.
    """
    sale_actions.set_dates(context.odoo, dates)
    sale_actions.set_deadlines(context.odoo, {id_: dates[id_] for id_ in undated})


def _lost_its_date(context: Context, order: Order, sale_order: SaleOrder) -> bool:
    """True if the order was confirmed after we first saw it but its run was interrupted."""
    if not sale_order.is_confirmed or sale_order.ordered == order.created.replace(microsecond=0):
        return False
    entry = _interrupted(context, order)
    return entry is not None and sale_order.ordered > entry.first_seen - _CLOCKS_DIFFER


def _interrupted(context: Context, order: Order) -> Entry | None:
    """The entry of an order that no run has processed to its end."""
    entry = entry_of(context, order.order_id)
    return None if was_settled(entry) else entry


_CLOCKS_DIFFER = timedelta(minutes=5)
"""Tolerated difference between Odoo's clock and ours."""
