"""The rows of a ``load``: checked before they are sent, and Odoo's messages about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amazon_bridge.engine.errors import BridgeError, ItemError, ItemErrors, Transient
from amazon_bridge.odoo import responses
from amazon_bridge.odoo.faults import CORRECT_IN_ODOO
from amazon_bridge.odoo.personal import of_buyers, without_personal_data
from amazon_bridge.odoo.postgresql import is_momentary

Rows = Sequence[Sequence[Any]]


class LoadError(ItemError):
    """Odoo refused rows of a load, and therefore all of them.

    Attributes:
        messages: Odoo's text by the number of the row where the refused record begins. Empty
            when Odoo didn't say which row it was. A row without a message may be refused in
            the next attempt: Odoo stops after ten errors.
    """

    def __init__(self, messages: Mapping[int, str], reason: str) -> None:
        super().__init__("odoo_refused", f"Odoo refused: {reason}", CORRECT_IN_ODOO)
        self.messages = dict(messages)

    def by_owner(self, owners: Sequence[str]) -> ItemErrors:
        """The same, by the keys of the items that the rows belong to."""
        return ItemErrors(
            {owners[row]: LoadError({row: text}, text) for row, text in self.messages.items()}
        )


def refuse_duplicates(fields: Sequence[str], rows: Rows) -> None:
    """Assert that no record is in the load twice: Odoo would silently double its lines."""
    for column in _columns_of_own_ids(fields):
        ids = [row[column] for row in rows if row[column]]
        assert len(ids) == len(set(ids)), f"external ids twice in column {fields[column]}"


def loaded_ids(model: str, fields: Sequence[str], rows: Rows, response: Any) -> list[int]:
    """The database ids in Odoo's response to a load.

    Raises:
        LoadError: Odoo refused some rows, or loaded fewer records than it was given.
        Transient: Another transaction was in the way.
        ItemError: The response can't be understood.
    """
    ids, messages = responses.loaded(model, response)
    if errors := [each for each in messages if each.get("type") == "error"]:
        raise _load_error(errors, len(rows), of_buyers(model, "load", (fields, rows)))
    own = [column for column in _columns_of_own_ids(fields) if "/" not in fields[column]]
    expected = sum(any(row[column] for column in own) for row in rows) if own else len(ids) or 1
    if len(ids) != expected:
        raise LoadError({}, f"{len(ids)} of {expected} records were loaded, without a message.")
    return ids


def _columns_of_own_ids(fields: Sequence[str]) -> list[int]:
    """The columns with ids of the loaded records; others refer to records that exist already."""
    columns = []
    for number, field in enumerate(fields):
        parent, _, last = field.rpartition("/")
        siblings = [other for other in fields if other != field and other.startswith(f"{parent}/")]
        if last in {"id", ".id"} and (not parent or siblings):
            columns.append(number)
    return columns


def _load_error(
    messages: Sequence[Mapping[str, Any]], rows: int, sent: Sequence[Any]
) -> BridgeError:
    texts = [(_row(message), _text(message, sent)) for message in messages]
    if any(is_momentary(str(message.get("message"))) for message in messages):
        return Transient(f"Odoo's database was busy: {texts[0][1]}")
    if len(texts) > 1 and texts[0][0] == 0 and not messages[0].get("field"):
        # Odoo repeats the error of the whole batch at its first row, be it that row's or not.
        texts = texts[1:]
    by_row = {row: text for row, text in reversed(texts) if row is not None and row < rows}
    return LoadError(by_row, texts[0][1])


def _row(message: Mapping[str, Any]) -> int | None:
    match message.get("rows"):
        case {"from": int() as row}:
            return row
    return None


def _text(message: Mapping[str, Any], sent: Sequence[Any]) -> str:
    text = without_personal_data(str(message.get("message")), sent)
    field = message.get("field")
    return f"{field}: {text}" if isinstance(field, str) and field else text
