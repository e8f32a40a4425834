"""Odoo's JSON-2, from Odoo 19 on: ``POST /json/2/<model>/<method>`` with an API key.

Documented in Odoo's "External JSON-2 API". Arguments have names; the API key identifies the user.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import odoorpc.error

from amazon_bridge.odoo.transport.address import Address
from amazon_bridge.odoo.transport.connections import Connections
from amazon_bridge.odoo.transport.gateway import Gateway, UnreadableResponse, plain_version

_NAMES: Mapping[str, tuple[str, ...]] = {
    "check_object_reference": ("module", "xml_id"),
    "create": ("vals_list",),
    "default_get": ("fields",),
    "fields_get": ("allfields",),
    "get_param": ("key",),
    "has_access": ("ids", "operation"),
    "has_group": ("ids", "group_ext_id"),
    "load": ("fields", "data"),
    "message_unsubscribe": ("ids", "partner_ids"),
    "read": ("ids", "fields"),
    "search_count": ("domain",),
    "search_read": ("domain", "fields"),
    "web_search_read": ("domain", "specification"),
    "write": ("ids", "vals"),
}
"""Names of positional arguments in Odoo 19, by method. Any other method takes ``ids`` only."""

_IDS = ("ids",)

FIRST_VERSION = 19
"""The first Odoo with JSON-2."""


class NotOffered(odoorpc.error.Error):  # type: ignore[misc] # odoorpc has no types
    """The server has no JSON-2.

    Attributes:
        version: Of the server; empty if it isn't known.
    """

    def __init__(self, version: str = "") -> None:
        self.version = version
        super().__init__(version)


class WrongDatabase(odoorpc.error.Error):  # type: ignore[misc] # odoorpc has no types
    """The server doesn't offer the configured database."""


class OtherLogin(odoorpc.error.Error):  # type: ignore[misc] # odoorpc has no types
    """The API key is another user's."""


class Json2(Gateway):
    """odoorpc over JSON-2."""

    title = "JSON-2"

    def __init__(self, address: Address, timeout: float) -> None:
        super().__init__(address, timeout)
        self._connections = Connections(address, timeout)

    def ask(self, service: str, method: str, args: Sequence[Any]) -> Any:
        if method == "version":
            return self._version()
        database, user, key, *call = args
        access = _headers(database, key)
        if method == "login":
            return self._user_of(access, user)
        assert (service, method) == ("object", "execute_kw"), f"{service}.{method}"
        model, name, positional, options = call
        return self._execute(access, model, name, {**named(name, positional), **options})

    def _version(self) -> Mapping[str, str]:
        try:
            response = self._send("/web/version", None, {})
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                raise NotOffered from None
            raise
        if not isinstance(response, dict) or "version" not in response:
            raise UnreadableResponse
        response = {"server_version": response["version"]}
        version = plain_version(response)
        if int(version.split(".")[0]) < FIRST_VERSION:
            raise NotOffered(version)
        return response

    def _user_of(self, access: Mapping[str, str], login: str) -> Any:
        """The id of the API key's user.

        Raises:
            OtherLogin: It isn't the configured one.
        """
        try:
            context = self._execute(access, "res.users", "context_get", {})
        except HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                raise WrongDatabase from None
            raise
        uid = context.get("uid") if isinstance(context, dict) else None
        if type(uid) is not int:
            raise UnreadableResponse
        whose = {"domain": [["id", "=", uid], ["login", "=", login]], "fields": ["id"]}
        if not self._execute(access, "res.users", "search_read", whose):
            raise OtherLogin
        return uid

    def _execute(
        self, access: Mapping[str, str], model: str, method: str, arguments: Mapping[str, Any]
    ) -> Any:
        body = json.dumps(arguments).encode()
        headers = {**access, "Content-Type": "application/json"}
        try:
            result = self._send(f"/json/2/{model}/{method}", body, headers)
        except HTTPError as error:
            raise _refusal(error) from None
        if method == "create" and isinstance(arguments.get("vals_list"), Mapping):
            (result,) = result  # XML-RPC and JSON-RPC respond with one id to one record
        return result

    def _send(self, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        request = Request(self._address.root + path, body, dict(headers))  # noqa: S310 - http(s)
        return json.load(self._connections.open(request))


def _headers(database: str, key: str) -> dict[str, str]:
    """The headers that name the database and the user.

    ``http.client`` would quote a value that can't be in a header, in an error that isn't ours.
    """
    if not _fits_header(database):
        raise WrongDatabase
    if not _fits_header(key):
        raise odoorpc.error.RPCError("The password is not an API key.")
    return {"Authorization": f"bearer {key}", "X-Odoo-Database": database}


def _fits_header(value: str) -> bool:
    return value.isascii() and value.isprintable()


def named(method: str, args: Sequence[Any]) -> dict[str, Any]:
    """The positional arguments of a method by their names."""
    names = _NAMES.get(method, _IDS)
    assert len(args) <= len(names), f"{method} has positional arguments without a name"
    return dict(zip(names, args, strict=False))


def _refusal(error: HTTPError) -> Exception:
    """Odoo's exception as JSON-RPC brings it, without ``debug``; others stay as they are."""
    try:
        body = json.load(error)
    except ValueError:
        return error
    if not isinstance(body, dict) or not {"name", "arguments"} <= body.keys():
        return error  # a proxy's
    data = {name: body.get(name) for name in ("name", "message")}
    refusal: Exception = odoorpc.error.RPCError(str(data["message"]), {"data": data})
    return refusal
