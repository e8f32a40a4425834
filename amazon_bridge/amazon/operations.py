"""The operations of the Selling Partner API that the bridge calls.

Rates and bursts are those of Amazon's models (default usage plans, per seller and operation);
roles those of Amazon's page "Role Mappings for SP-API Operations": one of them is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amazon_bridge.amazon.sdk import (
    FeedsClient,
    FinancesClient,
    ListingsClient,
    OrdersClient,
    ReportsClient,
    SellersClient,
    ShipmentsClient,
)
from amazon_bridge.engine.throttle import Limit

_ORDERS_ROLE = "Inventory and Order Tracking"
_SELLERS_ROLE = "Selling Partner Insights"
_LISTINGS_ROLE = "Product Listing"
_FINANCES_ROLE = "Finance and Accounting"
_LISTING_REMEDY = (
    "Look the SKU up in Seller Central (Manage All Inventory) and correct what Amazon names, then"
    " run `amazon-bridge quarantine retry` with the SKU."
)
_REPORT_ROLE = "Product Listing (for listings) or Finance and Accounting (for settlements)"
_REPORT_REMEDY = (
    "Amazon keeps reports for 90 days. If Seller Central still shows the report, run"
    " `amazon-bridge quarantine retry` with the item's id. If that fails again, please report it."
)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation, and what its failures mean.

    Attributes:
        name: Amazon's.
        client: The library's class.
        function: Its method.
        limit: Amazon's rate and burst.
        role: That the application needs.
        writes: It changes something: if the response is lost, it may have succeeded.
        refused: Kind of the error of one item when Amazon refuses the request (HTTP 400); None: a
            refusal concerns the account.
        remedy: For an item that Amazon refuses or doesn't find, unless it is an order.
    """

    name: str
    client: type
    function: Callable[..., Any]
    limit: Limit
    role: str
    writes: bool = False
    refused: str | None = None
    remedy: str = ""


SEARCH_ORDERS = Operation(
    "searchOrders", OrdersClient, OrdersClient.search_orders, Limit(0.0056, 20), _ORDERS_ROLE
)
GET_ORDER = Operation(
    "getOrder",
    OrdersClient,
    OrdersClient.get_order,
    Limit(0.5, 30),
    _ORDERS_ROLE,
    refused="order_refused",
)
CONFIRM_SHIPMENT = Operation(
    "confirmShipment",
    ShipmentsClient,
    ShipmentsClient.confirm_shipment,
    Limit(2, 10),
    _ORDERS_ROLE,
    writes=True,
    refused="shipment_refused",
)
CREATE_FEED_DOCUMENT = Operation(
    "createFeedDocument",
    FeedsClient,
    FeedsClient.create_document,
    Limit(0.5, 15),
    _ORDERS_ROLE,  # a document that no feed uses does nothing: to create one writes nothing
)
CREATE_FEED = Operation(
    "createFeed",
    FeedsClient,
    FeedsClient.create,
    Limit(0.0083, 15),
    _ORDERS_ROLE,
    writes=True,
)
GET_FEEDS = Operation("getFeeds", FeedsClient, FeedsClient.search, Limit(0.0222, 10), _ORDERS_ROLE)
GET_FEED = Operation(
    "getFeed", FeedsClient, FeedsClient.feed, Limit(2, 15), _ORDERS_ROLE, refused="feed_refused"
)
GET_FEED_DOCUMENT = Operation(
    "getFeedDocument",
    FeedsClient,
    FeedsClient.document,
    Limit(0.0222, 10),
    _ORDERS_ROLE,
    refused="feed_refused",
)
CREATE_REPORT = Operation(
    "createReport",
    ReportsClient,
    ReportsClient.create,
    Limit(0.0167, 15),
    _REPORT_ROLE,
    writes=True,
)
GET_REPORTS = Operation(
    "getReports", ReportsClient, ReportsClient.search, Limit(0.0222, 10), _REPORT_ROLE
)
GET_REPORT = Operation(
    "getReport",
    ReportsClient,
    ReportsClient.report,
    Limit(2, 15),
    _REPORT_ROLE,
    refused="report_refused",
    remedy=_REPORT_REMEDY,
)
GET_REPORT_DOCUMENT = Operation(
    "getReportDocument",
    ReportsClient,
    ReportsClient.document,
    Limit(0.0167, 15),
    _REPORT_ROLE,
    refused="report_refused",
    remedy=_REPORT_REMEDY,
)
GET_LISTING = Operation(
    "getListingsItem",
    ListingsClient,
    ListingsClient.get_listings_item,
    Limit(5, 10),
    _LISTINGS_ROLE,
    refused="stock_refused",
    remedy=_LISTING_REMEDY,
)
PATCH_LISTING = Operation(
    "patchListingsItem",
    ListingsClient,
    ListingsClient.patch_listings_item,
    Limit(5, 5),
    _LISTINGS_ROLE,
    writes=True,
    refused="stock_refused",
    remedy=_LISTING_REMEDY,
)
LIST_TRANSACTIONS = Operation(
    "listTransactions",
    FinancesClient,
    FinancesClient.transactions,
    Limit(0.5, 10),
    _FINANCES_ROLE,
)
LIST_BALANCES = Operation(
    "listBalances", FinancesClient, FinancesClient.balances, Limit(0.5, 10), _FINANCES_ROLE
)
LIST_SUMMARY = Operation(
    "listSummary", FinancesClient, FinancesClient.summary, Limit(0.5, 10), _FINANCES_ROLE
)
GET_MARKETPLACE_PARTICIPATIONS = Operation(
    "getMarketplaceParticipations",
    SellersClient,
    SellersClient.get_marketplace_participation,
    Limit(0.016, 15),
    _SELLERS_ROLE,
)

ALL = (
    SEARCH_ORDERS,
    GET_ORDER,
    CONFIRM_SHIPMENT,
    CREATE_FEED_DOCUMENT,
    CREATE_FEED,
    GET_FEEDS,
    GET_FEED,
    GET_FEED_DOCUMENT,
    CREATE_REPORT,
    GET_REPORTS,
    GET_REPORT,
    GET_REPORT_DOCUMENT,
    GET_LISTING,
    PATCH_LISTING,
    LIST_TRANSACTIONS,
    LIST_BALANCES,
    LIST_SUMMARY,
    GET_MARKETPLACE_PARTICIPATIONS,
)

LISTINGS_FEED = "JSON_LISTINGS_FEED"

LIMITS = {operation.name: operation.limit for operation in ALL} | {
    LISTINGS_FEED: Limit(5 / 300, 5),  # five in five minutes, besides the rate of createFeed
}
"""For the throttle."""
