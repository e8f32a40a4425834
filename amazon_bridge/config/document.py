"""A YAML file as it is written: its values, with the variables of the environment in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from amazon_bridge.config.messages import CONFIGURATION, FileKind, Place, Problem, refusal
from amazon_bridge.config.values import FromEnvironment
from amazon_bridge.engine.errors import ConfigError


class _Constructor(SafeConstructor):
    """Leaves timestamps as text: quoted, bare or from a variable, they are read alike."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def read_document(
    path: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
    kind: FileKind = CONFIGURATION,
) -> Any:
    """Read a YAML file; ``problems`` gets the references to variables that are wrong.

    Raises:
        ConfigError: It can't be read, or is no YAML.
    """
    text = _text(path, kind)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return _expanded(yaml.load(text), environ, (), problems)
    except YAMLError as error:
        problem = _yaml_problem(error, text)
    except RecursionError:
        problem = "it is nested too deeply"
    except (ValueError, TypeError, LookupError, AttributeError):
        problem = "it holds something that can't be read as YAML"  # such as `!!int text`
    raise refusal(kind, path, [problem])


def _text(path: Path, kind: FileKind) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = f"The {kind.title} {path} can't be read: {error.strerror}."
    except ValueError:
        reason = f"The {kind.title} {path} is not UTF-8 text."
    raise ConfigError(reason, kind.begin)


def _yaml_problem(error: YAMLError, text: str) -> str:
    """What is wrong and where, without the excerpts of the file that the library adds."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return f"line {line + 1}, column {column + 1}: a character that YAML doesn't allow"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return "it is no YAML"
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


_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?"
)


def _expanded(value: Any, environ: Mapping[str, str], at: Place, problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {k: _expanded(v, environ, (*at, k), problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_expanded(v, environ, (*at, i), problems) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        text = _REFERENCE.sub(lambda match: _referred(match, environ), value)
    except ValueError as error:
        problems.append((at, str(error)))
        return value
    return FromEnvironment(text) if text != value else text


def _referred(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match[0] == "$${":
        return "${"
    name, default = match["name"], match["default"]
    if name is None:
        raise ValueError("write ${NAME} or ${NAME:-default}, and $${ for a literal ${")
    if default is not None:
        return environ.get(name) or default
    if name not in environ:
        raise ValueError(f"the environment variable {name} is not set")
    return environ[name]
