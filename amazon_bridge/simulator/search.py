"""searchOrders and getOrder of the Orders API 2026-01-01: their parameters and pages."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from amazon_bridge.simulator.orders import Order
from amazon_bridge.simulator.rendering import render_order, timestamp
from amazon_bridge.simulator.responses import invalid, not_found
from amazon_bridge.simulator.world import Seller, World

SAFETY = timedelta(minutes=2)
"""searchOrders covers nothing more recent."""
TOKEN_LIFETIME = timedelta(hours=24)
MOST_PER_PAGE = 100
ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}")
_MOMENTS = ("createdAfter", "createdBefore", "lastUpdatedAfter", "lastUpdatedBefore")

Arguments = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Query:
    """The filters, which must stay the same from page to page."""

    by: str
    """``created`` or ``lastUpdated``."""
    after: datetime
    before: datetime | None
    statuses: frozenset[str]
    marketplaces: frozenset[str]
    fulfilled_by: frozenset[str]

    def moment(self, order: Order) -> datetime:
        return order.created if self.by == "created" else order.last_updated

    def wants(self, order: Order, until: datetime) -> bool:
        return (
            self.after <= self.moment(order) <= until
            and (not self.statuses or order.status in self.statuses)
            and (not self.marketplaces or order.market.marketplace_id in self.marketplaces)
            and (not self.fulfilled_by or order.fulfilled_by in self.fulfilled_by)
        )


@dataclass(frozen=True, slots=True)
class _Bookmark:
    seller_id: str
    query: _Query
    until: datetime
    found: tuple[Order, ...]
    offset: int
    expiry: datetime


class Search:
    """The two read operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bookmarks: dict[str, _Bookmark] = {}

    def get_order(self, seller: Seller, order_id: str, arguments: Arguments) -> dict[str, Any]:
        """The body of a getOrder response.

        Raises:
            Refusal: 400 or 404.
        """
        included = _choices(arguments, "includedData")
        if not ORDER_ID.fullmatch(order_id):
            raise invalid("The order id is malformed.")
        order = self._world.readable(order_id, seller)
        if order is None:
            raise not_found("The requested order was not found.")
        return {"order": self._render(order, included)}

    def search_orders(self, seller: Seller, arguments: Arguments) -> dict[str, Any]:
        """The body of a searchOrders response.

        Raises:
            Refusal: 400.
        """
        query = _read_query(arguments, self._world.clock())
        size = _page_size(arguments)
        included = _choices(arguments, "includedData")
        token = arguments.get("paginationToken")
        page = self._reopen(token, seller, query) if token else self._open(seller, query)
        if self._world.settings.drifting_pages:
            page = replace(page, found=self._find(seller, query, page.until))
        return self._response(page, size, included)

    def _open(self, seller: Seller, query: _Query) -> _Bookmark:
        now = self._world.clock()
        latest = now - SAFETY - timedelta(seconds=self._world.settings.search_lag)
        until = min(query.before or latest, latest)
        found = self._find(seller, query, until)
        return _Bookmark(seller.seller_id, query, until, found, 0, now + TOKEN_LIFETIME)

    def _find(self, seller: Seller, query: _Query, until: datetime) -> tuple[Order, ...]:
        settings = self._world.settings
        found = self._shown(seller, query, until, changes_ago=int(settings.lagging_search))
        if settings.repeating_search:
            found += self._shown(seller, query, until, changes_ago=1)
        return found

    def _shown(
        self, seller: Seller, query: _Query, until: datetime, *, changes_ago: int
    ) -> tuple[Order, ...]:
        orders = self._world.searchable(seller, changes_ago=changes_ago)
        matching = [order for order in orders if query.wants(order, until)]
        return tuple(sorted(matching, key=lambda order: (query.moment(order), order.order_id)))

    def _reopen(self, token: str, seller: Seller, query: _Query) -> _Bookmark:
        page = self._bookmarks.get(token)
        if page is None or page.seller_id != seller.seller_id:
            raise invalid("The paginationToken is invalid.")
        if self._world.clock() >= page.expiry:
            raise invalid("The paginationToken has expired.")
        if page.query != query:
            raise invalid("The parameters differ from those that the paginationToken was made for.")
        return page

    def _response(self, page: _Bookmark, size: int, included: frozenset[str]) -> dict[str, Any]:
        end = page.offset + size
        body: dict[str, Any] = {
            "orders": [self._render(order, included) for order in page.found[page.offset : end]]
        }
        if end < len(page.found):
            body["pagination"] = {"nextToken": self._bookmark(replace(page, offset=end))}
        body[f"{page.query.by}Before"] = timestamp(page.until)
        return body

    def _bookmark(self, page: _Bookmark) -> str:
        token = secrets.token_urlsafe(36)
        expiry = self._world.clock() + TOKEN_LIFETIME
        self._bookmarks[token] = replace(page, expiry=expiry)
        return token

    def _render(self, order: Order, included: frozenset[str]) -> dict[str, Any]:
        now, negative = self._world.clock(), self._world.settings.negative_discounts
        return render_order(order, included, now, negative_discounts=negative)


def _read_query(arguments: Arguments, now: datetime) -> _Query:
    moments = {name: _moment(arguments, name) for name in _MOMENTS}
    created, updated = moments["createdAfter"], moments["lastUpdatedAfter"]
    if (created is None) == (updated is None):
        raise invalid("Provide exactly one of createdAfter and lastUpdatedAfter.")
    by, other = ("lastUpdated", "created") if created is None else ("created", "lastUpdated")
    if moments[f"{other}Before"]:
        raise invalid(f"{other}Before can't be combined with {by}After.")
    after, before = moments[f"{by}After"], moments[f"{by}Before"]
    assert after
    _check_before(f"{by}Before", after, before, now)
    return _Query(
        by,
        after,
        before,
        _choices(arguments, "fulfillmentStatuses"),
        _choices(arguments, "marketplaceIds"),
        _choices(arguments, "fulfilledBy"),
    )


def _check_before(name: str, after: datetime, before: datetime | None, now: datetime) -> None:
    if before is None:
        return
    if before > now - SAFETY:
        raise invalid(f"{name} must be at least two minutes before the time of the request.")
    if before < after:
        raise invalid(f"{name} must be equal to or after {name.removesuffix('Before')}After.")


def _moment(arguments: Arguments, name: str) -> datetime | None:
    if name not in arguments:
        return None
    return datetime.fromisoformat(arguments[name]).astimezone(UTC)


def _choices(arguments: Arguments, name: str) -> frozenset[str]:
    return frozenset(value for value in arguments.get(name, "").split(",") if value)


def _page_size(arguments: Arguments) -> int:
    """Amazon's model states these limits in its descriptions only."""
    size = int(arguments.get("maxResultsPerPage", MOST_PER_PAGE))
    if not 1 <= size <= MOST_PER_PAGE:
        raise invalid(f"maxResultsPerPage must be between 1 and {MOST_PER_PAGE}.")
    return size
