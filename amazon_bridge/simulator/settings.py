"""Settings of the simulated Amazon; all may be changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """Durations are in seconds."""

    rate_multiplier: float = 1.0
    """1 is what Amazon documents; the demo uses 1000 to avoid waiting."""
    token_lifetime: float = 3600
    search_delay: float = 0
    """Time until searchOrders shows a change (getOrder shows it at once)."""
    package_delay: float = 0
    """Time until a confirmed shipment is visible."""
    unique_tracking_numbers: bool = False
    """confirmShipment refuses a tracking number that another order of the seller has."""
    feed_queue_time: float = 30
    feed_work_time: float = 60
    compress_feed_results: bool = False
    report_queue_time: float = 30
    report_work_time: float = 60
    compress_reports: bool = True
    negative_discounts: bool = False
    """The sign of DISCOUNT; Amazon documents none, so clients must support both."""
    search_lag: float = 0
    """Seconds of recent changes that searchOrders leaves out; its ``lastUpdatedBefore`` says so."""
    drifting_pages: bool = False
    """Each page is cut from the current list, so that changed orders repeat or are skipped."""
    repeating_search: bool = False
    """searchOrders returns orders twice: as they are, then as they were one change ago."""
    lagging_search: bool = False
    """searchOrders returns orders as they were one change ago, even if it returned newer ones."""
    listing_delay_shortest: float = 0
    """Accepted updates of listings take effect after a random time, of so many seconds at least."""
    listing_delay_longest: float = 0
    """Amazon needs up to 15 minutes."""
    shared_quantities: bool = False
    """An update in one marketplace also changes the seller's others; Amazon documents neither."""
    generic_product_type: bool = True
    """Updates may name the product type PRODUCT; Amazon's examples do, its rules don't say so."""
    stuck_feeds: float = 0
    """The share of listings feeds that get stuck, in processing."""
    stuck_feed_time: float = 3 * 3600
    """Seconds until a stuck feed is processed after all."""
    listings_report_age: float = 0
    """Seconds for which a report of listings repeats the contents of the one before."""
    defer_days: float = 0
    """The money of shipments is available after so many days; Amazon's delivery date policy: 7."""
    transaction_delay: float = 0
    """Seconds until listTransactions shows a transaction; Amazon's model speaks of 48 hours."""
    names_open_settlements: bool = True
    """Transactions have the id of their settlement while it is open; Amazon documents neither."""
    proceeds_with_reserves: bool = True
    """The net proceeds of listSummary are after reserves; Amazon documents neither."""
    holds_payouts: bool = False
    """Balances have a payout until its deposit date; otherwise until the settlement's end."""
