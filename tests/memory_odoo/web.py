"""The in-memory Odoo's JSON-RPC and JSON-2, by their requests and responses over HTTP."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request
from xmlrpc.client import Fault, ProtocolError

from memory_odoo.server import DATABASE, MemoryOdoo

HEADERS: Any = {}
KEY = "key of "
"""An API key is the login after these words; a password is none."""

WITHOUT_IDS = {
    *("check_object_reference", "context_get", "create", "default_get", "fields_get"),
    *("formatted_read_group", "get_param", "load", "name_search", "search", "search_count"),
    *("search_read", "web_search_read"),
}
NAMES = {2: "odoo.exceptions.UserError", 4: "odoo.exceptions.AccessError"}
STATUS = {2: 422, 4: 403}

Response = tuple[int, Any]
"""Status, and what is sent as JSON."""


class Opener:
    """What ``urllib`` calls an opener, with the in-memory Odoo at its end."""

    def __init__(self, odoo: MemoryOdoo) -> None:
        self._odoo = odoo

    def open(self, request: Request, timeout: float | None = None) -> BytesIO:
        body = request.data or b""
        assert isinstance(body, bytes)
        try:
            status, response = respond(
                self._odoo, request.selector, dict(request.header_items()), body
            )
        except ProtocolError as error:
            raise HTTPError(request.selector, error.errcode, "", HEADERS, BytesIO()) from None
        content = BytesIO(json.dumps(response).encode())
        if status != 200:
            raise HTTPError(request.selector, status, "", HEADERS, content)
        return content


def respond(odoo: MemoryOdoo, path: str, headers: Mapping[str, str], body: bytes) -> Response:
    if path == "/web/version":
        return 200, {"version": odoo.version()["server_version"], "version_info": []}
    if path == "/jsonrpc":
        return 200, _json_rpc(odoo, json.loads(body))
    _, kind, two, model, method = path.split("/")
    assert (kind, two) == ("json", "2")
    named = {name.casefold(): value for name, value in headers.items()}
    if named["x-odoo-database"] != DATABASE:
        return 404, "the page of a server without a database"
    key = named["authorization"].removeprefix("bearer ")
    login = key.removeprefix(KEY)
    password = odoo.password_of(login) if key.startswith(KEY) else None
    if password is None:
        return 401, _error("werkzeug.exceptions.Unauthorized", "Invalid apikey")
    uid = int(odoo.login(DATABASE, login, password))
    return _json2(odoo, (uid, password), (model, method), json.loads(body))


def _json_rpc(odoo: MemoryOdoo, request: Mapping[str, Any]) -> dict[str, Any]:
    params = request["params"]
    assert params["method"] in {"version", "login", "authenticate", "execute_kw"}
    response = {"jsonrpc": "2.0", "id": request["id"]}
    try:
        result = _call(lambda: getattr(odoo, params["method"])(*params["args"]))
    except Fault as fault:
        name, message = _exception(fault)
        data = {"name": name, "message": message, "debug": fault.faultString}
        return {**response, "error": {"code": 0, "message": "Odoo Server Error", "data": data}}
    return response if result is None else {**response, "result": result}


def _json2(
    odoo: MemoryOdoo, who: tuple[int, str], which: tuple[str, str], arguments: dict[str, Any]
) -> Response:
    model, method = which
    if method == "context_get":
        return 200, {"lang": "en_US", "tz": False, "uid": who[0]}
    positional = [] if method in WITHOUT_IDS else [arguments.pop("ids", [])]
    try:
        call = (DATABASE, *who, model, method, positional, arguments)
        result = _call(lambda: odoo.execute_kw(*call))
    except Fault as fault:
        return STATUS.get(fault.faultCode, 500), _error(*_exception(fault))
    return 200, [result] if method == "create" and isinstance(result, int) else result


def _call(call: Callable[[], Any]) -> Any:
    """The result of a call that is made as over XML-RPC, which can't bring None."""
    try:
        return call()
    except Fault as fault:
        if "cannot marshal None" in fault.faultString:
            return None
        raise


def _exception(fault: Fault) -> tuple[str, str]:
    if fault.faultCode in NAMES:
        return NAMES[fault.faultCode], fault.faultString
    last = fault.faultString.strip().splitlines()[-1]
    name, _, message = last.partition(": ")
    return name, message


def _error(name: str, message: str) -> dict[str, Any]:
    return {
        "name": name,
        "message": message,
        "arguments": [message],
        "context": {},
        "debug": f"Traceback of {name}: {message}",
    }
