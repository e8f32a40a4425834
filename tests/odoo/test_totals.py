"""Every order's total is Amazon's to the cent, whatever its taxes, by Odoo's own totals."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo import pricing, quotations, sales, setup
from amazon_bridge.odoo.sales import Draft, Line, SaleOrder
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Setup

UNITS = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}
NUMBERS = itertools.count(1)


def split(ids: Sequence[int], parts: Sequence[Sequence[Any]]) -> list[list[int]]:
    """Distribute ids over lists that are as long as these parts."""
    left = iter(ids)
    return [list(islice(left, len(part))) for part in parts]


@dataclass(frozen=True)
class Shop:
    """The records of this module's orders."""

    odoo: OdooDatabase
    session: OdooSession
    setup: Setup
    partner_id: int
    tax_group_id: int
    pricelists: Mapping[str, int]

    def product(self, *taxes: Mapping[str, Any]) -> int:
        """A product with these sales taxes."""
        (product,) = self.products([taxes])
        return product

    def products(self, taxes_of: Sequence[Sequence[Mapping[str, Any]]]) -> list[int]:
        """Products with these sales taxes each, by three calls: a test has many."""
        taxes = list(chain(*taxes_of))
        members = [tax.get("children_tax_ids", []) for tax in taxes]
        member_ids = split(self.taxes(list(chain(*members))), members)
        ids = self.taxes(
            [
                {**tax, "children_tax_ids": [(6, 0, m)]}
                for tax, m in zip(taxes, member_ids, strict=True)
            ]
        )
        values = {"name": "Thing", "type": "consu"}
        its = split(ids, taxes_of)
        return self.create("product.product", [{**values, "taxes_id": [(6, 0, i)]} for i in its])

    def taxes(self, taxes: Sequence[Mapping[str, Any]]) -> list[int]:
        usual = {"type_tax_use": "sale", "tax_group_id": self.tax_group_id}
        named = [{"name": f"Tax {next(NUMBERS)}", **usual, **tax} for tax in taxes]
        return self.create("account.tax", named)

    def create(self, model: str, values: Sequence[Mapping[str, Any]]) -> list[int]:
        ids: list[int] = self.odoo.rpc(model, "create", list(values)) if values else []
        return ids

    def round(self, method: str) -> None:
        values = {"tax_calculation_rounding_method": method}
        self.odoo.rpc("res.company", "write", [self.setup.company_id], values)

    def line(self, product_id: int, total: str, quantity: int = 1, **more: Any) -> Line:
        key = more.pop("key", f"sale_line_{next(NUMBERS)}")
        amount = Decimal(total)
        return Line(key, product_id, "Thing", quantity, amount, more.pop("untaxed", False), **more)

    def draft(self, *lines: Line, currency: str = "EUR", **more: Any) -> Draft:
        return Draft(
            order_id=f"404-{next(NUMBERS):07}-0000001",
            partner_id=self.partner_id,
            delivery_id=self.partner_id,
            company_id=self.setup.company_id,
            warehouse_id=self.setup.warehouse_id,
            sales_team_id=self.setup.sales_team_id,
            salesperson_id=None,
            pricelist_id=self.pricelists[currency],
            currency=currency,
            currency_unit=UNITS[currency],
            route_id=None,
            created=datetime(2026, 11, 1, tzinfo=UTC),
            lines=lines,
            **more,
        )

    def make(self, *drafts: Draft) -> dict[str, SaleOrder]:
        """The priced quotations, by Amazon order id."""
        ids = quotations.create(self.session, drafts)
        priced = pricing.set_prices(self.session, drafts, ids)
        assert priced == sales.read(self.session, ids)
        rounding = self.setup.products.rounding
        pricing.add_rounding_lines(self.session, drafts, priced, rounding)
        return sales.read(self.session, ids)

    def lines(self, order: SaleOrder) -> list[dict[str, Any]]:
        fields = ["name", "product_uom_qty", "price_unit", "discount", "price_total", "tax_ids"]
        return self.session.read("sale.order.line", list(order.line_ids), fields)


@pytest.fixture(scope="module")
def shop(odoo_database: OdooDatabase, admin: OdooSession, make_account: Any) -> Shop:
    rpc = odoo_database.rpc
    prepared = setup.prepare(admin, make_account(marketplaces=["FR"]))
    pricelists = {}
    for currency in UNITS:
        domain = [("name", "=", currency), ("active", "in", [True, False])]
        currency_id = rpc("res.currency", "search", domain)[0]
        rpc("res.currency", "write", [currency_id], {"active": True})
        values = {"name": currency, "currency_id": currency_id}
        pricelists[currency] = rpc("product.pricelist", "create", values)
    return Shop(
        odoo=odoo_database,
        session=admin.for_company(prepared.company_id),
        setup=prepared,
        partner_id=rpc("res.partner", "create", {"name": "Somebody"}),
        tax_group_id=rpc("account.tax.group", "create", {"name": "Taxes"}),
        pricelists=pricelists,
    )


PERCENTAGES = st.sampled_from([-10, 0, 2.1, 5, 5.5, 7, 7.7, 8.875, 10, 19, 20, 21, 25])
SIMPLE_TAXES = st.fixed_dictionaries(
    {
        "sequence": st.integers(1, 3),
        "include_base_amount": st.booleans(),
        "is_base_affected": st.booleans(),
        "price_include_override": st.sampled_from(["tax_included", "tax_excluded"]),
    }
).flatmap(
    lambda common: st.one_of(
        PERCENTAGES.map(lambda amount: {**common, "amount_type": "percent", "amount": amount}),
        PERCENTAGES.map(lambda amount: {**common, "amount_type": "division", "amount": amount}),
        st.sampled_from([0.02, 0.1, 1]).map(
            lambda amount: {**common, "amount_type": "fixed", "amount": amount}
        ),
    )
)
GROUPS = st.lists(SIMPLE_TAXES, min_size=1, max_size=3).map(
    lambda taxes: {"amount_type": "group", "amount": 0, "children_tax_ids": taxes}
)
TAXES = st.lists(st.one_of(SIMPLE_TAXES, SIMPLE_TAXES, GROUPS), max_size=3)
"""What a product may be taxed with."""

