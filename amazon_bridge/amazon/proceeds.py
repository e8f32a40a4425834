"""Computes the charges of order items from Amazon's proceeds.

Amazon doesn't say whether the TAX of an item's breakdowns is part of its prices, nor whether
DISCOUNT is negative. The figures decide, item by item. With G the sum of all prices, D the
discount and T the tax: where ``proceedsTotal`` is G - D, tax is inside the prices; where it is
G - D + T, tax came on top. Anything else is an error that states the figures.

Tax that came on top belongs to the seller's revenue, unless Amazon keeps and remits it as the
marketplace facilitator.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from amazon_bridge.amazon.payloads import (
    BreakdownPayload,
    ItemPayload,
    MoneyPayload,
    OrderPayload,
)
from amazon_bridge.marketplaces import smallest_unit
from amazon_bridge.model import Charge, ChargeKind

_ZERO = Decimal(0)

_PRICES = {
    "ITEM": ChargeKind.ITEM,
    "SHIPPING": ChargeKind.SHIPPING,
    "GIFT_WRAP": ChargeKind.GIFT_WRAP,
    "COD_FEE": ChargeKind.COD_FEE,
}
"""Breakdown types that are prices. TAX and DISCOUNT aren't; all others count as OTHER."""

_AGGREGATES = {*_PRICES, "OTHER", "TAX", "DISCOUNT"}
"""Breakdown types that are sums over the items. Others belong to the order itself."""


class ProceedsError(Exception):
    """The figures contradict each other; the text names them."""

    kind = "unreadable"
    """The quarantine kind."""


class NoProceedsError(ProceedsError):
    """Amazon states no proceeds, and a unit price includes no shipping, discount or tax."""

    kind = "no_proceeds"


class UnitsContradictError(ProceedsError):
    """An item without units has an amount."""

    kind = "units_contradict"


@dataclass(frozen=True, slots=True)
class ItemProceeds:
    """What an item is worth.

    ``total`` is what Amazon states, or what its prices add up to where it states nothing. It
    exceeds the sum of the charges by ``kept``: the tax that Amazon keeps.
    """

    charges: tuple[Charge, ...]
    total: Decimal
    kept: Decimal = _ZERO
    derived: str = ""
    """How the total follows from the unit price if Amazon states no proceeds."""


@dataclass(frozen=True, slots=True)
class OrderProceeds:
    """The charges of each item, in the items' order, and their one currency, if known."""

    charges: tuple[tuple[Charge, ...], ...]
    currency: str | None


NOTHING = (Charge(ChargeKind.ITEM, _ZERO),)


def order_proceeds(
    order: OrderPayload, *, prices_include_tax: bool, may_be_free: bool
) -> OrderProceeds:
    """The charges of all items; an amount that belongs to no item is added to one with units.

    Args:
        order: The payload.
        prices_include_tax: Decides where Amazon states no ``proceedsTotal``.
        may_be_free: Items for which Amazon states no proceeds are worth nothing, whatever they
            cost else, as in a replacement order.

    Raises:
        ProceedsError: Proceeds or all items are missing, or the figures contradict each other.
    """
    if not order.order_items:
        raise ProceedsError("the order has no items")
    currency = _currency(order)
    items = [
        _item_proceeds(item, prices_include_tax=prices_include_tax, may_be_free=may_be_free)
        for item in order.order_items
    ]
    extra = _beyond_the_items(order, items)
    if extra:
        place = _place_of_extra(order)
        items[place] = _with(items[place], extra)
    return OrderProceeds(tuple(item.charges for item in items), currency)


def _place_of_extra(order: OrderPayload) -> int:
    """The first item that still has units."""
    places = (place for place, item in enumerate(order.order_items) if item.quantity_ordered)
    return next(places, 0)


def collected_by_amazon(item: ItemPayload) -> bool:
    """True if Amazon collects the item's tax and remits it for the seller."""
    return any(tax.model == "MARKETPLACE_FACILITATOR" for tax in item.tax.tax_collections)


def _item_proceeds(
    item: ItemPayload, *, prices_include_tax: bool, may_be_free: bool
) -> ItemProceeds:
    try:
        if item.proceeds.breakdowns:
            proceeds = _from_breakdowns(item, prices_include_tax=prices_include_tax)
        else:
            proceeds = _from_total(item, may_be_free=may_be_free)
            if collected_by_amazon(item) and proceeds.total and not prices_include_tax:
                raise NoProceedsError(_TAX_UNKNOWN.format(proceeds.total))
        return proceeds if item.quantity_ordered else _without_units(proceeds)
    except ProceedsError as error:
        raise type(error)(f"item {item.order_item_id}: {error}") from None


_TAX_UNKNOWN = (
    "Amazon keeps the tax that comes on top of the prices, but states only a total of {}: nothing"
    " says how much of it is tax"
)


def _without_units(proceeds: ItemProceeds) -> ItemProceeds:
    """The proceeds of an item without units: none, or an error."""
    worth = sum((charge.amount for charge in proceeds.charges), _ZERO)
    if worth or proceeds.total:
        raise UnitsContradictError(f"quantityOrdered is 0, but its proceeds are {proceeds.total}")
    return ItemProceeds(NOTHING, _ZERO)


