"""Which units of an Amazon order left with a delivery order: pure rules.

Goods can lose their order item: a packer replaces the product of a delivery, or adds another one.
Such goods are never ignored: either the units are clear, or a person states them in the delivery
order's note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders.units import name_of
from amazon_bridge.model import Item, Order
from amazon_bridge.odoo.delivery_orders import DeliveryOrder
from amazon_bridge.odoo.shipped_goods import Goods

_ALL, _NOTHING = "all", "nothing"
_UNITS = (
    re.compile(r"(?P<name>.+?)\s*(?:[=:×]|\bx\b)\s*(?P<number>\d{1,6})", re.IGNORECASE),  # noqa: RUF001
    re.compile(r"(?P<number>\d{1,6})\s*[x×]\s+(?P<name>.+)", re.IGNORECASE),  # noqa: RUF001
)
"""How people write units: "MUG-BLUE = 2", "MUG-BLUE x 2", "2 x MUG-BLUE"."""


def units_left(delivery: DeliveryOrder, goods: Goods, order: Order) -> dict[str, int]:
    """Return the units by order item id that left with a delivery order.

    Raises:
        ItemError: ``goods_unclear`` or ``kit_unclear``: a person has to state them.
    """
    if delivery.statement:
        return _stated(delivery, delivery.statement, order)
    units = known_units(delivery, goods, order)
    missing = _missing(goods, order)
    if not missing and not all(each.is_ordered for each in goods.loose):
        missing = _missing(replace(goods, to_deliver={}), order)
    if not goods.loose or not missing:
        return units
    found = _loose_units(delivery, goods, missing)
    if found is None:
        raise _goods_unclear(delivery, goods, missing, order)
    return {item: units.get(item, 0) + found.get(item, 0) for item in units | found}


def known_units(delivery: DeliveryOrder, goods: Goods, order: Order | None) -> dict[str, int]:
    """Return the units by order item id that certainly left.

    Raises:
        ItemError: ``kit_unclear``.
    """
    units = {s.order_item_id: s.quantity for s in goods.shipped if s.quantity is not None}
    if unclear := [s.order_item_id for s in goods.shipped if s.quantity is None]:
        raise ItemError(
            "kit_unclear",
            f"The moves of {delivery.name} don't show how many units of"
            f" {_names(unclear, order)} left.",
            _remedy(_example(unclear[0], order)),
        )
    return units


def _missing(goods: Goods, order: Order) -> dict[str, int]:
    """Units by order item id open on Amazon that have not left and are not planned in Odoo."""
    found = {}
    for item in order.items:
        left = max(item.quantity_fulfilled, goods.gone.get(item.order_item_id, 0))
        rest = item.quantity - left - goods.to_deliver.get(item.order_item_id, 0)
        if rest > 0:
            found[item.order_item_id] = rest
    return found


def _loose_units(
    delivery: DeliveryOrder, goods: Goods, missing: Mapping[str, int]
) -> dict[str, int] | None:
    """Return which missing units the loose goods are, by order item id; None if unclear."""
    pieces = sum(each.quantity for each in goods.loose)
    if delivery.is_shared or pieces != int(pieces):
        return None
    completes = goods.is_last and goods.is_only_loose
    if len(missing) == 1:
        ((item, number),) = missing.items()
        units, rest = divmod(int(pieces), goods.pieces.get(item, 1))
        is_count = len(goods.loose) == 1 and units <= number
        clear = not rest and (number == 1 or is_count or completes)
        return {item: min(number, units)} if clear else None
    needed = sum(number * goods.pieces.get(item, 1) for item, number in missing.items())
    return dict(missing) if completes and pieces >= needed else None


def _goods_unclear(
    delivery: DeliveryOrder, goods: Goods, missing: Mapping[str, int], order: Order
) -> ItemError:
    left = ", ".join(f"{each.quantity.normalize():f} x {each.product}" for each in goods.loose)
    items = {item.order_item_id: item for item in order.items}
    expected = ", ".join(f"{number} x {name_of(items[item])}" for item, number in missing.items())
    return ItemError(
        "goods_unclear",
        f"Goods left with {delivery.name} that are on no line of the Amazon order ({left}); Amazon"
        f" still expects {expected}.",
        _remedy(_example(next(iter(missing)), order)),
    )


def _remedy(example: str) -> str:
    return (
        'Say what left, on the delivery order in Odoo: write "Amazon shipped: all" into its tab'
        f' Note, or "Amazon shipped: nothing", or the units, such as "Amazon shipped: {example}".'
        " The next run confirms them to Amazon."
    )


def _example(order_item_id: str, order: Order | None) -> str:
    """Return an example by which ``_stated_units`` finds the item."""
    items = order.items if order else ()
    names = [n for i in items if i.order_item_id == order_item_id for n in (i.sku, i.asin) if n]
    clear = (name for name in names if len(_named(name, items)) == 1 and _parts(name) == [name])
    return f"{next(clear, order_item_id)} = 1"


def _names(order_item_ids: list[str], order: Order | None) -> str:
    items = {item.order_item_id: item for item in order.items} if order else {}
    return ", ".join(name_of(items[i]) if i in items else i for i in order_item_ids)


# What a person states


def _stated(delivery: DeliveryOrder, statement: str, order: Order) -> dict[str, int]:
    parts = _parts(statement)
    words = {part.casefold() for part in parts}
    if words == {_NOTHING}:
        return {}
    if words == {_ALL}:
        return {
            item.order_item_id: item.quantity - item.quantity_fulfilled
            for item in order.items
            if item.quantity > item.quantity_fulfilled
        }
    if words & {_ALL, _NOTHING}:
        raise _contradictory(delivery, parts, order)
    units: dict[str, int] = {}
    for part in parts:
        item, number = _stated_units(delivery, part, order)
        if item in units:
            raise _contradictory(delivery, parts, order)
        units[item] = number
    return {item: number for item, number in units.items() if number}


def says_all(statement: str) -> bool:
    """True if the statement is "all": every unit that Amazon expects."""
    return {part.casefold() for part in _parts(statement)} == {_ALL}


def check_enough_left(
    delivery: DeliveryOrder, goods: Goods, order: Order, confirmed: Mapping[str, int]
) -> None:
    """Check that a person doesn't state that less left than was confirmed to Amazon.

    Args:
        delivery: the confirmed delivery order.
        goods: that left with it.
        order: as Amazon shows it now.
        confirmed: units by order item id; empty if Amazon doesn't show them.

    Raises:
        ItemError: ``told_too_much``, or ``goods_unclear``.
    """
    if delivery.statement is None or says_all(delivery.statement):
        return
    units = units_left(delivery, goods, order)
    too_many = [item for item, number in confirmed.items() if number > units.get(item, 0)]
    if too_many or not units:
        known = ", ".join(f"{n} x {_names([item], order)}" for item, n in confirmed.items())
        raise ItemError(
            "told_too_much",
            f"More units of {delivery.name} were confirmed to Amazon ({known or 'number unknown'})"
            f' than its note states ("Amazon shipped: {delivery.statement}").',
            _TOLD_TOO_MUCH,
        )


_TOLD_TOO_MUCH = (
    "A confirmed shipment can't be taken back: settle it in Seller Central, such as with a refund,"
    ' or send what is missing. Then remove the line "Amazon shipped" from the note, or write the'
    " confirmed units: the next run closes this."
)


def _parts(statement: str) -> list[str]:
    return [part.strip(" .\"'") for part in re.split(r"[,;]", statement)]


def _contradictory(delivery: DeliveryOrder, parts: list[str], order: Order) -> ItemError:
    return ItemError(
        "goods_unclear",
        f'"Amazon shipped:" in the note of {delivery.name} contradicts itself, or names an item'
        f" twice: {'; '.join(parts)}.",
        _remedy(_example(order.items[0].order_item_id, order)),
    )


def _stated_units(delivery: DeliveryOrder, part: str, order: Order) -> tuple[str, int]:
    """Parse one part of a statement.

    Returns:
        The order item id that it names, and the number of units.

    Raises:
        ItemError: the note names no item of the order.
    """
    found = next(filter(None, (each.fullmatch(part) for each in _UNITS)), None)
    name, number = (found["name"], int(found["number"])) if found else (part, 0)
    matching = _named(name, order.items)
    if not found or len(matching) != 1:
        raise ItemError(
            "goods_unclear",
            f'"Amazon shipped:" in the note of {delivery.name} can\'t be understood: {part}.',
            _remedy(_example(order.items[0].order_item_id, order)),
        )
    return matching[0].order_item_id, number


def _named(name: str, items: Iterable[Item]) -> list[Item]:
    return [item for item in items if name.casefold() in _all_names(item)]


def _all_names(item: Item) -> set[str]:
    names = (item.sku, item.asin, item.title, item.order_item_id)
    return {name.casefold() for name in names if name}
