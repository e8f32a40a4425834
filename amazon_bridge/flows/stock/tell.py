"""What people see of stock: how a quantity comes about, and which SKUs are not sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import structlog

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.stock_records import KnownListing, SkuState
from amazon_bridge.flows.outbound import Run
from amazon_bridge.flows.stock.decide import Terms
from amazon_bridge.flows.stock.quantities import Computed
from amazon_bridge.job import PendingItem, PendingList
from amazon_bridge.marketplaces import country_of
from amazon_bridge.model import WITHOUT_ID
from amazon_bridge.odoo.availability import Part

log = structlog.get_logger(__name__)

_NOT_SENT = (
    SkuState.HELD,
    SkuState.REFUSED,
    SkuState.NO_PRODUCT,
    SkuState.NOT_COUNTED,
    SkuState.WAITING,
    SkuState.VANISHED,
    SkuState.UNPROVEN,
)
"""Those that people can do something about come first, FBA listings last."""


def quarantine(run: Run, errors: Mapping[str, ItemError]) -> None:
    """Quarantine SKUs, or rows of a report; without activities, as a fault may concern them all."""
    announced = run.quarantine(errors, {})
    if run.context.dry_run:
        return
    for key, error in announced.items():
        name, about = run.context.name, {"kind": error.kind, "reason": error.reason}
        log.warning("stock_quarantined", account=name, key=key, **about)


def not_sent(ledger: Ledger, account: str, most: int | None) -> PendingList:
    """The SKUs whose quantity isn't sent to Amazon, or not yet, each with the reason."""
    nameless = list(_nameless(ledger, account))
    counts = ledger.stock.counts(account)
    number = sum(counts[state] for state in _NOT_SENT) + len(nameless)
    return PendingList([*nameless, *_skus_not_sent(ledger, account, most)], number)


def _skus_not_sent(ledger: Ledger, account: str, most: int | None) -> Iterator[PendingItem]:
    for each in ledger.stock.in_states(account, _NOT_SENT, most):
        if each.since:
            facts = {"sku": each.sku, "state": str(each.state), "reason": each.note}
            yield PendingItem(each.sku, each.since, f"{each.state}: {each.note}", facts)


_WITHOUT_SKU = (
    "Amazon names no SKU of this order: until it is in Odoo, no quantity is increased. If it is"
    " quarantined, `quarantine list` says what to do."
)
_WITHOUT_ID = (
    "Amazon names neither the id of this order nor a SKU: for a day, no quantity is increased."
    " `quarantine list` says what to do."
)


def _nameless(ledger: Ledger, account: str) -> Iterator[PendingItem]:
    """Orders in flight without a SKU, while which no quantity is increased."""
    for order in ledger.in_flight.orders(account, ""):
        reason = _WITHOUT_ID if order.order_id.startswith(WITHOUT_ID) else _WITHOUT_SKU
        facts = {"sku": "", "order": order.order_id, "state": "waiting", "reason": reason}
        yield PendingItem(order.order_id, order.since, reason, facts)


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


def drifts(ledger: Ledger, account: str) -> int:
    """How often Amazon was found to show another quantity than was sent."""
    return ledger.stock_comparisons.progress(account).drifts


def explain(computed: Computed) -> str:
    """How a quantity comes about, in one line."""
    if computed.terms is None or computed.availability is None:
        return computed.note
    terms = computed.terms
    parts = computed.availability.parts
    stock = _stock(parts[0]) if not computed.availability.is_kit else f"kit of {len(parts)} parts"
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


def lines(computed: Computed, listings: Iterable[KnownListing]) -> Iterator[str]:
    """Each term of a quantity, and what Amazon has, a line each."""
    yield f"  Amazon's quantity: {amazons(listings)}"
    if computed.terms is None or computed.availability is None:
        yield f"  our quantity: none. {computed.note}"
        return
    terms = computed.terms
    yield f"  our quantity: {terms.quantity}"
    for part in computed.availability.parts:
        yield from _part_lines(part, is_kit=computed.availability.is_kit)
    yield f"  left: {number(terms.left)}"
    yield f"  share: {number(terms.share)} %"
    yield f"  buffer: {terms.buffer}"
    more = " or more: the units of an order can't be read" if terms.unclear else ""
    yield f"  in flight: {terms.in_flight}{more}"
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
    """Amazon's quantity; by country where they differ."""
    by_country = {
        country_of(each.marketplace_id): _quantity(each) for each in listings if not each.gone
    }
    quantities = set(by_country.values())
    if len(quantities) <= 1:
        return next(iter(quantities), "no listing")
    return " ".join(f"{country}={quantity}" for country, quantity in by_country.items())


def _quantity(listing: KnownListing) -> str:
    expected: Any = listing.expected
    return "unknown" if expected is None else str(expected)


def number(value: Fraction) -> str:
    """A number as people write it."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
