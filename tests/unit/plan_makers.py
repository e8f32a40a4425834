"""Orders, delivery orders and packages for the tests of shipments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import examples
from examples import MEMO

from amazon_bridge.flows.shipments.decide import (
    Plan,
    ShipmentTask,
)
from amazon_bridge.model import FulfillmentStatus, Item, Order, Package
from amazon_bridge.odoo.shipped_goods import Goods, Loose, Shipped

NOW = examples.DONE
DELIVERY = replace(examples.DELIVERY, ordered=NOW)
MUG, POT = "51", "52"
SKUS = {MUG: "MUG-BLUE", POT: "POT 1"}


def item(item_id: str, quantity: int, fulfilled: int = 0, unfulfilled: int | None = None) -> Item:
    return Item(
        order_item_id=item_id,
        quantity=quantity,
        sku=SKUS[item_id],
        asin=f"B0{item_id}",
        title=None,
        charges=(),
        quantity_fulfilled=fulfilled,
        quantity_unfulfilled=unfulfilled,
    )


def amazons(*items: Item, status: str = "UNSHIPPED", packages: tuple[Package, ...] = ()) -> Order:
    return replace(examples.ORDER, status=FulfillmentStatus(status), items=items, packages=packages)


def package(reference: int, tracking: str | None = "JD1", **units: int) -> Package:
    quantities = tuple((name.removeprefix("_"), number) for name, number in units.items())
    return Package(str(reference), "DHL", tracking, quantities)


def loose(*pieces: float, ordered: bool = False) -> tuple[Loose, ...]:
    return tuple(Loose(f"Thing {n}", Decimal(str(p)), ordered) for n, p in enumerate(pieces))


def task(goods: Goods, statement: str | None = None, *, shared: bool = False) -> ShipmentTask:
    return ShipmentTask(replace(DELIVERY, statement=statement, is_shared=shared), MEMO, goods)


def shipped(mug: int, pot: int = 0, **more: object) -> Goods:
    """What left as ordered: as many pieces as units."""
    units = {MUG: mug, POT: pot}
    left = tuple(Shipped(id_, number) for id_, number in units.items() if number)
    gone = {id_: number for id_, number in units.items() if number}
    return replace(Goods(left, gone=gone), **more)  # type: ignore[arg-type]


def send(mug: int = 0, pot: int = 0, **surplus: int) -> Plan:
    units = {id_: number for id_, number in ((MUG, mug), (POT, pot)) if number}
    return Plan(None, units, {name.removeprefix("_"): number for name, number in surplus.items()})
