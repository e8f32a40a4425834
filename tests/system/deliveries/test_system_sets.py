"""Items of which one unit is several pieces in Odoo."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bridge import Bridge, ShiftedClock
from parcels import details, item_ids, key, place
from program import SettledWorld
from warehouse import Warehouse

from amazon_bridge.simulator import Line, Order

pytestmark = [pytest.mark.odoo("of the module"), pytest.mark.slow]


Sets = Callable[[int], None]
"""Changes how many pieces of MUG-BLUE the product map says are one SET-6."""


@pytest.fixture
def sets(bridge: Bridge, tmp_path: Path) -> Iterator[Sets]:
    """A product map by which an item SET-6 is six pieces of MUG-BLUE."""
    path = tmp_path / "products.csv"

    def pieces(number: int) -> None:
        row = f"item,,SET-6,MUG-BLUE,{number}"
        path.write_text(f"kind,marketplace,code,internal_reference,units\n{row}\n")
        bridge.close()

    pieces(6)
    with bridge.configured(product_map=str(path)):
        yield pieces


def told_units(bridge: Bridge, order: Order) -> list[int]:
    found = [line["quantity"] for each in details(bridge, order) for line in each["orderItems"]]
    assert all(len(each["orderItems"]) == 1 for each in details(bridge, order))
    return found


def place_sets(bridge: Bridge, quantity: int = 2) -> Order:
    (order,) = place(bridge, lines=[Line(sku="SET-6", quantity=quantity, price=Decimal("59.95"))])
    return order


def activities(warehouse: Warehouse, order: Order) -> dict[str, str]:
    of_order = warehouse.activities("sale.order", warehouse.shop.sale_order(order)["id"])
    for transfer in warehouse.transfers(order):
        of_order |= warehouse.activities("stock.picking", transfer["id"])
    return of_order


def test_sets_are_sold_in_pieces_and_confirmed_in_units(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, sets: Sets, clock: ShiftedClock
) -> None:
    order = place_sets(bridge)
    line = warehouse.shop.lines()[f"sale_line_{item_ids(order)[0]}"]
    assert (line.sku, line.quantity, line.total) == ("MUG-BLUE", 12, Decimal("59.95"))
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert told_units(bridge, order) == [2]
    clock.advance(minutes=11)
    bridge.sync("orders")
    assert bridge.sync("pickings") == {"seen": 1, "unchanged": 1}
    assert world.order(order.order_id).status == "SHIPPED"
    assert activities(warehouse, order) == {}


@pytest.mark.parametrize(
    ("parcels", "confirmed"),
    [([6, 6], [1, 1]), ([7, 5], [1, 1]), ([3, 9], [2]), ([3, 3, 6], [1, 1]), ([11, 1], [1, 1])],
)
def test_a_unit_has_left_with_its_last_piece(
    bridge: Bridge, warehouse: Warehouse, sets: Sets, parcels: list[int], confirmed: list[int]
) -> None:
    order = place_sets(bridge)
    for number in parcels:
        warehouse.ship(order, quantities={"MUG-BLUE": number})
        bridge.sync("orders")
        bridge.sync("pickings")
    assert told_units(bridge, order) == confirmed
    assert activities(warehouse, order) == {}
    assert bridge.quarantine("pickings") == {}


@pytest.mark.parametrize(("left", "confirmed", "open_"), [(7, [1], "1 unit"), (3, [], "2 units")])
def test_the_rest_of_a_unit_is_never_to_leave(
    bridge: Bridge,
    warehouse: Warehouse,
    sets: Sets,
    *,
    left: int,
    confirmed: list[int],
    open_: str,
) -> None:
    order = place_sets(bridge)
    warehouse.ship(order, quantities={"MUG-BLUE": left})
    warehouse.rpc("stock.picking", "action_cancel", [warehouse.open(order)["id"]])
    bridge.sync("pickings")
    bridge.clock.advance(minutes=11)
    bridge.sync("pickings")
    assert told_units(bridge, order) == confirmed
    (text,) = activities(warehouse, order).values()
    assert f"{open_} of SET-6" in text
    assert "still open on Amazon" in text


@pytest.mark.parametrize("before", [1, 6, 12])
def test_the_map_is_changed_between_the_import_and_the_parcel(
    bridge: Bridge, warehouse: Warehouse, sets: Sets, before: int
) -> None:
    sets(before)
    order = place_sets(bridge)
    sets(2 if before == 1 else 1)
    bridge.simulator.world.change(order.order_id)
    bridge.sync("orders")
    warehouse.ship(order, quantities={"MUG-BLUE": before})
    bridge.sync("pickings")
    assert told_units(bridge, order) == [1]
    warehouse.ship(order)
    bridge.sync("pickings")
    assert told_units(bridge, order) == [1, 1]
    assert activities(warehouse, order) == {}


@pytest.mark.parametrize("job", ["orders", "pickings"])
def test_the_state_store_is_lost_between_the_import_and_the_parcel(
    bridge: Bridge, warehouse: Warehouse, sets: Sets, job: str
) -> None:
    order = place_sets(bridge)
    bridge.forget()
    bridge.sync(job)
    warehouse.ship(order, quantities={"MUG-BLUE": 6})
    bridge.sync("pickings")
    assert told_units(bridge, order) == [1]


def replaced_set(bridge: Bridge, warehouse: Warehouse) -> tuple[Order, dict[str, Any]]:
    """One set, of which the packer takes another product; with its delivery order."""
    order = place_sets(bridge, quantity=1)
    transfer = warehouse.open(order)
    warehouse.replace(transfer["id"], "MUG-BLUE", "MUG-RED")
    return order, transfer


def test_a_set_goes_out_with_another_product(
    bridge: Bridge, warehouse: Warehouse, sets: Sets
) -> None:
    order, _ = replaced_set(bridge, warehouse)
    warehouse.ship(order)
    assert bridge.sync("pickings") == {"seen": 1, "notified": 1}
    assert told_units(bridge, order) == [1]


def test_part_of_a_set_goes_out_with_another_product(
    bridge: Bridge, warehouse: Warehouse, sets: Sets
) -> None:
    order, transfer = replaced_set(bridge, warehouse)
    warehouse.ship(order, quantities={"MUG-RED": 2})
    assert bridge.sync("pickings") == {"seen": 1, "quarantined": 1}
    assert bridge.quarantine("pickings")[key(order, transfer)].kind == "goods_unclear"
    assert told_units(bridge, order) == []
