"""What orders are worth: Amazon's figures in, charges out, to the last cent."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from payload_makers import FACILITATOR, Json, breakdown, charges, item, money, order, why_not

from amazon_bridge.amazon.orders import read_order
from amazon_bridge.model import ChargeKind, Order, UnreadableOrder

PARTS = (breakdown("ITEM", "20.00"), breakdown("SHIPPING", "5.00"), breakdown("TAX", "2.50"))


def test_tax_inside_the_prices_changes_nothing() -> None:
    assert charges(order(item("25.00", *PARTS))) == {"item": "20.00", "shipping": "5.00"}


def test_tax_on_top_is_shared_out_in_proportion() -> None:
    assert charges(order(item("27.50", *PARTS))) == {"item": "22.00", "shipping": "5.50"}


def test_tax_on_top_lies_where_amazon_says() -> None:
    parts = (*PARTS[:2], breakdown("TAX", "2.50", ITEM="2.40", SHIPPING="0.10"))
    assert charges(order(item("27.50", *parts))) == {"item": "22.40", "shipping": "5.10"}


@pytest.mark.parametrize(
    "details",
    [{"ITEM": "2.40"}, {"ITEM": "2.40", "GIFT_WRAP": "0.10"}, {"ITEM": "3.00", "SHIPPING": "0.00"}],
)
def test_details_that_do_not_fit_are_not_trusted(details: dict[str, str]) -> None:
    parts = (*PARTS[:2], breakdown("TAX", "2.50", **details))
    assert charges(order(item("27.50", *parts))) == {"item": "22.00", "shipping": "5.50"}


def test_tax_that_amazon_keeps_is_not_ours() -> None:
    payload = order(item("27.50", *PARTS, **FACILITATOR))
    assert charges(payload) == {"item": "20.00", "shipping": "5.00"}


def test_tax_that_amazon_keeps_out_of_prices_that_hold_it_stays() -> None:
    payload = order(item("25.00", *PARTS, **FACILITATOR))
    assert charges(payload) == {"item": "20.00", "shipping": "5.00"}


@pytest.mark.parametrize("sign", ["", "-"])
def test_discounts_are_negative_whatever_their_sign(sign: str) -> None:
    discount = breakdown("DISCOUNT", f"{sign}7.00", ITEM=f"{sign}4.00", SHIPPING=f"{sign}3.00")
    assert charges(order(item("18.00", *PARTS[:2], discount))) == {
        "item": "20.00",
        "shipping": "5.00",
        "discount": "-4.00",
        "shipping_discount": "-3.00",
    }


def test_a_discount_without_details_is_the_item_s() -> None:
    payload = order(item("18.00", *PARTS[:2], breakdown("DISCOUNT", "7.00")))
    assert charges(payload)["discount"] == "-7.00"


def test_tax_on_top_of_a_discount_lowers_it() -> None:
    parts = (breakdown("ITEM", "20.00"), breakdown("DISCOUNT", "10.00"), breakdown("TAX", "1.00"))
    assert charges(order(item("11.00", *parts))) == {"item": "22.00", "discount": "-11.00"}


@pytest.mark.parametrize("sign", ["", "-"])
def test_tax_on_a_discount_lowers_it_whatever_its_sign(sign: str) -> None:
    tax = breakdown("TAX", "1.00", ITEM="1.50", DISCOUNT=f"{sign}0.50")
    parts = (breakdown("ITEM", "20.00"), breakdown("DISCOUNT", "10.00"), tax)
    assert charges(order(item("11.00", *parts))) == {"item": "21.50", "discount": "-10.50"}


def test_a_tax_on_something_given_away_makes_no_wild_charges() -> None:
    parts = (breakdown("ITEM", "20.00"), breakdown("DISCOUNT", "19.99"), breakdown("TAX", "4.00"))
    assert charges(order(item("4.01", *parts))) == {"item": "24.00", "discount": "-19.99"}


def test_a_tax_on_nothing_is_the_item_s() -> None:
    parts = (breakdown("ITEM", "0.00"), breakdown("TAX", "4.00"))
    assert charges(order(item("4.00", *parts))) == {"item": "4.00"}


def test_unknown_kinds_of_charges_count_as_other() -> None:
    parts = (
        breakdown("OTHER", "1.00"),
        breakdown("MOON_TAX", "2.00"),
        breakdown("COD_FEE", "4.00"),
    )
    payload = order(item("27.00", breakdown("ITEM", "20.00"), *parts))
    assert charges(payload) == {"item": "20.00", "cod_fee": "4.00", "other": "3.00"}


def test_contradicting_figures_are_reported() -> None:
    reason = why_not(order(item("26.00", *PARTS)))
    assert "50000000000001" in reason
    assert all(figure in reason for figure in ("26.00", "25.00", "27.50"))


def test_several_currencies_are_not_added_up() -> None:
    payload = order(item("25.00", *PARTS[:1], breakdown("SHIPPING", "5.00", "USD")))
    assert "EUR, USD" in why_not(payload)


@pytest.mark.parametrize(("amount", "currency"), [("20.005", "EUR"), ("20.50", "JPY")])
def test_fractions_of_the_smallest_unit_are_refused(amount: str, currency: str) -> None:
    payload = item() | {"proceeds": {"proceedsTotal": money(amount, currency)}}
    assert amount in why_not(order(payload))


def test_amounts_without_needless_digits() -> None:
    payload = item() | {"proceeds": {"proceedsTotal": money("20.0000")}}
    assert charges(order(payload)) == {"item": "20.00"}
    payload = item() | {"proceeds": {"proceedsTotal": money("20.00", "JPY")}}
    assert charges(order(payload)) == {"item": "20"}


# -- what Amazon leaves out ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("marketplace", "prices_include_tax", "amount"),
    [
        ("A13V1IB3VIYZZH", None, "20.00"),
        ("ATVPDKIKX0DER", None, "22.00"),
        ("A13V1IB3VIYZZH", False, "22.00"),
        ("ATVPDKIKX0DER", True, "20.00"),
        ("A1UNKNOWN", None, "20.00"),
    ],
)
def test_without_a_total_the_marketplace_or_the_configuration_decides(
    marketplace: str, prices_include_tax: object, amount: str
) -> None:
    sold = item(None, breakdown("ITEM", "20.00"), breakdown("TAX", "2.00"))
    channel = {"channelName": "AMAZON", "marketplaceId": marketplace}
    payload = order(sold, salesChannel=channel)
    assert charges(payload, prices_include_tax=prices_include_tax) == {"item": amount}


def test_without_a_total_and_a_price_nothing_is_known() -> None:
    assert "nor an ITEM breakdown" in why_not(order(item(None, breakdown("TAX", "2.00"))))


def test_a_total_without_breakdowns_is_the_price() -> None:
    payload = item() | {"proceeds": {"proceedsTotal": money("20.00"), "breakdowns": None}}
    assert charges(order(payload)) == {"item": "20.00"}


def bare(quantity: int = 2, **product: object) -> Json:
    return item() | {"proceeds": None, "quantityOrdered": quantity, "product": product}


def refused(payload: Json) -> UnreadableOrder:
    read = read_order(payload)
    assert isinstance(read, UnreadableOrder)
    return read


def priced(number: int = 1) -> Json:
    return bare(price={"unitPrice": money("9.99")}) | {"orderItemId": f"5000000000000{number}"}


def test_without_proceeds_a_unit_price_is_not_believed() -> None:
    found = refused(order(priced()))
    assert found.kind == "no_proceeds"
    assert "2 x 9.99 = 19.98 EUR" in found.reason


def test_a_unit_price_that_the_grand_total_confirms_counts() -> None:
    assert charges(with_total("19.98", priced())) == {"item": "19.98"}
    assert charges(with_total("39.98", priced(), item("20.00", number=2))) == {"item": "19.98"}


def test_a_unit_price_that_the_grand_total_exceeds_hides_another_charge() -> None:
    found = refused(with_total("24.98", priced()))
    assert found.kind == "no_proceeds"
    assert "19.98" in found.reason
    assert "24.98" in found.reason


def in_sum(*sums: Json, items: tuple[Json, ...]) -> Json:
    return order(*items, proceeds={"breakdowns": list(sums)})


def test_without_a_grand_total_the_orders_breakdowns_confirm_unit_prices() -> None:
    assert charges(in_sum(breakdown("ITEM", "19.98"), items=(priced(),))) == {"item": "19.98"}
    shipping = (breakdown("ITEM", "19.98"), breakdown("SHIPPING", "5.00"))
    found = refused(in_sum(*shipping, items=(priced(),)))
    assert found.kind == "no_proceeds"
    assert "24.98" in found.reason


@pytest.mark.parametrize("total", ["25.00", "27.50"])
def test_without_a_grand_total_the_orders_breakdowns_are_compared(total: str) -> None:
    assert charges(in_sum(*PARTS, items=(item(total, *PARTS),)))
    discounted = (*PARTS, breakdown("DISCOUNT", "-1.00"))
    reason = why_not(in_sum(*discounted, items=(item(total, *PARTS),)))
    assert "26.50" in reason
    assert total in reason


def test_a_total_of_which_amazon_keeps_an_unknown_tax_is_not_believed() -> None:
    only_a_total = {"proceeds": {"proceedsTotal": money("21.60", "USD")}, **FACILITATOR}
    america = {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"}
    found = refused(order(item() | only_a_total, salesChannel=america))
    assert found.kind == "no_proceeds"
    assert "21.60" in found.reason
    in_europe = order(item() | only_a_total | {"proceeds": {"proceedsTotal": money("21.60")}})
    assert charges(in_europe) == {"item": "21.60"}


def test_one_item_without_proceeds_is_enough() -> None:
    assert refused(order(item("20.00"), priced(2))).kind == "no_proceeds"


def test_without_any_price_an_order_is_not_understood() -> None:
    found = refused(order(bare()))
    assert found.kind == "no_proceeds"
    assert "neither proceeds nor a unit price" in found.reason


@pytest.mark.parametrize("product", [{}, {"price": {"unitPrice": money("9.99")}}])
def test_without_proceeds_a_replacement_is_worth_nothing(product: Json) -> None:
    original = {"orderId": "403-1", "associationType": "REPLACEMENT_ORIGINAL_ID"}
    assert charges(order(bare(**product), associatedOrders=[original])) == {"item": "0"}


def test_a_replacement_that_was_paid_is_worth_what_was_paid() -> None:
    original = {"orderId": "403-1", "associationType": "REPLACEMENT_ORIGINAL_ID"}
    assert charges(order(item(), associatedOrders=[original])) == charges(order(item()))


def test_what_was_cancelled_down_to_nothing_needs_no_price() -> None:
    assert charges(order(bare(quantity=0), item(number=2))) == {"item": "0"}


@pytest.mark.parametrize(
    "parts",
    [
        (breakdown("ITEM", "0.00"), breakdown("TAX", "0.00")),
        (breakdown("ITEM", "20.00"), breakdown("DISCOUNT", "20.00")),
    ],
)
def test_an_item_without_units_is_worth_nothing(parts: tuple[Json, ...]) -> None:
    cancelled = item("0.00", *parts, quantityOrdered=0)
    payload = with_total("10.00", cancelled, item("10.00", number=2))
    assert charges(payload) == {"item": "0"}


@pytest.mark.parametrize("parts", [(), (breakdown("ITEM", "0.00"), breakdown("SHIPPING", "20.00"))])
def test_an_item_without_units_that_has_an_amount_contradicts_itself(
    parts: tuple[Json, ...],
) -> None:
    found = refused(order(item("20.00", *parts, quantityOrdered=0), item("10.00", number=2)))
    assert found.kind == "units_contradict"
    assert "50000000000001" in found.reason
    assert "20.00" in found.reason


def test_a_tip_goes_to_an_item_that_has_units() -> None:
    payload = with_total("13.00", bare(quantity=0), item("10.00", number=2), own=(TIP,))
    read = read_order(payload)
    assert isinstance(read, Order)
    assert [item_.worth for item_ in read.items] == [Decimal(0), Decimal("13.00")]


@pytest.mark.parametrize("status", ["PENDING", "PENDING_AVAILABILITY", "CANCELLED"])
def test_figures_that_nobody_asks_for_trouble_nobody(status: str) -> None:
    fulfillment = {"fulfillmentStatus": status}
    assert charges(order(bare(), fulfillment=fulfillment)) == {"item": "0"}
    assert charges(order(item("26.00", *PARTS), fulfillment=fulfillment)) == {"item": "0"}


# -- the order's own figures ---------------------------------------------------------------


def with_total(grand_total: str, *items: Json, own: tuple[Json, ...] = ()) -> Json:
    proceeds = {"grandTotal": money(grand_total), "breakdowns": list(own)}
    return order(*items, proceeds=proceeds)


TIP = breakdown("DELIVERY_TIP", "3.00")


@pytest.mark.parametrize("grand_total", ["27.50", "25.00"])
def test_the_grand_total_may_hold_the_tax_that_amazon_keeps(grand_total: str) -> None:
    payload = with_total(grand_total, item("27.50", *PARTS, **FACILITATOR))
    assert charges(payload) == {"item": "20.00", "shipping": "5.00"}


def test_a_grand_total_that_the_items_do_not_add_up_to() -> None:
    reason = why_not(with_total("25.00", item("27.50", *PARTS)))
    assert "25.00" in reason
    assert "27.50" in reason


def test_a_grand_total_that_unit_prices_do_not_add_up_to() -> None:
    assert "25.00" in why_not(with_total("25.00", bare(price={"unitPrice": money("9.99")})))


@pytest.mark.parametrize("status", [None, "FINALIZED", "PENDING"])
def test_a_tip_that_the_grand_total_holds_is_ours(status: str | None) -> None:
    payload = with_total("23.00", item("20.00"), own=(TIP | {"status": status},))
    assert charges(payload) == {"item": "20.00", "other": "3.00"}


@pytest.mark.parametrize("status", ["FINALIZED", "PENDING"])
def test_a_tip_that_the_grand_total_lacks_is_not_ours(status: str) -> None:
    payload = with_total("20.00", item("20.00"), own=(TIP | {"status": status},))
    assert charges(payload) == {"item": "20.00"}


@pytest.mark.parametrize(("status", "other"), [("FINALIZED", "3.00"), ("PENDING", None)])
def test_without_a_grand_total_a_tip_counts_when_it_is_settled(
    status: str, other: str | None
) -> None:
    payload = order(item("20.00"), proceeds={"breakdowns": [TIP | {"status": status}]})
    assert charges(payload).get("other") == other


def test_a_tip_joins_what_the_first_item_has_of_other_charges() -> None:
    parts = (breakdown("ITEM", "20.00"), breakdown("OTHER", "1.00"))
    payload = with_total("34.00", item("21.00", *parts), item("10.00", number=2), own=(TIP,))
    assert charges(payload) == {"item": "20.00", "other": "4.00"}


# -- every split ---------------------------------------------------------------------------

CENTS = st.integers(0, 100_000).map(lambda cents: Decimal(cents) / 100)
KINDS = ("ITEM", "SHIPPING", "GIFT_WRAP", "COD_FEE", "OTHER")


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Any]:
    """An item's figures: prices, discounts within them, tax with or without its details."""
    prices = draw(st.dictionaries(st.sampled_from(KINDS[1:]), CENTS)) | {"ITEM": draw(CENTS)}
    on_item = min(draw(CENTS), prices["ITEM"])
    on_shipping = min(draw(CENTS), prices.get("SHIPPING", Decimal(0)))
    details = draw(st.dictionaries(st.sampled_from((*KINDS, "DISCOUNT", "MOON")), CENTS))
    tax = sum(details.values()) if draw(st.booleans()) else draw(CENTS)
    return {
        "prices": prices,
        "discounts": (on_item, on_shipping),
        "tax": tax,
        "details": details,
        "net": sum(prices.values()) - on_item - on_shipping,
    }


