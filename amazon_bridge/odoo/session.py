"""A login to Odoo: calls and loads with external ids, counted and timed, with our errors."""

from __future__ import annotations

import copy
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from amazon_bridge.config.addresses import is_loopback
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ItemError,
    Watch,
    nobody_watches,
)
from amazon_bridge.engine.retrying import CALL, retry_transient
from amazon_bridge.odoo import responses, transport
from amazon_bridge.odoo.capabilities import Capabilities, Fields, look_up
from amazon_bridge.odoo.defaults import Defaults, with_defaults
from amazon_bridge.odoo.faults import FAILURES, explain
from amazon_bridge.odoo.loading import LoadError, loaded_ids, refuse_duplicates
from amazon_bridge.odoo.personal import of_buyers
from amazon_bridge.odoo.text import sendable
from amazon_bridge.odoo.transport import Gateway
from amazon_bridge.odoo.transport.gateway import READ_METHODS

log = structlog.get_logger(__name__)

MODULE = "amazon_bridge"
"""The module of every external id that the bridge creates."""


def external(name: str) -> str:
    """The whole external id, for a load."""
    return f"{MODULE}.{name}"


SOURCE_LANGUAGE = "en_US"
"""The language of Odoo's source texts. A translated field without a translation shows these."""

_METADATA_SINCE = (15, 0)
_STABLE = {"lang": SOURCE_LANGUAGE, "tz": "UTC"}
"""Context of every call: messages are parsed, so they must not follow the login's preferences."""

_CREATE_IF_ABSENT = {"mode": "update", "noupdate": True}
_OVERWRITE = {"mode": "init", "noupdate": True}

_NO_DEFAULTS: Defaults = {}

PAGE = 500
"""Records in a response: a transfer as it is read takes 1.8 kB of XML, a page less than 1 MB."""

T = TypeVar("T")


