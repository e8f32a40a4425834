"""The simulated sellers' money: each balance, file and list follows from one ledger."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_bridge.simulator import FileForm, Line, Simulator, random_ledger
from amazon_bridge.simulator.money.triples import NAMES, find, known

ZERO = Decimal(0)


@pytest.fixture
def amazon(world):
    return Simulator(world)


@pytest.fixture
def money(amazon):
    return amazon.money


def rows(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter="\t"))


def number(text):
    return Decimal(text.replace(",", "."))


def sums_to_its_total(text):
    """What a reader finds who knows nothing: each settlement's total is the sum of its rows."""
    left = []
    for row in rows(text):
        if row["total-amount"]:
            left.append(number(row["total-amount"]))
        else:
            left[-1] -= number(row["amount"])
    return bool(left) and not any(left)


def a_busy_month(world, money, clock, reserve=Decimal("7.50")):
    """Orders, refunds and fees, and three settlements of them."""
    closed = []
    for number_ in range(3):
        fba = world.place_order("FR", [Line(quantity=2)], fulfilled_by="AMAZON")
        fbm = world.place_order("DE", [Line(sku="TEAPOT-08", shipping=Decimal("4.99"))])
        clock.advance(days=1)
        world.ship(fbm.order_id)
        money.fee("advertising", Decimal("-3.21"), country="DE")
        money.fee("subscription", Decimal("-2.34"), blank_marketplace=True)
        clock.advance(days=1)
        money.refund(fba.order_id, Decimal("0.5"))
        clock.advance(days=3)
        closed.append(money.close(reserve=reserve * number_))
    return closed


# Selling


def test_an_order_that_ships_is_worth_its_proceeds(world, money):
    order = world.place_order(
        "FR", [Line(quantity=3, shipping=Decimal("4.99"), discount=Decimal("1.10"))]
    )
    assert money.balances().total == 0, "not shipped"
    world.ship(order.order_id)
    settlement = money.close()
    assert money.expected(settlement.settlement_id).orders == {
        order.order_id: sum(item.total for item in order.items)
    }


def test_what_is_shipped_in_parts_is_paid_in_parts(world, money):
    order = world.place_order("FR", [Line(quantity=3, price=Decimal("10.00"))])
    for units in (1, 2):
        package = world.make_package(order, {order.items[0].order_item_id: units})
        world.ship(order.order_id, package)
        order = world.order(order.order_id)
    shipments = money.book.events
    assert [event.kind for event in shipments] == ["Shipment", "Shipment"]
    settlement = money.close()
    assert money.expected(settlement.settlement_id).orders[order.order_id] == Decimal("10.00")


def test_orders_from_before_the_simulator_started_are_paid(world):
    order = world.place_order("FR", fulfilled_by="AMAZON")
    money = Simulator(world).money
    assert [event.order_id for event in money.book.events] == [order.order_id]


def test_orders_of_other_channels_and_edits_of_packages_are_not_paid(world, money):
    world.place_order("FR", fulfilled_by="AMAZON", channel="NON_AMAZON")
    order = world.place_order("FR")
    shipped = world.ship(order.order_id)
    world.ship(order.order_id, shipped.packages[0])
    world.request_cancellation(order.order_id)
    assert len(money.book.events) == 1


@pytest.mark.parametrize("collected", [True, False])
def test_withheld_tax_nets_with_the_tax_charged(world, money, collected):
    order = world.place_order(
        "US",
        [Line(price=Decimal("100.00"), tax_collected_by_amazon=collected)],
        fulfilled_by="AMAZON",
    )
    money.refund(order.order_id)
    expected = money.expected(money.close(currency="USD").settlement_id)
    tax = ZERO if collected else Decimal("8.00")
    assert expected.orders == {order.order_id: Decimal("108.00")}
    assert expected.owed_orders == {order.order_id: Decimal("100.00") + tax}
    assert expected.owed_refunds == {order.order_id: Decimal("-100.00") - tax}
    assert expected.facilitator == ZERO


def test_amazon_keeps_a_fee_of_refunds(world, money):
    order = world.place_order("FR", [Line(price=Decimal("100.00"))], fulfilled_by="AMAZON")
    event = money.refund(order.order_id, goodwill=Decimal("2.00"), restocking_fee=Decimal("10.00"))
    amounts = {row.triple.amount_description: row.amount for row in event.rows}
    assert amounts["Commission"] == Decimal("15.00")
    assert amounts["RefundCommission"] == Decimal("-3.00")
    assert (amounts["Goodwill"], amounts["RestockingFee"]) == (Decimal("-2.00"), Decimal("10.00"))


# The ledger


