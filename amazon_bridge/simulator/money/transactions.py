"""listTransactions of the Finances API 2024-06-19.

Sources: Amazon's model; its page "Determine payment transactions" (the transactions of a payment
are the released ones of a financial event group); its changes of 2025-04-30 (the status of a
deferred transaction becomes DEFERRED_RELEASED when it is released) and 2025-06-25 (the filter by
status). That the release is a transaction of its own, and how the two name each other, is from
programs in public that count them once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.money.breakdowns import Json, money, of_item, of_transaction
from amazon_bridge.simulator.money.events import Event, Row, total
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller

PER_PAGE = 500
STATUSES = ("DEFERRED", "RELEASED", "DEFERRED_RELEASED")
_FILTERS = ("FINANCIAL_EVENT_GROUP_ID", "ORDER_ID")
_LAST = timedelta(minutes=2)
_LONGEST = timedelta(days=180)


def check(seller: Seller, arguments: Mapping[str, str], now: datetime) -> None:
    """Check what the model says in its descriptions only.

    Raises:
        Refusal: 400.
    """
    _check_identifier(arguments)
    _check_period(arguments, now)
    if arguments.get("transactionStatus", STATUSES[0]) not in STATUSES:
        raise invalid(f"'transactionStatus' must be one of {', '.join(STATUSES)}.")
    place = arguments.get("marketplaceId")
    if place is not None and not seller.sells_in(place):
        raise invalid("'marketplaceId' is not a marketplace of the seller.")


def _check_identifier(arguments: Mapping[str, str]) -> None:
    name = arguments.get("relatedIdentifierName")
    if (name is None) != ("relatedIdentifierValue" not in arguments):
        raise invalid("'relatedIdentifierName' and 'relatedIdentifierValue' belong together.")
    if name is not None and name not in _FILTERS:
        raise invalid(f"'relatedIdentifierName' must be one of {', '.join(_FILTERS)}.")
    if name is None and "postedAfter" not in arguments:
        raise invalid("'postedAfter' is required without a related identifier.")


def _check_period(arguments: Mapping[str, str], now: datetime) -> None:
    after, before = (instant(arguments, name) for name in ("postedAfter", "postedBefore"))
    for name, moment in (("postedAfter", after), ("postedBefore", before)):
        if moment is not None and moment > now - _LAST:
            raise invalid(f"'{name}' must be more than two minutes ago.")
    if after is not None and before is not None and before <= after:
        raise invalid("'postedBefore' must be later than 'postedAfter'.")


def instant(arguments: Mapping[str, str], name: str) -> datetime | None:
    """A parameter's time."""
    return datetime.fromisoformat(arguments[name]) if name in arguments else None


def matching(
    events: Iterable[Event], groups: Mapping[str, str], arguments: Mapping[str, str], now: datetime
) -> list[Event]:
    """The events that a request asks for, oldest first.

    Args:
        events: Of the seller.
        groups: The group's id of each settlement.
        arguments: Of the request, checked.
        now: The time.
    """
    after = instant(arguments, "postedAfter")
    before = instant(arguments, "postedBefore") or now - _LAST
    if after is not None and before - after > _LONGEST:
        return []
    found = [
        event
        for event in events
        if (after is None or event.posted >= after)
        and event.posted < before
        and arguments.get("transactionStatus", event.status) == event.status
        and _is_in(event, arguments.get("marketplaceId"))
        and _has(event, groups, arguments)
    ]
    return sorted(found, key=lambda event: event.posted)


def _is_in(event: Event, place: str | None) -> bool:
    if place is None:
        return True
    return event.market is not None and event.market.marketplace_id == place


def _has(event: Event, groups: Mapping[str, str], arguments: Mapping[str, str]) -> bool:
    value = arguments.get("relatedIdentifierValue")
    if arguments.get("relatedIdentifierName") == "ORDER_ID":
        return event.order_id == value
    return value is None or groups.get(event.settlement_id) == value


def render(event: Event, home: Market, identifiers: Mapping[str, str]) -> Json:
    """A Transaction of Amazon's model.

    Args:
        event: What happened.
        home: The marketplace of events that are of none.
        identifiers: Its related identifiers by name; those without a value are left out.
    """
    market = event.market or home
    currency = event.account.currency
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": event.account.seller_id,
            "accountType": event.account.type,
            "marketplaceId": market.marketplace_id,
        },
        "relatedIdentifiers": [
            {"relatedIdentifierName": name, "relatedIdentifierValue": value}
            for name, value in identifiers.items()
            if value
        ],
        "transactionType": event.kind,
        "transactionId": event.key,
        "transactionStatus": event.status,
        "description": event.description,
        "postedDate": timestamp(event.posted),
        "totalAmount": money(event.total, currency),
        "marketplaceDetails": _place(market),
        "items": _items(event),
        "contexts": _contexts(event),
        "breakdowns": of_transaction(event),
    }


def _place(market: Market) -> Json:
    return {"marketplaceId": market.marketplace_id, "marketplaceName": market.name}


def _items(event: Event) -> list[Json]:
    items: dict[int, list[Row]] = defaultdict(list)
    for row in event.rows:
        if row.item is not None:
            items[row.item].append(row)
    return [_item(event, rows) for rows in items.values()]


def _item(event: Event, rows: list[Row]) -> Json:
    first = rows[0]
    product: dict[str, Any] = {
        "contextType": "ProductContext",
        "asin": first.asin,
        "sku": first.sku,
        "quantityShipped": sum(row.quantity or 0 for row in rows),
        "fulfillmentNetwork": event.network,
    }
    return {
        "description": first.title,
        "totalAmount": money(total(rows), event.account.currency),
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": first.item_code,
            }
        ],
        "breakdowns": of_item(rows, event.account.currency),
        "contexts": [product],
    }


def _contexts(event: Event) -> list[Json]:
    if event.matures is None:
        return []
    return [
        {
            "contextType": "DeferredContext",
            "deferralReason": "DD7",
            "maturityDate": timestamp(event.matures),
        }
    ]
