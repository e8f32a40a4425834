"""What a field of the in-memory Odoo holds, how it is written, and how it travels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

MOMENT, DAY = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"
ZERO = {"float": 0.0, "integer": 0, "monetary": 0.0}
"""What an empty field of this type holds; all others hold False."""


@dataclass(frozen=True)
class Field:
    """A field. ``compute`` is given the model and a record's id, and makes it read-only."""

    type: str
    title: str = ""
    default: Any = None
    relation: str | None = None
    inverse: str | None = None
    compute: Callable[[Any, int], Any] | None = None
    required: bool = False
    digits: list[int] | bool | None = None
    translated: bool = False
    """Has a value per language."""

    @property
    def is_to_many(self) -> bool:
        return self.type in {"one2many", "many2many"}

    @property
    def is_stored(self) -> bool:
        """Whether rows hold its value as it is, in every language."""
        return not (self.compute or self.translated or self.type == "one2many")

    @property
    def empty(self) -> Any:
        return [] if self.is_to_many else ZERO.get(self.type, False)

    def described(self) -> dict[str, Any]:
        """What ``fields_get`` returns of it."""
        attributes = {
            "type": self.type,
            "relation": self.relation,
            "digits": self.digits,
            "translate": self.translated,
            "string": self.title,
            "required": self.required,
        }
        return {name: value for name, value in attributes.items() if value is not None}

    def stored(self, value: Any) -> Any:
        """What is kept of a value that was written.

        Raises:
            ValueError: it is no value of this type.
        """
        if value is None or (value is False and self.type != "boolean"):
            return self.empty
        return STORED.get(self.type, str)(value)


def _moment(value: str) -> str:
    return datetime.strptime(value, MOMENT).strftime(MOMENT)  # noqa: DTZ007 - as Odoo writes it


def _day(value: str) -> str:
    return datetime.strptime(value, DAY).strftime(DAY)  # noqa: DTZ007 - as Odoo writes it


STORED: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "float": float,
    "monetary": float,
    "integer": int,
    "many2one": int,
    "many2many": list,
    "datetime": _moment,
    "date": _day,
}


def declared(**fields: Field) -> Mapping[str, Field]:
    """A model's fields, by name."""
    return MappingProxyType(fields)


def char(title: str = "", default: Any = None) -> Field:
    return Field("char", title, default)


def translated(title: str = "") -> Field:
    """A text with a value per language, read and written in the call's."""
    return Field("char", title, translated=True)


def flag(default: bool = False, title: str = "") -> Field:  # noqa: FBT001, FBT002
    return Field("boolean", title, default)


def number(title: str = "", default: float = 0.0, digits: list[int] | bool | None = None) -> Field:  # noqa: FBT001
    return Field("float", title, default, digits=digits)


def integer(default: int = 0) -> Field:
    return Field("integer", default=default)


def moment(title: str = "", default: Any = None) -> Field:
    return Field("datetime", title, default)


def one(relation: str, title: str = "", default: Any = None, *, required: bool = False) -> Field:
    return Field("many2one", title, default, relation, required=required)


def many(relation: str, title: str = "", default: Any = None) -> Field:
    return Field("many2many", title, default, relation)


def lines(relation: str, inverse: str, title: str = "") -> Field:
    """The other end of a many2one."""
    return Field("one2many", title, relation=relation, inverse=inverse)


def computed(type_: str, compute: Callable[[Any, int], Any], relation: str | None = None) -> Field:
    return Field(type_, compute=compute, relation=relation)


def related(type_: str, path: str, relation: str | None = None) -> Field:
    return Field(type_, compute=lambda model, id_: model.value(id_, path), relation=relation)
