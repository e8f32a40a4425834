"""What gets lost and refused: nothing goes missing, nothing is done twice, nothing else waits."""

from decimal import Decimal

import pytest
from memory_shop import MemoryShop, imported, place

from amazon_bridge.engine.records import State
from amazon_bridge.flows import continuity
from amazon_bridge.simulator import Line, Order

pytestmark = pytest.mark.slow


# One refused order


def test_an_order_that_a_proxy_refuses_keeps_no_other(here: MemoryShop) -> None:
    good = place(here, 3)
    bad = here.world.place_order("FR", lines=[Line(sku="UNION-SELECT", price=Decimal(9))])
    good += place(here, 2)
    here.odoo.suspicious = "UNION-SELECT"
    here.clock.advance(minutes=5)
    counts = here.bridge.sync("orders")
    assert (counts["created"], counts["quarantined"]) == (5, 1)
    assert "error" not in counts
    assert imported(here, *good, bad) == [True] * 5 + [False]
    entry = here.bridge.quarantine("orders")[bad.order_id]
    assert entry.kind == "access_refused"
    assert "HTTP status 403" in (entry.reason or "")
    assert "quarantine retry" in (entry.remedy or "")
    check_it_comes_back(here, bad)


def check_it_comes_back(here: MemoryShop, order: Order) -> None:
    """When the proxy accepts it."""
    here.odoo.suspicious = ""
    here.bridge.app.ledger.items.retry(order.order_id)
    here.run("orders")
    assert imported(here, order) == [True]


def test_an_account_that_may_not_make_orders_waits_with_all_of_them(here: MemoryShop) -> None:
    orders = place(here, 5)
    here.odoo.suspicious = "client_order_ref"  # which every order has
    here.clock.advance(minutes=5)
    counts = here.bridge.sync("orders")
    assert "HTTP status 403" in counts["error"]
    assert here.bridge.quarantine("orders") == {}
    here.odoo.suspicious = ""
    here.run("orders")
    assert imported(here, *orders) == [True] * 5


def test_a_lone_refused_order_is_quarantined_as_soon_as_odoo_accepts_another(
    here: MemoryShop,
) -> None:
    bad = here.world.place_order("FR", lines=[Line(sku="UNION-SELECT", price=Decimal(9))])
    here.odoo.suspicious = "UNION-SELECT"
    here.clock.advance(minutes=5)
    assert "HTTP status 403" in here.bridge.sync("orders")["error"]
    assert here.bridge.state("orders", bad.order_id) is State.PENDING
    place(here, 1)
    here.clock.advance(minutes=5)
    counts = here.bridge.sync("orders")
    assert (counts["created"], counts["quarantined"]) == (1, 1)
    assert here.bridge.quarantine("orders").keys() == {bad.order_id}


def test_a_lone_order_that_odoo_refuses_is_quarantined_after_a_day(here: MemoryShop) -> None:
    """Nothing else comes in that Odoo could accept."""
    bad = here.world.place_order("FR", lines=[Line(sku="UNION-SELECT", price=Decimal(9))])
    here.odoo.suspicious = "UNION-SELECT"
    for _ in range(4):
        here.clock.advance(hours=5)
        assert "HTTP status 403" in here.bridge.sync("orders")["error"]
    here.clock.advance(hours=10)
    here.run("orders")
    assert here.bridge.quarantine("orders")[bad.order_id].kind == "access_refused"
    check_it_comes_back(here, bad)


def test_many_orders_refused_for_days_wait_for_the_missing_right(here: MemoryShop) -> None:
    orders = place(here, 10)
    here.odoo.suspicious = "client_order_ref"  # which every order has
    for _ in range(3):
        here.clock.advance(hours=20)
        assert "HTTP status 403" in here.bridge.sync("orders")["error"]
    assert here.bridge.quarantine("orders") == {}
    here.odoo.suspicious = ""
    here.run("orders")
    assert imported(here, *orders) == [True] * 10


