"""``load``: records with external ids out of rows of text, in one transaction, all or none.

As ``load``, ``_extract_records`` and ``ir.fields.converter`` of Odoo 19 do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from memory_odoo.faults import NotPlayed, Refusal, Violation
from memory_odoo.fields import Field

if TYPE_CHECKING:
    from memory_odoo.model import Model

Path = Sequence[str]
Record = dict[str, Any]
Message = dict[str, Any]

OWN_IDS = ("id", ".id")
EXTERNAL_ID = "(external id)"
"""The key of a new line's external id in its values."""


class _Wrong(Exception):
    """A cell that means nothing; the text may name the field as ``{field}``."""


def load(model: Model, fields: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Returns ``{"ids": [...] | False, "messages": [...]}``."""
    store, update = model.store, model.env.context.get("mode", "init") == "update"
    begun = store.begin()
    paths = [tuple(field.split("/")) for field in fields]
    messages: list[Message] = []
    batch = []
    for number, (record, info) in enumerate(_extracted(model, paths, rows)):
        info["record"] = number
        batch.append((record, _converted(model, record, info, messages.append), info))
    ids = _saved(model, batch, messages, update=update)
    if messages:
        store.roll_back(begun)
    return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}


# Rows of cells → records of texts


def _extracted(
    model: Model, paths: Sequence[Path], rows: Sequence[Sequence[str]]
) -> Iterator[tuple[Record, Message]]:
    """The records, each with the numbers of its rows.

    A row that has nothing but lines (one2many fields) goes on with the record above it.
    """
    lines = [n for n, path in enumerate(paths) if _is_lines(model, path[0])]
    own = [n for n in range(len(paths)) if n not in lines]

    def only_lines(row: Sequence[str]) -> bool:
        return any(row[n] for n in lines) and not any(row[n] for n in own)

    start = 0
    while start < len(rows):
        span = [rows[start], *takewhile(only_lines, rows[start + 1 :])]
        record = {path[0]: span[0][n] for n, path in enumerate(paths) if len(path) == 1}
        for name in dict.fromkeys(path[0] for path in paths if len(path) > 1):
            record[name] = _below(model, name, paths, span)
        yield record, {"rows": {"from": start, "to": start + len(span) - 1}}
        start += len(span)


def _is_lines(model: Model, name: str) -> bool:
    return name not in OWN_IDS and model.field(name).type == "one2many"


def _below(
    model: Model, name: str, paths: Sequence[Path], span: Sequence[Sequence[str]]
) -> list[Record]:
    """The records that the cells of one relational field describe."""
    columns = [n for n, path in enumerate(paths) if path[0] == name]
    cells = [[row[n] for n in columns] for row in span]
    other = model.env[str(model.field(name).relation)]
    below = [paths[n][1:] for n in columns]
    return [record for record, _ in _extracted(other, below, [row for row in cells if any(row)])]


# Records of texts → values


def _converted(
    model: Model, record: Record, info: Message, log: Callable[[Message], None]
) -> Record:
    """The values to write; unknown ones are reported to ``log`` and left out."""
    values = {}
    for name, text in record.items():
        if name in OWN_IDS:
            continue
        field = model.field(name)
        try:
            values[name] = _value(model, field, text) if text else False
        except _Wrong as wrong:
            message = str(wrong).format(field=field.title)
            log({**info, "type": "error", "field": name, "message": message})
    return values


def _value(model: Model, field: Field, text: Any) -> Any:
    if field.type == "one2many":
        other = model.env[str(field.relation)]
        return [_line_command(other, field, record) for record in text]
    if field.type == "many2one":
        return _referred(model, field, text[0])
    if field.type == "many2many":
        return [(6, 0, [int(id_) for id_ in text[0][".id"].split(",")])]
    if field.type == "boolean":
        return text.lower() in ("1", "true")
    try:
        return field.stored(text)
    except ValueError:
        raise _Wrong(f"'{text}' does not seem to be a valid {field.type} for field '{{field}}'")  # noqa: B904


def _referred(model: Model, field: Field, reference: Mapping[str, str]) -> int:
    """The record of a database id or of an external id."""
    ((kind, text),) = reference.items()
    if kind == "id":
        entry = model.store.external_id(text)
        if entry:
            return int(entry["res_id"])
        raise _Wrong(f"No matching record found for external id '{text}' in field '{{field}}'")
    if kind != ".id":
        raise NotPlayed(f"a reference to {field.relation} by {kind}")
    if not text.isdecimal():
        raise _Wrong(f"Invalid database id '{text}' for the field '{{field}}'")
    if int(text) not in model.store.table(str(field.relation)):
        raise _Wrong(f"No matching record found for database id '{text}' in field '{{field}}'")
    return int(text)


def _line_command(other: Model, field: Field, record: Record) -> tuple[int, int, Record]:
    """What makes the line, or writes the one that has its external id."""
    wrong: list[Message] = []
    values = _converted(other, record, {}, wrong.append)
    if wrong:
        raise _Wrong(wrong[0]["message"].replace("in field '", f"in field '{field.title}/"))
    external_id = record.get("id")
    entry = model_entry(other, external_id)
    if entry:
        return 1, entry["res_id"], values
    return 0, 0, {**values, EXTERNAL_ID: external_id}


def model_entry(model: Model, external_id: str | None) -> Record | None:
    """The entry of an external id, if it belongs to a record of this model."""
    entry = model.store.external_id(external_id) if external_id else None
    if entry and entry["model"] != model.name:
        raise Refusal(
            f"For external id {external_id} when trying to create/update a record of model"
            f" {model.name} found record of different model {entry['model']} ({entry['id']})"
        )
    return entry


# Values → records


Batch = Sequence[tuple[Record, Record, Message]]


def _saved(model: Model, batch: Batch, messages: list[Message], *, update: bool) -> list[int]:
    """All at once; when that is refused, one by one, to tell which of them are."""
    known = {id(record): _known_id(model, record, info, messages) for record, _, info in batch}
    begun = model.store.begin()

    def save(record: Record, values: Record) -> int:
        return _save(model, record, values, known[id(record)], update=update)

    try:
        return [save(record, values) for record, values, _ in batch]
    except Refusal as refusal:
        # The database's own words are kept for the record that they are about.
        whole = None if isinstance(refusal, Violation) else _message(batch[0][2], refusal)
    refused = []
    for record, values, info in batch:
        model.store.roll_back(begun)
        try:
            save(record, values)
        except Refusal as refusal:
            refused.append(_message(info, refusal))
    assert refused, "what is refused together is refused one by one"
    messages += refused if whole is None or whole in refused else [whole, *refused]
    return []


def _message(info: Message, refusal: Refusal) -> Message:
    field = {"field": refusal.field} if refusal.field else {}
    return {**info, "type": "error", "message": refusal.text, **field}


def _known_id(model: Model, record: Record, info: Message, messages: list[Message]) -> int | None:
    text = record.get(".id")
    if not text or int(text) in model.store.table(model.name):
        return int(text) if text else None
    unknown = f"Unknown database identifier '{text}'"
    messages.append({**info, "type": "error", "field": ".id", "message": unknown})
    return None


def _save(
    model: Model, record: Record, values: Record, known_id: int | None, *, update: bool
) -> int:
    external_id = record.get("id")
    entry = model_entry(model, external_id)
    if entry:
        if not (update and entry["noupdate"]):
            model.change([entry["res_id"]], values)
        return int(entry["res_id"])
    if known_id and not external_id:
        model.change([known_id], values)
        return known_id
    if update and not external_id:
        raise Refusal("Cannot update a record without specifying its id or xml_id")
    id_ = model.create_one(values)
    if external_id:
        noupdate = bool(model.env.context.get("noupdate", False))
        model.store.name_record(external_id, model.name, id_, noupdate=noupdate)
    return id_
