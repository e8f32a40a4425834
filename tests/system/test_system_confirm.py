"""What Odoo makes of the bridge's calls: shipped or not, cancelled or not, mailed to nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from bridge import Bridge
from parcels import sale_order, states
from program import SettledWorld
from shop import ATTENTION, Shop
from warehouse import Warehouse

from amazon_bridge.config.values import EXTRAS
from amazon_bridge.engine.records import State
from amazon_bridge.flows.filters import configured
from amazon_bridge.odoo.filters import Filter
from amazon_bridge.odoo.open_deliveries import open_deliveries
from amazon_bridge.simulator import ABSENT, Buyer, Line, Order

DONT_SHIP = "Amazon: cancelled, don't ship"
NO_DATE = {"fulfillment": {"shipByWindow": ABSENT}}


@contextmanager
def company(shop: Shop, **values: Any) -> Iterator[None]:
    (before,) = shop.rpc("res.company", "read", [1], list(values))
    shop.rpc("res.company", "write", [1], values)
    yield
    ids = {n: v[0] if isinstance(v, list) else v for n, v in before.items() if n in values}
    shop.rpc("res.company", "write", [1], ids)


# Something to ship


@pytest.mark.parametrize(
    "type_",
    ["service", pytest.param("combo", marks=pytest.mark.since_odoo(18, "combos"))],
)
def test_a_product_that_no_delivery_is_made_for(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse, type_: str
) -> None:
    shop, sku = warehouse.shop, f"NOTHING-{type_}"
    values: dict[str, Any] = {"name": sku, "default_code": sku, "type": type_}
    if type_ == "combo":
        (mug,) = shop.search("product.product", [("default_code", "=", "MUG-RED")], [])
        choice = shop.rpc(
            "product.combo",
            "create",
            {"name": "Mugs", "combo_item_ids": [(0, 0, {"product_id": mug["id"]})]},
        )
        values["combo_ids"] = [(6, 0, [choice])]
    product = shop.rpc("product.product", "create", values)
    alone = world.place_order("FR", [Line(sku=sku, price=Decimal(9))])
    mixed = world.place_order("FR", [Line(sku="MUG-RED"), Line(sku=sku, price=Decimal(9))])
    by_amazon = world.place_order(
        "FR", [Line(sku=sku, price=Decimal(9))], fulfilled_by="AMAZON", status="SHIPPED"
    )
    orders = (alone, mixed, by_amazon)
    assert bridge.sync("orders") == {"seen": 3, "quarantined": 3}
    for order in orders:
        entry = bridge.quarantine("orders")[order.order_id]
        assert entry.kind == "nothing_to_ship"
        assert sku in (entry.reason or "")
    for order in (alone, by_amazon):
        assert shop.search("sale.order", [("client_order_ref", "=", order.order_id)], []) == []
    shop.rpc("product.product", "write", [product], {"type": "consu", "combo_ids": [(5,)]})
    bridge.app.ledger.items.retry()
    assert bridge.sync("orders") == {"seen": 3, "created": 3}
    assert [states(warehouse, order) for order in orders] == [["assigned"], ["assigned"], ["done"]]


@pytest.mark.odoo("in memory if 19")
def test_confirmed_without_any_delivery(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    order = world.place_order("FR")
    with bridge.configured(unknown_sku="quarantine"):
        bridge.sync("orders")
    shop = warehouse.shop
    shop.rpc("stock.picking", "unlink", [row["id"] for row in warehouse.transfers(order)])
    world.change(order.order_id, seller_order_id="MINE")
    assert bridge.sync("orders") == {"seen": 1, "quarantined": 1}
    entry = bridge.quarantine("orders")[order.order_id]
    assert entry.kind == "nothing_to_ship"
    assert sale_order(shop, order)["name"] in (entry.reason or "")
    world.ship(order.order_id)
    assert bridge.sync("orders") == {"seen": 1, "unchanged": 1}


# Quantities that people change

_LESS = pytest.mark.since_odoo(15, "deliveries that follow a reduced line")
"""Before, ``sale_stock`` leaves the delivery as it is, and asks people to reduce it."""


@pytest.mark.odoo("in memory if 19")
@pytest.mark.parametrize("patch", [{}, NO_DATE], ids=["ship-by date", "no ship-by date"])
@pytest.mark.parametrize(
    "quantities",
    [pytest.param((3, 2), marks=_LESS), pytest.param((3, 0), marks=_LESS), (2, 3)],
)
def test_a_line_changed_in_odoo_changes_its_delivery(
    bridge: Bridge,
    world: SettledWorld,
    warehouse: Warehouse,
    quantities: tuple[int, int],
    patch: dict[str, Any],
) -> None:
    before, after = quantities
    order = world.place_order("FR", [Line(sku="MUG-RED", quantity=before), Line()], patch=patch)
    world.change(order.order_id, created=order.created.replace(year=order.created.year - 1))
    bridge.sync("orders")
    (line,) = (
        id_
        for name, id_ in warehouse.shop.external_ids("sale.order.line").items()
        if name == f"sale_line_{order.items[0].order_item_id}"
    )
    warehouse.rpc("sale.order.line", "write", [line], {"product_uom_qty": after})
    (transfer,) = warehouse.transfers(order)
    assert transfer["picking_type_code"] == "outgoing"
    domain = [("sale_line_id", "=", line), ("state", "!=", "cancel")]
    moves = warehouse.shop.search("stock.move", domain, ["product_uom_qty", "picking_id"])
    assert sum(move["product_uom_qty"] for move in moves) == after
    assert {move["picking_id"][0] for move in moves} <= {transfer["id"]}


def test_the_ship_by_date_is_the_deadline_of_the_delivery(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    order = world.place_order("FR")
    dated = world.change(order.order_id, latest_shipping=order.created.replace(microsecond=0))
    bridge.sync("orders")
    (picking,) = warehouse.shop.search(
        "stock.picking", [("sale_id.client_order_ref", "=", order.order_id)], ["date_deadline"]
    )
    assert dated.latest_shipping is not None
    assert picking["date_deadline"] == f"{dated.latest_shipping:%Y-%m-%d %H:%M:%S}"


class Moment(datetime):
    def to_utc(self) -> "Moment":
        """Of the web client, whose user is in UTC here."""
        return self


WEB_CLIENT = {
    "datetime": SimpleNamespace(datetime=Moment, time=time),
    "context_today": lambda: datetime.now(UTC).date(),
    "relativedelta": timedelta,
}
"""What the web client evaluates domains with."""


def shown(bridge: Bridge, made: Filter) -> set[str]:
    """The Amazon order ids of the records that a filter shows."""
    domain = eval(made.domain, dict(WEB_CLIENT))
    field = {"sale.order": "client_order_ref", "stock.picking": "sale_id"}.get(made.model, "res_id")
    rows = bridge.app.odoo.search_read(made.model, domain, [field])
    found = [row[field] for row in rows]
    ids = found if made.model == "sale.order" else []
    if made.model == "stock.picking":
        sold = bridge.app.odoo.read("sale.order", [each[0] for each in found], ["client_order_ref"])
        ids = [row["client_order_ref"] for row in sold]
    if made.model == "mail.activity":
        ids = [str(each) for each in found]
    return set(ids)


def test_the_filters_show_what_their_names_say(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    app = bridge.app
    [account] = app.config.accounts
    result = app.filters.create(configured(app.odoo, EXTRAS, {"acme": app.setups.restore(account)}))
    assert result.refused == []
    made = {each.reference: each for each in result.created}
    for model in ("sale.order", "stock.picking", "mail.activity"):
        favorites = warehouse.shop.rpc("ir.filters", "get_filters", model)
        assert {(each["name"], each["domain"]) for each in favorites} == {
            (each.name, each.domain) for each in made.values() if each.model == model
        }
    before = {name: shown(bridge, each) for name, each in made.items()}
    due, later, unlabelled, asked = orders = [world.place_order("FR") for _ in range(4)]
    by_amazon = world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    world.change(due.order_id, latest_shipping=due.created.replace(microsecond=0))
    world.request_cancellation(asked.order_id)
    bridge.sync("orders")
    warehouse.ship(unlabelled, None, None)
    new = {name: shown(bridge, each) - before[name] for name, each in made.items()}
    assert len(new.pop("filter_activities")) > 0
    to_ship = {due.order_id, later.order_id, asked.order_id}
    assert new == {
        "filter_orders": {order.order_id for order in (*orders, by_amazon)},
        "filter_to_ship": to_ship,
        "filter_ship_by_today": {due.order_id},
        "filter_without_tracking": {unlabelled.order_id},
        "filter_orders_to_do": {asked.order_id},
        "filter_deliveries_to_do": {asked.order_id},
    }
    ready = open_deliveries(app.odoo)
    assert {order_id for order_id in ready if order_id in to_ship} == to_ship
    assert all(ready[order_id].has_stock for order_id in to_ship)
    shop, transfer = warehouse.shop, warehouse.open(due)
    shop.rpc("stock.picking", "do_unreserve", [transfer["id"]])
    assert not open_deliveries(app.odoo)[due.order_id].has_stock


# Cancelled or not


@contextmanager
def locking(shop: Shop) -> Iterator[None]:
    """The setting *Lock Confirmed Sales*."""
    user, locked = (
        shop.database.reference(name)
        for name in ("base.group_user", "sale.group_auto_done_setting")
    )
    shop.rpc("res.groups", "write", [user], {"implied_ids": [(4, locked)]})
    yield
    shop.rpc("res.groups", "write", [user], {"implied_ids": [(3, locked)]})
    (group,) = shop.rpc("res.groups", "read", [locked], ["user_ids"])
    shop.rpc("res.groups", "write", [locked], {"user_ids": [(3, id_) for id_ in group["user_ids"]]})


def test_locked_orders_are_cancelled(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    shop = warehouse.shop
    with locking(shop):
        orders = [world.place_order("FR") for _ in range(3)]
        bridge.sync("orders")
        assert all(sale_order(shop, order, "locked")["locked"] for order in orders)
        for order in orders:
            world.cancel(order.order_id)
        assert bridge.sync("orders") == {"seen": 3, "cancelled": 3}
    for order in orders:
        row = sale_order(shop, order)
        assert (row["state"], states(warehouse, order)) == ("cancel", ["cancel"])
        assert warehouse.notes("sale.order", row["id"]).keys() == {"Amazon: cancelled"}
        assert bridge.state("orders", order.order_id) == State.DONE
    assert bridge.sync("cancellations") == {}


def test_what_odoo_refuses_to_cancel_is_quarantined_and_locked_again(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    shop = warehouse.shop
    with locking(shop):
        stuck, good = (world.place_order("FR") for _ in range(2))
        bridge.sync("orders")
    with guarded(shop, stuck):
        for order in (stuck, good):
            world.cancel(order.order_id)
        assert bridge.sync("orders") == {"seen": 2, "cancelled": 1, "quarantined": 1}
        row = sale_order(shop, stuck, "locked")
        assert (row["state"], row["locked"]) == ("sale", True)
        assert bridge.quarantine("orders")[stuck.order_id].kind == "not_cancelled"
        # an activity says so to those who ship it, and nothing says that it was cancelled
        (transfer,) = warehouse.transfers(stuck)
        for model, id_, subject in (
            ("sale.order", row["id"], ATTENTION),
            ("stock.picking", transfer["id"], DONT_SHIP),
        ):
            assert warehouse.activities(model, id_).keys() == {subject}
            assert warehouse.notes(model, id_).keys() == {subject}
    bridge.app.ledger.items.retry()
    assert bridge.sync("orders")["cancelled"] == 1
    assert states(warehouse, stuck) == ["cancel"]
    assert warehouse.activities("sale.order", row["id"]) == {}


@contextmanager
def guarded(shop: Shop, order: Order) -> Iterator[None]:
    """A field of the company's own whose computation fails when the order is cancelled."""
    (model,) = shop.search("ir.model", [("model", "=", "sale.order")], [])
    fails = f"order.state == 'cancel' and order.client_order_ref == '{order.order_id}'"
    values = {
        "name": "x_guard",
        "model_id": model["id"],
        "ttype": "integer",
        "depends": "state",
        "compute": f"for order in self: order['x_guard'] = 1 // (0 if {fails} else 1)",
    }
    field = shop.rpc("ir.model.fields", "create", values)
    yield
    shop.rpc("ir.model.fields", "unlink", [field])


