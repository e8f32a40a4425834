"""What Amazon changes of items of which one unit is several pieces in Odoo."""

from pathlib import Path

import pytest
from changed_orders import EXCESS, MakeSets, changed, reminders_after, ship, units, with_products
from desk import Desk, Json, MakeDesk, item, order

from amazon_bridge.flows.orders.memo import Memo


@pytest.fixture
def desk(make_memory_desk: MakeDesk) -> Desk:
    return with_products(make_memory_desk())


@pytest.fixture
def sets(make_memory_desk: MakeDesk, desk: Desk, tmp_path: Path) -> MakeSets:
    """The desk, with a product map by which one SET is so many pieces of SPOON."""

    def make(pieces: int) -> Desk:
        path = tmp_path / f"map-{pieces}.csv"
        path.write_text(f"code,internal_reference,units\nSET,SPOON,{pieces}\n")
        return make_memory_desk(product_map=path)

    assert desk
    return make


def quantity(desk: Desk, payload: Json) -> float:
    domain = [("order_id", "=", desk.order(payload)["id"])]
    [line] = desk.find("sale.order.line", domain, ["product_uom_qty"])
    return float(line["product_uom_qty"])


@pytest.mark.parametrize("pieces_later", [1, 6, 12])
def test_a_set_is_cancelled_on_amazon(sets: MakeSets, pieces_later: int) -> None:
    payload = order(item("SET", quantity=3, ITEM="30.01"))
    sets(6).work(payload)
    assert quantity(sets(6), payload) == 18
    desk = sets(pieces_later)
    assert desk.work(changed(payload, sellerOrderId="MINE")).unchanged == 1
    assert reminders_after(desk, payload) == {}
    left = {"fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 2}}
    desk.work(changed(payload, items=[left]))
    text = reminders_after(desk, payload)[EXCESS]
    assert (
        "6 pieces of SET (6 pieces are one unit) were cancelled on Amazon: ship 12 pieces" in text
    )
    assert "(Amazon: 18 ordered, 12 still to be shipped; sale order: 18 ordered, 0 del" in text


def test_some_pieces_of_a_set_have_left(sets: MakeSets) -> None:
    desk, payload = sets(6), order(item("SET", quantity=2, ITEM="30.01"))
    desk.work(payload)
    ship(desk, payload, SPOON=7)
    desk.work(changed(payload, status="PARTIALLY_SHIPPED", items=[units(2, shipped=1)]))
    assert reminders_after(desk, payload) == {}


@pytest.mark.parametrize("imported_with", [1, 6])
def test_the_state_store_is_lost(
    sets: MakeSets, make_memory_desk: MakeDesk, tmp_path: Path, imported_with: int
) -> None:
    payload = order(item("SET", quantity=2, ITEM="30.01"))
    sets(imported_with).work(payload)
    path = tmp_path / "map-6.csv"
    path.write_text("code,internal_reference,units\nSET,SPOON,6\n")
    desk = make_memory_desk(product_map=path, state=tmp_path / "new.db")
    desk.work(payload)
    assert reminders_after(desk, payload) == {}
    memo = Memo.read(desk.app.ledger.items.get("acme", "orders", payload["orderId"]))
    assert memo
    assert set(memo.pieces.values()) == {imported_with}


def test_an_order_that_is_cancelled_keeps_its_pieces(sets: MakeSets) -> None:
    payload = order(item("SET", quantity=2, ITEM="30.01"))
    sets(6).work(payload)
    desk = sets(1)
    desk.work(changed(payload, status="CANCELLED"))
    memo = Memo.read(desk.app.ledger.items.get("acme", "orders", payload["orderId"]))
    assert memo
    assert set(memo.pieces.values()) == {6}
