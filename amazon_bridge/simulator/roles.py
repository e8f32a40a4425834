"""The roles of an application, and what each of them allows.

Amazon's pages "Role Mappings for SP-API Operations" and "... Types", "Feeds API", "Get orders with
filtering criteria", "Settlement Reports" and "Inventory Reports": one of the roles is enough. A
feed or a report also needs one of the roles of its type.
"""

from __future__ import annotations

from collections.abc import Iterable

FULFILLMENT = "Amazon Fulfillment"
DELIVERY = "Direct-to-Consumer Delivery"
FINANCE = "Finance and Accounting"
LISTING = "Product Listing"
TRACKING = "Inventory and Order Tracking"
_SHIPPING = "Direct-to-Consumer Shipping"

APPLICATION = frozenset({DELIVERY, FINANCE, LISTING, TRACKING})
"""The roles of the simulated application: few, so that no other one makes up for a missing one."""

_FEEDS = frozenset({
    FULFILLMENT, "Brand Analytics", _SHIPPING, TRACKING, "Payment Initiation Service Provider",
    "Pricing", LISTING, "Tax Invoicing",
})  # fmt: skip
_REPORTS = frozenset({
    FULFILLMENT, "Brand Analytics", _SHIPPING, FINANCE, TRACKING, "Pricing", LISTING,
    "Selling Partner Insights", "Tax Invoicing", "Tax Remittance",
})  # fmt: skip
_ORDERS = frozenset({
    FULFILLMENT, "Buyer Communication", "Buyer Solicitation", FINANCE, TRACKING, "Pricing", LISTING,
    "Professional Services", "Selling Partner Insights", _SHIPPING, "Tax Invoicing",
    "Tax Remittance",
})  # fmt: skip

OPERATIONS: dict[str, frozenset[str]] = {
    "searchOrders": _ORDERS,
    "getOrder": _ORDERS,
    "confirmShipment": frozenset({TRACKING, _SHIPPING}),
    "createFeedDocument": _FEEDS,
    "createFeed": _FEEDS,
    "getFeeds": _FEEDS,
    "getFeed": _FEEDS,
    "cancelFeed": _FEEDS,
    "getFeedDocument": _FEEDS,
    "createReport": _REPORTS,
    "getReports": _REPORTS,
    "getReport": _REPORTS,
    "cancelReport": _REPORTS,
    "getReportDocument": _REPORTS,
    "getListingsItem": frozenset({LISTING}),
    "searchListingsItems": frozenset({LISTING}),
    "patchListingsItem": frozenset({LISTING}),
    "listTransactions": frozenset({FINANCE}),
    "listBalances": frozenset({FINANCE}),
    "listSummary": frozenset({FINANCE}),
    "getMarketplaceParticipations": frozenset({FINANCE, "Selling Partner Insights"}),
}
FEED_TYPES: dict[str, frozenset[str]] = {
    "JSON_LISTINGS_FEED": frozenset({TRACKING, LISTING}),
    "POST_ORDER_ACKNOWLEDGEMENT_DATA": frozenset({TRACKING, _SHIPPING}),
}
REPORT_TYPES: dict[str, frozenset[str]] = {
    "GET_MERCHANT_LISTINGS_ALL_DATA": frozenset({TRACKING, LISTING}),
    "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2": frozenset({FINANCE}),
}
"""None of these contains data of buyers, so none needs a restricted data token."""

KNOWN = frozenset().union(
    APPLICATION, *OPERATIONS.values(), *FEED_TYPES.values(), *REPORT_TYPES.values()
)


def are_enough(roles: Iterable[str], missing: Iterable[str]) -> bool:
    """True if the application has one of the roles, or none is needed."""
    needed = frozenset(roles)
    return not needed or bool(needed & (APPLICATION - frozenset(missing)))
