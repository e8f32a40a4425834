"""Random money of a simulated seller, and the forms in which its settlements are written."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from amazon_bridge.amazon.settlements import Header, sections
from amazon_bridge.flows.settlements.classify import Classifier
from amazon_bridge.flows.settlements.statement import Statement, order_id_of, read_statement
from amazon_bridge.simulator import (
    Expected,
    FileForm,
    ManualClock,
    Settlement,
    Simulator,
    World,
    random_ledger,
)

CURRENCIES = ("EUR", "USD", "JPY", "GBP")
FORMS = (
    FileForm(),
    FileForm(dates="dots", decimal_comma=True, bom=True, line_end="\r\n"),
    FileForm(dates="slashes", currency_in_all_rows=True, shuffle=1),
    FileForm(absent_columns=("promotion-id", "merchant-adjustment-item-id"), shuffle=2),
    FileForm(dates="dots", blank_marketplaces=True),
)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Sums = Mapping[str, Decimal]


def form_of(seed: int) -> FileForm:
    return FORMS[seed % len(FORMS)]


class Ledger:
    """A seller in all currencies; all that happens to it follows from the seed."""

    def __init__(self, seed: int, **plan: Any) -> None:
        self.seed = seed
        world = World(ManualClock(NOON), seed=seed)
        world.add_seller("A1LEDGER", ["FR", "DE", "GB", "US", "JP"])
        self.simulator = Simulator(world)
        self.money = self.simulator.money
        given = {"all_types": seed % 2 == 0, "free_text": True, "settlements": 1 + seed % 3} | plan
        currency = CURRENCIES[seed % len(CURRENCIES)]
        self.settlements: list[Settlement] = random_ledger(self.money, seed, currency, **given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.simulator._server.server_close()

    @property
    def ids(self) -> list[str]:
        return [settlement.settlement_id for settlement in self.settlements]

    def read(self, **options: Any) -> Iterator[tuple[Statement, Expected]]:
        """The settlements as the bridge reads them from a document, with what it should find."""
        text = self.money.text(*self.ids, **({"form": form_of(self.seed)} | options))
        rows = csv.DictReader(
            io.StringIO(text.removeprefix("\ufeff")), delimiter="\t", quoting=csv.QUOTE_NONE
        )
        for section in sections(rows):
            assert isinstance(section.header, Header), section.header
            statement = read_statement(section.header, section.rows, Classifier())
            yield statement, self.money.expected(section.settlement_id)


def orders_of(statement: Statement, what: str) -> Sums:
    """What the bridge found to be owed for orders, or for refunds."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for month in statement.months:
        for number, amount in getattr(month, what).items():
            sums[order_id_of(number)] += amount * statement.unit
    return without_zeros(sums)


def categories_of(statement: Statement) -> Sums:
    """What the bridge found of all other categories."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for month in statement.months:
        for (category, _), amount in month.others.items():
            sums[category.value] += amount * statement.unit
    return without_zeros(sums)


def expected_categories(expected: Expected) -> Sums:
    """What it should find of them."""
    others = {k: v for k, v in expected.categories.items() if k not in ("order", "refund")}
    return without_zeros(others | {"facilitator tax": expected.facilitator})


def without_zeros(sums: Sums) -> Sums:
    return {name: amount for name, amount in sums.items() if amount}
