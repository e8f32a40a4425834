"""listSummary of the Finances API 2024-06-19, by Amazon's model and its examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from amazon_bridge.simulator.money.book import Book
from amazon_bridge.simulator.money.breakdowns import breakdown, money
from amazon_bridge.simulator.money.events import ZERO, Account, Event, Row
from amazon_bridge.simulator.money.settlements import Settlement
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller

PER_PAGE = 500
_SETTLEMENT = "SETTLEMENT_ID"
_SIDES = {
    "order": "Sales",
    "reimbursement": "Sales",
    "other income": "Sales",
    "refund": "Refunds",
    "facilitator tax": "Tax",
    "reserve": "Reserves",
}
Json = dict[str, Any]


def check(arguments: Mapping[str, str]) -> None:
    """Check what the model says in its descriptions only.

    Raises:
        Refusal: 400.
    """
    name = arguments.get("relatedIdentifierName")
    if (name is None) != ("relatedIdentifierValue" not in arguments):
        raise invalid("'relatedIdentifierName' and 'relatedIdentifierValue' belong together.")
    if name not in (None, _SETTLEMENT):
        raise invalid(f"'relatedIdentifierName' must be {_SETTLEMENT}.")
    if name is None and not {"periodStart", "periodEnd"} <= set(arguments):
        raise invalid("Provide a settlement id, or 'periodStart' and 'periodEnd'.")
    if arguments.get("periodStart", "") > arguments.get("periodEnd", "9"):
        raise invalid("'periodStart' must not be after 'periodEnd'.")


def find(
    book: Book, seller: Seller, arguments: Mapping[str, str], *, with_reserves: bool
) -> list[Json]:
    """The summaries that a request asks for, one for each account and marketplace.

    Args:
        book: Has them.
        seller: Whose they are.
        arguments: Of the request, checked.
        with_reserves: Whether net proceeds are after reserves.
    """
    settlement = book.settlements.get(arguments.get("relatedIdentifierValue", ""))
    groups: dict[tuple[Account, str], list[Row]] = defaultdict(list)
    for event in _events(book, seller, arguments, settlement):
        place = (event.market or book.home(event.account)).marketplace_id
        groups[event.account, place] += [
            row for row in event.rows if with_reserves or row.triple.category != "reserve"
        ]
    common = _identifiers(settlement) | _period(arguments, settlement)
    return [
        _summary(account, place, rows) | common
        for (account, place), rows in groups.items()
        if _is_wanted(account, place, arguments)
    ]


def _events(
    book: Book, seller: Seller, arguments: Mapping[str, str], settlement: Settlement | None
) -> Iterator[Event]:
    named = "relatedIdentifierName" in arguments
    start, end = _days(arguments)
    for event in book.events:
        if event.account.seller_id != seller.seller_id or event.status != "RELEASED":
            continue
        if named and (settlement is None or event.settlement_id != settlement.settlement_id):
            continue
        if start <= event.posted < end:
            yield event


def _days(arguments: Mapping[str, str]) -> tuple[datetime, datetime]:
    first = date.fromisoformat(arguments.get("periodStart", "1970-01-01"))
    last = date.fromisoformat(arguments.get("periodEnd", "9000-01-01"))
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    return start, end


def _is_wanted(account: Account, place: str, arguments: Mapping[str, str]) -> bool:
    places = arguments.get("marketplaceIds")
    return arguments.get("accountType", account.type) == account.type and (
        places is None or place in places.split(",")
    )


def _summary(account: Account, place: str, rows: list[Row]) -> Json:
    sides: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in rows:
        category = row.triple.category
        sides[_SIDES.get(category, "Expenses")][category] += row.amount
    return {
        "partnerMetadata": {
            "partnerId": account.seller_id,
            "accountType": account.type,
            "marketplaceId": place,
        },
        "netProceeds": money(sum((row.amount for row in rows), ZERO), account.currency),
        "breakdowns": [
            breakdown(
                side,
                sum(parts.values(), ZERO),
                account.currency,
                [breakdown(part, amount, account.currency, []) for part, amount in parts.items()],
            )
            for side, parts in sides.items()
        ],
    }


def _identifiers(settlement: Settlement | None) -> Json:
    if settlement is None:
        return {}
    value = settlement.settlement_id
    return {
        "relatedIdentifiers": [
            {"relatedIdentifierName": _SETTLEMENT, "relatedIdentifierValue": value}
        ]
    }


def _period(arguments: Mapping[str, str], settlement: Settlement | None) -> Json:
    start, end = (settlement.start, settlement.end) if settlement else _days(arguments)
    moments = {"periodStart": start, "periodEnd": end}
    return {name: timestamp(moment) for name, moment in moments.items() if moment}
