"""How urgent orders to ship are, and which orders count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from clocks import NOON, Clock
from configured import write_configuration
from examples import MEMO, UNKNOWN_SKU
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.cli import main
from amazon_bridge.config import AccountConfig, load
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.flows.ship_by.decide import (
    SOON,
    Obstacle,
    OrderToShip,
    Risk,
    counts,
    is_alarming,
    risk_of,
)
from amazon_bridge.flows.ship_by.find import Deliveries, orders_to_ship
from amazon_bridge.flows.shipments.progress import ShipmentProgress, Stage
from amazon_bridge.marketplaces import MARKETPLACES, local_date
from amazon_bridge.odoo.open_deliveries import OpenDelivery

HOUR = timedelta(hours=1)
FR, US, JP = "A13V1IB3VIYZZH", "ATVPDKIKX0DER", "A1VC38T7YXB528"
READY = OrderToShip("acme", "404-1", NOON, Obstacle.NOTHING, "", FR)
RESERVED = OpenDelivery(17, "WH/OUT/17", 4, has_stock=True, ship_by=NOON + HOUR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("ship_by", "obstacle", "risk"),
    [
        (NOON - HOUR, Obstacle.NOTHING, Risk.OVERDUE),
        (NOON - 30 * HOUR, Obstacle.QUARANTINED, Risk.OVERDUE),
        (NOON, Obstacle.NOTHING, Risk.DUE_TODAY),
        (NOON + 10 * HOUR, Obstacle.NO_STOCK, Risk.DUE_TODAY),
        (NOON + 12 * HOUR, Obstacle.NO_STOCK, Risk.AT_RISK),
        (NOON + 12 * HOUR, Obstacle.NOTHING, Risk.ON_TRACK),
        (NOON + 12 * HOUR, Obstacle.UNKNOWN, Risk.ON_TRACK),
        (NOON + 12 * HOUR, Obstacle.NOT_IMPORTED, Risk.AT_RISK),
        (NOON + 12 * HOUR, Obstacle.NOT_CONFIRMED, Risk.AT_RISK),
        (NOON + SOON, Obstacle.NO_DELIVERY, Risk.AT_RISK),
        (NOON + SOON + HOUR, Obstacle.NO_DELIVERY, Risk.ON_TRACK),
        (NOON + 9 * SOON, Obstacle.QUARANTINED, Risk.AT_RISK),
    ],
)
def test_the_date_decides_and_then_what_keeps_it_from_leaving(
    ship_by: datetime, obstacle: Obstacle, risk: Risk
):
    assert risk_of(replace(READY, ship_by=ship_by, obstacle=obstacle), NOON) == risk


@pytest.mark.parametrize(
    ("marketplace_id", "ship_by", "now", "risk"),
    [
        (FR, "2026-11-20T22:59:59", "2026-11-19T23:00:00", Risk.DUE_TODAY),
        (FR, "2026-11-20T22:59:59", "2026-11-19T22:59:59", Risk.ON_TRACK),
        (FR, "2026-11-20T23:00:00", "2026-11-20T12:00:00", Risk.DUE_TODAY),
        (US, "2026-11-21T07:59:59", "2026-11-20T08:00:00", Risk.DUE_TODAY),
        (US, "2026-11-21T07:59:59", "2026-11-20T07:59:59", Risk.ON_TRACK),
        (US, "2026-07-21T06:59:59", "2026-07-20T07:00:00", Risk.DUE_TODAY),
        (JP, "2026-11-20T14:59:59", "2026-11-19T15:00:00", Risk.DUE_TODAY),
        (None, "2026-11-20T22:59:59", "2026-11-19T23:59:59", Risk.ON_TRACK),
        ("A1UNKNOWN", "2026-11-20T22:59:59", "2026-11-20T00:00:00", Risk.DUE_TODAY),
    ],
)
def test_today_is_the_day_of_the_marketplace(
    marketplace_id: str | None, ship_by: str, now: str, risk: Risk
):
    order = replace(READY, marketplace_id=marketplace_id, ship_by=at(ship_by))
    assert risk_of(order, at(now)) == risk


@given(st.integers(-200, 200), st.integers(0, 100), st.sampled_from(Obstacle))
def test_an_order_never_becomes_less_urgent(hours: int, later: int, obstacle: Obstacle):
    order = replace(READY, ship_by=NOON + hours * HOUR, obstacle=obstacle)
    risks = list(Risk)
    now, then = (risks.index(risk_of(order, NOON + n * HOUR)) for n in (0, later))
    assert then <= now


def test_each_marketplace_has_a_time_zone():
    days = {local_date(at("2026-11-20T12:00:00"), each.marketplace_id) for each in MARKETPLACES}
    assert {day.isoformat() for day in days} == {"2026-11-20"}
    assert local_date(at("2026-11-20T15:00:00"), JP).isoformat() == "2026-11-21"


def test_orders_are_counted_by_risk():
    late = replace(READY, ship_by=NOON - HOUR)
    assert list(counts([late, READY, late], NOON).values()) == [2, 1, 0, 0]


def test_an_alert_comes_before_the_date():
    order = replace(READY, ship_by=NOON + 6 * HOUR)
    assert is_alarming(order, NOON, 6 * HOUR)
    assert not is_alarming(order, NOON, 5 * HOUR)
    assert is_alarming(order, NOON + 10 * HOUR, 5 * HOUR)


def due(ledger: Ledger, key: str = "404-1", **fields: object) -> None:
    seen = Seen(key, "f", due=NOON + HOUR, marketplace=FR)._replace(**fields)
    ledger.items.file("acme", "orders", [seen])


def account(name: str, *codes: str) -> AccountConfig:
    places = tuple(each for each in MARKETPLACES if each.country_code in codes)
    return AccountConfig.model_construct(name=name, seller_id="A1", marketplaces=places)


ACME = account("acme", "FR")


def to_ship(
    ledger: Ledger, deliveries: dict[str, OpenDelivery] | None, *accounts: AccountConfig
) -> list[OrderToShip]:
    """The orders of the first account, by default the only one; Odoo was read just now."""
    configured = accounts or (ACME,)
    read = None if deliveries is None else Deliveries(deliveries, ledger.items._now())
    return orders_to_ship(ledger, configured, configured[0], read)


def found(
    ledger: Ledger, deliveries: dict[str, OpenDelivery] | None, *accounts: AccountConfig
) -> dict[str, Obstacle]:
    orders = to_ship(ledger, deliveries, *accounts)
    return {order.order_id: order.obstacle for order in orders}


def test_an_order_that_is_not_in_odoo_counts(ledger: Ledger):
    due(ledger)
    due(ledger, "404-2", due=NOON)
    ledger.items.quarantine("acme", "orders", "404-2", UNKNOWN_SKU)
    orders = to_ship(ledger, {})
    assert [(each.order_id, each.obstacle, each.ship_by) for each in orders] == [
        ("404-2", Obstacle.QUARANTINED, NOON),
        ("404-1", Obstacle.NOT_IMPORTED, NOON + HOUR),
    ]
    assert orders[0].note == "in the quarantine (unknown_sku)"


def test_an_order_with_an_open_delivery_shows_its_stock(ledger: Ledger):
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", memo=MEMO)
    [order] = to_ship(ledger, {"404-1": RESERVED})
    assert (order.obstacle, order.delivery_id, order.sale_order_id) == (Obstacle.NOTHING, 17, 4)
    lacking = replace(RESERVED, has_stock=False)
    assert found(ledger, {"404-1": lacking}) == {"404-1": Obstacle.NO_STOCK}
    assert found(ledger, {}) == {"404-1": Obstacle.NO_DELIVERY}
    assert found(ledger, None) == {"404-1": Obstacle.UNKNOWN}


def test_an_order_imported_since_odoo_was_read_is_on_track(ledger: Ledger, clock: Clock):
    read = Deliveries({}, clock.now)
    clock.now += HOUR
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", memo=MEMO)
    [order] = orders_to_ship(ledger, [ACME], ACME, read)
    assert order.obstacle is Obstacle.UNKNOWN
    assert order.note == "its delivery order has not been read in Odoo yet"
    [order] = orders_to_ship(ledger, [ACME], ACME, Deliveries({}, clock.now))
    assert order.obstacle is Obstacle.NO_DELIVERY


def test_a_shipped_or_cancelled_order_does_not_count(ledger: Ledger):
    due(ledger)
    due(ledger, fingerprint="g", due=None, version=NOON)
    assert found(ledger, {"404-1": RESERVED}) == {}


def test_an_order_that_cannot_be_parsed_any_more_keeps_its_date(ledger: Ledger):
    due(ledger, version=NOON)
    due(ledger, fingerprint="broken", due=None, version=None)
    ledger.items.quarantine("acme", "orders", "404-1", UNKNOWN_SKU)
    assert found(ledger, {}) == {"404-1": Obstacle.QUARANTINED}


def test_an_order_of_another_channel_does_not_count(ledger: Ledger):
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", State.LEFT_OUT)
    assert found(ledger, {}) == {}


def progress(stage: Stage, clock: Clock) -> ShipmentProgress:
    return ShipmentProgress(stage, clock.now, "404-1")


def sent(clock: Clock) -> ShipmentProgress:
    return replace(progress(Stage.SENT, clock), sent_label="8a1f")


def test_an_order_counts_until_amazon_is_told(ledger: Ledger, clock: Clock):
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", memo=MEMO)
    ledger.items.file("acme", "pickings", [Seen("404-1#17", "x", label="WH/OUT/17")])
    ledger.items.remember("acme", "pickings", "404-1#17", progress(Stage.INCOMPLETE, clock))
    [order] = to_ship(ledger, {})
    assert order.obstacle is Obstacle.NOT_CONFIRMED
    assert order.note == "WH/OUT/17 is done, not confirmed to Amazon yet"
    ledger.items.remember("acme", "pickings", "404-1#17", sent(clock))
    assert found(ledger, {}) == {}
    assert found(ledger, None) == {}
    ledger.items.settle("acme", "pickings", "404-1#17", "x")
    assert found(ledger, {}) == {}
    assert found(ledger, {"404-1": RESERVED}) == {"404-1": Obstacle.NOTHING}, "its second parcel"
    ledger.cursors.set("acme", clock.now + HOUR)
    assert found(ledger, {}) == {}, "Amazon may not show it yet"
    ledger.cursors.set("acme", clock.now + 3 * HOUR)
    assert found(ledger, {}) == {"404-1": Obstacle.NO_DELIVERY}, "Amazon dropped the confirmation"


def test_a_delivery_order_cancelled_in_odoo_tells_amazon_nothing(ledger: Ledger, clock: Clock):
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", memo=MEMO)
    ledger.items.file("acme", "pickings", [Seen("404-1#17", "x", label="WH/OUT/17")])
    ledger.items.remember("acme", "pickings", "404-1#17", progress(Stage.SENT, clock))
    ledger.items.settle("acme", "pickings", "404-1#17", "x")
    assert found(ledger, {}) == {"404-1": Obstacle.NO_DELIVERY}
    assert found(ledger, None) == {"404-1": Obstacle.UNKNOWN}


def test_the_rest_of_a_partly_shipped_order_counts_without_odoo(ledger: Ledger, clock: Clock):
    due(ledger)
    memo = replace(MEMO, status="PARTIALLY_SHIPPED")
    ledger.items.settle("acme", "orders", "404-1", "f", memo=memo)
    ledger.items.file("acme", "pickings", [Seen("404-1#17", "x", label="WH/OUT/17")])
    ledger.items.remember("acme", "pickings", "404-1#17", sent(clock))
    ledger.items.settle("acme", "pickings", "404-1#17", "x")
    assert found(ledger, None) == {"404-1": Obstacle.UNKNOWN}


def test_a_cancellation_counts_until_amazon_is_told(ledger: Ledger):
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", memo=MEMO)
    ledger.items.file("acme", "cancellations", [Seen("404-1", "cancelled")])
    [order] = to_ship(ledger, {})
    assert order.note == "cancelled in Odoo, not confirmed to Amazon yet"
    ledger.items.settle("acme", "cancellations", "404-1", "cancelled")
    assert found(ledger, {}) == {}


def test_orders_of_older_versions_have_the_date_that_odoo_has(ledger: Ledger):
    for key, memo in (
        ("404-1", MEMO),
        ("404-2", replace(MEMO, status="SHIPPED")),
        ("404-3", replace(MEMO, fulfilled_by="AMAZON")),
    ):
        due(ledger, key, due=None, marketplace=None)
        ledger.items.settle("acme", "orders", key, "f", memo=memo)
    deliveries = {f"404-{n}": RESERVED for n in range(1, 5)}
    [order] = to_ship(ledger, deliveries)
    assert (order.order_id, order.ship_by, order.marketplace_id) == ("404-1", NOON + HOUR, FR)
    undated = replace(RESERVED, ship_by=None)
    assert found(ledger, dict.fromkeys(deliveries, undated)) == {}


def test_accounts_are_kept_apart(ledger: Ledger):
    due(ledger)
    assert found(ledger, {"404-1": RESERVED}, account("other", "FR")) == {}


def test_an_order_of_a_lost_marketplace_counts_until_its_new_account_knows_it(ledger: Ledger):
    due(ledger)
    ledger.items.settle("acme", "orders", "404-1", "f", memo=MEMO)
    moved = (account("acme", "DE"), account("other", "FR"))
    assert found(ledger, {}, *moved) == {"404-1": Obstacle.NO_DELIVERY}
    ledger.items.file("other", "orders", [Seen("404-1", "f", marketplace=FR)])
    assert found(ledger, {}, *moved) == {}
    assert found(ledger, {}, account("acme", "DE")) == {}, "no account has its marketplace"


def test_without_odoo_the_state_store_alone_is_listed(tmp_path: Path):
    path = write_configuration(tmp_path, f"state: {tmp_path / 'bridge.db'}")
    with Ledger(load(path, {}).state, lambda: NOON) as ledger:
        seen = Seen("404-1", "f", due=NOON, marketplace=FR)
        ledger.items.file("acme-eu", "orders", [seen])
    done = CliRunner().invoke(main, ["--config", str(path), "late"])
    assert done.exit_code == 3
    assert "404-1" in done.stdout
    assert "Odoo could not be read" in done.stderr
    assert "The list is from the state store alone, without what Odoo knows." in done.stderr
