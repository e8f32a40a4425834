"""A proxy before Odoo whose responses are, by chance, not what any Odoo should say."""

import random
import re
import threading
import xmlrpc.client
from collections import Counter
from collections.abc import Callable
from typing import Any

import wires
from proxy import Handler, Proxy, Response, called
from spoiled import paths
from wires import HUGE

GONE = 2_000_000_000
"""An id that no record has."""

VALUES: tuple[Any, ...] = (
    *(False, None, True, 0, -1, GONE, HUGE, 1e308, 0.5, "", " ", "not_a_state", "2026-13-45 99:00"),
    *([], {}, [GONE, "Nobody"], [None], [[]], [{}], {"a": {"a": None}}, xmlrpc.client.Binary(b"x")),
    *(
        "<script>alert(1)</script>",
        "N" * 10_000,
        "\u202etxet",
        "a\x07b",
        "'; DROP TABLE x;--",
        "%s",
    ),
)

Spoiler = Callable[[Any, random.Random], Any]
"""Gets a response, and returns another."""


def another_value(value: Any, chance: random.Random) -> Any:
    """One place of the response, or all of it, becomes something else."""
    places = [(), *paths(value)]
    path = chance.choice(places)
    if not path:
        return chance.choice(VALUES)
    *way, last = path
    _inner(value, way)[last] = chance.choice(VALUES)
    return value


def without_a_key(value: Any, chance: random.Random) -> Any:
    keys = [path for path in paths(value) if isinstance(path[-1], str)]
    if keys:
        *way, last = chance.choice(keys)
        del _inner(value, way)[last]
    return value


def without_a_field(value: Any, chance: random.Random) -> Any:
    """As when a login may not read it, or a module has taken it away: no row has it."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        name = chance.choice(sorted(value[0]))
        return [{k: v for k, v in row.items() if k != name} for row in value]
    return value


def shortened(value: Any, chance: random.Random) -> Any:
    lists = [path for path in [(), *paths(value)] if isinstance(_inner(value, path), list)]
    if lists:
        found = _inner(value, chance.choice(lists))
        del found[chance.randrange(len(found) + 1) :]
    return value


def doubled(value: Any, chance: random.Random) -> Any:
    lists = [path for path in [(), *paths(value)] if isinstance(_inner(value, path), list)]
    if lists:
        found = _inner(value, chance.choice(lists))
        found += found[:]
    return value


def _inner(value: Any, way: Any) -> Any:
    for key in way:
        value = value[key]
    return value


CHANGES = (another_value, without_a_key, without_a_field, shortened, doubled)


WORK = re.compile(
    rb"(<string>|\"|/json/2/)"
    rb"(sale\.order|stock\.(picking|move)|mail\.message|res\.partner|account\.tax)"
)
"""A run does its work in calls about these; it begins with many others, which end it
when they go wrong."""


class OddResponses(Proxy):
    """Spoils responses of calls and the login: one in so many of those that do the work,
    and a tenth as many of the others."""

    def __init__(self, target: str, chance: random.Random, *, often: float) -> None:
        super().__init__(target)
        self.often = often
        self.met = Counter[str]()
        self.log: list[str] = []
        self._chance = chance
        self._choosing = threading.Lock()

    def handle(self, request: Handler, body: bytes) -> None:
        response = request.pass_on(body)
        works = WORK.search(request.path.encode() + body)
        with self._choosing:
            if self._chance.random() < (self.often if works else self.often / 10):
                response = self._spoil(request.path, body, response)
        request.respond(*response)

    def _spoil(self, path: str, body: bytes, response: Response) -> Response:
        wire = wires.of(path)
        if self._chance.random() < 0.2:
            how = self._chance.choice(sorted(wire.instead))
            response = wire.instead[how]
        else:
            change = self._chance.choice(CHANGES)
            how = change.__name__
            response = self._change(wire, response, change)
        self.met[how] += 1
        self.log.append(f"{'.'.join(called(path, body) or [path])}: {how}")
        return response

    def _change(self, wire: wires.Wire, response: Response, change: Spoiler) -> Response:
        status, headers, content = response
        try:
            value = wire.value(content)
        except wires.RefusedError:  # there is nothing to be changed
            return response
        return status, headers, wire.content(change(value, self._chance))


class WithoutCompany(Proxy):
    """Says once of the login's user that he belongs to no company."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._said = False

    def handle(self, request: Handler, body: bytes) -> None:
        status, headers, content = request.pass_on(body)
        model, method = called(request.path, body) or ("", "")
        if not self._said and model == "res.users" and method in {"read", "search_read"}:
            wire = wires.of(request.path)
            rows = wire.value(content)
            if any("company_id" in row for row in rows):
                content = wire.content([{**row, "company_id": False} for row in rows])
                self._said = True
        request.respond(status, headers, content)
