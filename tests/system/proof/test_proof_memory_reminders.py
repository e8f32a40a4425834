"""Whoever must act in Odoo gets an activity, although a run was killed or Odoo was restored."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from figures import SCALE
from scene import JOBS, Killed, Scene
from test_proof_memory_histories import MemoryStage

from amazon_bridge.engine.records import State
from amazon_bridge.simulator import Line

MANY = 200
"""More calls than a run has."""


@pytest.mark.slow
def test_a_killed_run_leaves_nobody_in_the_dark(tmp_path: Path) -> None:
    stage = MemoryStage(tmp_path)
    for number in range(1, MANY, 1 if SCALE else 4):
        scene = stage.open()
        if not _is_killed_at(number, scene):
            return
        stage.close(scene)
    raise AssertionError("the run never came to its end")


def _is_killed_at(number: int, scene: Scene) -> bool:
    order = scene.world.place_order("FR", seller=scene.seller)
    bridge = scene.bridge
    bridge.sync_all()
    scene.clock.advance(minutes=1)
    scene.world.change_item(
        order.order_id, order.items[0].order_item_id, price=order.items[0].price / 2
    )
    bridge.calls_left, killed = number, False
    try:
        bridge.sync_all()
    except Killed:
        killed = True
    bridge.calls_left = None
    bridge.close()
    bridge.sync_all(JOBS[:1])
    entry = bridge.app.ledger.items.get("acme", "orders", order.order_id)
    assert entry
    assert entry.state is State.QUARANTINED
    sale_order = scene.shop.sale_order(order)
    assert scene.shop.activities("sale.order", sale_order["id"]), number
    assert scene.shop.activities("stock.picking", sale_order["picking_ids"][0]), number
    bridge.close()
    return killed


@pytest.mark.parametrize("quantities", [None, {"MUG-RED": 1}])
def test_what_left_before_odoo_was_restored_is_not_packed_again(
    tmp_path: Path, quantities: Mapping[str, int] | None
) -> None:
    """Also when the state store was lost and never knew another state of the order."""
    scene = MemoryStage(tmp_path).open()
    bridge, odoo = scene.bridge, scene.odoo
    assert odoo
    line = [Line(sku="MUG-RED", quantity=2)]
    order = scene.world.place_order("FR", line, seller=scene.seller)
    bridge.sync_all()
    backup, moment = odoo.backup(), scene.clock()
    scene.warehouse.ship(order, quantities=quantities)
    bridge.sync_all()
    bridge.forget()
    bridge.sync_all()
    odoo.restore(backup)
    bridge.close()
    (account, _) = bridge.app.config.accounts
    bridge.app.move_cursor(account, moment - timedelta(hours=1))
    bridge.sync_all()
    transfer = scene.warehouse.open(order)
    assert scene.shop.activities("stock.picking", transfer["id"])
    bridge.close()


@pytest.mark.parametrize("end", ["cancelled", "shipped"])
def test_a_delivery_of_other_products_is_not_packed_for_an_order_that_is_over(
    tmp_path: Path, end: str
) -> None:
    """Odoo doesn't count it among the sale order's any more."""
    scene = MemoryStage(tmp_path).open()
    rpc, search = scene.shop.rpc, scene.shop.search
    order = scene.world.place_order("FR", [Line(sku="MUG-RED")], seller=scene.seller)
    scene.bridge.sync_all()
    transfer = scene.warehouse.open(order)["id"]
    (move,) = search("stock.move", [("picking_id", "=", transfer)], [])
    (product,) = search("product.product", [("default_code", "=", "MUG-BLUE")], [])
    rpc("stock.move", "write", [move["id"]], {"product_id": product["id"]})
    scene.clock.advance(minutes=1)
    (scene.world.cancel if end == "cancelled" else scene.world.ship)(order.order_id)
    scene.bridge.sync_all()
    (row,) = scene.warehouse.transfers(order)
    if end == "cancelled":
        assert row["state"] == "cancel"
    else:
        assert scene.shop.activities("stock.picking", transfer)
    scene.bridge.close()