def test_a_shipment_that_amazon_refuses_like_an_account_is_tried_a_few_times(
    here: MemoryShop,
) -> None:
    """Amazon accepts others: another one in each run."""
    (bad,) = place(here)
    here.run("orders")
    transfer = here.warehouse.ship(bad)
    refuse(here, bad)
    for _ in range(6):
        (good,) = place(here)
        here.run("orders")
        here.warehouse.ship(good)
        here.clock.advance(minutes=5)
        here.bridge.sync("pickings")
        assert here.world.order(good.order_id).status == "SHIPPED"
    (entry,) = here.bridge.quarantine("pickings").values()
    assert (entry.key, entry.kind) == (f"{bad.order_id}#{transfer['id']}", "access_refused")
    assert 2 <= len(confirmed(here, bad)) <= 6
    subjects = here.warehouse.activities("stock.picking", transfer["id"])
    assert list(subjects) == ["Amazon isn't told of this shipment"]
    here.simulator.faults.clear()
    here.bridge.app.ledger.items.retry(entry.key)
    here.run("pickings")
    assert here.world.order(bad.order_id).status == "SHIPPED"


def test_a_lone_shipment_that_amazon_refuses_is_quarantined_after_a_day(here: MemoryShop) -> None:
    (bad,) = place(here)
    here.run("orders")
    here.warehouse.ship(bad)
    refuse(here, bad)
    for _ in range(4):
        here.clock.advance(hours=5)
        assert "error" in here.bridge.sync("pickings")
    here.clock.advance(hours=10)
    here.run("pickings")
    assert [each.kind for each in here.bridge.quarantine("pickings").values()] == ["access_refused"]


def refuse(here: MemoryShop, order: Order) -> None:
    where = f"/{order.order_id}"
    here.simulator.faults.add(
        "response", "confirmShipment", status=403, times=None, path_contains=where
    )


# A cursor that is set back


def test_a_cursor_set_back_brings_back_what_odoo_lost(here: MemoryShop) -> None:
    place(here, 2)
    here.run()
    backup, at = here.odoo.backup(), here.clock()
    here.clock.advance(hours=1)
    lost = place(here, 3)
    here.run()
    shipped = lost[0]
    here.warehouse.ship(shipped)
    here.run()
    here.clock.advance(hours=1)
    here.run()
    assert here.world.order(shipped.order_id).status == "SHIPPED"
    here.odoo.restore(backup)
    here.run()
    assert imported(here, *lost) == [False] * 3, "the state store thinks that they are done"
    (account,) = here.bridge.app.accounts()
    (finding,) = continuity.examine(here.bridge.app.ledger, here.bridge.app.odoo)
    assert "Odoo lacks 3 of the orders imported last" in finding.what
    here.bridge.app.move_cursor(account, at)
    here.run()
    assert imported(here, *lost) == [True] * 3
    assert continuity.examine(here.bridge.app.ledger, here.bridge.app.odoo) == []
    assert {order["client_order_ref"] for order in here.shop.sale_orders().values()} >= {
        order.order_id for order in lost
    }


def test_an_order_that_waited_over_the_backup_comes_back_too(here: MemoryShop) -> None:
    """Amazon has not changed it since the backup, so that no window shows it."""
    (order,) = place(here, 1)
    here.odoo.suspicious = "client_order_ref"
    here.clock.advance(hours=2)
    assert "error" in here.bridge.sync("orders")
    here.odoo.suspicious = ""
    backup, at = here.odoo.backup(), here.clock()
    here.clock.advance(hours=1)
    here.run()
    assert imported(here, order) == [True]
    here.odoo.restore(backup)
    (account,) = here.bridge.app.accounts()
    here.bridge.app.move_cursor(account, at)
    here.run()
    assert imported(here, order) == [True]


