"""What is wrong with a file, in plain words. No message shows a value: it may be a secret."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, get_args, get_origin

from pydantic_core import ErrorDetails

from amazon_bridge.closest import closest
from amazon_bridge.config.models import NAME, SELLER_ID, Config
from amazon_bridge.config.section import Section
from amazon_bridge.engine.errors import ConfigError

Place: TypeAlias = tuple[str | int, ...]
Problem: TypeAlias = tuple[Place, str]


class FileKind(NamedTuple):
    """A kind of file, for messages about it."""

    title: str
    model: type[Section]
    begin: str
    """What to do without one."""
    keys: str
    """Where its keys are explained."""


CONFIGURATION = FileKind(
    "configuration file",
    Config,
    "Write one with: amazon-bridge init. Or begin with the sample: amazon-bridge config example",
    "Every key is explained in what `amazon-bridge config example` prints.",
)


def refusal(kind: FileKind, path: Path, problems: list[str]) -> ConfigError:
    """The error for a file with these problems."""
    unique = tuple(dict.fromkeys(problems))
    count = "a problem" if len(unique) == 1 else f"{len(unique)} problems"
    return ConfigError(f"The {kind.title} {path} has {count}.", kind.keys, problems=unique)


def place_of(error: ErrorDetails) -> Place:
    """Where a problem is."""
    return tuple(part for part in error["loc"] if part != "[key]")


MAPPING = "must be a mapping: `key: value` lines below it"
_NUMBER = "must be a number"
_WHOLE_NUMBER = "must be a whole number"
_TRUTH = "must be true or false"
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text (in quotes if it looks like a number)",
    "string_too_short": "must not be empty",
    "model_type": MAPPING,
    "dict_type": MAPPING,
    "tuple_type": "must be a list",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "invalid_key": "must be text, as every key",
}
_COMPARED = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than_equal": "at most",
}
_PATTERNS = {
    NAME: "must be lowercase letters, digits, - and _, and begin with a letter or digit",
    SELLER_ID: "must be uppercase letters and digits, as in Seller Central",
}


def message_of(error: ErrorDetails, model: type[Section] = Config) -> str:
    """What a problem is, in a file with this model."""
    about = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(about["error"])
        case "extra_forbidden":
            return unknown_key(place_of(error), model)
        case "literal_error":
            return f"must be {about['expected']}".replace("True", "true").replace("False", "false")
        case "string_pattern_mismatch":
            return _PATTERNS[about["pattern"]]
        case "greater_than" | "greater_than_equal" | "less_than_equal" as kind:
            return f"must be {_COMPARED[kind]} {next(iter(about.values())):g}"
    return _MESSAGES.get(error["type"], "is not a valid value")


_ALIKE = 0.75
"""How alike two keys are, of 1, for one to be a slip of the other."""


def unknown_key(place: Place, model: type[Section] = Config) -> str:
    """What to say about a key that its place doesn't have: the closest one, here or elsewhere."""
    key, section = str(place[-1]), _section_at(model, place[:-1])
    here = list(_keys(section)) if section else []
    paths = _paths(model)
    meant = closest(key, here, alike=_ALIKE)
    if meant is None and (elsewhere := closest(key, paths, alike=_ALIKE)):
        meant = paths[elsewhere]
    return "is not a known key here" + (f": did you mean {meant}?" if meant else "")


def _keys(section: type[Section]) -> Iterator[str]:
    yield from section.model_fields
    if section is Config:
        yield "defaults"


def _section_at(model: type[Section], place: Place) -> type[Section] | None:
    found: type[Section] | None = model
    for part in place:
        if found and isinstance(part, str):
            field = found.model_fields.get(part)
            found = field and _section_in(field.annotation)
    return found


def _section_in(annotation: Any) -> type[Section] | None:
    """The section that a field may hold, alone, in a tuple or beside None."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((s for each in get_args(annotation) if (s := _section_in(each))), None)


@cache
def _paths(model: type[Section]) -> dict[str, str]:
    """Every key of a file with the first place that has it, such as ``accounts[].warehouse``."""
    found: dict[str, str] = {}
    level = [("", model)]
    while level:
        for head, section in level:
            for name in _keys(section):
                found.setdefault(name, f"{head}{name}")
        level = [each for head, section in level for each in _below(head, section)]
    return found


def _below(head: str, section: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    for name, field in section.model_fields.items():
        if inner := _section_in(field.annotation):
            yield f"{head}{name}{'[]' if get_origin(field.annotation) is tuple else ''}.", inner


def written(place: Place) -> str:
    """A place in the file, such as ``accounts[0].name``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the file"
