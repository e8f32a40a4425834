"""From the file to the models: found, read whole, refused with all that is wrong at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from amazon_bridge.config.models import NAME, SELLER_ID, Config
from amazon_bridge.config.section import Section
from amazon_bridge.config.values import FromEnvironment, SecretSources, Surroundings
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.marketplaces import marketplace

FILE_VARIABLE = "AMAZON_BRIDGE_CONFIG"
SEARCHED = (Path("config/bridge.yaml"), Path("/etc/amazon-bridge/bridge.yaml"))

Place: TypeAlias = tuple[str | int, ...]
Problem: TypeAlias = tuple[Place, str]


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: ``path``, else ``$AMAZON_BRIDGE_CONFIG``, else a usual place.

    Raises:
        ConfigError: None is named and none exists in a usual place.
    """
    named = path or environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    for usual in SEARCHED:
        if os.path.exists(usual):  # noqa: PTH110 (Path.exists raises where a folder is closed)
            return usual
    raise ConfigError(
        f"There is no configuration file: --config and ${FILE_VARIABLE} name none, and neither"
        f" {SEARCHED[0].absolute()} nor {SEARCHED[1]} exists.",
        f"Begin with the sample: amazon-bridge config example > {SEARCHED[0]}",
    )


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Reads and checks a configuration file.

    Relative paths in it are relative to its folder, so that every command finds the same
    state store, wherever it is started.

    Raises:
        ConfigError: With all that is wrong in ``problems``, each with its place in the file.
    """
    return read(path, environ)[0]


def read(path: Path, environ: Mapping[str, str]) -> tuple[Config, SecretSources]:
    """Like ``load``, and return where the secrets were read."""
    problems: list[Problem] = []
    document = _document(path, environ, problems)
    merged = _merged(document, problems)
    surroundings = Surroundings(environ, path.absolute().parent)
    config = _validated(merged, surroundings)
    if not isinstance(config, Config):
        known = [place for place, _ in problems]
        found = ((_origin(place, document), message) for place, message in config)
        problems += [each for each in found if not _is_below(each[0], known)]
    problems += _conflicts(merged)
    if problems or not isinstance(config, Config):
        raise _refusal(path, [f"{_written(place)}: {message}" for place, message in problems])
    return config, surroundings.sources


def schema() -> dict[str, Any]:
    """The JSON schema of the file (``${NAME}`` references not yet replaced by their values)."""
    found = Config.model_json_schema()
    sections = found["$defs"]
    # What `defaults` says need not be said again, so no account key but its name is a must.
    sections["Credentials"].pop("required")
    account = sections["AccountConfig"]
    account["required"] = ["name"]
    sections["Defaults"] = {**account, "title": "Defaults", "required": []}
    found["properties"]["defaults"] = {
        "$ref": "#/$defs/Defaults",
        "description": "Any account key, for all accounts that don't say otherwise.",
    }
    return found


def example() -> str:
    """A commented sample of the file, to begin with."""
    return (resources.files("amazon_bridge.config") / "bridge.example.yaml").read_text(
        encoding="utf-8"
    )


def _refusal(path: Path, problems: list[str]) -> ConfigError:
    unique = tuple(dict.fromkeys(problems))
    count = "a problem" if len(unique) == 1 else f"{len(unique)} problems"
    return ConfigError(
        f"The configuration file {path} has {count}.",
        "Every key is explained in what `amazon-bridge config example` prints.",
        problems=unique,
    )


class _Constructor(SafeConstructor):
    """Leaves timestamps as text: quoted, bare or from a variable, they are read alike."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _document(path: Path, environ: Mapping[str, str], problems: list[Problem]) -> Any:
    text = _text(path)
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
    raise _refusal(path, [problem])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = f"The configuration file {path} can't be read: {error.strerror}."
    except ValueError:
        reason = f"The configuration file {path} is not UTF-8 text."
    raise ConfigError(reason, "Begin with the sample: amazon-bridge config example")


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


