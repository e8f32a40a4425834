"""The habits of the simulated Amazon; each may be changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """Durations are in seconds."""

    rate_multiplier: float = 1.0
    """1 is what Amazon documents; a demo takes 1000, so as not to wait."""
    token_lifetime: float = 3600
    search_delay: float = 0
    """How long a change stays invisible to searchOrders (getOrder shows it at once)."""
    package_delay: float = 0
    """How long a confirmed shipment stays invisible everywhere."""
    unique_tracking_numbers: bool = False
    """confirmShipment refuses a tracking number that another order of the seller has."""
    feed_queue_time: float = 30
    feed_work_time: float = 60
    compress_feed_results: bool = False
    report_queue_time: float = 30
    report_work_time: float = 60
    compress_reports: bool = True
    negative_discounts: bool = False
    """Amazon documents no sign of DISCOUNT; a client must get along with both."""
    search_lag: float = 0
    """So much earlier than it might, searchOrders stops to speak of changes; its answer says so."""
    drifting_pages: bool = False
    """Pages are cut anew at each call, so that orders changed between them repeat or slip."""
    repeating_search: bool = False
    """searchOrders shows orders twice: as they are, and after that as they were a change ago."""
    lagging_search: bool = False
    """searchOrders shows orders as they were a change ago, even if it has shown them newer."""
