"""Kits: products that are shipped as their components, by a bill of materials of the type Kit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from amazon_bridge.odoo.paging import plain_rows
from amazon_bridge.odoo.session import OdooSession, chunks

_DEEPEST = 10
"""Levels of kits within kits; Odoo refuses circles when a bill of materials is saved."""

_BOM_FIELDS = ("product_id", "product_tmpl_id", "product_qty", "product_uom_id")
_LINE_FIELDS = ("bom_id", "product_id", "product_qty", "product_uom_id")
_VARIANTS = "bom_product_template_attribute_value_ids"
"""Of a line: the variants that it is for; empty: all."""
_VALUES = "product_template_attribute_value_ids"
"""Of a variant."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product as far as its stock is concerned."""

    id: int
    template_id: int
    unit_id: int
    is_counted: bool
    """Odoo counts its stock."""
    values: frozenset[int] = frozenset()
    """Of its attributes: what makes it this variant."""


Needs = Mapping[int, Fraction]
"""Pieces of each component that one piece of a product needs, by product id."""


@dataclass(slots=True)
class _Known:
    products: dict[int, Product] = field(default_factory=dict)
    kits: dict[int, dict[int, Fraction]] = field(default_factory=dict)
    """By kit, what one piece needs, components that are kits themselves included."""


def read_products(
    session: OdooSession, ids: Collection[int], company_id: int
) -> tuple[dict[int, Product], dict[int, Needs]]:
    """Read products and, of the kits among them, what one piece of each needs.

    Args:
        session: a login.
        ids: of product variants.
        company_id: whose bills of materials count.

    Returns:
        The products and all components by id; and the components of each kit, those that are kits
        themselves replaced by their own.
    """
    known, pending = _Known(), set(ids)
    for _ in range(_DEEPEST):
        if not pending:
            break
        known.products |= _products(session, pending)
        found = _kits(
            session, [known.products[i] for i in pending if i in known.products], company_id
        )
        known.kits |= found
        pending = {part for needs in found.values() for part in needs} - known.products.keys()
    kits: dict[int, Needs] = {i: _exploded(known, i) for i in ids if i in known.kits}
    return known.products, kits


def _products(session: OdooSession, ids: Collection[int]) -> dict[int, Product]:
    name, value = session.capabilities.storable_product
    fields = [
        "product_tmpl_id",
        "uom_id",
        name,
        *([_VALUES] if session.capabilities.has_kits else []),
    ]
    of, every = [("id", "in", sorted(ids))], {"active_test": False}
    return {
        row["id"]: Product(
            row["id"],
            row["product_tmpl_id"],
            row["uom_id"],
            is_counted=row[name] == value,
            values=frozenset(row.get(_VALUES, ())),
        )
        for row in plain_rows(session, "product.product", of, fields, every)
    }


def _kits(
    session: OdooSession, products: Collection[Product], company_id: int
) -> dict[int, dict[int, Fraction]]:
    """What a piece of each product needs that is a kit."""
    if not (products and session.capabilities.has_kits):
        return {}
    boms = _boms(session, products, company_id)
    if not boms:
        return {}
    lines = _lines(session, {bom["id"] for bom in boms.values()})
    units = _Units(session, [*boms.values(), *(line for each in lines.values() for line in each)])
    attributes = _attributes(session, lines)
    by_id = {product.id: product for product in products}
    parts = _products(session, {line["product_id"][0] for each in lines.values() for line in each})
    found = {}
    for id_, bom in boms.items():
        product = by_id[id_]
        used = [line for line in lines[bom["id"]] if _is_for(line, product, attributes)]
        found[id_] = _needs(product, bom, used, parts, units)
    return found


def _boms(
    session: OdooSession, products: Collection[Product], company_id: int
) -> dict[int, dict[str, Any]]:
    """The bill of materials of each kit: the first in Odoo's own order."""
    templates = sorted({product.template_id for product in products})
    domain = [
        ("type", "=", "phantom"),
        ("company_id", "in", [False, company_id]),
        "|",
        ("product_id", "in", sorted(product.id for product in products)),
        "&",
        ("product_id", "=", False),
        ("product_tmpl_id", "in", templates),
    ]
    rows = session.search_read("mrp.bom", domain, _BOM_FIELDS, order="sequence, product_id, id")
    found: dict[int, dict[str, Any]] = {}
    for product in products:
        of = [row for row in rows if _is_of(row, product)]
        if of:
            found[product.id] = of[0]
    return found


