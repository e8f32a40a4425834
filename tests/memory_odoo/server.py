"""The in-memory Odoo's endpoint, as ``/xmlrpc/2`` of a real one."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from memory_odoo import (
    accounting,
    base,
    confirming,
    entries,
    invoicing,
    kits,
    mail,
    matching,
    moves,
    people,
    sale,
    stock,
    transfers,
)
from memory_odoo.faults import NotPlayed, Refusal, as_fault, no_database
from memory_odoo.model import SOURCE, Model
from memory_odoo.seed import plant
from memory_odoo.store import Snapshot, Store

KINDS: tuple[type[Model], ...] = (
    *(*base.MODELS, *people.MODELS, *mail.MODELS, *sale.MODELS, *confirming.MODELS),
    *(*accounting.MODELS, *entries.MODELS, *matching.MODELS, *invoicing.MODELS),
    *(*stock.MODELS, *moves.MODELS, *transfers.MODELS, *kits.MODELS),
)
Backup = tuple[Snapshot, dict[str, int]]
LONGEST_RESPONSE = 1000
"""Rows. A real server's memory takes more, but not as many as a shop has after some years."""

DATABASE, LOGIN, PASSWORD = "memory", "admin", "admin"


class Environment:
    """The models over one store, and the context of the call under way."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.context: Mapping[str, Any] = {}
        self.uid = 0
        self.language = SOURCE
        self.protected: set[tuple[str, int]] = set()
        self._models = {kind.name: kind(self) for kind in KINDS}

    def __getitem__(self, name: str) -> Any:
        if name not in self._models:
            raise NotPlayed(f"the model {name}")
        return self._models[name]

    def begin(self, uid: int, context: Mapping[str, Any]) -> None:
        """Begin a call.

        Raises:
            Refusal: nobody has switched its language on.
        """
        self.uid, self.context, self.language = uid, context, SOURCE
        language = context.get("lang") or SOURCE
        if language != SOURCE and not self["res.lang"].has(language):
            raise Refusal(f"Invalid language code: {language}")
        self.language = language


class MemoryOdoo:
    """An Odoo 19 in memory, with one database and one login, who may do everything.

    It plays what the bridge and the tests' people do with sales, stock and notes. What it doesn't
    play it refuses loudly (``NotPlayed``). A call that fails changes nothing.
    """

    release = "19.0"
    """The version that it states; its models and fields stay those of 19."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.env = Environment(Store(clock))
        self.rows: Counter[str] = Counter()
        self._lock = threading.Lock()
        plant(self.env, LOGIN, PASSWORD)

    @property
    def major(self) -> int:
        return int(self.release.partition(".")[0])

    def copy(self, clock: Callable[[], datetime]) -> "MemoryOdoo":
        """A copy with the same records and its own clock."""
        other = MemoryOdoo.__new__(MemoryOdoo)
        other.env = Environment(Store(clock))
        other.rows = Counter()
        other._lock = threading.Lock()
        other.restore(self.backup())
        return other

    def backup(self) -> Backup:
        """What a dump of the database has: all records, and where its sequences are."""
        return self.env.store.snapshot(), dict(self.env.store.last_ids)

    def restore(self, backup: Backup) -> None:
        """Restore the records of a backup. Ids and names are assigned again."""
        records, last_ids = backup
        self.env.store.restore(records)
        self.env.store.last_ids = dict(last_ids)

    def protect(self, *records: tuple[str, int]) -> None:
        """Let record rules keep the login from writing on these records, by model and id."""
        self.env.protected = set(records)

    # /xmlrpc/2/common

    def version(self) -> dict[str, str]:
        return {"server_version": self.release}

    def login(self, database: str, login: str, password: str) -> int | bool:
        users = self.env["res.users"]
        if database != DATABASE:
            raise no_database(database)
        found = users.found([("login", "=", login), ("password", "=", password)])
        return found[0] if found else False

    def authenticate(
        self, database: str, login: str, password: str, _: Mapping[str, Any]
    ) -> int | bool:
        return self.login(database, login, password)

    def password_of(self, login: str) -> str | None:
        users = self.env["res.users"]
        found = users.found([("login", "=", login)])
        return str(users.get(found[0], "password")) if found else None

    # /xmlrpc/2/object

    def execute_kw(  # noqa: PLR0917 - Odoo's
        self,
        database: str,
        uid: int,
        password: str,
        model: str,
        method: str,
        args: Any,
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Work a call as one transaction, with arguments and response as they come by XML-RPC.

        One call at a time, as if each were the only transaction.

        Raises:
            Fault: Odoo refuses, fails, or can't send its response.
        """
        with self._lock:
            assert self.env["res.users"].get(uid, "password") == password
            sent, named = _carried([args, dict(kwargs)], allow_none=True)
            context = named.pop("context", {})
            self._check_arguments(model, method, named)
            response = self._transaction(
                uid, context, lambda: self._method(model, method)(*sent, **named)
            )
            self._weigh(model, response)
            try:
                return _carried(response, allow_none=False)
            except TypeError as error:
                raise as_fault(error) from None

    def _check_arguments(self, model: str, method: str, named: Mapping[str, Any]) -> None:
        """Before 17, journal items have a ``search_read`` of their own, with fewer arguments."""
        older = (model, method) == ("account.move.line", "search_read") and self.major < 17
        if older and "load" in named:
            problem = "AccountMoveLine.search_read() got an unexpected keyword argument 'load'"
            raise as_fault(TypeError(problem))

    def _transaction(self, uid: int, context: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        """The result of a call; if it fails, nothing has changed."""
        begun = self.env.store.begin()
        try:
            self.env.begin(uid, context)
            return call()
        except Exception as error:  # noqa: BLE001 - Odoo responds to all of them
            self.env.store.roll_back(begun)
            raise as_fault(error) from None
        finally:
            self.env.language = SOURCE

    def _weigh(self, model: str, response: Any) -> None:
        """Count the rows of a response by model, and refuse one that no server could send."""
        number = len(response) if isinstance(response, list) else 0
        self.rows[model] += number
        if number > LONGEST_RESPONSE:
            raise NotPlayed(f"a response of {number} rows of {model}: read it page by page")

    def _method(self, model: str, name: str) -> Callable[..., Any]:
        method = getattr(self.env[model], name, None)
        if not getattr(method, "is_public", False):
            raise NotPlayed(f"the method {name} of {model}")
        assert callable(method)
        return method


def _carried(value: Any, *, allow_none: bool) -> Any:
    """The value as XML-RPC brings it to the other side.

    Raises:
        TypeError: XML-RPC can't carry it.
    """
    if isinstance(value, list | tuple):
        return [_carried(each, allow_none=allow_none) for each in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("dictionary key must be string")
        return {key: _carried(each, allow_none=allow_none) for key, each in value.items()}
    if value is None and not allow_none:
        raise TypeError("cannot marshal None unless allow_none is enabled")
    if value is not None and type(value) not in CARRIED:
        raise TypeError(f"cannot marshal {type(value)} objects")
    return value


CARRIED = {bool, int, float, str}
