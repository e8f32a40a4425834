"""The product map: which Odoo product is meant by a seller's SKU or a code of Amazon's.

A CSV file with the columns ``kind`` (``item``, ``shipping`` or ``gift_wrap``), ``marketplace``
(a country code; empty: all), ``code`` and ``internal_reference``; or a YAML file with a list of
mappings of these four keys. ``kind`` may be left out where it is ``item``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from amazon_bridge.marketplaces import marketplace

ITEM, SHIPPING, GIFT_WRAP = "item", "shipping", "gift_wrap"
_KINDS = (ITEM, SHIPPING, GIFT_WRAP)
_COLUMNS = ("kind", "marketplace", "code", "internal_reference")
_MOST_PROBLEMS = 5

Key = tuple[str, str, str]
"""Kind, country code (empty: every marketplace) and code."""


class ProductMap:
    """Internal references of products, by what Amazon calls them."""

    def __init__(self, references: Mapping[Key, str]) -> None:
        self._references = dict(references)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProductMap) and self._references == other._references

    __hash__ = None  # type: ignore[assignment]  # a mapping

    def reference(self, kind: str, marketplace_id: str | None, code: str) -> str | None:
        """The internal reference; the entry of the order's marketplace goes before the others."""
        place = marketplace(marketplace_id or "")
        country_code = place.country_code if place else ""
        return self._references.get((kind, country_code, code)) or self._references.get(
            (kind, "", code)
        )

    def dump(self) -> list[list[str]]:
        """All entries, for a digest."""
        return sorted([*key, reference] for key, reference in self._references.items())


NO_MAP = ProductMap({})


def read_product_map(path: Path) -> ProductMap:
    """Read a product map.

    Raises:
        ValueError: It can't be read, or entries are wrong; the first few are named by number.
    """
    references: dict[Key, str] = {}
    problems = []
    for number, row in enumerate(_rows(path, _text(path)), start=1):
        problem = _problem(row, references)
        if problem:
            problems.append(f"entry {number} {problem}")
        else:
            references[_key(row)] = row["internal_reference"]
    if problems:
        more = [f"and {len(problems) - _MOST_PROBLEMS} more"] * (len(problems) > _MOST_PROBLEMS)
        raise ValueError(f"{path}: {'; '.join([*problems[:_MOST_PROBLEMS], *more])}")
    return ProductMap(references)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is not UTF-8 text") from None


def _rows(path: Path, text: str) -> Iterator[Mapping[str, str]]:
    rows = _yaml(path, text) if path.suffix.lower() in {".yaml", ".yml"} else _csv(path, text)
    for row in rows:
        yield {column: str(row.get(column) or "").strip() for column in _COLUMNS}


def _csv(path: Path, text: str) -> Iterator[Mapping[str, Any]]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    if not {"code", "internal_reference"} <= set(reader.fieldnames or ()):
        raise ValueError(f"{path}: its first line must name the columns {', '.join(_COLUMNS)}")
    yield from reader


def _yaml(path: Path, text: str) -> list[Mapping[str, Any]]:
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
        return "stands there twice"
    return ""
