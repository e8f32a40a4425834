"""A YAML file as it is written: its values, with the variables of the environment in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amazon_bridge.config.messages import CONFIGURATION, FileKind, Place, Problem, refusal
from amazon_bridge.config.values import FromEnvironment
from amazon_bridge.config.yaml_text import TOO_DEEP, parsed
from amazon_bridge.engine.errors import ConfigError


def read_document(
    path: Path,
    environ: Mapping[str, str],
    problems: list[Problem],
    kind: FileKind = CONFIGURATION,
) -> Any:
    """Read a YAML file; ``problems`` gets the references to variables that are wrong.

    Raises:
        ConfigError: It can't be read, or is not valid YAML.
    """
    text = _text(path, kind)
    try:
        return _expanded(parsed(text), environ, (), problems)
    except ValueError as error:
        problem = str(error)
    except RecursionError:  # it contains itself
        problem = TOO_DEEP
    raise refusal(kind, path, [problem])


def _text(path: Path, kind: FileKind) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = f"The {kind.title} {path} can't be read: {error.strerror}."
    except ValueError:
        reason = f"The {kind.title} {path} is not UTF-8 text."
    raise ConfigError(reason, kind.begin)


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
