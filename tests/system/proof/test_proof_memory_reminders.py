"""A sync run that is killed at any call leaves no quarantined order that nobody was told of."""

from pathlib import Path

from scene import JOBS, Killed, Scene
from test_proof_memory_histories import MemoryStage

from amazon_bridge.engine.ledger import State

MANY = 200
"""More calls than a run has."""


def test_a_killed_run_leaves_nobody_in_the_dark(tmp_path: Path) -> None:
    stage = MemoryStage(tmp_path)
    for number in range(1, MANY):
        scene = stage.open()
        if not _is_killed_at(number, scene):
            return
        stage.close(scene)
    raise AssertionError("the run never came to its end")


def _is_killed_at(number: int, scene: Scene) -> bool:
    order = scene.world.place_order("FR", seller=scene.seller)
    bridge = scene.bridge
    bridge.round()
    scene.clock.advance(minutes=1)
    scene.world.change_item(
        order.order_id, order.items[0].order_item_id, price=order.items[0].price / 2
    )
    bridge.calls_left, killed = number, False
    try:
        bridge.round()
    except Killed:
        killed = True
    bridge.calls_left = None
    bridge.close()
    bridge.round(JOBS[:1])
    entry = bridge.app.ledger.entry("acme", "orders", order.order_id)
    assert entry
    assert entry.state is State.QUARANTINED
    sale_order = scene.shop.sale_order(order)
    assert scene.shop.activities("sale.order", sale_order["id"]), number
    assert scene.shop.activities("stock.picking", sale_order["picking_ids"][0]), number
    bridge.close()
    return killed