def test_each_entry_has_two_sides(world, money, clock):
    a_busy_month(world, money, clock)
    [account] = money.book.ledger.accounts("A1EUROPE")
    assert sum(money.book.ledger.sums(account).values()) == ZERO


def test_balances_add_up_on_every_day(world, money, clock):
    first = clock().date()
    a_busy_month(world, money, clock)
    money.settings.defer_days = 7
    world.place_order("FR", fulfilled_by="AMAZON")
    clock.advance(days=9)
    for day in range((clock().date() - first).days + 1):
        balances = money.balances(as_of=first + timedelta(days=day))
        assert balances.total == (
            balances.available + balances.deferred + balances.account_level_reserve
        )
    assert balances.total == money.balances().total
    assert balances.deferred == ZERO
    assert money.balances(as_of=clock().date() - timedelta(days=3)).deferred > 0


def test_a_payout_leaves_the_balance_at_once_or_when_it_is_deposited(world, money, clock):
    world.place_order("FR", fulfilled_by="AMAZON")
    before = money.balances().total
    assert money.close().total == before
    assert money.balances().total == ZERO
    money.settings.holds_payouts = True
    world.place_order("FR", fulfilled_by="AMAZON")
    clock.advance(minutes=1)
    settlement = money.close()
    assert money.balances().total == settlement.total
    clock.advance(days=2)
    assert money.balances().total == ZERO
    assert money.balances(as_of=clock().date() - timedelta(days=1)).total == settlement.total


# Settlements


def test_the_rows_of_a_settlement_sum_to_its_total(world, money, clock):
    settlements = a_busy_month(world, money, clock)
    for settlement in settlements:
        expected = money.expected(settlement.settlement_id)
        assert sums_to_its_total(money.text(settlement.settlement_id))
        assert sum(expected.categories.values()) == expected.payout == settlement.total
        assert sum(expected.by_month.values()) == expected.payout
    ids = [each.settlement_id for each in settlements]
    assert sums_to_its_total(money.text(*ids, *ids[:1]))


def test_settlements_follow_each_other_and_return_their_reserves(world, money, clock):
    first, second, third = a_busy_month(world, money, clock)
    assert (first.end, second.end) == (second.start, third.start)
    assert [each.reserved for each in (first, second, third)] == [
        ZERO, Decimal("-7.50"), Decimal("-7.50"),
    ]  # fmt: skip
    assert money.balances().account_level_reserve == Decimal("15.00")


@pytest.mark.parametrize(("deficit", "total"), [("charge", Decimal("-5.00")), ("carry", ZERO)])
def test_a_negative_balance_is_charged_or_carried_on(money, clock, deficit, total):
    money.fee("subscription", Decimal("-5.00"))
    clock.advance(days=1)
    settlement = money.close(deficit=deficit)
    assert settlement.total == total
    assert money.balances().total == total + (ZERO if total else Decimal("-5.00")) - total
    money.fee("reimbursement", Decimal("9.00"))
    clock.advance(days=1)
    following = money.close()
    assert settlement.total + following.total == Decimal("4.00")
    descriptions = [row["amount-description"] for row in rows(money.text(following.settlement_id))]
    assert "Payable to Amazon" in descriptions
    assert sums_to_its_total(money.text(settlement.settlement_id, following.settlement_id))


def test_a_payout_may_come_back(money, clock):
    money.fee("reimbursement", Decimal("9.00"))
    clock.advance(days=1)
    settlement = money.close()
    money.fail_payout(settlement.settlement_id)
    assert money.balances().total == Decimal("9.00")
    clock.advance(days=1)
    following = money.expected(money.close().settlement_id)
    assert following.categories == {"in transit": Decimal("9.00")}


def test_a_settlement_never_ends_before_it_starts(money, clock):
    money.close()
    with pytest.raises(ValueError, match="before it starts"):
        money.close(end=clock() - timedelta(days=1))
    event = money.fee("reimbursement", Decimal("9.00"), posted=clock() - timedelta(days=1))
    assert event.posted == clock(), "a closed settlement stays as it is"


def test_only_money_of_an_open_settlement_is_deferred_later(money, clock):
    event = money.fee("reimbursement", Decimal("9.00"))
    clock.advance(days=1)
    money.defer(event, clock() + timedelta(days=5))
    assert money.balances().deferred == Decimal("9.00")
    assert money.close().total == ZERO
    clock.advance(days=5)
    assert money.close().total == Decimal("9.00")
    with pytest.raises(ValueError, match="open settlement"):
        money.defer(event, clock())


# Files