def parts_of(generated: dict[str, Any], sign: int) -> list[Json]:
    on_item, on_shipping = (sign * amount for amount in generated["discounts"])
    discounts = {"ITEM": on_item, "SHIPPING": on_shipping}
    return [
        *(breakdown(kind, amount) for kind, amount in generated["prices"].items()),
        breakdown("DISCOUNT", on_item + on_shipping, **discounts),
        breakdown("TAX", generated["tax"], **generated["details"]),
    ]


@given(
    generated=figures(),
    tax=st.sampled_from(["inside", "on top"]),
    keeper=st.sampled_from(["seller", "Amazon"]),
    sign=st.sampled_from([1, -1]),
)
def test_the_charges_always_add_up_to_what_the_item_is_worth(
    generated: dict[str, Any], tax: str, keeper: str, sign: int
) -> None:
    total = generated["net"] + (generated["tax"] if tax == "on top" else 0)
    collections = FACILITATOR if keeper == "Amazon" else {}
    found = read_order(order(item(total, *parts_of(generated, sign), **collections)))
    assert isinstance(found, Order)
    assert found.worth == (generated["net"] if keeper == "Amazon" else total)
    kinds = [charge.kind for charge in found.items[0].charges]
    assert kinds[0] is ChargeKind.ITEM
    assert len(kinds) == len(set(kinds))
    assert all(charge.amount.as_tuple().exponent in (0, -2) for charge in found.items[0].charges)


@given(generated=figures(), sign=st.sampled_from([1, -1]))
def test_without_tax_on_top_every_charge_is_amazon_s_figure(
    generated: dict[str, Any], sign: int
) -> None:
    found = charges(order(item(generated["net"], *parts_of(generated, sign))))
    for kind, amount in generated["prices"].items():
        assert Decimal(found.get(kind.lower(), 0)) == amount
    assert Decimal(found.get("discount", 0)) == -generated["discounts"][0]
    assert Decimal(found.get("shipping_discount", 0)) == -generated["discounts"][1]


@given(generated=figures(), off=st.integers(-500, 500).map(lambda cents: Decimal(cents) / 100))
def test_any_other_total_is_refused(generated: dict[str, Any], off: Decimal) -> None:
    total = generated["net"] + off
    assume(off not in (0, generated["tax"]))
    assert "proceedsTotal" in why_not(order(item(total, *parts_of(generated, 1))))
