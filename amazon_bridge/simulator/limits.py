"""Amazon's usage plans: a token bucket for each seller and operation.

Rates and bursts are those that Amazon's models document for each operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from amazon_bridge.simulator.settings import Settings

USAGE_PLANS: dict[str, tuple[float, int]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "confirmShipment": (2, 10),
    "createFeedDocument": (0.5, 15),
    "createFeed": (0.0083, 15),
    "getFeeds": (0.0222, 10),
    "getFeed": (2, 15),
    "cancelFeed": (2, 15),
    "getFeedDocument": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReports": (0.0222, 10),
    "getReport": (2, 15),
    "cancelReport": (0.0222, 10),
    "getReportDocument": (0.0167, 15),
    "getMarketplaceParticipations": (0.016, 15),
    "listTransactions": (0.5, 10),
    "listBalances": (0.5, 10),
    "listSummary": (0.5, 10),
    "getListingsItem": (5, 10),
    "searchListingsItems": (5, 5),
    "patchListingsItem": (5, 5),
}
"""Calls a second, and how many may come at once."""
FEED_PLANS = {"JSON_LISTINGS_FEED": (5 / 300, 5)}
"""Of feed types, besides the plan of createFeed: five in five minutes."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: datetime


class Limits:
    """Counts calls. ``plans`` may be changed while running."""

    def __init__(self, settings: Settings) -> None:
        self.plans = USAGE_PLANS | FEED_PLANS
        self._settings = settings
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def rate(self, operation: str) -> float | None:
        """Calls a second, or None for what has no usage plan."""
        plan = self.plans.get(operation)
        return plan[0] * self._settings.rate_multiplier if plan else None

    def take(self, seller_id: str, operation: str, now: datetime) -> bool:
        """Count a call; False when the seller calls too often."""
        rate = self.rate(operation)
        if rate is None:
            return True
        burst = self.plans[operation][1]
        bucket = self._buckets.setdefault((seller_id, operation), _Bucket(burst, now))
        grown = bucket.tokens + (now - bucket.filled).total_seconds() * rate
        bucket.tokens, bucket.filled = min(burst, grown), now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
