"""A proxy on which things go wrong, by chance, as they do on real networks and servers."""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import wires
from proxy import Handler, Proxy, Response

TIMEOUT = 4.0
"""Seconds after which the program gives a call to Odoo up, in these tests."""

HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with one call.

    ``takes_effect``: the other side does its work, and only the response is lost or spoilt.
    ``response`` is sent in place of the right one; None: the connection breaks, after ``seconds``.
    ``crash`` is the exception of Odoo's code that is sent, as the request's transport does.
    ``withheld``: the right response comes, but half of it is missing. ``path`` restricts it.
    """

    name: str
    takes_effect: bool = False
    response: Response | None = None
    crash: str = ""
    seconds: float = 0
    withheld: bool = False
    path: str = ""

    def happen(self, request: Handler, body: bytes) -> None:
        right = request.pass_on(body) if self.takes_effect else None
        time.sleep(self.seconds)
        if self.withheld and right:
            request.respond(*right, withheld=len(right[2]) // 2)
        elif self.response:
            request.respond(*self.response)
        elif self.crash:
            request.respond(*wires.of(request.path).crash(self.crash))
        elif self.name == "slow" and right:
            request.respond(*right)
        else:
            request.hang_up()


def _response(status: int, kind: str, text: str, **headers: str) -> Response:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return status, [("Content-Type", kind), *named], text.encode()


def _page(status: int, title: str) -> Response:
    return _response(status, HTML, f"<html><head><title>{title}</title></head></html>")


def _errors(status: int, code: str, message: str, **headers: str) -> Response:
    error = {"code": code, "message": message, "details": ""}
    return _response(status, JSON, json.dumps({"errors": [error]}), **headers)


_QUOTA = _errors(429, "QuotaExceeded", "You exceeded your quota.", x_amzn_RateLimit_Limit="5")


def _both(name: str, response: Response) -> list[Fault]:
    """A bad response in place of the work, and one in place of the right response."""
    return [
        Fault(name, response=response),
        Fault(f"{name}, done", takes_effect=True, response=response),
    ]


ANYWHERE = [
    Fault("reset"),
    Fault("response lost", takes_effect=True),
    Fault("slow", takes_effect=True, seconds=0.3),
    Fault("truncated", takes_effect=True, withheld=True),
    *_both("502", _page(502, "Bad Gateway")),
    *_both("503", _page(503, "Service Unavailable")),
    *_both("no data", _page(200, "We'll be back soon")),
]
_CRASHES = {
    "serialization": "errors.SerializationFailure: could not serialize access due to concurrent"
    " update",
    "deadlock": "errors.DeadlockDetected: deadlock detected",
    "lock time-out": "errors.LockNotAvailable: canceling statement due to lock timeout",
    "no database": "OperationalError: server closed the connection unexpectedly",
    "pool full": "pool.PoolError: The Connection Pool Is Full",
}
AT_ODOO = [
    *ANYWHERE,
    Fault("time-out", takes_effect=True, seconds=TIMEOUT + 1),
    Fault("429", response=_page(429, "Too Many Requests")),
    Fault("500", response=_page(500, "Internal Server Error")),
    *(Fault(name, crash=f"psycopg2.{exception}") for name, exception in _CRASHES.items()),
]
AT_AMAZON = [
    *ANYWHERE,
    Fault("429", response=_QUOTA),
    *_both("500", _errors(500, "InternalFailure", "We encountered an internal error.")),
    *_both("wrong JSON", _response(200, JSON, '["unexpected"]')),
    Fault(
        "token expired",
        response=_errors(403, "Unauthorized", "The access token you provided has expired."),
        path=r"^/(orders|feeds|sellers)/",
    ),
]


class Trouble(Proxy):
    """Lets one in so many calls go wrong.

    Args:
        target: the URL of the server behind it.
        faults: of these one is chosen at a time.
        chance: says when, and which.
        often: the part of the calls that go wrong.
        met: counts the faults, by name.
    """

    def __init__(
        self,
        target: str,
        faults: Sequence[Fault],
        chance: random.Random,
        *,
        often: float,
        met: Callable[[str], object],
    ) -> None:
        super().__init__(target)
        self.often = often
        self._faults, self._chance, self._met = faults, chance, met
        self._choosing = threading.Lock()

    def handle(self, request: Handler, body: bytes) -> None:
        fault = self._choose(request.path)
        if fault is None:
            super().handle(request, body)
        else:
            self._met(fault.name)
            fault.happen(request, body)

    def _choose(self, path: str) -> Fault | None:
        with self._choosing:
            if self._chance.random() >= self.often:
                return None
            return self._chance.choice([f for f in self._faults if re.search(f.path, path)])


class Met(Counter[str]):
    """The faults that were met."""

    def __call__(self, name: str) -> None:
        self[name] += 1