def test_a_cursor_that_is_earlier_than_the_backup_stays_and_nothing_is_skipped(
    here: MemoryShop,
) -> None:
    """Amazon's search was down around the backup: nothing after the cursor has been read."""
    here.run()
    cursor = here.bridge.app.ledger.cursors.get("acme")
    here.simulator.faults.add("503", "searchOrders", times=None)
    here.clock.advance(hours=1)
    unread = place(here, 3)
    here.clock.advance(hours=1)
    backup, at = here.odoo.backup(), here.clock()
    here.odoo.restore(backup)
    (account,) = here.bridge.app.accounts()
    here.bridge.app.move_cursor(account, at)
    assert here.bridge.app.ledger.cursors.get("acme") == cursor
    here.simulator.faults.clear()
    here.run("orders")
    assert imported(here, *unread) == [True] * 3


def test_an_order_lost_within_minutes_of_the_backup_comes_back(here: MemoryShop) -> None:
    """The cursor is always some minutes behind: what Amazon shows late must not be skipped."""
    here.run()
    backup, at = here.odoo.backup(), here.clock()
    (lost,) = place(here)
    here.clock.advance(minutes=1)
    (account,) = here.bridge.app.accounts()
    here.bridge.app.recover(account, lost.order_id)
    assert imported(here, lost) == [True]
    here.odoo.restore(backup)
    before = here.bridge.app.move_cursor(account, at)
    assert before
    assert before < at
    here.run("orders")
    assert imported(here, lost) == [True]


def test_what_changed_before_a_cursor_is_left_out_only_on_request(here: MemoryShop) -> None:
    here.run()
    here.clock.advance(hours=1)
    unwanted = place(here, 2)
    here.clock.advance(hours=2)
    (account,) = here.bridge.app.accounts()
    at = here.clock()
    here.bridge.app.move_cursor(account, at, skip=True)
    assert here.bridge.app.ledger.cursors.get("acme") == at
    here.clock.advance(hours=1)
    (wanted,) = place(here)
    here.run("orders")
    assert imported(here, *unwanted, wanted) == [False, False, True]
    here.clock.advance(days=4)
    here.run("orders")
    assert imported(here, *unwanted) == [False, False]


def test_a_cursor_set_back_repeats_nothing_and_keeps_what_people_changed(here: MemoryShop) -> None:
    orders = place(here, 3)
    here.run()
    edited = here.shop.sale_order(orders[1])["id"]
    here.shop.rpc("sale.order", "write", [edited], {"note": "<p>Ring twice</p>"})
    here.warehouse.ship(orders[0])
    here.warehouse.cancel(orders[2])
    for _ in range(4):
        here.run()
        here.clock.advance(minutes=40)
    mails = len(here.world.mails)
    before = here.shop.sale_orders()
    (account,) = here.bridge.app.accounts()
    here.bridge.app.move_cursor(account, here.program.start)
    for _ in range(4):
        here.run()
        here.clock.advance(minutes=40)
    assert here.shop.sale_orders() == before
    assert len(here.world.mails) == mails
    assert len(here.bridge.feeds()) == 1
    assert len(here.bridge.confirmations(orders[0].order_id)) == 1
    assert here.bridge.app.ledger.items.quarantined() == []
    assert here.bridge.app.ledger.items.pending("acme", "orders") == []


def test_deliveries_done_again_after_a_restore_are_not_confirmed_twice(here: MemoryShop) -> None:
    first, second = place(here, 2)
    here.run()
    here.warehouse.carrier("DHL")
    backup, at = here.odoo.backup(), here.clock()
    shipped = here.warehouse.ship(first)["id"]
    here.run("pickings")
    here.odoo.restore(backup)
    (account,) = here.bridge.app.accounts()
    here.bridge.app.move_cursor(account, at)
    here.warehouse.ship(first)
    new = here.warehouse.ship(second)["id"]
    for _ in range(4):
        here.run()
        here.clock.advance(minutes=40)
    assert [c["packageDetail"]["packageReferenceId"] for c in confirmed(here, first)] == [
        str(shipped)
    ]
    assert [c["packageDetail"]["packageReferenceId"] for c in confirmed(here, second)] == [str(new)]
    assert here.bridge.app.ledger.items.pending("acme", "pickings") == []
    assert here.bridge.app.ledger.items.quarantined() == []


def confirmed(here: MemoryShop, order: Order) -> list[dict[str, dict[str, str]]]:
    return here.bridge.confirmations(order.order_id)
