"""Checks of Odoo's responses.

A module, a rule or a proxy can remove fields or replace their values. Without these checks that
would look like a bug of the bridge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from amazon_bridge.engine.errors import ItemError

Row = dict[str, Any]


def unexpected(what: str) -> ItemError:
    """The error for a response that Odoo should never give."""
    return ItemError(
        "odoo_answer",
        f"Unexpected response from Odoo: {what}.",
        "Look for an Odoo module, or a proxy in front of Odoo, that changes responses;"
        " `amazon-bridge check` shows whether this version of Odoo is tested.",
    )


def rows(model: str, response: Any, fields: Iterable[str]) -> list[Row]:
    """The records of a response, each with its ``id`` and these fields.

    Raises:
        ItemError: The response has another shape.
    """
    if not isinstance(response, list) or not all(isinstance(row, dict) for row in response):
        raise unexpected(f"expected records of {model}")
    for row in response:
        _check(model, row, fields)
    return response


def tree(model: str, response: Any, fields: Mapping[str, Any]) -> list[Row]:
    """The records in the response to ``web_search_read``, with those nested in them.

    Raises:
        ItemError: The response has another shape.
    """
    return branches(model, response.get("records") if _is_dict(response) else None, fields)


def branches(model: str, records: Any, fields: Mapping[str, Any]) -> list[Row]:
    """Records with those nested in them.

    Raises:
        ItemError: The response has another shape.
    """
    leaves = [name for name, below in fields.items() if not below]
    found = _rows_of_ids(model, records, leaves)
    for name, below in fields.items():
        for row in found if below else ():
            if name not in row:
                raise unexpected(f"{model} without the field {name}")
            value = row[name]
            if value is not False:
                branches(f"{model}.{name}", value if isinstance(value, list) else [value], below)
    return found


def _rows_of_ids(model: str, records: Any, fields: Iterable[str]) -> list[Row]:
    """Records whose relations are ids without names."""
    if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
        raise unexpected(f"expected records of {model}")
    for row in records:
        if not _is_id(row.get("id")):
            raise unexpected(f"a record of {model} without an id")
        for name in fields:
            if name not in row:
                raise unexpected(f"{model} without the field {name}")
            if not (isinstance(row[name], bool | int | float | str) or _are_ids(row[name])):
                raise unexpected(f"the field {name} of {model} has a value of another type")
    return records


def _check(model: str, row: Mapping[str, Any], fields: Iterable[str]) -> None:
    if not _is_id(row.get("id")):
        raise unexpected(f"a record of {model} without an id")
    for name in fields:
        if name not in row:
            raise unexpected(f"{model} without the field {name}")
        if not _is_possible(name, row[name]):
            raise unexpected(f"the field {name} of {model} has a value of another type")


def _is_possible(name: str, value: Any) -> bool:
    """True if a field may hold the value. By Odoo's guidelines, relations end in _id or _ids."""
    if name == "id":
        return True
    if name.endswith("_ids"):
        return _are_ids(value)
    if name.endswith("_id") and name not in _NO_REFERENCES:
        return value is False or _is_reference(value)
    return isinstance(value, bool | int | float | str) or _is_reference(value) or _are_ids(value)


_NO_REFERENCES = {"res_id", "tax_id", "taxes_id"}
"""The first is a plain number; the others hold several taxes, for all their names."""


def _is_reference(value: Any) -> bool:
    """A record by id and name."""
    match value:
        case [id_, str() | False]:
            return _is_id(id_)
    return False


def _are_ids(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_id, value))


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def metadata(model: str, response: Any) -> list[Row]:
    """The records of ``get_metadata``, each with its external ids in ``xmlids``.

    Odoo 15 sends only a record's oldest one, as ``xmlid``.

    Raises:
        ItemError: The response has another shape.
    """
    found = rows(model, response, ())
    for row in found:
        if row.get("xmlid") is not None and "xmlids" not in row:
            row["xmlids"] = [{"xmlid": row["xmlid"]}] if row["xmlid"] else []
        entries = row.get("xmlids")
        if not isinstance(entries, list) or not all(_has_name(entry) for entry in entries):
            raise unexpected(f"{model} without external ids")
    return found


def _has_name(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("xmlid"), str)


def loaded(model: str, response: Any) -> tuple[list[int], list[Row]]:
    """The ids and the messages in the response to ``load``.

    Raises:
        ItemError: The response has another shape.
    """
    if not isinstance(response, dict):
        raise unexpected(f"expected the ids of loaded {model}")
    ids, messages = response.get("ids") or [], response.get("messages") or []
    if not _are_ids(ids) or not _are_dicts(messages):
        raise unexpected(f"expected the ids of loaded {model}")
    return ids, messages


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _are_dicts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_dict, value))


def fields(model: str, response: Any) -> Mapping[str, Row]:
    """The attributes by field in the response to ``fields_get``.

    Raises:
        ItemError: The response has another shape.
    """
    if not _is_dict(response) or not all(map(_is_dict, response.values())):
        raise unexpected(f"expected the fields of {model}")
    found: Mapping[str, Row] = response
    return found


def reference(name: str, response: Any) -> int | None:
    """The database id from ``check_object_reference``; None if the login may not see the record.

    Raises:
        ItemError: The response has another shape.
    """
    match response:
        case [str(), int() as id_]:
            return id_ or None
    raise unexpected(f"expected the record of the external id {name}")


def plain_rows(model: str, response: Any, fields: Iterable[str]) -> list[Row]:
    """The records of a response, each record that a many2one names as its id alone.

    Raises:
        ItemError: The response has another shape.
    """
    if not isinstance(response, list) or not _are_dicts(response):
        raise unexpected(f"expected records of {model}")
    names = ["id", *fields]
    if not all(name in row for row in response for name in names):
        raise unexpected(f"{model} without the fields {', '.join(names)}")
    return [{name: _plain(row[name]) for name in names} for row in response]


def _plain(value: Any) -> Any:
    return value[0] if _is_reference(value) else value


def id_of(reference: Any) -> int | None:
    """The id of a many2one, which has a name beside it unless it is read in a tree.

    None if the field is empty.
    """
    if isinstance(reference, list):
        return int(reference[0])
    return int(reference) if reference else None


def groups(model: str, response: Any, fields: Iterable[str]) -> list[Row]:
    """The groups of a ``read_group``, each with these fields.

    Raises:
        ItemError: The response has another shape.
    """
    names = list(fields)
    if not isinstance(response, list) or not _are_dicts(response):
        raise unexpected(f"expected groups of {model}")
    if not all(name in row for row in response for name in names):
        raise unexpected(f"groups of {model} without the fields {', '.join(names)}")
    return response