def _is_of(bom: Mapping[str, Any], product: Product) -> bool:
    if bom["product_id"]:
        return bool(bom["product_id"][0] == product.id)
    return bool(bom["product_tmpl_id"][0] == product.template_id)


def _lines(session: OdooSession, bom_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    by_bom: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for page in chunks(sorted(bom_ids)):
        fields = [*_LINE_FIELDS, _VARIANTS]
        for row in session.search_read("mrp.bom.line", [("bom_id", "in", page)], fields):
            by_bom[row["bom_id"][0]].append(row)
    return by_bom


def _attributes(
    session: OdooSession, lines: Mapping[int, Collection[Mapping[str, Any]]]
) -> dict[int, int]:
    """The attribute of each attribute value that a line is for."""
    values = {value for each in lines.values() for line in each for value in line[_VARIANTS]}
    if not values:
        return {}
    rows = session.read("product.template.attribute.value", sorted(values), ["attribute_id"])
    return {row["id"]: row["attribute_id"][0] for row in rows}


def _is_for(line: Mapping[str, Any], product: Product, attributes: Mapping[int, int]) -> bool:
    """True if the variant has, of each attribute that the line names, one of the named values."""
    named: defaultdict[int, set[int]] = defaultdict(set)
    for value in line[_VARIANTS]:
        named[attributes.get(value, 0)].add(value)
    return all(values & product.values for values in named.values())


def _needs(
    product: Product,
    bom: Mapping[str, Any],
    lines: Collection[Mapping[str, Any]],
    parts: Mapping[int, Product],
    units: _Units,
) -> dict[int, Fraction]:
    output = _exact(bom["product_qty"]) * units.ratio(bom["product_uom_id"][0], product.unit_id)
    needs: dict[int, Fraction] = {}
    for line in lines:
        part = line["product_id"][0]
        ratio = units.ratio(line["product_uom_id"][0], parts[part].unit_id)
        needs[part] = needs.get(part, Fraction(0)) + _exact(line["product_qty"]) * ratio / output
    return {part: needed for part, needed in needs.items() if needed > 0}


class _Units:
    """Ratios between units of measure: their factors are inverse before Odoo 19."""

    def __init__(self, session: OdooSession, rows: Collection[Mapping[str, Any]]) -> None:
        self._session = session
        self._factors: dict[int, Fraction] = {}
        self._is_inverse = not session.fields_of("uom.uom", ["relative_factor"])
        self._read({row["product_uom_id"][0] for row in rows})

    def _read(self, ids: Collection[int]) -> None:
        for row in self._session.read("uom.uom", sorted(ids), ["factor"]):
            factor = _exact(row["factor"])
            self._factors[row["id"]] = 1 / factor if self._is_inverse and factor else factor

    def ratio(self, unit_id: int, other_id: int) -> Fraction:
        """How many of the other unit are one of this unit."""
        if unit_id == other_id:
            return Fraction(1)
        self._read({unit_id, other_id} - self._factors.keys())
        one, other = self._factors.get(unit_id), self._factors.get(other_id)
        ratio = one / other if one and other else Fraction(1)
        return ratio.limit_denominator(1_000_000)


def _exploded(known: _Known, id_: int) -> dict[int, Fraction]:
    needs: dict[int, Fraction] = {}
    for part, needed in _leaves(known, id_, Fraction(1), 0):
        needs[part] = needs.get(part, Fraction(0)) + needed
    return needs


def _leaves(
    known: _Known, id_: int, number: Fraction, depth: int
) -> Iterator[tuple[int, Fraction]]:
    if id_ not in known.kits or depth == _DEEPEST:
        yield id_, number
        return
    for part, needed in known.kits[id_].items():
        yield from _leaves(known, part, number * needed, depth + 1)


def _exact(number: float) -> Fraction:
    """The decimal number that a float stands for."""
    return Fraction(str(number))
