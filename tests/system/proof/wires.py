"""Responses of Odoo in each transport: read, changed, and made up."""

import json
import xmlrpc.client
from collections.abc import Mapping
from typing import Any, Protocol

from proxy import Response

XML = [("Content-Type", "text/xml")]
JSON = [("Content-Type", "application/json; charset=utf-8")]
HTML = [("Content-Type", "text/html; charset=utf-8")]

HUGE = 2**31 - 1
"""Placeholder of a number of thirty digits, which the standard library can read but not write."""

TRACEBACK = 'Traceback (most recent call last):\n  File "sql_db.py", line 1, in execute\n'


class RefusedError(Exception):
    """The response says that Odoo refused."""


class Wire(Protocol):
    """One transport."""

    instead: Mapping[str, Response]
    """Responses that no Odoo gives."""

    def value(self, content: bytes) -> Any:
        """The result in a response.

        Raises:
            RefusedError: There is none.
        """

    def content(self, value: Any) -> bytes:
        """A response with this result."""

    def crash(self, last_line: str) -> Response:
        """The response when Odoo's code raised this exception, as in ``module.Class: message``."""


def of(path: str) -> Wire:
    """The transport of a request."""
    if path.startswith("/xmlrpc/"):
        return _Xml()
    return _JsonRpc() if path == "/jsonrpc" else _Json2()


ANYWHERE: dict[str, Response] = {
    "login page": (200, HTML, b"<!DOCTYPE html><html><body><form>Log in</form></body></html>"),
    "204": (204, [], b""),
    "redirected": (302, [("Location", "/web/login")], b""),
    "not found": (404, HTML, b"<h1>Not Found</h1>"),
}


def _fault(inner: str) -> bytes:
    return f"<?xml version='1.0'?><methodResponse><fault>{inner}</fault></methodResponse>".encode()


def _a_fault(code: Any, text: Any) -> bytes:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), allow_none=True).encode()


def _a_value(inner: str) -> bytes:
    value = f"<value>{inner}</value>"
    return f"<methodResponse><params><param>{value}</param></params></methodResponse>".encode()


class _Xml:
    instead: Mapping[str, Response] = ANYWHERE | {
        "nothing": (200, XML, b""),
        "half a document": (200, XML, b"<?xml version='1.0'?><methodResponse><params>"),
        "no XML-RPC": (200, XML, b"<a/>"),
        "no value": (200, XML, b"<methodResponse><params></params></methodResponse>"),
        "no number": (200, XML, _a_value("<int>many</int>")),
        "an entity": (
            *(200, XML),
            b"<!DOCTYPE x [<!ENTITY a 'aa'>]>" + _a_value("<string>&a;</string>"),
        ),
        "empty fault": (200, XML, _fault("<value><struct></struct></value>")),
        "fault of a text": (200, XML, _fault("<value><string>no</string></value>")),
        "code of an old Odoo": (200, XML, _a_fault("warning -- UserError", "User Error\n\nNo.")),
        "code of a list": (200, XML, _a_fault([1, 2], "odd")),
        "fault without text": (200, XML, _a_fault(2, None)),
        "fault with a number": (200, XML, _a_fault(1, 42)),
        "blank fault": (200, XML, _a_fault(1, "")),
        "unknown code": (200, XML, _a_fault(77, "N" * 100_000)),
        "hostile fault": (200, XML, _a_fault(2, "<b>'\u202e\u2028</b>\n" * 50)),
    }

    def value(self, content: bytes) -> Any:
        try:
            (value,), _ = xmlrpc.client.loads(content)
        except xmlrpc.client.Fault:
            raise RefusedError from None
        return value

    def content(self, value: Any) -> bytes:
        text = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True)
        return text.replace(f"<int>{HUGE}</int>", f"<biginteger>{10**30}</biginteger>").encode()

    def crash(self, last_line: str) -> Response:
        return 200, XML, _a_fault(1, f"{TRACEBACK}{last_line}\n")


def _error(name: Any, message: Any) -> dict[str, Any]:
    return {"name": name, "message": message, "arguments": [], "context": {}, "debug": TRACEBACK}


_USER_ERROR = "odoo.exceptions.UserError"

_ERRORS: dict[str, Any] = {
    "empty error": {},
    "error of a text": "no",
    "error of a list": [1, 2],
    "error of nothing": None,
    "name of a list": _error([1, 2], "odd"),
    "error without message": _error(_USER_ERROR, None),
    "error with a number": _error(1, 42),
    "blank error": _error("", ""),
    "unknown name": _error("odoo.exceptions.New", "N" * 100_000),
    "hostile error": _error(_USER_ERROR, "<b>'\u202e\u2028</b>\n" * 50),
}


def _json(value: Any) -> bytes:
    text = json.dumps(value, default=str)
    return text.replace(str(HUGE), str(10**30)).encode()


_NO_JSON: dict[str, Response] = {
    "nothing": (200, JSON, b""),
    "half a document": (200, JSON, b'{"jsonrpc": "2.0", "result": [{"id":'),
    "no UTF-8": (200, JSON, b'"\xff"'),
    "no number": (200, JSON, b"NaN"),
}


class _JsonRpc:
    instead: Mapping[str, Response] = (
        ANYWHERE
        | _NO_JSON
        | {
            "no JSON-RPC": (200, JSON, b"[1]"),
            "no result": (200, JSON, b"{}"),
            "old JSON-RPC": (200, JSON, b'{"result": 1, "error": null, "id": 1}'),
            "fault without data": (200, JSON, _json({"jsonrpc": "2.0", "error": {"code": 1}})),
        }
        | {
            name: (200, JSON, _json({"jsonrpc": "2.0", "error": {"code": 200, "data": error}}))
            for name, error in _ERRORS.items()
        }
    )

    def value(self, content: bytes) -> Any:
        response = json.loads(content)
        if "error" in response:
            raise RefusedError
        return response.get("result")

    def content(self, value: Any) -> bytes:
        return _json({"jsonrpc": "2.0", "id": None, "result": value})

    def crash(self, last_line: str) -> Response:
        error = {"code": 200, "message": "Odoo Server Error", "data": _exception(last_line)}
        return 200, JSON, _json({"jsonrpc": "2.0", "id": None, "error": error})


class _Json2:
    instead: Mapping[str, Response] = (
        ANYWHERE
        | _NO_JSON
        | {name: (500, JSON, _json(error)) for name, error in _ERRORS.items()}
        | {f"{name}, refused": (422, JSON, _json(error)) for name, error in _ERRORS.items()}
    )

    def value(self, content: bytes) -> Any:
        value = json.loads(content)
        if isinstance(value, dict) and {"name", "arguments"} <= value.keys():
            raise RefusedError
        return value

    def content(self, value: Any) -> bytes:
        return _json(value)

    def crash(self, last_line: str) -> Response:
        return 500, JSON, _json(_exception(last_line))


def _exception(last_line: str) -> dict[str, Any]:
    name, _, message = last_line.partition(": ")
    return _error(name, message)
