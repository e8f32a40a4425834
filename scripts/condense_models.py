"""Condenses Amazon's Swagger models to what the simulator and the tests need.

Usage: scripts/condense_models.py MODELS COMMIT

MODELS is a folder with Amazon's model files (github.com/amzn/selling-partner-api-models,
Apache-2.0), COMMIT the commit that they are of. Each file in ``amazon_bridge/simulator/models`` is
written again, with the operations that it has. To add an operation, add its name with ``{}`` to
the file's ``operations`` first; to add a file, write one with ``{"operations": {"NAME": {}}}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CONDENSED = Path(__file__).resolve().parent.parent / "amazon_bridge" / "simulator" / "models"
_KEPT = (
    "type", "format", "enum", "pattern", "items", "properties", "additionalProperties", "required",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
    "allOf", "anyOf", "oneOf", "not", "$ref",
)  # fmt: skip
"""The keys by which values are validated; descriptions and examples are not needed."""
_METHODS = ("get", "post", "put", "patch", "delete")

Json = dict[str, Any]


def condense(model: Json, names: list[str], source: str) -> Json:
    """The condensed form of some operations of a model and of the definitions that they need.

    Raises:
        KeyError: The model has no operation of that name.
    """
    found = {
        operation["operationId"]: _operation(method, path, operation)
        for path, methods in model["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    }
    operations = {name: found[name] for name in names}
    needed = [o["body"] for o in operations.values()]
    needed += [response for o in operations.values() for response in o["responses"].values()]
    return {
        "source": f"amzn/selling-partner-api-models, {source}; Apache-2.0; facts only, no"
        " descriptions or examples",
        "operations": operations,
        "definitions": _definitions(model["definitions"], [name for name in needed if name]),
    }


def _operation(method: str, path: str, operation: Json) -> Json:
    parameters = operation.get("parameters", [])
    bodies = [p["schema"] for p in parameters if p["in"] == "body"]
    return {
        "method": method.upper(),
        "path": path,
        "body": _name(bodies[0]) if bodies else None,
        "query": {p["name"]: _parameter(p) for p in parameters if p["in"] == "query"},
        "responses": {
            status: _name(response["schema"]) if "schema" in response else None
            for status, response in operation["responses"].items()
        },
    }


def _parameter(parameter: Json) -> Json:
    schema: Json = _facts(parameter)
    if not schema.pop("required", False):
        return schema
    return {"required": True} | schema


def _name(schema: Json) -> str:
    name: str = schema["$ref"].rpartition("/")[2]
    return name


def _definitions(definitions: Json, names: list[str]) -> Json:
    """The named definitions and all that they refer to, in the model's order."""
    needed: set[str] = set()
    while names:
        name = names.pop()
        if name not in needed:
            needed.add(name)
            names += _references(definitions[name])
    return {name: _facts(schema) for name, schema in definitions.items() if name in needed}


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for part in schema for name in _references(part)]
    if not isinstance(schema, dict):
        return []
    here = [_name(schema)] if isinstance(schema.get("$ref"), str) else []
    return here + [name for part in schema.values() for name in _references(part)]


def _facts(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    facts = {key: schema[key] for key in _KEPT if key in schema}
    if "properties" in facts:
        facts["properties"] = {name: _facts(p) for name, p in facts["properties"].items()}
    for key in ("items", "additionalProperties", "not"):
        if key in facts:
            facts[key] = _facts(facts[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in facts:
            facts[key] = [_facts(part) for part in facts[key]]
    return facts


def _text(condensed: Json) -> str:
    """JSON with one line for each operation and each definition, so that changes can be read."""
    parts = []
    for key, value in condensed.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"    {json.dumps(n)}: {json.dumps(v)}" for n, v in value.items())
            parts.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
        else:
            parts.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(models: Path, commit: str) -> None:
    """Write all files again."""
    for path in sorted(CONDENSED.glob("*.json")):
        model = json.loads((models / path.name).read_text("utf-8"))
        names = list(json.loads(path.read_text("utf-8"))["operations"])
        condensed = condense(model, names, f"{path.name}, commit {commit}")
        path.write_text(_text(condensed), "utf-8")
        print(f"{path.name}: {', '.join(names)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
