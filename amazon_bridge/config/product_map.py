"""The product map: which Odoo product is meant by a seller's SKU or a code of Amazon's.

A CSV file with the columns ``kind`` (``item``, ``shipping`` or ``gift_wrap``), ``marketplace``
(a country code; empty: all), ``code``, ``internal_reference`` and ``units``; or a YAML file with a
list of mappings of these keys. ``kind`` may be left out where it is ``item``, ``units`` where it is
1: how many pieces of the product in Odoo are one unit on Amazon, such as of a set of six.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from amazon_bridge.config.rows import RowsFile
from amazon_bridge.marketplaces import marketplace

ITEM, SHIPPING, GIFT_WRAP = "item", "shipping", "gift_wrap"
_KINDS = (ITEM, SHIPPING, GIFT_WRAP)
_COLUMNS = ("kind", "marketplace", "code", "internal_reference", "units")
_WHOLE_NUMBER = re.compile("0*[1-9][0-9]{0,4}")

Key = tuple[str, str, str]
"""Kind, country code (empty: every marketplace) and code."""


class ProductMap:
    """Internal references of products, by what Amazon calls them.

    Args:
        references: the internal references.
        units: pieces of the product that are one unit on Amazon, where they are several.
    """

    def __init__(
        self, references: Mapping[Key, str], units: Mapping[Key, int] | None = None
    ) -> None:
        self._references = dict(references)
        self._units = {key: number for key, number in (units or {}).items() if number != 1}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProductMap) and self.dump() == other.dump()

    __hash__ = None  # type: ignore[assignment]  # a mapping

    def reference(self, kind: str, marketplace_id: str | None, code: str) -> str | None:
        """The internal reference; the entry of the order's marketplace goes before the others."""
        return self._references.get(self._key(kind, marketplace_id, code))

    def units(self, marketplace_id: str | None, code: str) -> int:
        """How many pieces of its product are one unit of an item; 1 if the map does not say."""
        return self._units.get(self._key(ITEM, marketplace_id, code), 1)

    def _key(self, kind: str, marketplace_id: str | None, code: str) -> Key:
        place = marketplace(marketplace_id or "")
        key = (kind, place.country_code if place else "", code)
        return key if key in self._references else (kind, "", code)

    def dump(self) -> list[list[str]]:
        """All entries, for a digest."""
        return sorted(
            [*key, reference, *([str(self._units[key])] if key in self._units else [])]
            for key, reference in self._references.items()
        )


NO_MAP = ProductMap({})


def read_product_map(path: Path) -> ProductMap:
    """Read a product map.

    Raises:
        ValueError: It can't be read, or entries are wrong; the first few are named by number.
    """
    file = RowsFile(path, _COLUMNS, {"code", "internal_reference"})
    references: dict[Key, str] = {}
    units: dict[Key, int] = {}
    problems = []
    for number, (row, unknown) in enumerate(file.rows(), start=1):
        problem = unknown or _problem(row, references)
        if problem:
            problems.append(f"entry {number} {problem}")
        else:
            references[_key(row)] = row["internal_reference"]
            units[_key(row)] = int(row["units"] or 1)
    if problems:
        raise file.refusal(problems)
    return ProductMap(references, units)


def _key(row: Mapping[str, str]) -> Key:
    place = marketplace(row["marketplace"].upper())
    return row["kind"] or ITEM, place.country_code if place else "", row["code"]


def _problem(row: Mapping[str, str], known: Mapping[Key, str]) -> str:
    if row["kind"] and row["kind"] not in _KINDS:
        return f"has a kind that is none of {', '.join(_KINDS)}"
    if row["marketplace"] and not marketplace(row["marketplace"].upper()):
        return "names no marketplace of Amazon"
    if not row["code"] or not row["internal_reference"]:
        return "lacks its code or its internal_reference"
    if _key(row) in known:
        return "occurs twice"
    return _units_problem(row)


def _units_problem(row: Mapping[str, str]) -> str:
    if row["units"] and row["kind"] not in {"", ITEM}:
        return f"has units, which only the kind {ITEM} can have"
    if row["units"] and not _WHOLE_NUMBER.fullmatch(row["units"]):
        return f"has units that are not a whole number from 1 to 99999: {row['units']}"
    return ""
