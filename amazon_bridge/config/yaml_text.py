"""Parse YAML, with errors that say where and quote nothing: it may be a password."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

TOO_DEEP = "it is nested too deeply"


class Texts(SafeConstructor):
    """Leaves all scalars but null as they are written: codes such as 0123 or 1e3."""


class _Values(SafeConstructor):
    """Leaves timestamps as text: quoted, bare or from a variable, they are read alike."""


_AS_WRITTEN = {Texts: ("int", "float", "bool", "timestamp"), _Values: ("timestamp",)}
for _constructor, _types in _AS_WRITTEN.items():
    for _type in _types:
        _tag = f"tag:yaml.org,2002:{_type}"
        _constructor.add_constructor(_tag, SafeConstructor.construct_yaml_str)


def parsed(text: str, constructor: type[SafeConstructor] = _Values) -> Any:
    """The value that a YAML text holds.

    Raises:
        ValueError: It is not valid YAML; the message says where, and quotes nothing.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = constructor
    try:
        return yaml.load(text)
    except YAMLError as error:
        problem = _problem(error, text)
    except RecursionError:
        problem = TOO_DEEP
    except (ValueError, TypeError, LookupError, AttributeError):
        problem = "it holds something that can't be read as YAML"  # such as `!!int text`
    raise ValueError(problem)


def _problem(error: YAMLError, text: str) -> str:
    """What is wrong and where, without the excerpts of the file that the library adds."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return f"line {line + 1}, column {column + 1}: a character that YAML doesn't allow"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return "it is not valid YAML"
    mark = error.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {_plain(error.problem or '')}"


def _plain(problem: str) -> str:
    duplicate = re.match(r'found duplicate key "([^"]*)"', problem)
    if duplicate:
        return f"the key {duplicate[1]} occurs twice"
    # The name of an alias or tag may be a password that begins with * or ! by chance.
    named = re.sub(r"\b(alias|anchor|tag|handle) ['\"].*", r"\1", problem, flags=re.DOTALL)
    special = named != problem or "cannot start" in problem or "got '{'" in problem
    return named + (" (put a value with special characters in quotes)" if special else "")
