"""What people see of stock: how a figure comes about, and which SKUs are not told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.stock_records import KnownListing, SkuState
from amazon_bridge.flows.stock.decide import Terms
from amazon_bridge.flows.stock.figures import Figured
from amazon_bridge.job import PendingItem, PendingList
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.odoo.availability import Part

_NOT_TOLD = (
    SkuState.UNPROVEN,
    SkuState.NO_PRODUCT,
    SkuState.NOT_COUNTED,
    SkuState.VANISHED,
    SkuState.HELD,
    SkuState.REFUSED,
    SkuState.WAITING,
)


def not_told(ledger: Ledger, account: str, most: int) -> PendingList:  # noqa: ARG001
    """The SKUs whose figure Amazon isn't told, or not yet, each with the reason."""
    found = ledger.stock.in_states(account, _NOT_TOLD)
    items = [
        PendingItem(
            each.sku,
            each.since,
            f"{each.state}: {each.note}",
            {"sku": each.sku, "state": str(each.state), "reason": each.note},
        )
        for each in found
        if each.since
    ]
    return PendingList(items, len(items))


def summary(ledger: Ledger, account: str) -> dict[str, int]:
    """The numbers of an account's SKUs, as status, page and metrics show them."""
    counts = ledger.stock.counts(account)
    unknown = counts[SkuState.NO_PRODUCT] + counts[SkuState.NOT_COUNTED] + counts[SkuState.VANISHED]
    differing = (SkuState.WAITING, SkuState.DUE, SkuState.REFUSED, SkuState.HELD)
    apart = (SkuState.UNPROVEN, SkuState.OFF)
    return {
        "watched": counts.total() - unknown - sum(counts[state] for state in apart),
        "sent": counts[SkuState.SENT],
        "differing": sum(counts[state] for state in differing),
        "refused": counts[SkuState.REFUSED],
        "held": counts[SkuState.HELD],
        "unknown": unknown,
        "unproven": counts[SkuState.UNPROVEN],
    }


def explain(figured: Figured) -> str:
    """How a figure comes about, in one line."""
    if figured.terms is None or figured.availability is None:
        return figured.note
    terms = figured.terms
    parts = figured.availability.parts
    stock = _stock(parts[0]) if not figured.availability.is_kit else f"kit of {len(parts)} parts"
    return f"{stock} = {number(terms.left)} left, {', '.join(_deductions(terms))}"


def _stock(part: Part) -> str:
    incoming = f" + {number(part.incoming)} incoming" if part.incoming else ""
    return f"{number(part.on_hand)} on hand - {number(part.outgoing)} outgoing{incoming}"


def _deductions(terms: Terms) -> Iterator[str]:
    if terms.share != 100:  # noqa: PLR2004
        yield f"share {number(terms.share)} %"
    yield f"buffer {terms.buffer}"
    yield f"in flight {terms.in_flight}"
    yield f"units {terms.units}"
    yield f"cap {terms.cap if terms.cap is not None else 'none'}"


def lines(figured: Figured, listings: Iterable[KnownListing]) -> Iterator[str]:
    """Each term of a figure, and what Amazon has, a line each."""
    yield f"  Amazon's figure: {amazons(listings)}"
    if figured.terms is None or figured.availability is None:
        yield f"  our figure: none. {figured.note}"
        return
    terms = figured.terms
    yield f"  our figure: {terms.figure}"
    for part in figured.availability.parts:
        yield from _part_lines(part, is_kit=figured.availability.is_kit)
    yield f"  left: {number(terms.left)}"
    yield f"  share: {number(terms.share)} %"
    yield f"  buffer: {terms.buffer}"
    yield f"  in flight: {terms.in_flight}"
    yield f"  units: {terms.units}"
    yield f"  cap: {'none' if terms.cap is None else terms.cap}"


def _part_lines(part: Part, *, is_kit: bool) -> Iterator[str]:
    indent = "    " if is_kit else "  "
    if is_kit:
        yield f"  component {part.product_id}, {number(part.needed)} in each kit:"
    yield f"{indent}on hand: {number(part.on_hand)}"
    yield f"{indent}outgoing: {number(part.outgoing)}"
    yield f"{indent}incoming: {number(part.incoming)}"


def amazons(listings: Iterable[KnownListing]) -> str:
    """Amazon's figure; by country where they differ."""
    shown = {_country(each.marketplace_id): _figure(each) for each in listings if not each.gone}
    figures = set(shown.values())
    if len(figures) <= 1:
        return next(iter(figures), "no listing")
    return " ".join(f"{country}={figure}" for country, figure in shown.items())


def _figure(listing: KnownListing) -> str:
    expected: Any = listing.expected
    return "unknown" if expected is None else str(expected)


def _country(marketplace_id: str) -> str:
    place = marketplace(marketplace_id)
    return place.country_code if place else marketplace_id


def number(value: Fraction) -> str:
    """A number as people write it."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