# Invoiced in part


def invoice(shop: Shop, order: Order, percentage: float) -> int:
    """A draft down payment."""
    id_ = sale_order(shop, order)["id"]
    context = {"active_model": "sale.order", "active_ids": [id_], "active_id": id_}
    values = {"advance_payment_method": "percentage", "amount": percentage}
    wizard = shop.rpc("sale.advance.payment.inv", "create", values, context=context)
    shop.rpc("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    return int(sale_order(shop, order, "invoice_ids")["invoice_ids"][0])


def test_orders_invoiced_in_part_are_not_cancelled(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    shop = warehouse.shop
    posted, draft, reversed_ = orders = [world.place_order("FR") for _ in range(3)]
    bridge.sync("orders")
    invoices = {order.order_id: invoice(shop, order, 20) for order in orders}
    for order in (posted, reversed_):
        shop.rpc("account.move", "action_post", [invoices[order.order_id]])
    paper = invoices[reversed_.order_id]
    context = {"active_model": "account.move", "active_ids": [paper]}
    (journal,) = shop.rpc("account.move", "read", [paper], ["journal_id"])
    values = {"journal_id": journal["journal_id"][0]}
    wizard = shop.rpc("account.move.reversal", "create", values, context=context)
    shop.rpc("account.move.reversal", "refund_moves", [wizard], context=context)
    drafts = [("reversed_entry_id", "=", paper), ("state", "=", "draft")]
    if refund := shop.search("account.move", drafts, []):  # until 16 the wizard has posted it
        shop.rpc("account.move", "action_post", [row["id"] for row in refund])
    for order in orders:
        world.cancel(order.order_id)
    assert bridge.sync("orders") == {"seen": 3, "cancelled": 1, "quarantined": 2}
    for order in (posted, draft):
        entry = bridge.quarantine("orders")[order.order_id]
        assert entry.kind == "needs_attention"
        assert "invoice" in (entry.remedy or "")
        row = sale_order(shop, order)
        assert row["state"] == "sale"
        assert ATTENTION in warehouse.activities("sale.order", row["id"])
        (transfer,) = warehouse.transfers(order)
        assert DONT_SHIP in warehouse.activities("stock.picking", transfer["id"])
    assert sale_order(shop, reversed_)["state"] == "cancel"


# Mails


def test_the_buyer_is_mailed_nothing(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    shop = warehouse.shop
    template = shop.database.reference("sale.mail_template_sale_confirmation")
    quotation = shop.rpc(
        "sale.order.template",
        "create",
        {"name": "Usual", "mail_template_id": template, "note": "Our usual terms"},
    )
    delivered = shop.database.reference("stock.mail_template_data_delivery_confirmation")
    for each in (template, delivered):  # without the PDFs, which need more programs
        shop.rpc("mail.template", "write", [each], {"report_template_ids": [(5,)]})
    buyer = Buyer("Ada Testwell", "ada0mailed0@marketplace.amazon.fr")
    settings = {"sale_order_template_id": quotation, "stock_move_email_validation": True}
    with company(shop, **settings):
        orders = {
            (by, number): world.place_order("FR", buyer=buyer, fulfilled_by=by)
            for by in ("MERCHANT", "AMAZON")
            for number in range(2)
        }
        bridge.sync("orders")
        for order in orders.values():
            row = sale_order(shop, order, "sale_order_template_id", "note", "order_line")
            assert row["sale_order_template_id"] is False
            assert len(row["order_line"]) == 1
        first = orders["MERCHANT", 0]
        world.request_cancellation(first.order_id)
        bridge.sync("orders")
        world.cancel(first.order_id)
        bridge.sync("orders")
        warehouse.cancel(orders["MERCHANT", 1])
        bridge.sync("cancellations")
        with bridge.configured(invoicing={"mode": "on_delivery"}):
            bridge.sync("orders")
    assert states(warehouse, orders["AMAZON", 0]) == ["done"]
    (transfer,) = warehouse.transfers(orders["AMAZON", 0])
    (picking,) = shop.rpc("stock.picking", "read", [transfer["id"]], ["partner_id"])
    assert picking["partner_id"]
    assert mailed_to(shop, "marketplace.amazon") == []
    # which the settings would do to everybody else
    stranger = shop.rpc("res.partner", "create", {"name": "Bo", "email": "bo@example.com"})
    by_hand = shop.rpc(
        "sale.order", "create", {"partner_id": stranger, "sale_order_template_id": quotation}
    )
    shop.rpc("sale.order", "action_confirm", [by_hand])
    assert mailed_to(shop, "bo@example.com")


def mailed_to(shop: Shop, address: str) -> list[dict[str, Any]]:
    """All that Odoo has mailed, or would, to partners with such an address."""
    partners = shop.search("res.partner", [("email", "like", address)], [])
    ids = [row["id"] for row in partners]
    assert ids
    notifications = shop.search(
        "mail.notification", [("res_partner_id", "in", ids)], ["mail_message_id"]
    )
    mails = shop.search(
        "mail.mail", ["|", ("recipient_ids", "in", ids), ("email_to", "like", address)], ["subject"]
    )
    messages = shop.search("mail.message", [("partner_ids", "in", ids)], ["subject"])
    return [*notifications, *mails, *messages]


# Serial numbers


def test_serial_numbers_that_amazon_shows(
    bridge: Bridge, world: SettledWorld, warehouse: Warehouse
) -> None:
    shop = warehouse.shop
    shop.make_products({"CAMERA": {"tracking": "serial"}})
    known = shop.make_lot("SN.0001", "CAMERA")
    numbers = ("SN.0001", "SN 0002")
    complete = world.place_order(
        "FR",
        [
            Line(sku="CAMERA", quantity=2, price=Decimal(80), serial_numbers=numbers),
            Line(sku="MUG-RED"),
        ],
        fulfilled_by="AMAZON",
    )
    partial = world.place_order(
        "FR",
        [Line(sku="CAMERA", quantity=2, price=Decimal(80), serial_numbers=("SN.0003",))],
        fulfilled_by="AMAZON",
    )
    assert bridge.sync("orders") == {"seen": 2, "created": 1, "quarantined": 1}
    assert bridge.quarantine("orders")[partial.order_id].kind == "lot_needed"
    assert states(warehouse, complete) == ["done"]
    assert states(warehouse, partial) != ["done"]
    moved = shop.search(
        "stock.move.line",
        [("picking_id.sale_id.client_order_ref", "=", complete.order_id)],
        ["lot_id", "quantity", "product_id"],
    )
    lots = {row["lot_id"][1]: row["lot_id"][0] for row in moved if row["lot_id"]}
    assert sorted(lots) == sorted(numbers)
    assert lots["SN.0001"] == known
    assert [row["quantity"] for row in moved] == [1, 1, 1]
