"""Settings of single SKUs for the job ``stock``, where they differ from the account's.

A CSV file with the columns ``sku``, ``buffer`` (units), ``cap`` (units) and ``push`` (true or
false), or a YAML list of mappings of these keys. What is left empty is the account's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amazon_bridge.config.rows import RowsFile

_COLUMNS = ("sku", "buffer", "cap", "push")
_WHOLE_NUMBER = re.compile("[0-9]{1,6}")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class SkuSetting:
    """What the file says of a SKU; None is the account's."""

    buffer: int | None = None
    cap: int | None = None
    push: bool | None = None


class SkuSettings:
    """Settings by SKU."""

    def __init__(self, by_sku: Mapping[str, SkuSetting]) -> None:
        self._by_sku = dict(by_sku)
        self.any_pushed = any(setting.push for setting in self._by_sku.values())
        """True if a SKU is pushed whatever the account says."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SkuSettings) and self.dump() == other.dump()

    __hash__ = None  # type: ignore[assignment]  # a mapping

    def of(self, sku: str) -> SkuSetting:
        """The settings of a SKU."""
        return self._by_sku.get(sku, _NONE)

    @property
    def named(self) -> frozenset[str]:
        """The SKUs that have settings."""
        return frozenset(self._by_sku)

    def dump(self) -> list[list[str]]:
        """All entries, for a digest."""
        return sorted(
            [sku, *(str(value) for value in (each.buffer, each.cap, each.push))]
            for sku, each in self._by_sku.items()
        )


_NONE = SkuSetting()
NO_SETTINGS = SkuSettings({})


def read_sku_settings(path: Path) -> SkuSettings:
    """Read the settings of SKUs.

    Raises:
        ValueError: It can't be read, or entries are wrong; the first few are named by number.
    """
    file = RowsFile(path, _COLUMNS, {"sku"})
    settings: dict[str, SkuSetting] = {}
    problems = []
    for number, (row, unknown) in enumerate(file.rows(), start=1):
        if problem := unknown or _problem(row, settings):
            problems.append(f"entry {number} {problem}")
        else:
            settings[row["sku"]] = _setting(row)
    if problems:
        raise file.refusal(problems)
    return SkuSettings(settings)


def _problem(row: Mapping[str, str], known: Mapping[str, SkuSetting]) -> str:
    if not row["sku"]:
        return "lacks its sku"
    if row["sku"] in known:
        return "occurs twice"
    for column in ("buffer", "cap"):
        if row[column] and not _WHOLE_NUMBER.fullmatch(row[column]):
            return f"has a {column} that is not a whole number from 0 to 999999: {row[column]}"
    if row["push"] and row["push"].lower() not in _TRUTHS:
        return f"has a push that is neither true nor false: {row['push']}"
    return ""


def _setting(row: Mapping[str, str]) -> SkuSetting:
    return SkuSetting(
        buffer=int(row["buffer"]) if row["buffer"] else None,
        cap=int(row["cap"]) if row["cap"] else None,
        push=_TRUTHS[row["push"].lower()] if row["push"] else None,
    )
