"""Maps failed calls of Odoo to our errors.

Odoo's messages can quote what it was sent or has stored, such as a buyer's name. They reach the
state store and the logs, so they pass ``without_personal_data`` first.
"""

from __future__ import annotations

import json
import re
import ssl
import xml.parsers.expat
import xmlrpc.client
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError

import odoorpc.error

from amazon_bridge.engine.errors import AccountError, BridgeError, ItemError, TooLarge, Transient
from amazon_bridge.odoo.personal import without_personal_data
from amazon_bridge.odoo.postgresql import is_momentary, lacks_database
from amazon_bridge.odoo.transport.json2 import NotOffered, OtherLogin, WrongDatabase

FAILURES: Final = (
    odoorpc.error.Error,
    xmlrpc.client.Error,
    xml.parsers.expat.ExpatError,
    json.JSONDecodeError,
    UnicodeDecodeError,
    HTTPException,
    OSError,
)
"""Exceptions of a call through the transport."""


class _Kind(Enum):
    REFUSED = auto()
    """Odoo's UserError, ValidationError and the like."""
    DENIED = auto()
    FORBIDDEN = auto()
    CRASHED = auto()
    """Any other exception: a bug, a changed Odoo, or its database in trouble."""


_XMLRPC_KINDS = {2: _Kind.REFUSED, 3: _Kind.DENIED, 4: _Kind.FORBIDDEN}
_JSONRPC_KINDS = {
    "odoo.exceptions.UserError": _Kind.REFUSED,
    "odoo.exceptions.ValidationError": _Kind.REFUSED,
    "odoo.exceptions.MissingError": _Kind.REFUSED,
    "odoo.exceptions.RedirectWarning": _Kind.REFUSED,
    "odoo.exceptions.AccessDenied": _Kind.DENIED,
    "werkzeug.exceptions.Unauthorized": _Kind.DENIED,
    "odoo.exceptions.AccessError": _Kind.FORBIDDEN,
}

_UNREADABLE_RESPONSE = re.compile(r"TypeError: (cannot marshal |dictionary key must be string)")


def explain(failure: Exception, sent: Iterable[Any] = ()) -> BridgeError | None:
    """Our error for a failed call.

    None if the call succeeded and was committed, and only its result could not be sent: over
    XML-RPC, Odoo 19 can't send None or dictionaries with integer keys, and 14 no frozendict.

    Args:
        failure: what the transport raised, one of ``FAILURES``.
        sent: what of the call's arguments may be a buyer's; none of these texts comes back in
            the error.
    """
    if isinstance(failure, xmlrpc.client.Fault):
        code, text = failure.faultCode, str(failure.faultString)
        kind = _XMLRPC_KINDS.get(code, _Kind.CRASHED) if isinstance(code, int) else _Kind.CRASHED
        return _of_odoo(kind, text if kind != _Kind.CRASHED else _last_line(text), sent)
    if isinstance(failure, odoorpc.error.RPCError):
        return _of_odoo(*_jsonrpc_failure(failure), sent)
    if isinstance(failure, NotOffered | OtherLogin | WrongDatabase):
        return _of_json2(failure)
    if isinstance(failure, HTTPError):
        return _of_status(failure.code, failure.headers)
    if isinstance(failure, xmlrpc.client.ProtocolError):
        return _of_status(failure.errcode, failure.headers)
    return _connection_error(failure)


def _jsonrpc_failure(failure: odoorpc.error.RPCError) -> tuple[_Kind, str]:
    if not failure.info:  # odoorpc's own: the login was refused
        return _Kind.DENIED, str(failure)
    data: Mapping[str, Any] = failure.info.get("data") or {}
    name, message = str(data.get("name")), str(data.get("message"))
    kind = _JSONRPC_KINDS.get(name, _Kind.CRASHED)
    return kind, message if kind != _Kind.CRASHED else f"{name}: {message}"