def _from_total(item: ItemPayload, *, may_be_free: bool) -> ItemProceeds:
    total, unit_price = item.proceeds.proceeds_total, item.product.price.unit_price
    if total:
        amount = _exact(total)
    elif may_be_free or not item.quantity_ordered:
        amount = _ZERO
    elif unit_price:
        return _from_unit_price(unit_price, item.quantity_ordered)
    else:
        raise NoProceedsError("Amazon states neither proceeds nor a unit price")
    return ItemProceeds((Charge(ChargeKind.ITEM, amount),), amount)


def _from_unit_price(unit_price: MoneyPayload, units: int) -> ItemProceeds:
    amount = _exact(unit_price, units)
    derived = f"{units} x {_exact(unit_price)} = {amount} {unit_price.currency_code}"
    return ItemProceeds((Charge(ChargeKind.ITEM, amount),), amount, derived=derived)


def _from_breakdowns(item: ItemPayload, *, prices_include_tax: bool) -> ItemProceeds:
    tax, tax_by_kind = _tax(item.proceeds.breakdowns)
    amounts = _prices(item.proceeds.breakdowns) | _discounts(item.proceeds.breakdowns)
    net = sum(amounts.values(), _ZERO)
    if not _on_top(item, net, tax, prices_include_tax=prices_include_tax):
        return ItemProceeds(_charges(amounts), net)
    if collected_by_amazon(item):
        return ItemProceeds(_charges(amounts), net + tax, kept=tax)
    shares = _shares(tax, tax_by_kind, amounts)
    with_tax = {kind: amount + shares.get(kind, _ZERO) for kind, amount in amounts.items()}
    return ItemProceeds(_charges(with_tax), net + tax)


def _on_top(item: ItemPayload, net: Decimal, tax: Decimal, *, prices_include_tax: bool) -> bool:
    if item.proceeds.proceeds_total is None:
        if not any(breakdown.type == "ITEM" for breakdown in item.proceeds.breakdowns):
            raise ProceedsError("Amazon states neither proceedsTotal nor an ITEM breakdown")
        return not prices_include_tax
    total = _exact(item.proceeds.proceeds_total)
    if total not in (net, net + tax):
        raise ProceedsError(
            f"proceedsTotal {total} is neither {net} (prices minus discount)"
            f" nor {net + tax} (prices minus discount plus tax)"
        )
    return total != net


def _prices(breakdowns: Iterable[BreakdownPayload]) -> dict[ChargeKind, Decimal]:
    amounts = defaultdict(Decimal, {ChargeKind.ITEM: _ZERO})
    for breakdown in breakdowns:
        if breakdown.type not in ("TAX", "DISCOUNT"):
            amounts[_price_kind(breakdown.type)] += _exact(breakdown.subtotal)
    return amounts


def _discounts(breakdowns: Iterable[BreakdownPayload]) -> dict[ChargeKind, Decimal]:
    """The discounts, negative: whatever sign Amazon gives them, a discount lowers the price."""
    amounts: defaultdict[ChargeKind, Decimal] = defaultdict(Decimal)
    for breakdown in breakdowns:
        if breakdown.type == "DISCOUNT":
            whole = abs(_exact(breakdown.subtotal))
            on_shipping = min(_detail(breakdown, "SHIPPING"), whole)
            amounts[ChargeKind.DISCOUNT] -= whole - on_shipping
            amounts[ChargeKind.SHIPPING_DISCOUNT] -= on_shipping
    return amounts


def _detail(breakdown: BreakdownPayload, subtype: str) -> Decimal:
    details = (d for d in breakdown.detailed_breakdowns if d.subtype == subtype and d.value)
    return sum((abs(_exact(d.value)) for d in details if d.value), _ZERO)


def _tax(
    breakdowns: Iterable[BreakdownPayload],
) -> tuple[Decimal, dict[ChargeKind, Decimal]]:
    """The tax, in total and by kind of charge as far as Amazon states it."""
    whole, by_kind = _ZERO, defaultdict[ChargeKind, Decimal](Decimal)
    for breakdown in breakdowns:
        if breakdown.type == "TAX":
            whole += _exact(breakdown.subtotal)
            for detail in breakdown.detailed_breakdowns:
                if detail.value:
                    _add_tax(by_kind, detail.subtype, _exact(detail.value))
    return whole, by_kind


def _add_tax(
    by_kind: defaultdict[ChargeKind, Decimal], subtype: str | None, amount: Decimal
) -> None:
    if subtype == "DISCOUNT":
        by_kind[ChargeKind.DISCOUNT] -= abs(amount)
    else:
        by_kind[_price_kind(subtype)] += amount


def _shares(
    tax: Decimal, by_kind: Mapping[ChargeKind, Decimal], amounts: Mapping[ChargeKind, Decimal]
) -> dict[ChargeKind, Decimal]:
    """The tax on each charge: as Amazon states it, else in proportion."""
    if sum(by_kind.values(), _ZERO) == tax and all(amounts.get(kind) for kind in by_kind):
        return dict(by_kind)
    return _in_proportion(tax, amounts)


