"""listBalances of the Finances API 2024-06-19, by Amazon's model and its examples.

TOTAL is AVAILABLE and RESERVED; RESERVED is DEFERRED and ACCOUNT_LEVEL_RESERVE. "Sub-balances are
listed by account type and marketplace": there is one balance for each of them. The model calls
``asOfDate`` a date-time where its examples have a date; here it is a date-time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from amazon_bridge.simulator.markets import market_of
from amazon_bridge.simulator.money.breakdowns import money
from amazon_bridge.simulator.money.events import Account
from amazon_bridge.simulator.money.ledger import Balances, Ledger
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller

PER_PAGE = 500
TYPES = ("AVAILABLE", "RESERVED", "TOTAL", "DEFERRED", "ACCOUNT_LEVEL_RESERVE")
Json = dict[str, Any]


def check(arguments: Mapping[str, str], now: datetime) -> date | None:
    """Check what the model says in its descriptions only. Returns the day that is asked about.

    Raises:
        Refusal: 400.
    """
    if arguments.get("balanceType", TYPES[0]) not in TYPES:
        raise invalid(f"'balanceType' must be one of {', '.join(TYPES)}.")
    as_of = date.fromisoformat(arguments["asOfDate"]) if "asOfDate" in arguments else None
    if as_of is not None and as_of > now.astimezone(UTC).date():
        raise invalid("'asOfDate' must not be in the future.")
    return as_of


def find(
    ledger: Ledger,
    seller: Seller,
    arguments: Mapping[str, str],
    *,
    before: datetime,
    now: datetime,
) -> list[Json]:
    """The balances that a request asks for.

    Args:
        ledger: Has them.
        seller: Whose they are.
        arguments: Of the request, checked.
        before: Entries before this moment count.
        now: The time.
    """
    asked = arguments.get("asOfDate")
    moment = {"asOfDate": f"{asked}T00:00:00Z"} if asked else {"lastUpdatedTime": timestamp(now)}
    return [
        _metadata(account, place) | _chosen(balances, account, arguments) | moment
        for account, place in _accounts(ledger, seller, arguments)
        for balances in [ledger.balances(account, place=place, before=before)]
    ]


def _accounts(
    ledger: Ledger, seller: Seller, arguments: Mapping[str, str]
) -> Iterator[tuple[Account, str]]:
    wanted = arguments.get("marketplaceIds")
    for account in ledger.accounts(seller.seller_id):
        if arguments.get("accountType", account.type) != account.type:
            continue
        for place in ledger.places(account):
            if wanted is None or place in wanted.split(","):
                yield account, place


def _metadata(account: Account, place: str) -> Json:
    assert market_of(place).currency == account.currency, "an account has one currency"
    return {
        "partnerMetadata": {
            "partnerId": account.seller_id,
            "accountType": account.type,
            "marketplaceId": place,
        }
    }


def _chosen(balances: Balances, account: Account, arguments: Mapping[str, str]) -> Json:
    rendered = _rendered(balances, account.currency)
    kind = arguments.get("balanceType")
    return rendered["TOTAL"] if kind is None else rendered[kind]


def _rendered(balances: Balances, currency: str) -> dict[str, Json]:
    def balance(kind: str, amount: Decimal, *parts: Json) -> Json:
        given: Json = {"balanceType": kind, "amount": money(amount, currency)}
        return given | {"balances": list(parts)} if parts else given

    available = balance("AVAILABLE", balances.available)
    deferred = balance("DEFERRED", balances.deferred)
    reserve = balance("ACCOUNT_LEVEL_RESERVE", balances.account_level_reserve)
    reserved = balance("RESERVED", balances.reserved, deferred, reserve)
    total = balance("TOTAL", balances.total, available, reserved)
    return {each["balanceType"]: each for each in (available, deferred, reserve, reserved, total)}
