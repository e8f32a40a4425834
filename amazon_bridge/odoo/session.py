"""A login to Odoo: calls, loads with external ids, counted, timed, with errors of ours."""

from __future__ import annotations

import copy
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ItemError,
    ItemErrors,
    Transient,
    Watch,
    nobody_watches,
)
from amazon_bridge.engine.retrying import CALL, retry_transient
from amazon_bridge.odoo import answers, transport
from amazon_bridge.odoo.capabilities import Capabilities, Fields, look_up
from amazon_bridge.odoo.faults import CORRECT_IN_ODOO, FAILURES, explain, is_momentary
from amazon_bridge.odoo.personal import of_buyers, without_personal_data

log = structlog.get_logger(__name__)

MODULE = "amazon_bridge"
"""The module of every external id that the bridge makes."""

SOURCE_LANGUAGE = "en_US"
"""The language of Odoo's source texts. A translated field without a translation shows these."""

_STABLE = {"lang": SOURCE_LANGUAGE, "tz": "UTC"}
"""Every call's context: messages, which are parsed, don't follow the login's preferences."""

_CREATE_IF_ABSENT = {"mode": "update", "noupdate": True}
_OVERWRITE = {"mode": "init", "noupdate": True}

_READING = {
    "check_object_reference",
    "fields_get",
    "get_metadata",
    "get_param",
    "has_access",
    "has_group",
    "name_search",
    "read",
    "search_count",
    "search_read",
}
"""Methods that change nothing, so that a call whose answer was lost may be made again."""

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

T = TypeVar("T")


class LoadError(ItemError):
    """Odoo refused rows of a load, and therefore all of them.

    ``messages`` has Odoo's text by the number of the row where the refused record begins. It
    is empty when Odoo didn't say which row it was. A row without a message may be refused in
    the next try: Odoo stops after ten errors.
    """

    def __init__(self, messages: Mapping[int, str], reason: str) -> None:
        super().__init__("odoo_refused", f"Odoo refused: {reason}", CORRECT_IN_ODOO)
        self.messages = dict(messages)

    def by_owner(self, owners: Sequence[str]) -> ItemErrors:
        """The same by the keys of the items that the rows belong to."""
        return ItemErrors(
            {owners[row]: LoadError({row: text}, text) for row, text in self.messages.items()}
        )


