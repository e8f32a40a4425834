"""Responses in Amazon's form, and refusals."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Response


class Refusal(Exception):
    """A request that Amazon refuses."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def response(self) -> Response:
        return error(self.status, self.code, self.message, self.details)


def invalid(message: str, details: str = "") -> Refusal:
    """A 400, with the code that Amazon gives it."""
    return Refusal(400, "InvalidInput", message, details)


def not_found(message: str) -> Refusal:
    """A 404."""
    return Refusal(404, "NotFound", message)


def denied(details: str = "") -> Refusal:
    """A 403."""
    return Refusal(403, "Unauthorized", "Access to requested resource is denied.", details)


def as_json(body: Any, status: int = 200) -> Response:
    """A JSON response."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(text.encode(), status=status, content_type="application/json; charset=UTF-8")


def error(status: int, code: str, message: str, details: str = "") -> Response:
    """A response with Amazon's list of errors."""
    return as_json({"errors": [{"code": code, "message": message, "details": details}]}, status)


def require_known(body: dict[str, Any], *known: str) -> None:
    """Check the names of a control request.

    Raises:
        Refusal: It has others.
    """
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise invalid(f"Unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")


def read_object(data: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        Refusal: It is none.
    """
    try:
        body = json.loads(data)
    except ValueError:
        raise invalid("The request body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.")
    return body
