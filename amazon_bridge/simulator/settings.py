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