class OdooSession:
    """A login to one database. May be shared by threads; each has its own connection.

    All methods raise ``Transient`` when Odoo is out of reach or busy, ``AccountError`` when it
    refuses the login or its rights, and ``ItemError`` when it refuses what was asked.
    """

    def __init__(
        self,
        odoo: Any,
        context: Mapping[str, Any],
        watch: Watch = nobody_watches,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._odoo = odoo
        self._watch = watch
        self._sleep = sleep
        self._context = dict(context)
        self._lock = threading.Lock()
        self._capabilities: list[Capabilities] = []
        self._languages: list[str] = []
        self.calls: Counter[tuple[str, str]] = Counter()
        """Calls made, by model and method."""

    @classmethod
    def connect(
        cls,
        url: str,
        database: str,
        login: str,
        password: str,
        *,
        protocol: str = "xmlrpc",
        timeout: float = 120,
        watch: Watch = nobody_watches,
        sleep: Callable[[float], None] = time.sleep,
    ) -> OdooSession:
        """Log in. ``password`` may be an API key; ``protocol`` is ``xmlrpc`` or ``jsonrpc``.

        ``timeout`` is in seconds, for every call. ``watch`` is told of the login and of every
        call, as ``model.method``. ``sleep`` waits between two attempts, in seconds.
        """

        def log_in() -> Any:
            begun = time.monotonic()
            try:
                odoo = transport.connect(url, protocol, timeout)
                odoo.login(database, login, password)
            except FAILURES as error:
                problem = explain(error, (login, password))
            else:
                watch("login", None, time.monotonic() - begun)
                return odoo
            watch("login", problem, time.monotonic() - begun)
            raise problem or answers.not_understood("no answer to the login that can be read")

        return cls(retry_transient(log_in, CALL, sleep=sleep), _STABLE, watch, sleep)

    def for_company(self, company_id: int) -> OdooSession:
        """The same login, working in one company only. Calls are counted together."""
        other = copy.copy(self)
        other._context = {**self._context, "allowed_company_ids": [company_id]}  # noqa: SLF001
        return other

    @property
    def language(self) -> str:
        """The language in which the login sees Odoo, such as ``fr_FR``; looked up once."""
        with self._lock:
            known = list(self._languages)
        if not known:
            user = self.read("res.users", [self.uid], ["lang"])[0]
            known.append(str(user["lang"] or SOURCE_LANGUAGE))
            with self._lock:
                self._languages[:] = known
        return known[0]

    def in_users_language(self) -> OdooSession:
        """The same login, reading translated names as its user sees them on the screen.

        For names only: Odoo's messages, which are parsed, must stay in ``SOURCE_LANGUAGE``.
        Calls are counted together.
        """
        if self.language == SOURCE_LANGUAGE:
            return self
        other = copy.copy(self)
        other._context = {**self._context, "lang": self.language}  # noqa: SLF001
        return other

    @property
    def uid(self) -> int:
        """The database id of the login's user."""
        return int(self._odoo.env.uid)

    @property
    def version(self) -> tuple[int, int]:
        """Odoo's version, such as ``(19, 0)``."""
        major, minor = self._odoo.version.split(".")
        return int(major), int(minor)

    @property
    def names(self) -> Capabilities:
        """The words of this Odoo's version; looked up once."""
        with self._lock:
            known = list(self._capabilities)
        if not known:
            known.append(look_up(self.fields_of))
            with self._lock:
                self._capabilities[:] = known
        return known[0]

    @property
    def is_private(self) -> bool:
        """Nobody on the way can read along: TLS, or the same machine."""
        local = self._odoo.host in {"localhost", "::1"} or self._odoo.host.startswith("127.")
        return local or self._odoo.protocol.endswith("+ssl")

    def fields_of(self, model: str, names: Sequence[str]) -> Fields:
        """Those of the named fields that the model has; none when Odoo has no such model."""
        attributes = ["type", "relation", "digits"]
        try:
            found = self.call(model, "fields_get", list(names), attributes=attributes)
        except ItemError:
            return {}
        return answers.fields(model, found)

    def call(
        self,
        model: str,
        method: str,
        *args: Any,
        context: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a public method of a model; one that only reads is tried again if that may help.

        Returns:
            Odoo's answer; None also when the call was done and Odoo could not send its answer
            (``explain`` says when that is).
        """
        kwargs["context"] = {**self._context, **(context or {})}
        if method in _READING:
            return self._retry(lambda: self._call(model, method, args, kwargs))
        return self._call(model, method, args, kwargs)

    def _retry(self, call: Callable[[], T]) -> T:
        return retry_transient(call, CALL, sleep=self._sleep)

    def _call(
        self, model: str, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        begun = time.monotonic()
        problem: BridgeError | None = None
        try:
            return self._odoo.execute_kw(model, method, _sendable(args), _sendable(kwargs))
        except FAILURES as error:
            problem = explain(error, of_buyers(model, method, args, kwargs))
        finally:
            self._count(model, method, begun, problem)
        if problem is None:
            return None
        # Raised here, where Odoo's own exception and its text are no longer attached.
        raise problem

    def _count(self, model: str, method: str, begun: float, problem: BridgeError | None) -> None:
        with self._lock:
            self.calls[model, method] += 1
        seconds = time.monotonic() - begun
        self._watch(f"{model}.{method}", problem, seconds)
        log.debug("odoo_call", model=model, method=method, milliseconds=round(seconds * 1000))

    def ping(self) -> None:
        """Raise the errors of any call if Odoo can't be reached or refuses the login."""
        self.call("res.users", "read", [self.uid], ["login"])

    def database_uuid(self) -> str | None:
        """The uuid that Odoo gave the database; None where the login may not read it.

        A copy made by Odoo's database manager gets another uuid. One made by PostgreSQL's own
        tools keeps it, as a restored backup does.
        """
        domain = [("key", "=", "database.uuid")]
        try:
            rows = self.search_read("ir.config_parameter", domain, ["value"])
        except (AccountError, ItemError):  # administrators only, in all versions
            return None
        return next((str(row["value"]) for row in rows if row["value"]), None)

    def search_read(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """The records of a domain, each with its ``id`` and the fields."""
        options = {"limit": limit, "order": order}
        given = {name: value for name, value in options.items() if value is not None}
        answer = self.call(
            model, "search_read", list(domain), list(fields), context=context, **given
        )
        return answers.rows(model, answer, fields)

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Records by id, each with its ``id`` and the fields. Missing ids are simply absent."""
        if not ids:
            return []
        rows = answers.rows(model, self.call(model, "read", list(ids), list(fields)), fields)
        wanted = set(ids)
        return [row for row in rows if row["id"] in wanted]

    def load(
        self,
        model: str,
        fields: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        owners: Sequence[str] | None = None,
        overwrite: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """Create the records that are absent under their external ids, in one transaction.

        Existing ones are left as they are, unless ``overwrite``; else it is tried again where
        that may help. Rows with database ids (column ``.id``) are written in any case.
        ``owners`` has the key of each row's item.

        Returns:
            The database ids of all records, in the order of the rows.

        Raises:
            ItemErrors: the rows of these items were refused; nothing was done.
            LoadError: the same when no ``owners`` are given, or Odoo doesn't say which rows.
            Transient: another transaction was in the way; nothing was done.
        """
        if not rows:
            return []
        _refuse_duplicates(fields, rows)
        mode = _OVERWRITE if overwrite else _CREATE_IF_ABSENT

        def load() -> list[int]:
            answer = self.call(
                model,
                "load",
                list(fields),
                [list(r) for r in rows],
                context={**mode, **(context or {})},
            )
            ids, messages = answers.loaded(model, answer)
            if errors := [each for each in messages if each.get("type") == "error"]:
                raise _load_error(errors, len(rows), of_buyers(model, "load", (fields, rows)))
            return _all_loaded(ids, fields, rows)

        try:
            return load() if overwrite else self._retry(load)
        except LoadError as error:
            if owners and error.messages:
                raise error.by_owner(owners) from None
            raise

    def external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """The external ids of records, without the module; those of other modules are left out.

        Through ``get_metadata``, which needs no right to read ``ir.model.data``.
        """
        if not ids:
            return {}
        rows = answers.metadata(model, self.call(model, "get_metadata", list(ids)))
        if any("xmlids" not in row for row in rows):
            return self._old_external_ids(model, ids)
        every = {row["id"]: [entry["xmlid"] for entry in row["xmlids"]] for row in rows}
        ours = f"{MODULE}."
        return {
            id_: xmlid.removeprefix(ours)
            for id_, xmlids in every.items()
            for xmlid in xmlids
            if xmlid.startswith(ours)
        }

    def _old_external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """Odoo 14's ``get_metadata`` knows that of one record only; but there, all may read."""
        domain = [("module", "=", MODULE), ("model", "=", model), ("res_id", "in", list(ids))]
        rows = self.search_read("ir.model.data", domain, ["res_id", "name"])
        return {row["res_id"]: row["name"] for row in rows}

    def reference(self, name: str, *, archived: bool = False) -> int | None:
        """The database id of the record with the external id ``amazon_bridge.<name>``.

        None when there is none, when the login may not see it, or when it is archived, unless
        ``archived``.
        """
        context = {"active_test": False} if archived else None
        try:
            found = self.call(
                "ir.model.data", "check_object_reference", MODULE, name, context=context
            )
        except ItemError as error:
            if "External ID not found" in error.reason:
                return None
            raise
        return answers.reference(name, found)


def _sendable(value: Any) -> Any:
    """The same without characters that XML can't hold: buyers' names have been seen with them."""
    if isinstance(value, str):
        return _NOT_IN_XML.sub("", value)
    if isinstance(value, Mapping):
        return {key: _sendable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(inner) for inner in value]
    return value


def _refuse_duplicates(fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Odoo would silently double the lines of a record that stands twice in a load."""
    for column in _columns_of_own_ids(fields):
        ids = [row[column] for row in rows if row[column]]
        assert len(ids) == len(set(ids)), f"external ids twice in column {fields[column]}"


def _columns_of_own_ids(fields: Sequence[str]) -> list[int]:
    """The columns with ids of what is loaded; others refer to something that is there already."""
    columns = []
    for number, field in enumerate(fields):
        parent, _, last = field.rpartition("/")
        siblings = [other for other in fields if other != field and other.startswith(f"{parent}/")]
        if last in {"id", ".id"} and (not parent or siblings):
            columns.append(number)
    return columns


def _all_loaded(ids: list[int], fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    own = [column for column in _columns_of_own_ids(fields) if "/" not in fields[column]]
    expected = sum(any(row[column] for column in own) for row in rows) if own else len(ids) or 1
    if len(ids) != expected:
        raise LoadError({}, f"{len(ids)} of {expected} records were loaded, without a message.")
    return ids


def _load_error(
    messages: Sequence[Mapping[str, Any]], rows: int, sent: Sequence[Any]
) -> BridgeError:
    texts = [(_row(message), _text(message, sent)) for message in messages]
    if any(is_momentary(str(message.get("message"))) for message in messages):
        return Transient(f"Odoo's database was busy: {texts[0][1]}")
    if len(texts) > 1 and texts[0][0] == 0 and not messages[0].get("field"):
        # Odoo repeats the error of the whole batch at its first row, be it that row's or not.
        texts = texts[1:]
    by_row = {row: text for row, text in reversed(texts) if row is not None and row < rows}
    return LoadError(by_row, texts[0][1])


def _row(message: Mapping[str, Any]) -> int | None:
    match message.get("rows"):
        case {"from": int() as row}:
            return row
    return None


def _text(message: Mapping[str, Any], sent: Sequence[Any]) -> str:
    text = without_personal_data(str(message.get("message")), sent)
    field = message.get("field")
    return f"{field}: {text}" if isinstance(field, str) and field else text
