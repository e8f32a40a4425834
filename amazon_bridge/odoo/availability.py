"""What is on hand, what is to leave and what is expected of products, at an account's locations.

Odoo's own ``qty_available`` and ``outgoing_qty`` of a product take a location with all of its
children, the goods at Amazon among them, and mislead for kits. So the rows that Odoo computes them
from are read and summed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from amazon_bridge.odoo.kits import Product, read_products
from amazon_bridge.odoo.moments import timestamp
from amazon_bridge.odoo.paging import plain_rows
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.stock_places import StockPlaces

_OPEN = ("waiting", "confirmed", "assigned", "partially_available")
"""The states of moves that Odoo counts as outgoing or incoming."""


@dataclass(frozen=True, slots=True)
class Part:
    """The pieces of one product; of a kit, of one of its components."""

    product_id: int
    on_hand: Fraction = Fraction(0)
    outgoing: Fraction = Fraction(0)
    """What is to leave; or what is reserved, if that was asked for."""
    incoming: Fraction = Fraction(0)
    needed: Fraction = Fraction(1)
    """Pieces in one piece of the product."""

    @property
    def left(self) -> Fraction:
        """Pieces that nobody was promised; less than 0 if too many were."""
        return self.on_hand - self.outgoing + self.incoming


@dataclass(frozen=True, slots=True)
class Availability:
    """The stock of one product."""

    product_id: int
    parts: tuple[Part, ...]
    """Itself, or the components of a kit. Without any, Odoo doesn't count its stock."""
    is_kit: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Which quantities are asked for.

    Attributes:
        places: Where the goods must be.
        reserved_only: Only reserved goods count as outgoing.
        until: Goods expected until then count; None: none.
    """

    places: StockPlaces
    reserved_only: bool = False
    until: datetime | None = None


def read_availability(
    session: OdooSession, product_ids: Collection[int], question: Question
) -> dict[int, Availability]:
    """Read the stock of at most a page of products; four calls, more for kits.

    Returns:
        By product id. Products that were deleted are absent.
    """
    products, kits = read_products(session, product_ids, question.places.company_id)
    counted = _counted(products, {*product_ids, *(part for k in kits.values() for part in k)})
    parts = _parts(session, counted, question)
    return {
        id_: Availability(id_, _of(parts, kits.get(id_, {id_: Fraction(1)})), id_ in kits)
        for id_ in product_ids
        if id_ in products
    }


def _counted(products: Mapping[int, Product], ids: Collection[int]) -> list[int]:
    return sorted(id_ for id_ in ids if id_ in products and products[id_].is_counted)


def _of(parts: Mapping[int, Part], needs: Mapping[int, Fraction]) -> tuple[Part, ...]:
    """The parts that Odoo counts the stock of; the others are never missing."""
    return tuple(
        Part(part.product_id, part.on_hand, part.outgoing, part.incoming, needed)
        for id_, needed in needs.items()
        if (part := parts.get(id_))
    )


def _parts(session: OdooSession, ids: Collection[int], question: Question) -> dict[int, Part]:
    if not ids:
        return {}
    of = ("product_id", "in", list(ids))
    fields = ["quantity", "reserved_quantity"]
    at = question.places.within("location_id")
    on_hand, reserved = _sums(session, "stock.quant", [of, *at], fields)
    outgoing = reserved if question.reserved_only else _outgoing(session, of, question)
    incoming = _incoming(session, of, question)
    return {id_: Part(id_, on_hand[id_], outgoing[id_], incoming[id_]) for id_ in ids}


Sums = defaultdict[int, Fraction]
"""Quantities by product id."""


def _sums(
    session: OdooSession, model: str, domain: Sequence[Any], fields: Sequence[str]
) -> list[Sums]:
    """Sum each field by product. Odoo's own sums name each product, which takes it longer."""
    found = [Sums(Fraction) for _ in fields]
    for row in plain_rows(session, model, domain, ["product_id", *fields]):
        for sums, field in zip(found, fields, strict=True):
            sums[row["product_id"]] += Fraction(str(row[field]))
    return found


def _outgoing(session: OdooSession, of: Any, question: Question) -> Sums:
    """Moves out of the locations to any other place."""
    places = question.places
    domain = [
        of,
        ("state", "in", list(_OPEN)),
        *places.within("location_id"),
        "!",
        *_ends_within(session, places),
    ]
    return _sums(session, "stock.move", domain, ["product_qty"])[0]


def _incoming(session: OdooSession, of: Any, question: Question) -> Sums:
    """Moves into the locations from any other place that are due in time."""
    if question.until is None:
        return Sums(Fraction)
    places = question.places
    domain = [
        of,
        ("state", "in", list(_OPEN)),
        ("date", "<=", timestamp(question.until)),
        "!",
        *places.within("location_id"),
        *_ends_within(session, places),
    ]
    return _sums(session, "stock.move", domain, ["product_qty"])[0]


def _ends_within(session: OdooSession, places: StockPlaces) -> list[Any]:
    """The condition that a move, or the chain of moves that it begins, ends at the locations."""
    if not session.capabilities.has_final_location:
        return places.within("location_dest_id")
    has_end = ("location_final_id", "!=", False)
    return [
        "|",
        "&",
        has_end,
        *places.within("location_final_id"),
        "&",
        ("location_final_id", "=", False),
        *places.within("location_dest_id"),
    ]
