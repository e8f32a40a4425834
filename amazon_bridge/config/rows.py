"""Files of rows that the configuration names: CSV, or a YAML list of mappings of the same keys."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amazon_bridge.config.yaml_text import Texts, parsed

_MOST_PROBLEMS = 5

_SURPLUS = "(surplus)"
"""The key of cells beyond the last column; their value is a list."""


@dataclass(frozen=True, slots=True)
class RowsFile:
    """A file of rows.

    Attributes:
        path: The file. YAML if its name says so, else CSV.
        columns: All that a row may have.
        required: Those that the first line of a CSV file must name.
    """

    path: Path
    columns: Sequence[str]
    required: Collection[str]

    def rows(self) -> Iterator[tuple[Mapping[str, str], str]]:
        """Yield the rows with all columns, and what is wrong with their keys, if anything.

        Raises:
            ValueError: It can't be read.
        """
        for entry in self._entries():
            yield self._row(entry), self._unknown(entry)

    def refusal(self, problems: Sequence[str]) -> ValueError:
        """The error of a file with problems: the first few of them."""
        more = [f"and {len(problems) - _MOST_PROBLEMS} more"] * (len(problems) > _MOST_PROBLEMS)
        return ValueError(f"{self.path}: {'; '.join([*problems[:_MOST_PROBLEMS], *more])}")

    def _entries(self) -> Iterable[Mapping[Any, Any]]:
        text = self._text()
        return (
            self._yaml(text) if self.path.suffix.lower() in {".yaml", ".yml"} else self._csv(text)
        )

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise ValueError(f"{self.path} can't be read: {error.strerror}") from None
        except ValueError:
            raise ValueError(f"{self.path} is not UTF-8 text") from None

    def _row(self, entry: Mapping[Any, Any]) -> Mapping[str, str]:
        cells = {column: entry.get(column) for column in self.columns}
        return {column: "" if cell is None else str(cell).strip() for column, cell in cells.items()}

    def _unknown(self, entry: Mapping[Any, Any]) -> str:
        if _SURPLUS in entry:
            return "has more cells than the first line has columns"
        unknown = ", ".join(repr(str(key)) for key in entry if key not in self.columns)
        if unknown:
            return f"has the unknown key {unknown}; known are {', '.join(self.columns)}"
        nested = ", ".join(key for key, cell in entry.items() if isinstance(cell, dict | list))
        return f"has several values under the key {nested}" if nested else ""

    def _csv(self, text: str) -> Iterator[Mapping[Any, Any]]:
        delimiter = ";" if ";" in text.partition("\n")[0] else ","
        reader = csv.DictReader(
            io.StringIO(text), delimiter=delimiter, restkey=_SURPLUS, strict=True
        )
        try:
            yield from self._csv_rows(reader)
        except csv.Error as error:
            raise ValueError(
                f"{self.path} is not valid CSV: a quotation mark is not closed, or not at the end"
                f" of its cell, up to line {reader.line_num} ({error})"
            ) from None

    def _csv_rows(self, reader: csv.DictReader[str]) -> Iterator[Mapping[Any, Any]]:
        columns = [column for column in reader.fieldnames or () if column.strip()]
        if not set(self.required) <= set(columns):
            names = ", ".join(self.columns)
            raise ValueError(f"{self.path}: its first line must name the columns {names}")
        self._ensure_known(columns)
        for row in reader:  # spreadsheets may end each line with empty cells
            yield {
                column: cell
                for column, cell in row.items()
                if column in self.columns or any(cell or ())
            }

    def _ensure_known(self, columns: Sequence[str]) -> None:
        wrong = [column for column in columns if column not in self.columns]
        wrong += [f"{column} (twice)" for column, n in Counter(columns).items() if n > 1]
        if wrong:
            raise ValueError(
                f"{self.path}: its first line names columns that are unknown: {', '.join(wrong)};"
                f" known are {', '.join(self.columns)}"
            )

    def _yaml(self, text: str) -> list[Mapping[Any, Any]]:
        try:
            found = parsed(text, Texts) or []
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            keys = ", ".join(self.columns)
            raise ValueError(f"{self.path}: must be a list of mappings with the keys {keys}")
        return found