FORMS = {
    "as most": FileForm(),
    "dots": FileForm(dates="dots", decimal_comma=True, bom=True),
    "slashes": FileForm(dates="slashes", line_end="\r\n", currency_in_all_rows=True),
    "columns": FileForm(absent_columns=("promotion-id", "merchant-adjustment-item-id")),
    "mixed": FileForm(shuffle=3, blank_marketplaces=True),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_file_sums_to_its_totals_in_each_form(world, money, clock, form):
    ids = [each.settlement_id for each in a_busy_month(world, money, clock)]
    assert sums_to_its_total(money.text(*ids, form=form))


def test_a_file_is_written_in_its_form(world, money, clock):
    settlement = a_busy_month(world, money, clock)[0]
    text = money.text(settlement.settlement_id, form=FORMS["dots"])
    header, first = rows(text)[:2]
    assert text.startswith("\ufeffsettlement-id\t")
    assert header["settlement-end-date"] == "25.11.2026 12:00:00 UTC"
    assert "," in header["total-amount"]
    assert (first["posted-date"], first["currency"]) == ("20.11.2026", "")
    header, first = rows(money.text(settlement.settlement_id, form=FORMS["slashes"]))[:2]
    assert (header["deposit-date"], first["posted-date"]) == ("27/11/26", "20/11/26")
    [heading] = money.text(settlement.settlement_id, form=FORMS["columns"]).splitlines()[:1]
    assert "promotion-id" not in heading
    mixed = rows(money.text(settlement.settlement_id, form=FORMS["mixed"]))
    assert {row["marketplace-name"] for row in mixed} == {""}


def test_documents_repeat_settlements_and_may_be_spoiled(amazon, world, money, clock):
    first, second = (each.settlement_id for each in a_busy_month(world, money, clock)[:2])
    money.publish(first, second, form=FileForm(charset="cp1252"), countries=("FR",))
    spoiled = money.publish(first, edit=lambda rows_: rows_.pop())
    report = amazon.reports.tasks[spoiled]
    assert not sums_to_its_total(report.content.decode())
    assert money.book.settlements[first].report_ids[-1] == spoiled
    assert len(amazon.reports.tasks) == 5


# Types


def test_types_are_found_by_name_and_by_texts():
    assert all(find(name).category != "unknown" for name in NAMES)
    assert find(("Order", "ItemFees", "Commission")).category == "selling fee"
    assert find(("Order", "ItemFees", "Nonsense")).category == "unknown"
    with pytest.raises(KeyError):
        find("nonsense")
    assert len({triple.category for triple in known().values()}) == 16


def test_unknown_types_are_money_all_the_same(money, clock):
    money.fee(("other-transaction", "other-transaction", "Something new"), Decimal("-1.00"))
    clock.advance(days=1)
    assert money.expected(money.close().settlement_id).categories == {"unknown": Decimal("-1.00")}


# Random money


@pytest.mark.parametrize("currency", ["EUR", "GBP"])
@pytest.mark.parametrize("seed", range(2))
def test_random_money_adds_up(amazon, money, clock, seed, currency):
    settlements = random_ledger(
        money, seed, currency, all_types=True, held=True, free_text=True, unknown=2, settlements=3
    )
    assert sums_to_its_total(money.text(*(each.settlement_id for each in settlements)))
    for settlement in settlements:
        expected = money.expected(settlement.settlement_id)
        assert sum(expected.categories.values()) == expected.payout
        owed = sum(expected.owed_orders.values()) + sum(expected.owed_refunds.values())
        given = sum(expected.categories.get(name, ZERO) for name in ("order", "refund"))
        withheld = expected.categories.get("facilitator tax", ZERO)
        assert owed + expected.facilitator == given + withheld
        assert len(amazon.reports.tasks) == 3
    [account] = money.book.ledger.accounts("A1EUROPE")
    assert sum(money.book.ledger.sums(account).values()) == ZERO


def test_random_money_has_all_types_and_is_the_same_for_each_seed(world, money):
    settlements = random_ledger(money, 5, all_types=True, held=True, free_text=True)
    again = Simulator(world).money
    assert [
        each.total for each in random_ledger(again, 5, all_types=True, held=True, free_text=True)
    ] == [each.total for each in settlements]
    found = {
        row.triple.texts for each in settlements for event in each.events for row in event.rows
    }
    missing = {texts for texts in known() if texts not in found}
    assert {texts[2] for texts in missing} <= {
        "Current Reserve Amount", "Previous Reserve Amount Balance", "Payable to Amazon",
        "Successful charge",
    }  # fmt: skip


def test_random_orders_may_be_placed(world, money):
    random_ledger(money, 1, orders=5, placed=True, settlements=1)
    assert len(world.orders) == 5
    assert {order.status for order in world.orders} == {"SHIPPED"}
    assert [event.kind for event in money.book.events].count("Shipment") >= 5
