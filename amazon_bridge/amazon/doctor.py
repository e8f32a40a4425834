"""Checks an account at Amazon: what works, and how to fix what doesn't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from amazon_bridge.amazon.reports import Report
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.amazon.settlements import REPORT_TYPE
from amazon_bridge.engine.errors import BridgeError, ItemError
from amazon_bridge.marketplaces import Marketplace
from amazon_bridge.model import Finding, FulfilledBy, FulfillmentStatus, Order

_REPORTS_KEPT = timedelta(days=90)
_MISSING_SKU = "amazon-bridge-check"

_TO_SHIP = (FulfillmentStatus.UNSHIPPED, FulfillmentStatus.PARTIALLY_SHIPPED)

Probe = Callable[[SellingPartner, datetime], Iterable[Finding]]
"""Read-only calls of a job, now."""


def examine(
    partner: SellingPartner,
    marketplaces: Sequence[Marketplace],
    probes: Sequence[Probe] = (),
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Finding]:
    """Make read-only calls: a token, the seller's marketplaces, and the jobs' probes.

    Never raises for what it finds: a refusal is a finding.
    """
    now = clock()
    try:
        partner.log_in()
    except BridgeError as error:
        return [Finding(ok=False, what=f"Amazon: {error.reason}", remedy=error.remedy)]
    return [
        Finding(ok=True, what="Amazon: the credentials are accepted."),
        *_examine_marketplaces(partner, marketplaces),
        *(finding for probe in probes for finding in probe(partner, now)),
    ]


def _examine_marketplaces(
    partner: SellingPartner, marketplaces: Sequence[Marketplace]
) -> Iterator[Finding]:
    try:
        participations = {p.marketplace_id: p for p in partner.marketplace_participations()}
    except BridgeError as error:
        yield Finding(ok=False, what=f"Amazon: {error.reason}", remedy=error.remedy)
        return
    for each in marketplaces:
        found = participations.get(each.marketplace_id)
        takes_part = found is not None and found.participating
        yield Finding(
            ok=takes_part,
            what=f"Amazon: the seller {'sells' if takes_part else 'does not sell'}"
            f" in {each.country_code} ({each.domain}).",
            remedy="" if takes_part else "Correct `marketplaces` of the account, or its seller.",
        )
        if found is not None and found.suspended:
            advice = "Look at Account Health in Seller Central."
            what = f"Amazon: some listings in {each.country_code} are suspended."
            yield Finding(ok=True, what=what, remedy=advice)


def examine_orders(partner: SellingPartner, now: datetime) -> Iterator[Finding]:
    """Read the orders of one hour: fields that Amazon withholds show which roles are missing."""
    until = now - timedelta(minutes=3)
    try:
        page = partner.changed_orders(until - timedelta(hours=1), until).orders
    except BridgeError as error:
        yield Finding(ok=False, what=f"Amazon: {error.reason}", remedy=error.remedy)
        return
    yield Finding(ok=True, what="Amazon: orders can be read.")
    to_ship = [order for order in page if isinstance(order, Order) and _needs_address(order)]
    if any(not (order.address and order.address.lines) for order in to_ship):
        yield Finding(
            ok=False,
            what="Amazon: the addresses of merchant-fulfilled orders are withheld.",
            remedy="Ask Amazon for the role Direct-to-Consumer Delivery for the application, then"
            " authorise it again.",
        )


def _needs_address(order: Order) -> bool:
    """True if the merchant has to ship it: Amazon shows the address then, unless a role lacks."""
    return order.fulfilled_by is FulfilledBy.MERCHANT and order.status in _TO_SHIP


def examine_feeds(partner: SellingPartner, now: datetime) -> Iterator[Finding]:
    """Read the feeds of a day: cancellations are sent as feeds."""
    since = now - timedelta(days=1)
    yield _examined(lambda: partner.is_cancelling(since), "feeds can be read")


def examine_listings(partner: SellingPartner, now: datetime) -> Iterator[Finding]:
    """Read a listing that doesn't exist, and the feeds: Amazon refuses both without the role."""
    yield _examined(lambda: _get_missing_listing(partner), "listings can be read")
    since = now - timedelta(days=1)
    what = "feeds of listings can be read"
    yield _examined(lambda: partner.listings.is_any_feed_pending(since), what)


def examine_settlements(partner: SellingPartner, now: datetime) -> Iterator[Finding]:
    """Read the balances, and list the settlement reports: some sellers get none at first."""
    yield _examined(partner.finances.balances, "balances can be read")
    found: list[Report] = []
    listed = _examined(
        lambda: found.extend(partner.settlement_reports.created_since(now - _REPORTS_KEPT)),
        "reports of settlements can be listed",
    )
    yield listed
    if listed.ok and not found and _had_orders(partner, now - timedelta(days=31)):
        yield Finding(
            ok=True,
            what="Amazon: no settlement report is listed, although there were orders a month ago.",
            remedy="Ask Amazon's Seller Support to enable the settlement report"
            f" {REPORT_TYPE} for the seller.",
        )


def _had_orders(partner: SellingPartner, until: datetime) -> bool:
    try:
        return bool(partner.changed_orders(until - timedelta(days=7), until).orders)
    except BridgeError:
        return False


def _get_missing_listing(partner: SellingPartner) -> None:
    try:
        partner.listings.get(_MISSING_SKU, partner.marketplace_ids[0])
    except ItemError as error:
        if error.kind != "not_found":
            raise


def _examined(call: Callable[[], object], what: str) -> Finding:
    try:
        call()
    except BridgeError as error:
        return Finding(ok=False, what=f"Amazon: {error.reason}", remedy=error.remedy)
    return Finding(ok=True, what=f"Amazon: {what}.")
