"""Journal entries of settlements: exact, once, and as they were announced."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from exchange_rates import add_rates
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo import journal_entries
from amazon_bridge.odoo.journal_entries import BookedLine, Entry, Line
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup, prepare

pytestmark = [pytest.mark.odoo("both"), pytest.mark.since_odoo(16, "entries of settlements")]

DAY = date(2026, 10, 31)
ORDER = "403-1234567-1234567"


@pytest.fixture(scope="module")
def taxes(odoo_database: OdooDatabase) -> dict[str, int]:
    rpc = odoo_database.rpc
    group = rpc("account.tax.group", "search", [], limit=1)[0]
    accounts = [("account_type", "=", "asset_current")]
    account = rpc("account.account", "search", accounts, limit=1)[0]

    def shares(document: str, *factors: int) -> list:
        names = ("document_type", "repartition_type", "factor_percent", "account_id")
        rows = [("base", 100, False), *(("tax", factor, account) for factor in factors)]
        return [(0, 0, dict(zip(names, (document, *row), strict=True))) for row in rows]

    def make(name: str, percent: float, *factors: int) -> int:
        values = {"name": name, "amount": percent, "type_tax_use": "purchase"}
        every = [*shares("invoice", *factors), *shares("refund", *factors)]
        lines = {"tax_group_id": group, "repartition_line_ids": every}
        return int(rpc("account.tax", "create", {**values, **lines}))

    return {
        "VAT 19": make("VAT 19", 19, 100),
        "Reverse charge": make("Reverse charge", 20, 100, -100),
    }


@pytest.fixture(scope="module")
def account(
    make_account: Callable[..., AccountConfig],
    taxes: dict[str, int],
    tmp_path_factory: pytest.TempPathFactory,
    odoo_database: OdooDatabase,
) -> AccountConfig:
    domain = [("account_type", "=", "expense")]
    [row] = odoo_database.rpc("account.account", "search_read", domain, ["code"], limit=1)
    file: Path = tmp_path_factory.mktemp("map") / "accounts.csv"
    rows = ["category,account,tax,marketplace", f"selling fee,{row['code']},VAT 19,"]
    rows += [f"FBA fee,{row['code']},VAT 19,", f"storage,{row['code']},Reverse charge,"]
    file.write_text("\n".join(rows))
    settings = {"mode": "post", "accounts": str(file)}
    return make_account(
        marketplaces=["US", "CA"],
        invoicing={"payment_journal": "Amazon Payments"},
        settlements=settings,
    )


@pytest.fixture(scope="module")
def setup(admin: OdooSession, account: AccountConfig) -> SettlementSetup:
    found = prepare(admin, account).settlement
    assert found
    return found


@pytest.fixture(params=["round_per_line", "round_globally"])
def rounding(request: pytest.FixtureRequest, odoo_database: OdooDatabase) -> str:
    method: str = request.param
    values = {"tax_calculation_rounding_method": method}
    odoo_database.rpc("res.company", "write", [1], values)
    return method


def entry(
    setup: SettlementSetup, number: str, lines: dict[str, str], *, currency: str = "USD", day=DAY
) -> Entry:
    """Lines are a suffix and an amount; the payout balances them."""
    targets = {"_o": setup.owed, "_r": setup.owed, "_i": setup.interim}
    made = []
    for suffix, amount in lines.items():
        category = suffix.removeprefix("_f_").rpartition("_")[0].replace("-", " ")
        target = targets.get(suffix[:2]) or setup.target(category)
        made.append(Line(suffix, target, f"Label {suffix}", Decimal(amount)))
    payout = -sum((line.amount for line in made), Decimal())
    if payout:
        made.append(Line("_payout", setup.in_transit, f"Amazon settlement {number}", payout))
    return Entry(f"settlement_{number}_202610_1", day, currency, tuple(made))


def lines_in_odoo(odoo: OdooDatabase, *entries: Entry) -> list[tuple]:
    domain = [("move_id.ref", "in", [each.reference for each in entries])]
    fields = ["account_id", "name", "date", "debit", "credit", "amount_currency"]
    rows = odoo.rpc("account.move.line", "search_read", domain, fields)
    accounts = sorted({row["account_id"][0] for row in rows})
    context = {"allowed_company_ids": [1]}
    codes = odoo.rpc("account.account", "read", accounts, ["code", "name"], context=context)
    names = {row["id"]: f"{row['code']} {row['name']}" for row in codes}
    return sorted(
        (names[row["account_id"][0]], *(row[name] for name in fields[1:])) for row in rows
    )


def announced(lines: list[BookedLine]) -> list[tuple]:
    return sorted(
        (
            *(line.account, line.label, line.date.isoformat()),
            *(float(line.debit), float(line.credit), float(line.amount_currency)),
        )
        for line in lines
    )


def test_an_entry_is_made_once_and_as_announced(
    biller: OdooSession, setup: SettlementSetup, odoo_database: OdooDatabase
):
    lines = {f"_o_{ORDER}": "-50.00", "_r_1": "12.34", "_f_other_US": "10.00", "_f_reserve_": "-3"}
    made = entry(setup, "1", lines)
    told = list(journal_entries.as_booked(biller, setup, [made]))
    assert journal_entries.find(biller, [made.reference]) == {}
    first = journal_entries.create(biller, setup, [made])
    assert journal_entries.create(biller, setup, [made]) == first
    booked = first[made.reference]
    assert (booked.date, booked.is_posted) == (DAY, False)
    journal_entries.post(biller, [booked.id])
    journal_entries.post(biller, [booked.id])
    [found] = journal_entries.find(biller, [made.reference]).values()
    assert found.is_posted
    assert found.date == DAY
    assert lines_in_odoo(odoo_database, made) == announced(told)
    assert journal_entries.create(biller, setup, [made]) == {made.reference: found}


@pytest.mark.usefixtures("rounding")
def test_taxes_are_included_to_the_cent(
    admin: OdooSession,
    account: AccountConfig,
    biller: OdooSession,
    odoo_database: OdooDatabase,
    rounding: str,
):
    setup = prepare(admin, account).settlement
    assert setup
    assert setup.rounds_per_line == (rounding == "round_per_line")
    for number, amounts in enumerate(
        [
            ("0.04", "0.05", "10.00", "-1.11"),
            ("0.01", "0.02", "0.03", "-0.02"),
            ("123.45", "67.89", "999.99", "-55.55"),
            ("3.33", "7.77", "0.07", "-0.10"),
        ]
    ):
        keys = ("_f_selling-fee_US", "_f_FBA-fee_US", "_f_storage_US", "_f_selling-fee_CA")
        made = entry(setup, f"{rounding}{number}", dict(zip(keys, amounts, strict=True)))
        told = list(journal_entries.as_booked(biller, setup, [made]))
        assert sum(line.debit - line.credit for line in told) == 0
        payout = next(line for line in told if line.label.startswith("Amazon settlement"))
        assert payout.credit - payout.debit == sum(map(Decimal, amounts))
        journal_entries.create(biller, setup, [made])
        assert lines_in_odoo(odoo_database, made) == announced(told)


@pytest.fixture(scope="module")
def canadian(odoo_database: OdooDatabase) -> None:
    rates = {"2026-10-01": 1.377, "2026-10-15": 1.4013, "2026-10-30": 1.3891}
    add_rates(odoo_database.rpc, rates, "CAD")


@pytest.mark.usefixtures("canadian")
def test_a_foreign_currency_is_balanced_in_both(
    biller: OdooSession, setup: SettlementSetup, odoo_database: OdooDatabase
):
    orders = {f"_o_{number}": f"-{number}.{number:02}" for number in range(1, 40)}
    fees = {"_f_selling-fee_CA": "77.77", "_f_storage_CA": "3.33"}
    plain = entry(setup, "9", orders | fees, currency="CAD")
    interim = "123.45"
    first = entry(
        setup, "8", {"_o_1": "-100", "_f_storage_CA": "-23.45", "_i": interim}, currency="CAD"
    )
    first = Entry("settlement_8_202609_1", date(2026, 9, 30), "CAD", first.lines)
    first = Entry(
        first.reference,
        first.date,
        "CAD",
        tuple(
            Line("_interim", *(each.target, each.label, each.amount))
            if each.reference == "_i"
            else each
            for each in first.lines
        ),
    )
    last = entry(setup, "8", {"_f_other_CA": "7.77"}, currency="CAD")
    payout = Decimal("115.68")
    lines = (
        last.lines[0],
        Line("_interim", setup.interim, "Interim", -Decimal(interim)),
        Line("_payout", setup.in_transit, "P", payout),
    )
    last = Entry(last.reference, DAY, "CAD", lines)
    for made in ([plain], [first, last]):
        told = list(journal_entries.as_booked(biller, setup, made))
        journal_entries.create(biller, setup, made)
        assert lines_in_odoo(odoo_database, *made) == announced(told)
        for each in made:
            own = [line for line in told if line.entry == each.reference]
            assert sum(line.debit - line.credit for line in own) == 0
            assert sum(line.amount_currency for line in own) == 0
        on_interim = [line for line in told if line.account == setup.interim.account]
        assert sum(line.debit - line.credit for line in on_interim) == 0
    assert told[0].amount_currency == Decimal(-100)
    assert told[0].credit == Decimal("71.99"), "at the rate of the settlement's last day"


@pytest.mark.parametrize(
    ("rates", "lacking"),
    [
        ({}, "SEK"),
        ({"USD": {"2026-01-01": 1.0}}, "SEK"),
        ({"USD": {"2026-01-01": 0.1}}, "SEK"),
        ({"SEK": {"2026-11-01": 10.0}}, "SEK"),
        ({"USD": {"2026-11-01": 1.0}, "SEK": {"2026-01-01": 10.0}}, "USD"),
    ],
)
def test_a_currency_without_a_rate_is_refused(
    biller: OdooSession,
    setup: SettlementSetup,
    odoo_database: OdooDatabase,
    rates: dict[str, dict[str, float]],
    lacking: str,
):
    made = entry(setup, "7", {"_o_1": "-10"}, currency="SEK")
    with (
        rates_alone(odoo_database, rates),
        pytest.raises(ItemError, match=f"rate of {lacking} for 2026-10-31") as caught,
    ):
        journal_entries.create(biller, setup, [made])
    assert caught.value.kind == "settlement_currency"


@contextmanager
def rates_alone(
    odoo_database: OdooDatabase, rates: Mapping[str, Mapping[str, float]]
) -> Iterator[None]:
    """Of the dollar and the krona there are these rates alone, by day."""
    rpc = odoo_database.rpc
    for currency in ("USD", "SEK"):
        add_rates(rpc, rates.get(currency, {}), currency)
    try:
        yield
    finally:
        domain = [("currency_id.name", "in", ["USD", "SEK"])]
        rpc("res.currency.rate", "unlink", rpc("res.currency.rate", "search", domain))


def test_a_changed_draft_is_noticed(
    biller: OdooSession, setup: SettlementSetup, odoo_database: OdooDatabase
):
    made = entry(setup, "6", {"_o_1": "-10", "_f_other_US": "4"})
    [booked] = journal_entries.create(biller, setup, [made]).values()
    domain = [("move_id", "=", booked.id), ("account_id", "=", setup.owed.account_id)]
    [line] = odoo_database.rpc("account.move.line", "search", domain)
    other = {"account_id": setup.target("advertising").account_id}
    odoo_database.rpc("account.move.line", "write", [line], other)
    with pytest.raises(ItemError) as caught:
        journal_entries.create(biller, setup, [made])
    assert caught.value.kind == "settlement_entry_differs"
    changed, loaded = setup.target("advertising").account, setup.owed.account
    assert f"-10.00 (-10.00 in the company's currency) on {changed}" in caught.value.reason
    assert f"on {loaded}." in caught.value.reason
    odoo_database.rpc("account.move", "unlink", [booked.id])


def test_lock_dates_are_respected(
    biller: OdooSession, setup: SettlementSetup, odoo_database: OdooDatabase
):
    def open_day(day: date, *, has_taxes: bool = False) -> date:
        return journal_entries.first_open_day(biller, setup, day, has_taxes=has_taxes)

    rpc = odoo_database.rpc
    assert open_day(DAY) == DAY
    rpc("res.company", "write", [1], {"tax_lock_date": "2026-11-05"})
    assert open_day(DAY) == DAY
    assert open_day(DAY, has_taxes=True) == date(2026, 11, 6)
    rpc("res.company", "write", [1], {"fiscalyear_lock_date": "2026-10-31"})
    assert open_day(DAY) == date(2026, 11, 1)
    assert open_day(date(2026, 11, 1)) == date(2026, 11, 1)
    made = entry(setup, "5", {"_o_1": "-10"}, day=date(2026, 11, 1))
    [booked] = journal_entries.create(biller, setup, [made]).values()
    journal_entries.post(biller, [booked.id])
    [booked] = journal_entries.find(biller, [made.reference]).values()
    assert booked.date == date(2026, 11, 1)
    rpc("res.company", "write", [1], {"fiscalyear_lock_date": False, "tax_lock_date": False})
    drafts = rpc("account.move", "search", [("state", "=", "draft")])
    rpc("account.move", "unlink", drafts)
    rpc("res.company", "write", [1], {"hard_lock_date": "2026-10-15"})
    assert open_day(date(2026, 10, 15)) == date(2026, 10, 16)


def test_a_settlement_without_entries_books_nothing(biller: OdooSession, setup: SettlementSetup):
    assert list(journal_entries.as_booked(biller, setup, [])) == []
    assert journal_entries.create(biller, setup, []) == {}