def _in_proportion(
    tax: Decimal, amounts: Mapping[ChargeKind, Decimal]
) -> dict[ChargeKind, Decimal]:
    # A tax above all that was paid can't have been reckoned on the discounted prices.
    discounted = abs(tax) <= sum(amounts.values(), _ZERO)
    weights = {kind: a for kind, a in amounts.items() if discounted or a > 0}
    whole = sum(weights.values(), _ZERO)
    if not whole:
        return {ChargeKind.ITEM: tax}
    shares = {k: (tax * w / whole).quantize(tax, ROUND_DOWN) for k, w in weights.items()}
    largest = max(weights, key=lambda kind: weights[kind])
    shares[largest] += tax - sum(shares.values(), _ZERO)
    return shares


def _beyond_the_items(order: OrderPayload, items: Iterable[ItemProceeds]) -> Decimal:
    """What was paid for the order as a whole, such as a delivery tip.

    Nothing says whether ``grandTotal`` holds the tax that Amazon keeps, nor when a tip that is
    still pending becomes a part of it: any of these readings that fits is taken.
    """
    own = [b for b in order.proceeds.breakdowns if b.type not in _AGGREGATES]
    settled = sum((_exact(b.subtotal) for b in own if b.status != "PENDING"), _ZERO)
    items = list(items)
    if order.proceeds.grand_total is None:
        _check_sums(order, items)
        return settled
    grand_total = _exact(order.proceeds.grand_total)
    total, kept = sum((i.total for i in items), _ZERO), sum((i.kept for i in items), _ZERO)
    for extra in (_ZERO, settled, sum((_exact(b.subtotal) for b in own), _ZERO)):
        if grand_total in (total + extra, total - kept + extra):
            return extra
    raise _contradiction(items, f"grandTotal is {grand_total}")


def _check_sums(order: OrderPayload, items: Iterable[ItemProceeds]) -> None:
    """Compare the items with the order's breakdowns that only add them up, if there are any."""
    items = list(items)
    sums = [b for b in order.proceeds.breakdowns if b.type in _AGGREGATES]
    if not sums:
        if any(item.derived for item in items):
            raise _contradiction(items, "no grandTotal confirms that")
        return
    tax = sum((_exact(b.subtotal) for b in sums if b.type == "TAX"), _ZERO)
    discount = sum((abs(_exact(b.subtotal)) for b in sums if b.type == "DISCOUNT"), _ZERO)
    whole = sum((_exact(b.subtotal) for b in sums if b.type != "DISCOUNT"), _ZERO) - discount
    if sum((item.total for item in items), _ZERO) not in (whole, whole - tax):
        raise _contradiction(items, f"the order's breakdowns add up to {whole}")


def _contradiction(items: Iterable[ItemProceeds], figure: str) -> ProceedsError:
    """The error of items that another figure of the order does not confirm."""
    items = list(items)
    derived = "; ".join(item.derived for item in items if item.derived)
    if derived:
        return NoProceedsError(
            f"Amazon states no proceeds, only unit prices ({derived}), and {figure}"
        )
    total = sum((item.total for item in items), _ZERO)
    return ProceedsError(f"{figure}, but the items' proceeds add up to {total}")


def _with(item: ItemProceeds, extra: Decimal) -> ItemProceeds:
    amounts = defaultdict(Decimal, {charge.kind: charge.amount for charge in item.charges})
    amounts[ChargeKind.OTHER] += extra
    return replace(item, charges=_charges(amounts))


def _charges(amounts: Mapping[ChargeKind, Decimal]) -> tuple[Charge, ...]:
    """The charge for the item itself always, the others where they aren't zero."""
    kinds = (kind for kind in ChargeKind if kind is ChargeKind.ITEM or amounts.get(kind))
    return tuple(Charge(kind, amounts[kind]) for kind in kinds)


def _price_kind(type_: str | None) -> ChargeKind:
    return _PRICES.get(type_ or "", ChargeKind.OTHER)


def _exact(money: MoneyPayload, times: int = 1) -> Decimal:
    amount = Decimal(money.amount) * times
    exact = amount.quantize(smallest_unit(money.currency_code))
    if exact != amount:
        raise ProceedsError(f"{amount} {money.currency_code} has too many decimal places")
    return exact + _ZERO  # turns -0.00 into 0.00


def _currency(order: OrderPayload) -> str | None:
    currencies = {money.currency_code for money in _moneys(order)}
    if len(currencies) > 1:
        raise ProceedsError(f"amounts in several currencies: {', '.join(sorted(currencies))}")
    return min(currencies, default=None)


def _moneys(order: OrderPayload) -> Iterator[MoneyPayload]:
    amounts = [order.proceeds.grand_total, *(b.subtotal for b in order.proceeds.breakdowns)]
    for item in order.order_items:
        amounts += [item.proceeds.proceeds_total, item.product.price.unit_price]
        for breakdown in item.proceeds.breakdowns:
            amounts += [breakdown.subtotal, *(d.value for d in breakdown.detailed_breakdowns)]
    return (money for money in amounts if money)
