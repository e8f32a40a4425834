"""The product map: which Odoo product is meant by a seller's SKU or a code of Amazon's.

A CSV file with the columns ``kind`` (``item``, ``shipping`` or ``gift_wrap``), ``marketplace``
(a country code; empty: all), ``code``, ``internal_reference`` and ``units``; or a YAML file with a
list of mappings of these keys. ``kind`` may be left out where it is ``item``, ``units`` where it is
1: how many pieces of the product in Odoo are one unit on Amazon, such as of a set of six.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from amazon_bridge.marketplaces import marketplace

ITEM, SHIPPING, GIFT_WRAP = "item", "shipping", "gift_wrap"
_KINDS = (ITEM, SHIPPING, GIFT_WRAP)
_COLUMNS = ("kind", "marketplace", "code", "internal_reference", "units")
_WHOLE_NUMBER = re.compile("0*[1-9][0-9]{0,4}")
_MOST_PROBLEMS = 5

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
    references: dict[Key, str] = {}
    units: dict[Key, int] = {}
    problems = []
    for number, entry in enumerate(_entries(path, _text(path)), start=1):
        row = _row(entry)
        problem = _unknown(entry) or _problem(row, references)
        if problem:
            problems.append(f"entry {number} {problem}")
        else:
            references[_key(row)] = row["internal_reference"]
            units[_key(row)] = int(row["units"] or 1)
    if problems:
        more = [f"and {len(problems) - _MOST_PROBLEMS} more"] * (len(problems) > _MOST_PROBLEMS)
        raise ValueError(f"{path}: {'; '.join([*problems[:_MOST_PROBLEMS], *more])}")
    return ProductMap(references, units)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is not UTF-8 text") from None


def _entries(path: Path, text: str) -> Iterable[Mapping[Any, Any]]:
    return _yaml(path, text) if path.suffix.lower() in {".yaml", ".yml"} else _csv(path, text)


def _row(entry: Mapping[Any, Any]) -> Mapping[str, str]:
    cells = {column: entry.get(column) for column in _COLUMNS}
    return {column: "" if cell is None else str(cell).strip() for column, cell in cells.items()}


def _unknown(entry: Mapping[Any, Any]) -> str:
    """What is wrong with the keys of an entry."""
    if _SURPLUS in entry:
        return "has more cells than the first line has columns"
    unknown = ", ".join(repr(str(key)) for key in entry if key not in _COLUMNS)
    return f"has the unknown key {unknown}; known are {', '.join(_COLUMNS)}" if unknown else ""


def _csv(path: Path, text: str) -> Iterator[Mapping[Any, Any]]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restkey=_SURPLUS)
    columns = [column for column in reader.fieldnames or () if column.strip()]
    if not {"code", "internal_reference"} <= set(columns):
        raise ValueError(f"{path}: its first line must name the columns {', '.join(_COLUMNS)}")
    _ensure_known(path, columns)
    for row in reader:  # spreadsheets may end each line with empty cells
        yield {column: cell for column, cell in row.items() if column in _COLUMNS or any(cell)}


_SURPLUS = "(surplus)"
"""The key of cells beyond the last column; their value is a list."""


def _ensure_known(path: Path, columns: Sequence[str]) -> None:
    wrong = [column for column in columns if column not in _COLUMNS]
    wrong += [f"{column} (twice)" for column, n in Counter(columns).items() if n > 1]
    if wrong:
        raise ValueError(
            f"{path}: its first line names columns that are unknown: {', '.join(wrong)};"
            f" known are {', '.join(_COLUMNS)}"
        )


def _yaml(path: Path, text: str) -> list[Mapping[Any, Any]]:
    try:
        found = YAML(typ="safe", pure=True).load(text) or []
    except YAMLError:
        raise ValueError(f"{path} is no YAML") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError(f"{path}: must be a list of mappings with the keys {', '.join(_COLUMNS)}")
    return found


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
        return f"has units that are no whole number from 1 to 99999: {row['units']}"
    return ""
