"""How long orders and shipments took, as Prometheus histograms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from prometheus_client.core import HistogramMetricFamily

from amazon_bridge.engine.durations import Durations
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.events import OrderEvent
from amazon_bridge.model import FulfilledBy

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
BUCKETS = (
    *(n * _MINUTE for n in (1, 2, 5, 7, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 4, 8, 12)),
    *(n * _DAY for n in (1, 2, 4, 7, 14, 30)),
)
"""Seconds. Of the bounds by which the state store counts, so that each bucket is exact."""

CHANNELS: Mapping[str, str] = {FulfilledBy.MERCHANT: "FBM", FulfilledBy.AMAZON: "FBA"}


def histograms(ledger: Ledger, others: Collection[str]) -> Iterator[HistogramMetricFamily]:
    """All durations that the state store has ever counted, without those of other accounts."""
    imports = HistogramMetricFamily(
        "amazon_bridge_order_import_seconds",
        "From the purchase on Amazon to the complete sale order in Odoo.",
        labels=["account", "channel"],
    )
    confirmations = HistogramMetricFamily(
        "amazon_bridge_shipment_confirmation_seconds",
        "From the done delivery order in Odoo to its confirmation to Amazon.",
        labels=["account"],
    )
    for (account, event, fulfilled_by), durations in ledger.statistics.durations().items():
        if account in others:
            continue
        if event == OrderEvent.IMPORTED:
            labels = [account, CHANNELS.get(fulfilled_by, "")]
            imports.add_metric(labels, _buckets(durations), durations.seconds)
        elif event == OrderEvent.CONFIRMED:
            confirmations.add_metric([account], _buckets(durations), durations.seconds)
    yield from (imports, confirmations)


def _buckets(durations: Durations) -> list[tuple[str, float]]:
    finite = [(str(float(bucket)), durations.within(bucket)) for bucket in BUCKETS]
    return [*finite, ("+Inf", durations.count)]
