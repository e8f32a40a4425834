"""From the file to the models: found, read whole, refused with all that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from amazon_bridge.config.document import read_document
from amazon_bridge.config.messages import (
    CONFIGURATION,
    MAPPING,
    Place,
    Problem,
    message_of,
    place_of,
    refusal,
    written,
)
from amazon_bridge.config.models import Config
from amazon_bridge.config.values import FileContext, SecretSources
from amazon_bridge.marketplaces import marketplace


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
    document = read_document(path, environ, problems)
    merged = with_defaults(document, problems)
    file_context = FileContext(environ, path.absolute().parent)
    config = _validated(merged, file_context)
    if not isinstance(config, Config):
        known = [place for place, _ in problems]
        found = ((_origin(place, document), message) for place, message in config)
        problems += [each for each in found if not _is_below(each[0], known)]
    problems += _conflicts(merged)
    if problems or not isinstance(config, Config):
        raise refusal(
            CONFIGURATION, path, [f"{written(place)}: {message}" for place, message in problems]
        )
    return config, file_context.sources


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


def with_defaults(document: Any, problems: list[Problem]) -> Any:
    """The document with its ``defaults`` merged into each account."""
    if not isinstance(document, dict):
        return document
    merged = dict(document)
    defaults = merged.pop("defaults", None)
    if defaults is None:
        defaults = {}
    if not isinstance(defaults, dict):
        problems.append((("defaults",), MAPPING))
    elif isinstance(merged.get("accounts"), list):
        merged["accounts"] = [_account_with_defaults(each, defaults) for each in merged["accounts"]]
    return merged


def _account_with_defaults(account: Any, defaults: dict[Any, Any]) -> Any:
    if not isinstance(account, dict):
        return account
    both = [
        key for key in account.keys() & defaults.keys() if _are_mappings(account, defaults, key)
    ]
    return {**defaults, **account, **{key: {**defaults[key], **account[key]} for key in both}}


def _are_mappings(one: dict[Any, Any], other: dict[Any, Any], key: Any) -> bool:
    return isinstance(one[key], dict) and isinstance(other[key], dict)


def _validated(merged: Any, file_context: FileContext) -> Config | list[Problem]:
    try:
        return Config.model_validate(merged, context=file_context)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [(place_of(each), message_of(each)) for each in found]


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
            yield place, f"is used at {written(owner)} already: {rule}"


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
