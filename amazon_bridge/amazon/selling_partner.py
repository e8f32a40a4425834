"""A seller's account on Amazon: the calls that the flows make, in terms of ``model``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx
import structlog

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.cancellations import (
    CONTENT_TYPE,
    FEED_TYPE,
    LARGEST_REPORT,
    cancellation_document,
    read_report,
)
from amazon_bridge.amazon.client import Connection
from amazon_bridge.amazon.feeds import Feeds, FeedState, MessageResult
from amazon_bridge.amazon.finances import Finances
from amazon_bridge.amazon.listing_reports import ListingReports
from amazon_bridge.amazon.listings import Listings
from amazon_bridge.amazon.orders import INCLUDED_DATA, read_order, read_order_as_is
from amazon_bridge.amazon.payloads import Instant, Part, Payload, Text, iso
from amazon_bridge.amazon.reports import Reports
from amazon_bridge.amazon.sdk import Credentials, Site
from amazon_bridge.amazon.settlements import SettlementReports
from amazon_bridge.amazon.shipments import confirmation
from amazon_bridge.engine.errors import Transient, Watch, nobody_watches
from amazon_bridge.engine.throttle import Throttle, Urgency
from amazon_bridge.marketplaces import Marketplace
from amazon_bridge.model import Cancellation, Order, Shipment, UnreadableOrder

log = structlog.get_logger(__name__)

TOKEN_URL = "https://api.amazon.com/auth/o2/token"  # noqa: S105 - no secret
"""Login with Amazon."""

_STATUSES = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED")
"""FBA orders are imported when SHIPPED or CANCELLED, FBM orders with any of these. One search for
both takes one call a page."""

_UNPAID = ("PENDING", "PENDING_AVAILABILITY")
_OPEN = (*_UNPAID, "UNSHIPPED", "PARTIALLY_SHIPPED")
_ORDERS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Participation:
    """A marketplace in which the seller may list items."""

    marketplace_id: str
    participating: bool
    suspended: bool
    """Some of the seller's listings are suspended there."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of changed orders.

    Attributes:
        orders: As they are now.
        complete_until: Later changes may be missing from all pages, although requested.
        next_token: Of the next page; None: it was the last one. Valid for 24 hours.
    """

    orders: tuple[Order | UnreadableOrder, ...]
    complete_until: datetime
    next_token: str | None


class _Pagination(Payload):
    next_token: Text = None


class _Page(Payload):
    orders: list[Any]
    pagination: Part[_Pagination] = _Pagination()
    last_updated_before: Instant | None = None


class _Single(Payload):
    order: dict[str, Any]


class _Marketplace(Payload):
    id: str


class _Participates(Payload):
    is_participating: bool
    has_suspended_listings: bool = False


class _Participation(Payload):
    marketplace: _Marketplace
    participation: _Participates


class _Participations(Payload):
    payload: list[_Participation]


class SellingPartner:
    """One account: a seller and some of the marketplaces of one region.

    Safe to share between threads. All methods raise, in addition to what they name:

    - ``Transient``: Amazon can't be reached or is busy; with ``maybe_done``, a call that changes
      it may have succeeded anyway.
    - ``AccountError``: Amazon refuses the account.
    - ``RateLimited``: Amazon's rate allows no call for longer than a moment; nothing was done.

    Args:
        seller_id: Also called merchant token or merchant identifier.
        marketplaces: At least one; all of one region.
        credentials: Login with Amazon.
        throttle: With ``operations.LIMITS``; shared by all accounts, as a seller's rates are.
        account: Its name; accounts of one seller take turns where they share a rate.
        endpoint: Base URL; None: the region's.
        token_url: None: Amazon's.
        prices_include_tax: Used if Amazon's figures leave it open; None: by the marketplace.
        timeout: Seconds.
        sleep: Waits before a read is tried again, in seconds.
        watch: Callback invoked after every attempt that was made, with Amazon's name of the
            operation.

    Raises:
        ConfigError: A URL would send secrets unencrypted.
    """

    def __init__(
        self,
        *,
        seller_id: str,
        marketplaces: Sequence[Marketplace],
        credentials: Credentials,
        throttle: Throttle,
        account: str = "",
        endpoint: str | None = None,
        token_url: str | None = None,
        prices_include_tax: bool | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        watch: Watch = nobody_watches,
    ) -> None:
        first = marketplaces[0]
        url = (endpoint or first.region.endpoint).rstrip("/")
        self._seller_id = seller_id
        self.marketplace_ids = tuple(m.marketplace_id for m in marketplaces)
        self._prices_include_tax = prices_include_tax
        self._connection = Connection(
            seller_id=seller_id,
            site=Site(url, first.marketplace_id, first.region.value),
            credentials=credentials,
            token_url=token_url or TOKEN_URL,
            throttle=throttle,
            account=account,
            timeout=timeout,
            sleep=sleep,
            watch=watch,
        )
        self._feeds = Feeds(self._connection, self.marketplace_ids)
        self.reports = Reports(self._connection)
        self.listings = Listings(self._connection, self._feeds, seller_id)
        self.listing_reports = ListingReports(self.reports)
        self.settlement_reports = SettlementReports(self.reports)
        self.finances = Finances(self._connection)

    @property
    def calls(self) -> Counter[str]:
        """The calls made so far, by Amazon's name of the operation."""
        return self._connection.calls

    def changed_orders(
        self,
        after: datetime,
        before: datetime,
        token: str | None = None,
        urgency: Urgency = Urgency.LIVE,
        *,
        unpaid: bool = False,
    ) -> Page:
        """A page of the orders that changed in a window; one call.

        Orders that can't be fulfilled are left out. FBA orders still to be shipped and orders of
        other channels are in.

        Args:
            after: Changed at this instant or later.
            before: Changed at this instant or earlier; at least two minutes ago.
            token: Of the page; None: the first one. It belongs to this window and to the account's
                marketplaces.
            urgency: How the call shares the seller's rate.
            unpaid: Include pending orders; they have no prices, buyer or address yet.

        Raises:
            InvalidRequest: Also where Amazon doesn't accept the token any more.
        """
        statuses = (*_STATUSES, *_UNPAID) if unpaid else _STATUSES
        return self._orders(after, before, token, urgency, fulfillmentStatuses=list(statuses))

    def open_orders(
        self,
        after: datetime,
        before: datetime,
        token: str | None = None,
        urgency: Urgency = Urgency.LIVE,
    ) -> Page:
        """A page of the merchant's orders that are pending or to be shipped; one call.

        Arguments and errors are those of ``changed_orders``.
        """
        filters = {"fulfillmentStatuses": list(_OPEN), "fulfilledBy": ["MERCHANT"]}
        return self._orders(after, before, token, urgency, **filters)

    def _orders(
        self,
        after: datetime,
        before: datetime,
        token: str | None,
        urgency: Urgency,
        **filters: list[str],
    ) -> Page:
        further = {"paginationToken": token} if token else {}
        page = self._connection.ask(
            _Page,
            operations.SEARCH_ORDERS,
            marketplaceIds=list(self.marketplace_ids),
            lastUpdatedAfter=iso(after),
            lastUpdatedBefore=iso(before),
            includedData=list(INCLUDED_DATA),
            maxResultsPerPage=_ORDERS_A_PAGE,
            urgency=urgency,
            **filters,
            **further,
        )
        until = min(page.last_updated_before or before, before)
        return Page(tuple(map(self._read, page.orders)), until, page.pagination.next_token)

    def has_spare_searches(self, besides: int = 0) -> bool:
        """True if more than half of the burst of ``changed_orders`` is left.

        Args:
            besides: Calls that must be left beyond that half.
        """
        return self._connection.has_spare(operations.SEARCH_ORDERS, besides)

    def order(self, order_id: str, *, as_is: bool = False) -> Order | UnreadableOrder:
        """One order as it is now, whatever its status.

        Args:
            order_id: Amazon's.
            as_is: Accept the total that Amazon states, even if its figures contradict each other.

        Raises:
            ItemError: ``not_found``, or ``order_refused`` if it isn't an order id.
        """
        response = self._connection.ask(
            _Single, operations.GET_ORDER, order_id, includedData=list(INCLUDED_DATA)
        )
        found = read_order_as_is(response.order) if as_is else self._read(response.order)
        if isinstance(found, UnreadableOrder):
            return replace(found, order_id=order_id)
        if found.order_id != order_id:
            raise Transient("Amazon returned another order than the requested one.")
        return found

    def confirm_shipment(self, shipment: Shipment) -> None:
        """Confirm a shipment; the same ``package_reference_id`` again edits it.

        Raises:
            ItemError: ``shipment_refused`` with Amazon's reason, or ``not_found``.
        """
        response = self._connection.call(
            operations.CONFIRM_SHIPMENT,
            shipment.order_id,
            hide=shipment.tracking_number,
            **confirmation(shipment),
        )
        if response.status != httpx.codes.NO_CONTENT:
            raise Transient(
                f"Unexpected response to confirmShipment: HTTP {response.status} (expected 204).",
                maybe_done=True,
            )

    def submit_cancellations(self, cancellations: Sequence[Cancellation]) -> str:
        """Ask Amazon to cancel orders, all in one feed; at most one feed in 20 minutes.

        Returns:
            The feed's id. Save it, with the orders in their sequence, before polling its state.
        """
        content = cancellation_document(self._seller_id, cancellations)
        feed_id = self._feeds.submit(FEED_TYPE, content, CONTENT_TYPE)
        log.info("feed_submitted", feed_id=feed_id, orders=len(cancellations))
        return feed_id

    def is_cancelling(self, since: datetime) -> bool:
        """True if a feed of cancellations created since then isn't processed yet."""
        return self._feeds.is_any_pending(FEED_TYPE, since)

    def feed_state(self, feed_id: str) -> FeedState:
        """A feed as it is now.

        Raises:
            ItemError: ``not_found``.
        """
        return self._feeds.state(feed_id)

    def feed_result(
        self, result_document_id: str, order_ids: Sequence[str]
    ) -> dict[str, MessageResult]:
        """Which orders a feed of cancellations has cancelled.

        Args:
            result_document_id: From ``feed_state``.
            order_ids: The orders in the sequence in which they were submitted.

        Raises:
            ItemError: ``not_found``: results are kept for 28 days.
        """
        document = self._feeds.result(result_document_id, largest=LARGEST_REPORT)
        return read_report(document, order_ids)

    def marketplace_participations(self) -> list[Participation]:
        """The marketplaces of the seller in the account's region."""
        response = self._connection.ask(_Participations, operations.GET_MARKETPLACE_PARTICIPATIONS)
        return [
            Participation(
                marketplace_id=entry.marketplace.id,
                participating=entry.participation.is_participating,
                suspended=entry.participation.has_suspended_listings,
            )
            for entry in response.payload
        ]

    def log_in(self) -> None:
        """Get an access token from Login with Amazon, unless there is one."""
        self._connection.log_in()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def _read(self, payload: object) -> Order | UnreadableOrder:
        return read_order(payload, prices_include_tax=self._prices_include_tax)