class OdooSession:
    """A login to one database. Safe to share between threads; each has its own connection.

    All methods raise ``Transient`` when Odoo can't be reached or is busy, ``AccountError`` when it
    refuses the login or its rights, and ``ItemError`` when it refuses the request.
    """

    def __init__(
        self,
        odoo: Gateway,
        context: Mapping[str, Any],
        watch: Watch = nobody_watches,
        sleep: Callable[[float], None] = time.sleep,
        defaults: Defaults = _NO_DEFAULTS,
    ) -> None:
        self._odoo = odoo
        self.defaults = defaults
        """Values of further fields on records that loads create."""
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
        defaults: Defaults = _NO_DEFAULTS,
    ) -> OdooSession:
        """Log in.

        Args:
            url: Odoo's base URL.
            database: Its name.
            login: The user's login.
            password: Or an API key.
            protocol: ``xmlrpc``, ``jsonrpc`` or ``json2``, which needs an API key.
            timeout: Seconds, for connecting and for each response.
            watch: Callback invoked after the login and after every call (``model.method``).
            sleep: Waits between two attempts, in seconds.
            defaults: Cells by column, by model, of the records that loads create.
        """

        def log_in() -> Gateway:
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
            raise problem or responses.unexpected("no readable response to the login")

        gateway = retry_transient(log_in, CALL, sleep=sleep)
        return cls(gateway, _STABLE, watch, sleep, defaults)

    def for_company(self, company_id: int) -> OdooSession:
        """The same login, restricted to one company. Shares the count of calls."""
        other = copy.copy(self)
        other._context = {**self._context, "allowed_company_ids": [company_id]}  # noqa: SLF001
        return other

    @property
    def language(self) -> str:
        """The login's language, such as ``fr_FR``; read once."""
        with self._lock:
            known = list(self._languages)
        if not known:
            user = self.read("res.users", [self.uid], ["lang"])[0]
            known.append(str(user["lang"] or SOURCE_LANGUAGE))
            with self._lock:
                self._languages[:] = known
        return known[0]

    def in_users_language(self) -> OdooSession:
        """The same login, reading translated names in the user's language.

        For names only: Odoo's messages are parsed, so they must stay in ``SOURCE_LANGUAGE``.
        Shares the count of calls.
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
    def edition(self) -> str:
        """``Community`` or ``Enterprise``; empty if Odoo doesn't say."""
        return self._odoo.edition

    @property
    def transport(self) -> str:
        """The name of the transport, such as ``XML-RPC``."""
        return self._odoo.title

    @property
    def capabilities(self) -> Capabilities:
        """The field and model names of this Odoo version; read once."""
        with self._lock:
            known = list(self._capabilities)
        if not known:
            known.append(look_up(self.fields_of, self.version))
            with self._lock:
                self._capabilities[:] = known
        return known[0]

    def forget_capabilities(self) -> None:
        """Forget which fields exist: ``capabilities`` reads them again."""
        with self._lock:
            self._capabilities.clear()

    @property
    def is_private(self) -> bool:
        """True if nobody else can read the connection: TLS, or the same machine."""
        return is_loopback(self._odoo.host) or self._odoo.protocol.endswith("+ssl")

    def fields_of(self, model: str, names: Sequence[str]) -> Fields:
        """Attributes of the named fields that the model has; empty if there is no such model."""
        attributes = ["type", "relation", "digits"]
        try:
            found = self.call(model, "fields_get", list(names), attributes=attributes)
        except ItemError:
            return {}
        return responses.fields(model, found)

    def call(
        self,
        model: str,
        method: str,
        *args: Any,
        context: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a public method of a model. Methods that only read are retried.

        Returns:
            Odoo's response; None also if the call succeeded and Odoo could not send its result
            (see ``explain``).
        """
        kwargs["context"] = {**self._context, **(context or {})}
        if method in READ_METHODS:
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
            return self._odoo.execute_kw(model, method, sendable(args), sendable(kwargs))
        except FAILURES as error:
            problem = explain(error, of_buyers(model, method, args, kwargs))
        finally:
            self._count(model, method, begun, problem)
        if problem is None:
            return None
        # Raised outside of the except block, so that Odoo's exception and its text aren't chained.
        raise problem

    def _count(self, model: str, method: str, begun: float, problem: BridgeError | None) -> None:
        with self._lock:
            self.calls[model, method] += 1
        seconds = time.monotonic() - begun
        self._watch(f"{model}.{method}", problem, seconds)
        log.debug("odoo_call", model=model, method=method, milliseconds=round(seconds * 1000))

    def ping(self) -> None:
        """Check that Odoo is reachable and accepts the login; raises as any call does."""
        self.call("res.users", "read", [self.uid], ["login"])

    def database_uuid(self) -> str | None:
        """The database's uuid; None if the login may not read it.

        A copy made by Odoo's database manager gets a new uuid. A copy made by PostgreSQL's own
        tools keeps it, and so does a restored backup.
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
        """Search and read. Returns one dict per record: ``id`` plus the requested fields."""
        options = {"limit": limit, "order": order}
        given = {name: value for name, value in options.items() if value is not None}
        response = self.call(
            model, "search_read", list(domain), list(fields), context=context, **given
        )
        return responses.rows(model, response, fields)

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Read by ids: ``id`` plus the requested fields. Ids that don't exist are left out."""
        return [row for page in chunks(ids) for row in self._read_page(model, page, fields)]

    def _read_page(
        self, model: str, ids: Sequence[int], fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        rows = responses.rows(model, self.call(model, "read", list(ids), list(fields)), fields)
        requested = set(ids)
        return [row for row in rows if row["id"] in requested]

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
        """Create the records whose external ids don't exist yet, in one transaction.

        Args:
            model: Of the records.
            fields: The columns.
            rows: A row per record or line. With a column ``.id``, existing records are written.
            owners: The key of each row's item.
            overwrite: Write existing records, too. Such a load isn't retried.
            context: In addition to the session's.

        Returns:
            The database ids of all records, in the order of the rows.

        Raises:
            ItemErrors: The rows of these items were refused; nothing was changed.
            LoadError: The same without ``owners``, or if Odoo doesn't say which rows.
            Transient: Another transaction was in the way; nothing was changed.
        """
        if not rows:
            return []
        if not overwrite:
            fields, rows = with_defaults(self.defaults, model, fields, rows)
        refuse_duplicates(fields, rows)
        mode = _OVERWRITE if overwrite else _CREATE_IF_ABSENT

        def load() -> list[int]:
            cells = [list(row) for row in rows]
            options = {**mode, **(context or {})}
            response = self.call(model, "load", list(fields), cells, context=options)
            return loaded_ids(model, fields, rows, response)

        try:
            return load() if overwrite else self._retry(load)
        except LoadError as error:
            if owners and error.messages:
                raise error.by_owner(owners) from None
            raise

    def external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """The external ids of the bridge's own records, without the module, by database id.

        Uses ``get_metadata``, which needs no right to read ``ir.model.data``.
        """
        pages = [self._external_ids_page(model, page) for page in chunks(ids)]
        return {id_: name for page in pages for id_, name in page.items()}

    def _external_ids_page(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        if self.version < _METADATA_SINCE:
            return self._old_external_ids(model, ids)
        rows = responses.metadata(model, self.call(model, "get_metadata", list(ids)))
        every = {row["id"]: [entry["xmlid"] for entry in row["xmlids"]] for row in rows}
        ours = f"{MODULE}."
        return {
            id_: xmlid.removeprefix(ours)
            for id_, xmlids in every.items()
            for xmlid in xmlids
            if xmlid.startswith(ours)
        }

    def _old_external_ids(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """For Odoo 14, whose ``get_metadata`` lacks them; there, every login may read the model."""
        domain = [("module", "=", MODULE), ("model", "=", model), ("res_id", "in", list(ids))]
        rows = self.search_read("ir.model.data", domain, ["res_id", "name"])
        return {row["res_id"]: row["name"] for row in rows}

    def reference(self, name: str, *, archived: bool = False) -> int | None:
        """The database id of the record with the external id ``amazon_bridge.<name>``.

        None if there is none, the login may not see it, or it is archived (unless ``archived``).
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
        return responses.reference(name, found)


def chunks(values: Collection[T]) -> list[list[T]]:
    """The values in lists of at most ``PAGE``, for conditions such as ``("id", "in", ...)``."""
    listed = list(values)
    return [listed[start : start + PAGE] for start in range(0, len(listed), PAGE)]
