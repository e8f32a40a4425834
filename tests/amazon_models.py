"""Amazon's models as JSON schemas: does a request, or a response, have the form they document?

The schemas in ``amazon_bridge/simulator/models`` hold the facts of Amazon's Swagger models (names,
types, required fields, enumerations). Unknown fields count as errors too: nobody documents them.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

from amazon_bridge.simulator.validation import closed_definitions, validator_of

_FILES = tuple(
    json.loads(path.read_text("utf-8"))
    for path in resources.files("amazon_bridge.simulator").joinpath("models").iterdir()
)


def validate(name: str, payload: Any) -> None:
    """Check a payload against a definition (``Order``), or against an operation's good response.

    Raises:
        AssertionError: It differs; all differences are listed.
        KeyError: There is no such definition or operation.
    """
    for file in _FILES:
        if name in file["operations"]:
            responses = file["operations"][name]["responses"]
            good = next(model for status, model in responses.items() if status < "300")
            return _check(file, good, payload)
    for file in _FILES:
        if name in file["definitions"]:
            return _check(file, name, payload)
    raise KeyError(name)


def validate_response(operation: str, status: int, payload: Any) -> None:
    """Check a response of an operation; ``payload`` None: an empty body.

    Raises:
        AssertionError: It differs, or the model knows no such status of the operation.
    """
    file, model = _operation(operation)
    assert str(status) in model["responses"], f"{operation} never returns {status}"
    _check(file, model["responses"][str(status)], payload)


def validate_request(
    operation: str, *, body: Any = None, query: dict[str, str] | None = None
) -> None:
    """Check the body and the query of a request; arrays in the query are comma-separated.

    Raises:
        AssertionError: They differ.
    """
    file, model = _operation(operation)
    _check(file, model["body"], body)
    query = query or {}
    assert set(query) <= set(model["query"]), f"unknown: {set(query) - set(model['query'])}"
    for name, parameter in model["query"].items():
        assert name in query or not parameter.get("required"), f"{name} is missing"
        if name in query:
            schema = {key: value for key, value in parameter.items() if key != "required"}
            _validate(schema, _typed(schema["type"], query[name]))


def _operation(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return next((f, f["operations"][name]) for f in _FILES if name in f["operations"])


def _typed(kind: str, text: str) -> Any:
    return text.split(",") if kind == "array" else int(text) if kind == "integer" else text


def _check(file: dict[str, Any], definition: str | None, payload: Any) -> None:
    if definition is None:
        assert payload is None, "the model knows no body here"
        return
    _validate(_schema(file["source"], definition), payload)


def _validate(schema: dict[str, Any], payload: Any) -> None:
    problems = validator_of(schema).iter_errors(payload)
    errors = [f"{error.json_path}: {error.message}" for error in problems]
    assert not errors, "\n".join(errors)


@cache
def _schema(source: str, definition: str) -> dict[str, Any]:
    file = next(file for file in _FILES if file["source"] == source)
    return {
        "definitions": closed_definitions(file["definitions"]),
        "$ref": f"#/definitions/{definition}",
    }
