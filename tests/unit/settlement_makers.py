"""Rows of settlements and where they are booked, for tests without Odoo."""

from datetime import UTC, date, datetime
from decimal import Decimal

from amazon_bridge.amazon.settlements import Header, Row
from amazon_bridge.config.account_map import Category
from amazon_bridge.odoo.setup import SettlementSetup, Target

ORDER = "171-1234567-1234567"
DAY = date(2026, 6, 10)

CODES = {category: f"{number}" for number, category in enumerate(Category, start=600)}
INTERIM, IN_TRANSIT, OWED, TO_INVOICE = "590", "591", "592", "593"


def target(code: str) -> Target:
    return Target(int(code), code)


def make_setup(**changed: object) -> SettlementSetup:
    values: dict[str, object] = {
        "company_id": 1,
        "journal_id": 2,
        "partner_id": 3,
        "owed": target(OWED),
        "interim": target(INTERIM),
        "in_transit": target(IN_TRANSIT),
        "reserve": target(CODES[Category.RESERVE]),
        "fees_to_invoice": target(TO_INVOICE),
        "targets": {(category, ""): target(code) for category, code in CODES.items()},
        "currency": "EUR",
    }
    return SettlementSetup(**(values | changed))  # type: ignore[arg-type]


def make_header(total: str, currency: str = "EUR") -> Header:
    start, end = (datetime(2026, 6, day, tzinfo=UTC) for day in (1, 30))
    return Header("111", start, end, date(2026, 7, 2), Decimal(total), currency)


def row(
    amount: str,
    description: str = "Principal",
    amount_type: str = "ItemPrice",
    transaction_type: str = "Order",
    *,
    order_id: str = ORDER,
    posted: date = DAY,
    marketplace: str = "Amazon.de",
) -> Row:
    return Row(
        transaction_type,
        amount_type,
        description,
        Decimal(amount),
        posted,
        order_id,
        marketplace,
    )
