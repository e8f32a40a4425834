"""Reminders of what Amazon changed are settled when people follow them, without another change."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from memory_shop import MemoryShop, opened

from amazon_bridge.simulator.lines import Line


@pytest.fixture
def office(tmp_path: Path) -> Iterator[MemoryShop]:
    with opened(tmp_path) as office:
        yield office


def test_people_lower_a_line(office: MemoryShop) -> None:
    free = Line(sku="TEAPOT-08", quantity=2, price=Decimal(0))
    order = office.world.place_order("FR", [Line(sku="MUG-BLUE", price=Decimal(10)), free])
    office.clock.advance(minutes=10)
    assert office.bridge.sync("orders")["created"] == 1
    office.world.cancel_units(order.order_id, order.items[1].order_item_id, 1)
    office.clock.advance(minutes=10)
    office.bridge.sync("orders")
    assert summaries(office) == {"Amazon: don't ship all units"}
    asked_for = len(office.simulator.received("getOrder"))
    office.clock.advance(minutes=10)
    office.bridge.sync("orders")
    assert len(office.simulator.received("getOrder")) == asked_for
    of_order = [("product_id.default_code", "=", "TEAPOT-08")]
    [line] = office.shop.search("sale.order.line", of_order, ["id"])
    office.shop.rpc("sale.order.line", "write", [line["id"]], {"product_uom_qty": 1})
    office.clock.advance(minutes=10)
    office.bridge.sync("orders")
    assert summaries(office) == set()
    assert len(office.simulator.received("getOrder")) == asked_for + 1


def summaries(office: MemoryShop) -> set[str]:
    return {row["summary"] for row in office.shop.search("mail.activity", [], ["summary"])}
