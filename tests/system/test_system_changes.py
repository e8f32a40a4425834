"""Reminders of what Amazon changed are settled when people follow them, without another change."""

from decimal import Decimal

from memory_shop import MemoryShop

from amazon_bridge.simulator import Line


def test_people_lower_a_line(here: MemoryShop) -> None:
    free = Line(sku="TEAPOT-08", quantity=2, price=Decimal(0))
    order = here.world.place_order("FR", [Line(sku="MUG-BLUE", price=Decimal(10)), free])
    here.clock.advance(minutes=10)
    assert here.bridge.sync("orders")["created"] == 1
    here.world.cancel_units(order.order_id, order.items[1].order_item_id, 1)
    here.clock.advance(minutes=10)
    here.bridge.sync("orders")
    assert summaries(here) == {"Amazon: don't ship all units"}
    asked_for = len(here.simulator.received("getOrder"))
    here.clock.advance(minutes=10)
    here.bridge.sync("orders")
    assert len(here.simulator.received("getOrder")) == asked_for
    of_order = [("product_id.default_code", "=", "TEAPOT-08")]
    [line] = here.shop.search("sale.order.line", of_order, ["id"])
    here.shop.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": 1})
    here.clock.advance(minutes=10)
    here.bridge.sync("orders")
    assert summaries(here) == set()
    assert len(here.simulator.received("getOrder")) == asked_for + 1


def summaries(here: MemoryShop) -> set[str]:
    return {row["summary"] for row in here.shop.search("mail.activity", [], ["summary"])}
