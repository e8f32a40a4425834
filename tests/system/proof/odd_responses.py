"""A proxy before Odoo whose responses are, by chance, not what any Odoo should say."""

import random
import re
import threading
import xmlrpc.client
from collections import Counter
from collections.abc import Callable
from typing import Any

from proxy import Handler, Proxy, Response
from spoiled import paths

XML = [("Content-Type", "text/xml")]
HTML = [("Content-Type", "text/html; charset=utf-8")]

GONE = 2_000_000_000
"""An id that no record has."""
HUGE = 2**31 - 1
"""Placeholder of a number of thirty digits, which the standard library can read but not write."""

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


def _fault(inner: str) -> bytes:
    return f"<?xml version='1.0'?><methodResponse><fault>{inner}</fault></methodResponse>".encode()


def _a_fault(code: Any, text: Any) -> bytes:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), allow_none=True).encode()


def _a_value(inner: str) -> bytes:
    value = f"<value>{inner}</value>"
    return f"<methodResponse><params><param>{value}</param></params></methodResponse>".encode()


INSTEAD: dict[str, Response] = {
    "login page": (200, HTML, b"<!DOCTYPE html><html><body><form>Log in</form></body></html>"),
    "nothing": (200, XML, b""),
    "half a document": (200, XML, b"<?xml version='1.0'?><methodResponse><params>"),
    "no XML-RPC": (200, XML, b"<a/>"),
    "no value": (200, XML, b"<methodResponse><params></params></methodResponse>"),
    "no number": (200, XML, _a_value("<int>many</int>")),
    "an entity": (200, XML, b"<!DOCTYPE x [<!ENTITY a 'aa'>]>" + _a_value("<string>&a;</string>")),
    "empty fault": (200, XML, _fault("<value><struct></struct></value>")),
    "fault of a text": (200, XML, _fault("<value><string>no</string></value>")),
    "code of an old Odoo": (200, XML, _a_fault("warning -- UserError", "User Error\n\nNo.")),
    "code of a list": (200, XML, _a_fault([1, 2], "odd")),
    "fault without text": (200, XML, _a_fault(2, None)),
    "fault with a number": (200, XML, _a_fault(1, 42)),
    "blank fault": (200, XML, _a_fault(1, "")),
    "unknown code": (200, XML, _a_fault(77, "N" * 100_000)),
    "hostile fault": (200, XML, _a_fault(2, "<b>'\u202e\u2028</b>\n" * 50)),
    "204": (204, [], b""),
    "redirected": (302, [("Location", "/web/login")], b""),
    "not found": (404, HTML, b"<h1>Not Found</h1>"),
}  # fmt: skip
"""Responses in place of the right one; all come after the work was done."""


WORK = re.compile(
    rb"<string>(sale\.order|stock\.(picking|move)|mail\.message|res\.partner|account\.tax)"
)
"""A run does its work in calls about these; it begins with many others, which end it
when they go wrong."""


class OddResponses(Proxy):
    """Spoils responses of ``execute_kw`` and the login: one in so many of those that do the work,
    and a tenth as many of the others."""

    def __init__(self, target: str, chance: random.Random, *, often: float) -> None:
        super().__init__(target)
        self.often = often
        self.met = Counter[str]()
        self.log: list[str] = []
        self._chance = chance
        self._choosing = threading.Lock()

    def handle(self, request: Handler, body: bytes) -> None:
        status, headers, content = request.pass_on(body)
        often = self.often if WORK.search(body) else self.often / 10
        with self._choosing:
            if self._chance.random() < often:
                status, headers, content = self._spoil(body, (status, headers, content))
        request.respond(status, headers, content)

    def _spoil(self, body: bytes, response: Response) -> Response:
        arguments, name = xmlrpc.client.loads(body)
        called = ".".join(map(str, arguments[3:5])) if name == "execute_kw" else str(name)
        if self._chance.random() < 0.2:
            how = self._chance.choice(sorted(INSTEAD))
            response = INSTEAD[how]
        else:
            change = self._chance.choice(CHANGES)
            how = change.__name__
            response = self._change(response, change)
        self.met[how] += 1
        self.log.append(f"{called}: {how}")
        return response

    def _change(self, response: Response, change: Spoiler) -> Response:
        status, headers, content = response
        try:
            (value,), _ = xmlrpc.client.loads(content)
        except xmlrpc.client.Fault:  # Odoo refused; there is nothing to be changed
            return response
        spoiled = (change(value, self._chance),)
        text = xmlrpc.client.dumps(spoiled, methodresponse=True, allow_none=True)
        text = text.replace(f"<int>{HUGE}</int>", f"<biginteger>{10**30}</biginteger>")
        return status, headers, text.encode()


class WithoutCompany(Proxy):
    """Says once of the login's user that he belongs to no company."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._said = False

    def handle(self, request: Handler, body: bytes) -> None:
        status, headers, content = request.pass_on(body)
        if not self._said and b"<name>company_id</name>" in content and b"res.users" in body:
            (rows,), _ = xmlrpc.client.loads(content)
            changed = ([{**row, "company_id": False} for row in rows],)  # type: ignore[call-overload]
            content = xmlrpc.client.dumps(changed, methodresponse=True).encode()
            self._said = True
        request.respond(status, headers, content)
