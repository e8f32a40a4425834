"""Faults on demand: what goes wrong on real networks and with the real Amazon."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from amazon_bridge.simulator.responses import as_json, error

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Dropped(ConnectionResetError):
    """The connection breaks without a response."""


@dataclass(kw_only=True)
class Fault:
    """One fault to inject.

    ``operation`` is Amazon's name of it (or ``token``, ``upload``, ``download``), ``*`` any.
    ``times`` None: again and again. ``after_work``: the request was done, only its response is
    lost or spoiled. ``fields`` are removed from the response, at any depth. ``body`` is that of
    ``response``, or Amazon's message of ``400``.
    """

    kind: str
    operation: str = "*"
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    after_work: bool = False
    seconds: float = 0.0
    fields: tuple[str, ...] = ()
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    path_contains: str = ""
    _chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"No such fault: {self.kind}. Known: {', '.join(KINDS)}")
        self.fields = tuple(self.fields)
        self._chance = random.Random(self.seed)  # noqa: S311 - repeatable, not secret

    def strikes(self, operation: str, path: str) -> bool:
        """True if it hits this call; counts down if so."""
        if self.times == 0 or self.operation not in {"*", operation}:
            return False
        if self.path_contains not in path or self._chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def before(self) -> Response | None:
        """The response instead of doing the work; None to do it.

        Raises:
            Dropped: The connection breaks.
        """
        if self.kind == "reset" and not self.after_work:
            raise Dropped
        return None if self.after_work else self._substitute()

    def after(self, response: Response) -> Response:
        """The response after the work is done.

        Raises:
            Dropped: The connection breaks.
        """
        if self.kind == "reset":
            raise Dropped
        if self.kind == "truncated":
            return _truncated(response)
        if self.kind == "missing_fields":
            return _without(response, self.fields)
        return (self._substitute() if self.after_work else None) or response

    def _substitute(self) -> Response | None:
        if self.kind == "response":
            return Response(self.body, status=self.status, content_type=self.content_type)
        if self.kind == "400" and self.body:
            return error(400, "InvalidInput", self.body)
        make = _SUBSTITUTES.get(self.kind)
        return make() if make else None


def _html(status: int, text: str) -> Response:
    return Response(HTML.format(f"{status} {text}"), status=status, content_type="text/html")


_SUBSTITUTES = {
    "400": lambda: error(400, "InvalidInput", "Invalid Input"),
    "403": lambda: as_json({"message": "Forbidden"}, 403),
    "429": lambda: quota_exceeded(),  # noqa: PLW0108 - defined further down
    "500": lambda: error(500, "InternalFailure", "We encountered an internal error."),
    "502": lambda: _html(502, "Bad Gateway"),
    "503": lambda: _html(503, "Service Unavailable"),
    "not_json": lambda: Response("{orders: <!--", content_type="application/json"),
    "wrong_json": lambda: as_json(["unexpected"]),
    "lost": lambda: Response(status=204),
}
KINDS = (*_SUBSTITUTES, "response", "reset", "slow", "truncated", "missing_fields")
"""``lost`` returns 204 and does nothing, as Amazon has done with shipments; ``403`` has no errors;
502 and 503 are HTML of a gateway."""


def quota_exceeded() -> Response:
    """Amazon's 429."""
    return error(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


def _truncated(response: Response) -> Response:
    """Half of the body, under the whole one's length."""
    data = response.get_data()
    headers = response.headers.copy()
    headers["Content-Length"] = str(len(data))
    return Response([data[: len(data) // 2]], status=response.status_code, headers=headers)


def _without(response: Response, fields: tuple[str, ...]) -> Response:
    if response.mimetype != "application/json":
        return response
    return as_json(_strip(json.loads(response.get_data()), fields), response.status_code)


def _strip(value: Any, fields: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {name: _strip(inner, fields) for name, inner in value.items() if name not in fields}
    if isinstance(value, list):
        return [_strip(inner, fields) for inner in value]
    return value


class Faults:
    """The pending faults, first in first out."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, kind: str, operation: str = "*", **settings: Any) -> Fault:
        """Add a fault; see ``Fault`` for the settings.

        Raises:
            ValueError: There is no such kind of fault.
        """
        fault = Fault(kind=kind, operation=operation, **settings)
        self.pending.append(fault)
        return fault

    def clear(self) -> None:
        self.pending.clear()

    def strike(self, operation: str, request: Request) -> Fault | None:
        """The fault that hits this call, if any."""
        return next((f for f in self.pending if f.strikes(operation, request.path)), None)
