"""How the state store writes what it remembers: frozen dataclasses as JSON."""

from __future__ import annotations

from functools import cache
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter

from amazon_bridge.engine.records import Entry

T = TypeVar("T")


class BaseMemo:
    """What a job remembers of an item; each job derives a frozen dataclass.

    A field that is added later needs a default, with which stored memos are read. Any other change
    needs a migration of the state store. No field may hold a buyer's data.
    """

    __slots__ = ()

    @property
    def is_watched(self) -> bool:
        """Whether runs check the item again although it is done."""
        return False

    @classmethod
    def read(cls, entry: Entry | None) -> Self | None:
        """Return the memo of an entry; None if there is no entry or it has no memo."""
        return decode(cls, entry.memo) if entry and entry.memo is not None else None


def encode(value: object) -> str:
    """Return a dataclass as JSON. Decimals are texts, moments ISO 8601."""
    kind: Any = type(value)
    return _adapter(kind).dump_json(value).decode()


def decode(kind: type[T], text: str) -> T:
    """Return the dataclass that ``encode`` wrote; absent fields have their defaults.

    Raises:
        ValueError: the text is no JSON object of this kind.
    """
    any_kind: Any = kind
    decoded: T = _adapter(any_kind).validate_json(text)
    return decoded


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Any, because mypy does not take classes for hashable."""
    return TypeAdapter(kind)