SMALLEST = 50_000
"""In units of the currency: more than the fixed taxes of a line, even in dinars."""
AMOUNTS = st.one_of(st.just(0), st.integers(SMALLEST, 10**7), st.integers(-(10**7), -SMALLEST))
LINES = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 7), AMOUNTS), min_size=1, max_size=4)
ORDERS = st.lists(st.tuples(st.sampled_from(list(UNITS)), LINES), min_size=30, max_size=30)


@pytest.mark.parametrize("method", ["round_per_line", "round_globally"])
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(tax_setups=st.lists(TAXES, min_size=8, max_size=8), orders=ORDERS)
def test_totals_are_amazons_with_any_taxes(shop: Shop, method, tax_setups, orders):
    shop.round(method)
    products = shop.products(tax_setups)
    drafts = [
        shop.draft(
            *(
                shop.line(products[number], f"{units * UNITS[currency]}", quantity)
                for number, quantity, units in lines
            ),
            currency=currency,
        )
        for currency, lines in orders
    ]
    made = shop.make(*drafts)
    wanted = {draft.order_id: draft.total for draft in drafts}
    assert {key: order.total for key, order in made.items()} == wanted


@pytest.fixture
def two_digits(shop: Shop) -> Iterator[Shop]:
    """As Odoo before 19, where a unit price has the two digits of *Product Price*.

    There, taxes, prices and totals take a call each.
    """
    known = shop.session.capabilities
    shop.session._capabilities[:] = [replace(known, price_digits=2, writes_trees=False)]
    yield shop
    shop.session._capabilities[:] = [known]


def test_with_two_digits_the_rounding_line_takes_what_rounding_makes_and_no_more(
    two_digits: Shop,
) -> None:
    shop = two_digits
    shop.round("round_per_line")
    product = shop.product({"amount": 20, "price_include_override": "tax_excluded"})
    totals = [("9.99", 1), ("10.00", 3), ("49.95", 7), ("100.03", 50), ("9.98", 1), ("7.77", 2)]
    drafts = [shop.draft(shop.line(product, total, quantity)) for total, quantity in totals]
    made = shop.make(*drafts)
    assert [made[d.order_id].total for d in drafts] == [Decimal(total) for total, _ in totals]
    rounding = {
        d.order_id: line["price_unit"]
        for d in drafts
        for line in shop.lines(made[d.order_id])
        if line["name"] == "Amazon Rounding"
    }
    assert len(rounding) >= 2
    pairs = zip(drafts, totals, strict=True)
    largest = {draft.order_id: 0.012 + 0.006 * quantity for draft, (_, quantity) in pairs}
    assert all(abs(amount) <= largest[order_id] for order_id, amount in rounding.items())
    assert max(abs(amount) for amount in rounding.values()) > 0.02


def test_a_run_that_ended_between_taxes_and_prices_is_continued(two_digits: Shop) -> None:
    shop = two_digits
    shop.round("round_per_line")
    product = shop.product({"amount": 20, "price_include_override": "tax_excluded"})
    draft = shop.draft(
        shop.line(product, "12.00", untaxed=True), shop.line(product, "24.00", quantity=2)
    )
    ids = quotations.create(shop.session, [draft])
    first, _ = sales.read(shop.session, ids)[draft.order_id].line_ids
    shop.odoo.rpc("sale.order.line", "write", [first], {"tax_ids": [(6, 0, [])]})
    for _ in ("continued", "repeated"):
        order = shop.make(draft)[draft.order_id]
        lines = shop.lines(order)
        assert order.total == Decimal("36.00")
        assert [(line["price_unit"], len(line["tax_ids"])) for line in lines] == [(12, 0), (10, 1)]


def test_one_order_of_several_has_a_fiscal_position(shop: Shop) -> None:
    [position] = shop.create("account.fiscal.position", [{"name": "Elsewhere"}])
    product = shop.product()
    drafts = [
        shop.draft(shop.line(product, "12.00")),
        shop.draft(shop.line(product, "12.00"), fiscal_position_id=position),
    ]
    ids = quotations.create(shop.session, drafts)
    fields = ["client_order_ref", "fiscal_position_id"]
    rows = shop.odoo.rpc("sale.order", "read", list(ids.values()), fields)
    positions = {row["client_order_ref"]: row["fiscal_position_id"] for row in rows}
    assert positions == {
        drafts[0].order_id: False,
        drafts[1].order_id: [position, "Elsewhere"],
    }


def test_what_a_person_changed_is_no_rounding(two_digits: Shop) -> None:
    """The order is quarantined for its total then."""
    shop = two_digits
    product = shop.product({"amount": 20, "price_include_override": "tax_excluded"})
    draft = shop.draft(shop.line(product, "12.00", 2))
    ids = quotations.create(shop.session, [draft])
    pricing.set_prices(shop.session, [draft], ids)
    (line,) = sales.read(shop.session, ids)[draft.order_id].line_ids
    shop.odoo.rpc("sale.order.line", "write", [line], {"price_unit": 5.02})
    read = sales.read(shop.session, ids)
    assert draft.total - read[draft.order_id].total == Decimal("-0.05")
    rounding = shop.setup.products.rounding
    assert pricing.add_rounding_lines(shop.session, [draft], read, rounding) == []
