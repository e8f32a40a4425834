"""Refuses requests that Amazon's models do not allow.

``models/*.json`` describe the operations: path, query parameters, body, responses, as JSON schemas.
They are condensed from Amazon's Swagger models by ``scripts/condense_models.py``. Lists in a query
are comma-separated, and no parameter may occur twice: the models name no ``collectionFormat``,
and then Swagger 2.0 means ``csv``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any

from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from amazon_bridge.simulator.responses import Refusal, invalid, read_object

Json = dict[str, Any]
_FORMATS = FormatChecker(formats=())
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_BOOLEANS = {"true": True, "false": False}
_BRANCHES = {"allOf", "anyOf", "oneOf", "not"}
LARGEST_BODY = 10 * 2**20  # bytes: that of Amazon's API Gateway; its models name no figure


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    """ISO 8601 with a time zone, as Amazon's page "ISO 8601" has it."""
    if not isinstance(value, str):
        return True
    return bool(_INSTANT.fullmatch(value) and datetime.fromisoformat(value))


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@dataclass(frozen=True, slots=True)
class Model:
    """What Amazon's model says of one operation."""

    query: Mapping[str, Json]
    body: Draft4Validator | None
    statuses: frozenset[int]
    """That responses may have."""

    def status(self, preferred: int) -> int:
        """The status if the operation has it, else 400."""
        return preferred if preferred in self.statuses else HTTPStatus.BAD_REQUEST


@cache
def models() -> dict[str, Model]:
    """The operations by their names."""
    return {name: model for file in _files() for name, model in _models(file)}


def check(operation: str, request: Request) -> None:
    """Check a request's query, content type and body.

    Raises:
        Refusal: The model doesn't allow it: 400, 413 or 415.
    """
    model = models()[operation]
    _check_query(model, request.args)
    if len(request.get_data()) > LARGEST_BODY:
        status = model.status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        raise Refusal(status, "InvalidInput", "The request size exceeded the maximum.")
    if model.body is None:
        if request.get_data():
            raise invalid("The operation has no request body.")
        return
    if request.mimetype != "application/json":
        status = model.status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        raise Refusal(status, "InvalidInput", "The content type must be application/json.")
    _check_value("", read_object(request.get_data()), model.body)


def _files() -> Iterator[Json]:
    for path in resources.files(__package__).joinpath("models").iterdir():
        if path.name.endswith(".json"):
            yield json.loads(path.read_text("utf-8"))


def _models(file: Json) -> Iterator[tuple[str, Model]]:
    definitions = closed_definitions(file["definitions"])
    for name, operation in file["operations"].items():
        body = operation["body"]
        schema = {"definitions": definitions, "$ref": f"#/definitions/{body}"}
        statuses = frozenset(map(int, operation["responses"]))
        yield name, Model(operation["query"], validator_of(schema) if body else None, statuses)


def validator_of(schema: Json) -> Draft4Validator:
    """Checks values by a schema, and the formats of times in them."""
    return Draft4Validator(schema, format_checker=_FORMATS)


def closed_definitions(definitions: Json) -> Json:
    """The definitions, closed, except those that branches name: these are parts of an object."""
    parts = set(_in_branches(definitions))
    return {
        name: schema if name in parts else closed(schema) for name, schema in definitions.items()
    }


def closed(schema: Any) -> Any:
    """The schema, with objects that allow only the properties that they name.

    The branches of ``oneOf`` and its like stay as they are: each speaks of a few properties only.
    """
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {k: value if k in _BRANCHES else closed(value) for k, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        parts.setdefault("additionalProperties", False)
    return parts


def _in_branches(schema: Any, *, inside: bool = False) -> Iterator[str]:
    """The definitions that branches name."""
    if isinstance(schema, list):
        for part in schema:
            yield from _in_branches(part, inside=inside)
    elif isinstance(schema, dict):
        if inside and isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for key, part in schema.items():
            yield from _in_branches(part, inside=inside or key in _BRANCHES)


def _check_query(model: Model, query: MultiDict[str, str]) -> None:
    unknown = [name for name in query if name not in model.query]
    if unknown:
        raise invalid(f"Unknown query parameters: {', '.join(unknown)}.")
    for name, parameter in model.query.items():
        values = query.getlist(name)
        if len(values) > 1:
            raise invalid(f"The parameter '{name}' is given more than once.")
        if values:
            _check_parameter(name, parameter, values[0])
        elif parameter.get("required"):
            raise invalid(f"The parameter '{name}' is required.")


def _check_parameter(name: str, parameter: Json, text: str) -> None:
    schema = {key: value for key, value in parameter.items() if key != "required"}
    value = _parsed(schema, text)
    if not text:
        raise invalid(f"The parameter '{name}' is empty.")
    _check_value(name, value, validator_of(schema))
    if isinstance(value, list) and "" in value:
        raise invalid(f"A part of the parameter '{name}' is empty.")


def _parsed(schema: Json, text: str) -> Any:
    """A parameter's value; of another type, it stays a text, which the schema then refuses."""
    match schema.get("type"):
        case "array":
            return [_parsed(schema.get("items", {}), part) for part in text.split(",")]
        case "integer":
            return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else text
        case "number":
            return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII) else text
        case "boolean":
            return _BOOLEANS.get(text, text)
        case _:
            return text


def _check_value(name: str, value: Any, validator: Draft4Validator) -> None:
    errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    if errors:
        raise _refusal(name, errors)


def _refusal(name: str, errors: list[ValidationError]) -> Refusal:
    """Amazon's error for invalid fields; the details name each problem, but no value."""
    fields = ", ".join(dict.fromkeys(name + _path(error) for error in errors))
    return invalid(
        "The input you have submitted is not valid. Please check the fields with invalid type"
        f" [{fields}].",
        "; ".join(_problem(name, error) for error in errors),
    )


def _path(error: ValidationError) -> str:
    return error.json_path.removeprefix("$").removeprefix(".")


def _problem(name: str, error: ValidationError) -> str:
    where = name + _path(error) or "body"
    if error.validator in ("required", "additionalProperties"):
        return f"{where}: {error.message}"
    return f"{where}: not valid by {error.validator} {error.validator_value}"