def _merged(document: Any, problems: list[Problem]) -> Any:
    if not isinstance(document, dict):
        return document
    merged = dict(document)
    defaults = merged.pop("defaults", None)
    if defaults is None:
        defaults = {}
    if not isinstance(defaults, dict):
        problems.append((("defaults",), _MESSAGES["model_type"]))
    elif isinstance(merged.get("accounts"), list):
        merged["accounts"] = [_with_defaults(each, defaults) for each in merged["accounts"]]
    return merged


def _with_defaults(account: Any, defaults: dict[Any, Any]) -> Any:
    if not isinstance(account, dict):
        return account
    both = [
        key for key in account.keys() & defaults.keys() if _are_mappings(account, defaults, key)
    ]
    return {**defaults, **account, **{key: {**defaults[key], **account[key]} for key in both}}


def _are_mappings(one: dict[Any, Any], other: dict[Any, Any], key: Any) -> bool:
    return isinstance(one[key], dict) and isinstance(other[key], dict)


def _validated(merged: Any, surroundings: Surroundings) -> Config | list[Problem]:
    try:
        return Config.model_validate(merged, context=surroundings)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [(_place(each), _message(each)) for each in found]


def _place(error: ErrorDetails) -> Place:
    return tuple(part for part in error["loc"] if part != "[key]")


_MAPPING = "must be a mapping: `key: value` lines below it"
_NUMBER = "must be a number"
_WHOLE_NUMBER = "must be a whole number"
_TRUTH = "must be true or false"
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text (in quotes if it looks like a number)",
    "string_too_short": "must not be empty",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
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
    NAME: "must be of small letters, digits, - and _, and begin with a letter or digit",
    SELLER_ID: "must be of capital letters and digits, as Seller Central shows it",
}


def _message(error: ErrorDetails) -> str:
    about = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(about["error"])
        case "extra_forbidden":
            return _unknown(str(error["loc"][-1]))
        case "literal_error":
            return f"must be {about['expected']}".replace("True", "true").replace("False", "false")
        case "string_pattern_mismatch":
            return _PATTERNS[about["pattern"]]
        case "greater_than" | "greater_than_equal" | "less_than_equal" as kind:
            return f"must be {_COMPARED[kind]} {next(iter(about.values())):g}"
    return _MESSAGES.get(error["type"], "is not a valid value")


def _unknown(key: str) -> str:
    sections = Section.__subclasses__()
    known = {name for section in sections for name in section.model_fields} - {key}
    alike = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    return "is no key of this place" + (f": did you mean {alike[0]}?" if alike else "")


def _origin(place: Place, document: Any) -> Place:
    """Where a problem of a merged account comes from: the account itself or ``defaults``."""
    match place:
        case ("accounts", int(index), *rest):
            in_defaults = _holds(document.get("defaults"), rest)
            if in_defaults and not _holds(document["accounts"][index], rest):
                return ("defaults", *rest)
    return place


def _holds(value: Any, keys: list[str | int]) -> bool:
    """Whether the value has these keys, as deep as defaults are merged (two levels)."""
    for key in keys[:2]:
        if not isinstance(value, dict):
            break
        if key not in value:
            return False
        value = value[key]
    return value is not None


def _is_below(place: Place, known: list[Place]) -> bool:
    return any(place[: len(each)] == each for each in known)


def _conflicts(merged: Any) -> Iterator[Problem]:
    owners: dict[object, Place] = {}
    for place, claim, rule in _claims(merged):
        owner = owners.setdefault(claim, place)
        if owner != place:
            yield place, f"is used at {_written(owner)} already: {rule}"


def _claims(merged: Any) -> Iterator[tuple[Place, object, str]]:
    """What only one account may have: where it is claimed, what, and the rule."""
    accounts = merged.get("accounts") if isinstance(merged, dict) else None
    for index, account in enumerate(accounts if isinstance(accounts, list) else ()):
        match account:
            case {"name": str(name)}:
                yield ("accounts", index, "name"), name, "each account has its own name"
        match account:
            case {"seller_id": str(seller), "marketplaces": [*keys]}:
                for position, key in enumerate(keys):
                    found = marketplace(key.upper()) if isinstance(key, str) else None
                    if found:
                        place = ("accounts", index, "marketplaces", position)
                        rule = "a seller's marketplace belongs to one account"
                        yield place, (seller, found.marketplace_id), rule


def _written(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the file"
