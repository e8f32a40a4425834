"""What all models of the in-memory Odoo can: create, write, read, search, be found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from memory_odoo import loading
from memory_odoo.domains import holds, matches, required
from memory_odoo.faults import NotPlayed, lacks, protected
from memory_odoo.fields import Field, moment, one

if TYPE_CHECKING:
    from memory_odoo.server import Environment

Method = TypeVar("Method", bound=Callable[..., Any])
Values = Mapping[str, Any]


def public(method: Method) -> Method:
    """May be called from outside."""
    method.__dict__["is_public"] = True
    return method


SOURCE = "en_US"
"""The language of what isn't translated."""

MAGIC = {
    "id": Field("integer"),
    "create_date": moment(),
    "write_date": moment(),
    "create_uid": one("res.users"),
    "display_name": Field("char", compute=lambda model, id_: model.title_of(id_)),
}


class Model:
    """A model, with its fields and methods. Methods take ids, as in Odoo's external API."""

    name: ClassVar[str]
    title: ClassVar[str] = ""
    order: ClassVar[str] = "id"
    parent: ClassVar[str | None] = None
    """The field of its tree."""
    fields: ClassVar[Mapping[str, Field]]

    def __init__(self, env: Environment) -> None:
        self.env, self.store = env, env.store

    # For the other models

    def field(self, name: str) -> Field:
        field = self.fields.get(name) or MAGIC.get(name)
        if field is None:
            raise NotPlayed(f"the field {name} of {self.name}")
        return field

    def ids(self) -> list[int]:
        return list(self.store.table(self.name))

    def get(self, id_: int, name: str) -> Any:
        """A field's value; a many2one's is an id or False."""
        field = self.field(name)
        if field.compute:
            return field.compute(self, id_)
        if field.type == "one2many":
            return self._lines(id_, field)
        row = self.store.row(self.name, id_)
        if field.translated and self.env.language != SOURCE:
            name = _in(self.env.language, name) if _in(self.env.language, name) in row else name
        return row.get(name, field.empty)

    def value(self, id_: int, path: str) -> Any:
        """The value at the end of a path; a list where it leads through several records."""
        name, _, rest = path.partition(".")
        value, field = self.get(id_, name), self.field(name)
        if not rest:
            return value
        other = self.env[str(field.relation)]
        if field.is_to_many:
            return _flat(other.value(each, rest) for each in value)
        return other.value(value, rest) if value else other.field(rest.partition(".")[0]).empty

    def _lines(self, id_: int, field: Field) -> list[int]:
        other = self.env[str(field.relation)]
        return other.found([(field.inverse, "=", id_)])

    def found(
        self, domain: Sequence[Any], order: str | None = None, *, active_test: bool = True
    ) -> list[int]:
        """The ids of a domain, in order."""
        named = {str(term[0]) for term in domain if not isinstance(term, str)}
        if active_test and "active" in self.fields and "active" not in named:
            domain = [*domain, ("active", "=", True)]
        domain = [self._resolved(term) for term in domain]
        candidates = self._candidates(domain) or self.ids()[:1]  # one, to refuse unknown fields
        ids = [id_ for id_ in candidates if matches(domain, partial(self.value, id_))]
        return self._sorted(ids, order or self.order)

    def _candidates(self, domain: Sequence[Any]) -> list[int]:
        """The records whose stored fields match: these are compared fast, and first."""
        rows = self.store.table(self.name)
        leaves = [leaf for leaf in required(domain) if self._is_stored(leaf[0])]
        for name, operator, wanted in leaves:
            empty = self.field(name).empty
            if operator in ("=", "in") and (name == "id" or self.field(name).type == "many2one"):
                ids = self._indexed(name, [wanted] if operator == "=" else wanted)
                rows = {id_: rows[id_] for id_ in ids if id_ in rows}
            rows = {
                i: row for i, row in rows.items() if holds(row.get(name, empty), operator, wanted)
            }
        return list(rows)

    def _is_stored(self, name: str) -> bool:
        field = self.fields.get(name) or MAGIC.get(name)
        return field is not None and field.is_stored

    def _indexed(self, name: str, values: Iterable[Any]) -> list[int]:
        """The ids of the records with one of these values, in order."""
        if name == "id":
            return sorted(set(values))
        index = self.store.index(self.name, name)
        return sorted({id_ for value in values for id_ in index.get(value, ())})

    def _resolved(self, term: Any) -> Any:
        """A condition on a tree of records, with the records of the trees."""
        if isinstance(term, str) or term[1] != "child_of":
            return term
        name, field = term[0], self.field(term[0])
        other = self if name == "id" else self.env[str(field.relation)]
        if other.parent is None:
            raise NotPlayed(f"{term} in a domain of {self.name}")
        found = set(term[2])
        while below := {i for i in other.ids() if other.get(i, other.parent) in found} - found:
            found |= below
        return (name, "in", sorted(found))

    def _sorted(self, ids: list[int], order: str) -> list[int]:
        for part in reversed(order.split(",")):
            name, _, direction = part.strip().partition(" ")
            if name == "id" and not direction:
                ids.sort()
                continue
            ids.sort(key=lambda id_: _rank(self.get(id_, name)), reverse=direction == "desc")
        return ids

    def title_of(self, id_: int) -> str:
        """How a many2one shows the record."""
        return str(self.get(id_, "name"))

    # Create, write, unlink

    def create_one(self, values: Values) -> int:
        given = dict(values)
        lines = {n: given.pop(n) for n in list(given) if self.field(n).type == "one2many"}
        given |= self.default_get([name for name in self.fields if name not in given])
        self.check(given)
        id_ = self.store.insert(self.name, self._stored(given, [], creating=True))
        self.write_lines(id_, lines)
        return id_

    def check(self, values: Values) -> None:
        """Refuse what a record of this model must not be."""
        for name, field in self.fields.items():
            if field.required and not values.get(name):
                raise lacks(field.title, name, self.title, self.name)

    def change(self, ids: Iterable[int], values: Values) -> None:
        for id_ in ids:
            plain = {n: v for n, v in values.items() if self.field(n).type != "one2many"}
            lines = {n: v for n, v in values.items() if n not in plain}
            if (self.name, id_) in self.env.protected:
                raise protected(self.title, "write", id_)
            row = self.store.row(self.name, id_)
            self.store.update(self.name, id_, self._stored(plain, row, creating=False))
            self.write_lines(id_, lines)

    def _stored(self, values: Values, row: Any, *, creating: bool) -> dict[str, Any]:
        stored = {}
        for name, value in values.items():
            field = self.field(name)
            if field.compute:
                raise NotPlayed(f"writing {name} of {self.name}")
            if field.type == "many2many":
                stored[name] = _linked([] if creating else row.get(name, []), value)
            else:
                stored |= self._texts(name, field.stored(value), creating=creating)
            if field.type == "many2one" and stored[name]:
                self.env[str(field.relation)].store.row(str(field.relation), stored[name])
        return stored

    def _texts(self, name: str, value: Any, *, creating: bool) -> dict[str, Any]:
        """A value as it is kept: a translated one under the call's language.

        What is created in another language than English is its own source, too.
        """
        if not self.field(name).translated or self.env.language == SOURCE:
            return {name: value}
        translation = {_in(self.env.language, name): value}
        return {name: value, **translation} if creating else translation

    def write_lines(self, id_: int, lines: Mapping[str, Any]) -> None:
        """Work the commands on one2many fields: ``(0, 0, values)`` and ``(1, id, values)``."""
        for name, commands in lines.items():
            field = self.field(name)
            other, owner = self.env[str(field.relation)], {str(field.inverse): id_}
            for command, line_id, values in commands or ():
                if command == 0:
                    self._create_line(other, {**values, **owner})
                elif command == 1:
                    other.change([line_id], {**values, **owner})
                else:
                    raise NotPlayed(f"the command {command} on {name} of {self.name}")

    def _create_line(self, other: Model, values: dict[str, Any]) -> None:
        external_id = values.pop(loading.EXTERNAL_ID, None)
        line_id = other.create_one(values)
        if external_id:
            self.store.name_record(external_id, other.name, line_id, noupdate=True)

    def delete(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            self.store.delete(self.name, id_)
            for entry in self.store.external_ids_of(self.name, id_):
                self.store.delete("ir.model.data", entry["id"])
            for model, about in (("mail.message", "model"), ("mail.activity", "res_model")):
                domain = [(about, "=", self.name), ("res_id", "=", id_)]
                self.env[model].delete(self.env[model].found(domain))

    # From outside

    @public
    def create(self, vals_list: Values | Sequence[Values]) -> int | list[int]:
        if isinstance(vals_list, Mapping):
            return self.create_one(vals_list)
        return [self.create_one(each) for each in vals_list]

    @public
    def write(self, ids: list[int], vals: Values) -> bool:
        self.change(_several(ids), vals)
        return True

    @public
    def unlink(self, ids: list[int]) -> bool:
        self.delete(_several(ids))
        return True

    @public
    def load(self, fields: list[str], data: list[list[str]]) -> dict[str, Any]:
        return loading.load(self, fields, data)

    @public
    def read(self, ids: list[int], fields: list[str]) -> list[dict[str, Any]]:
        table = self.store.table(self.name)
        return [self._read_one(id_, fields) for id_ in _several(ids) if id_ in table]

    def _read_one(self, id_: int, names: Sequence[str]) -> dict[str, Any]:
        return {"id": id_, **{name: self._shown(id_, name) for name in names}}

    def _shown(self, id_: int, name: str) -> Any:
        field, value = self.field(name), self.get(id_, name)
        if field.type == "many2one" and value:
            return [value, self.env[str(field.relation)].title_of(value)]
        return value

    @public
    def search(
        self, domain: list[Any], limit: int | None = None, order: str | None = None
    ) -> list[int]:
        active_test = self.env.context.get("active_test", True)
        return self.found(domain, order, active_test=active_test)[:limit]

    @public
    def search_read(
        self,
        domain: list[Any],
        fields: list[str],
        limit: int | None = None,
        order: str | None = None,
        load: str = "_classic_read",
    ) -> list[dict[str, Any]]:
        ids = self.search(domain, limit, order)
        if load:
            return self.read(ids, fields)
        return [{"id": id_, **{name: self.get(id_, name) for name in fields}} for id_ in ids]

    @public
    def web_search_read(
        self, domain: list[Any], specification: Mapping[str, Any], order: str | None = None
    ) -> dict[str, Any]:
        records = self.trees(self.search(domain, None, order), specification)
        return {"length": len(records), "records": records}

    @public
    def web_save_multi(
        self, ids: list[int], vals_list: list[Values], specification: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        if len(ids) != len(vals_list):
            raise ValueError("Each record must have a corresponding vals entry.")
        for id_, values in zip(ids, vals_list, strict=True):
            self.write([id_], values)
        return self.trees(ids, specification)

    def trees(self, ids: Iterable[int], specification: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Records with those that they refer to, as ``web_read`` responses."""
        named = specification.items()
        return [{"id": id_, **{n: self._tree(id_, n, below) for n, below in named}} for id_ in ids]

    def _tree(self, id_: int, name: str, below: Mapping[str, Any]) -> Any:
        value, field = self.get(id_, name), self.field(name)
        if not value or "fields" not in below:
            return value
        ids = value if field.is_to_many else [value]
        trees = self.env[str(field.relation)].trees(ids, below["fields"])
        return trees if field.is_to_many else trees[0]

    @public
    def search_count(self, domain: list[Any]) -> int:
        return len(self.search(domain))

    @public
    def default_get(self, fields: Iterable[str]) -> Values:
        """The values of a new record, of those fields that have a default."""
        return {
            name: field.default(self) if callable(field.default) else field.default
            for name, field in ((name, self.field(name)) for name in fields)
            if field.default is not None and not field.compute
        }

    @public
    def fields_get(
        self, allfields: list[str] | None = None, attributes: Sequence[str] = ()
    ) -> dict[str, Any]:
        names = self.fields if allfields is None else allfields
        known = {name: self.fields[name] for name in names if name in self.fields}
        return {
            name: {k: v for k, v in field.described().items() if k in attributes}
            for name, field in known.items()
        }

    @public
    def get_metadata(self, ids: list[int]) -> list[dict[str, Any]]:
        return [self._metadata(id_) for id_ in ids if id_ in self.store.table(self.name)]

    def _metadata(self, id_: int) -> dict[str, Any]:
        xmlids = [
            {"xmlid": f"{entry['module']}.{entry['name']}", "noupdate": entry["noupdate"]}
            for entry in self.store.external_ids_of(self.name, id_)
        ]
        return {"id": id_, "xmlids": xmlids}

    @public
    def has_access(self, ids: list[int], operation: str) -> bool:
        return True

    @public
    def check_access_rights(self, operation: str, *, raise_exception: bool) -> bool:
        """As before Odoo 18."""
        return True


def _in(language: str, name: str) -> str:
    """Where a row keeps a field's value in another language than English."""
    return f"{name}@{language}"


def _flat(values: Iterable[Any]) -> list[Any]:
    return [each for value in values for each in (value if isinstance(value, list) else [value])]


def _several(ids: int | list[int]) -> list[int]:
    return [ids] if isinstance(ids, int) else ids


def _rank(value: Any) -> tuple[bool, Any]:
    """Empty values come last, as in PostgreSQL."""
    empty = value is False or value is None
    return empty, 0 if empty else value


def _linked(now: list[int], commands: Any) -> list[int]:
    """What the commands on a many2many field leave."""
    linked = list(now)
    for command, *rest in commands or [(6, 0, [])]:
        if command == 6:
            linked = list(rest[1])
        elif command == 5:
            linked = []
        elif command == 4:
            linked = [*linked, *({rest[0]} - set(linked))]
        elif command == 3:
            linked = [each for each in linked if each != rest[0]]
        else:
            raise NotPlayed(f"the command {command} on a many2many field")
    return linked
