"""Writes values into the commented sample: what ``init`` writes is the sample, filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from amazon_bridge.config.reading import example

_KEY = re.compile(r"(?P<blank> *)(?P<off>#?)(?P<dash>- )?(?P<key>[a-z_]+):(?P<rest> .*|)$")
"""A line of the sample with a key; switched off by a # that no blank follows."""

_REMARK = re.compile(r" {2,}# .*$")
_ACCOUNTS = ("accounts",)
_ACCOUNT = "  - name:"
_VALIDATE = "#     amazon-bridge config validate"

Values = Mapping[str, Any]


class _Line(NamedTuple):
    text: str
    path: tuple[str, ...]
    """Of its key; empty: it has none."""


def render(head: Values, accounts: Sequence[Values]) -> str:
    """The sample with these values in the place of its own.

    Args:
        head: What the file holds besides ``accounts``. Values that are no mappings are written in
            one line.
        accounts: At least one. The first one gets all keys of the sample, most of them switched
            off; the others just their own.
    """
    lines = example().splitlines()
    validate = next(i for i, line in enumerate(lines) if line.startswith(_VALIDATE))
    first = next(i for i, line in enumerate(lines) if line.startswith(_ACCOUNT))
    rendered = [
        "# Configuration of amazon-bridge, written by `amazon-bridge init`. After a change:",
        "#",
        *_filled(_with_paths(lines[validate:first]), head),
        *_filled(_with_paths(lines[first:]), accounts[0]),
    ]
    for account in accounts[1:]:
        rendered += ["", *_entry(account)]
    return "\n".join(rendered) + "\n"


def plain_lines(head: Values, accounts: Sequence[Values]) -> list[str]:
    """The same file without remarks and defaults."""
    entries = [line for account in accounts for line in _entry(account)]
    return [*_plain(head, 0), "accounts:", *entries]


def _with_paths(lines: Sequence[str]) -> Iterator[_Line]:
    open_keys: list[tuple[int, str]] = []
    for line in lines:
        match = _KEY.match(line)
        if match is None:
            yield _Line(line, ())
            continue
        column = len(match["blank"]) + len(match["dash"] or "")
        open_keys = [each for each in open_keys if each[0] < column]
        open_keys.append((column, match["key"]))
        yield _Line(line, tuple(key for _, key in open_keys))


def _filled(lines: Iterator[_Line], values: Values) -> Iterator[str]:
    """The lines with the values; keys that have none are switched off or left out."""
    listed = list(lines)
    known = {line.path for line in listed}
    for line in listed:
        match = _KEY.match(line.text)
        value = _at(values, line.path)
        if match is None or line.path == _ACCOUNTS or (match["off"] and value is None):
            yield line.text
        elif value is not None:
            yield _with_value(match, value)
            yield from _unknown_below(line, value, known)


def _unknown_below(line: _Line, value: Any, known: set[tuple[str, ...]]) -> Iterator[str]:
    """The keys of a mapping that the sample hasn't."""
    if isinstance(value, Mapping) and not _is_secret(value):
        new = {key: inner for key, inner in value.items() if (*line.path, key) not in known}
        yield from _plain(new, len(line.text) - len(line.text.lstrip(" ")) + 2)


def _at(values: Values, path: tuple[str, ...]) -> Any:
    """The value at a path; None if there is none."""
    inner: Any = values
    for key in path:
        inner = inner.get(key) if isinstance(inner, Mapping) else None
    return inner


def _with_value(match: re.Match[str], value: Any) -> str:
    start = f"{match['blank']}{match['dash'] or ''}{match['key']}:"
    if isinstance(value, Mapping) and not _is_secret(value):
        return start
    remark = _REMARK.search(match["rest"])
    filled = f"{start} {in_one_line(value)}"
    if remark is None:
        return filled
    text = remark[0].lstrip()
    column = len(match[0]) - len(text)
    return filled.ljust(max(column, len(filled) + 2)) + text


def _plain(values: Values, indent: int) -> Iterator[str]:
    """The values without remarks."""
    for key, value in values.items():
        start = f"{' ' * indent}{key}:"
        if isinstance(value, Mapping) and not _is_secret(value):
            yield start
            yield from _plain(value, indent + 2)
        else:
            yield f"{start} {in_one_line(value)}"


def _entry(account: Values) -> Iterator[str]:
    lines = _plain(account, 4)
    yield f"  - {next(lines).lstrip()}"
    yield from lines


def _is_secret(value: Values) -> bool:
    return value.keys() == {"file"}


def in_one_line(value: Any) -> str:
    """A value in YAML, in one line, with no variable in it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.width = 1_000_000
    yaml.allow_unicode = True
    stream = StringIO()
    yaml.dump(_without_variables(value), stream)
    text = stream.getvalue().removesuffix("...\n").rstrip("\n")
    return text if "\n" not in text else json.dumps(_without_variables(value))


def _without_variables(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {key: _without_variables(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_variables(each) for each in value]
    return value
