"""Configured values of fields on the records that the bridge creates (``odoo.defaults``).

Odoo's own required fields get their values from the bridge; fields that people have added to
customers, sale orders or their lines, and made required, get these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Defaults = Mapping[str, Mapping[str, str]]
"""Cells of a load by column, by model."""

Cells = Sequence[Sequence[Any]]

_NESTED = {"sale.order": {"order_line": "sale.order.line"}}
"""The fields whose records are loaded together with those of a model, and their models."""


def with_defaults(
    defaults: Defaults, model: str, fields: Sequence[str], rows: Cells
) -> tuple[list[str], list[list[Any]]]:
    """The columns and rows of a load that creates records, with the configured values.

    A column that the load has already stays as it is. A row gets the values of a record only if
    it has that record's external id.
    """
    more = [each for each in _columns(defaults, model) if each[1] not in fields]
    owners = [(fields.index(owner), value) for owner, _, value in more if owner in fields]
    columns = [column for owner, column, _ in more if owner in fields]
    cells = [[*row, *(value if row[owner] else "" for owner, value in owners)] for row in rows]
    return [*fields, *columns], cells


def _columns(defaults: Defaults, model: str) -> Iterator[tuple[str, str, str]]:
    """The column of the record's external id, the column, and its value."""
    for name, value in defaults.get(model, {}).items():
        yield "id", name, value
    for field, below in _NESTED.get(model, {}).items():
        for name, value in defaults.get(below, {}).items():
            yield f"{field}/id", f"{field}/{name}", value