def _of_odoo(kind: _Kind, text: str, sent: Iterable[Any]) -> BridgeError | None:
    clean = without_personal_data(text, sent)
    if kind == _Kind.REFUSED and not is_momentary(text):
        return ItemError("odoo_refused", f"Odoo refused: {clean}", CORRECT_IN_ODOO)
    if kind == _Kind.DENIED:
        return AccountError(
            "Odoo doesn't accept the login or its password.",
            "Check odoo.login, odoo.password and odoo.database; an API key may have expired."
            " odoo.password must be an API key if the login has two-factor authentication, and with"
            " odoo.protocol json2.",
        )
    if kind == _Kind.FORBIDDEN:
        return AccountError(
            f"Odoo denies access to the bridge's login: {clean}",
            "Give the login the groups that the message names; `amazon-bridge check` lists all.",
        )
    return _of_crash(text, clean)


CORRECT_IN_ODOO = (
    "Correct in Odoo what the message names, then run `amazon-bridge quarantine retry` with the"
    " item's id."
)


def _of_crash(text: str, clean: str) -> BridgeError | None:
    if _UNREADABLE_RESPONSE.search(text):
        return None
    if lacks_database(text):
        return _no_such_database()
    if is_momentary(text):
        return Transient(f"Odoo's database was busy: {clean}")
    return ItemError(
        "odoo_fault",
        f"Odoo failed: {clean}",
        "Odoo's own log has the whole traceback. `amazon-bridge check` shows whether this "
        "version of Odoo is tested.",
    )


def _no_such_database() -> AccountError:
    return AccountError(
        "Odoo has no database of the configured name.", "Check odoo.database and odoo.url."
    )


def _of_json2(failure: NotOffered | OtherLogin | WrongDatabase) -> AccountError:
    if isinstance(failure, WrongDatabase):
        return _no_such_database()
    if isinstance(failure, OtherLogin):
        return AccountError(
            "The API key in odoo.password belongs to another user than odoo.login.",
            "Set odoo.login to the key's user, or odoo.password to a key of that login.",
        )
    who = f"Odoo {failure.version}" if failure.version else "The server at odoo.url"
    return AccountError(
        f"{who} has no JSON-2 API, which came with Odoo 19 (HTTP status 404).",
        "Set odoo.protocol to xmlrpc where Odoo is older than 19; else check odoo.url.",
    )


def _of_status(status: int, headers: Any) -> BridgeError:
    reason = f"Odoo's server returned HTTP status {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = str((headers or {}).get("Retry-After") or "")
        return Transient(
            f"{reason}.",
            retry_after=float(wait) if wait.isdigit() else None,
            maybe_done=status != HTTPStatus.TOO_MANY_REQUESTS,
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge(
            "odoo_refused",
            f"{reason}: the request is too large.",
            "Raise the limit of the proxy in front of Odoo (nginx: client_max_body_size).",
        )
    return AccountError(
        f"{reason}.",
        "Check odoo.url (https where Odoo redirects to it), and that a proxy in front of Odoo lets"
        " /xmlrpc/2, /jsonrpc or /json/2 through. Odoo 22 needs odoo.protocol json2.",
    )


def _connection_error(failure: Exception) -> BridgeError:
    """The error for a missing or unreadable response."""
    reason = failure.reason if isinstance(failure, URLError) else failure
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = reason.verify_message.rstrip(".")
        return AccountError(
            f"The TLS certificate of Odoo's server can't be verified: {why}.",
            "Renew it, or add its authority to this machine's (or set SSL_CERT_FILE).",
        )
    sent = not isinstance(failure, URLError)
    if isinstance(reason, ssl.SSLError) and not sent:
        return AccountError(
            f"No TLS connection to Odoo's server: {reason.reason}.",
            "Check odoo.url: https where the server speaks TLS, http where it doesn't.",
        )
    if isinstance(reason, OSError | HTTPException):
        what = "The connection to Odoo broke" if sent else "Odoo can't be reached"
        return Transient(f"{what}: {_detail(reason)}.", _CHECK_URL, maybe_done=sent)
    return Transient(
        "Odoo's server returned no data, perhaps a maintenance page.",
        _CHECK_URL,
        maybe_done=True,
    )


_CHECK_URL = "If this persists, check odoo.url and whether Odoo runs."


def _detail(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return "no response in time"
    return getattr(failure, "strerror", None) or type(failure).__name__


def _last_line(traceback: str) -> str:
    """The exception of a traceback: its class and the first line of its message."""
    lines = traceback.strip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] + 1 :] if frames else lines
    return next((line for line in after if line[:1].strip()), lines[-1] if lines else "")
