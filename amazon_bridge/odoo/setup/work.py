"""Finds, creates or unarchives the records of one account, and collects what is missing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.naming import search_by_name
from amazon_bridge.odoo.rights import may
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup.records import Advice, Archived, Missing, Need

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

INVENTORY_ADMINISTRATOR = "Inventory: Administrator"
SALES_ADMINISTRATOR = "Sales: Administrator"
ACCOUNTING_ADMINISTRATOR = "Accounting or Invoicing: Administrator"


def _retrying_once(create: Callable[[], object]) -> None:
    """Create a record; retry once if Odoo refuses it.

    If another process creates the same record at this moment, Odoo may refuse it with various
    messages; afterwards the other one's record is found.

    Raises:
        ItemError: Odoo refuses it again.
    """
    try:
        create()
    except ItemError:
        create()


ARCHIVED = "archived"
"""The obstacle of archived records: only `amazon-bridge setup` unarchives them."""

_CHANGED = "the one that the bridge created was changed, and is no longer suitable"


def _none_archived() -> list[Archived]:
    return []


class Work:
    """The setup of one account; collects what is missing.

    Args:
        session: a login; works in the account's company as soon as that is known.
        account: the account to inspect.
        create: create what is missing.
        restore: unarchive what people archived.
    """

    def __init__(
        self, session: OdooSession, account: AccountConfig, *, create: bool, restore: bool = False
    ) -> None:
        self.session = session
        self.account = account
        self.create = create
        self.restore = restore
        self.missing: list[Missing] = []
        self.advice: dict[str, Advice] = {}
        self._rights: dict[tuple[str, str], bool] = {}

    def ensure(
        self,
        need: Need,
        find: Callable[[], Found],
        create: Callable[[], object],
        archived: Callable[[], Sequence[Archived]] = _none_archived,
    ) -> Found:
        """The result of ``find``, if necessary after ``create``; falsy if that fails.

        Where ``archived`` finds something, nothing is created.
        """
        found = find()
        if found:
            return found
        obstacles = [self._unarchive(need, each) for each in archived()]
        if any(obstacles):
            return found
        return (find() if obstacles else found) or self._made(need, find, create)

    def _unarchive(self, need: Need, record: Archived) -> str:
        """Unarchive a record, if requested. Returns what prevents it, and notes that."""
        obstacle = "" if self.restore else ARCHIVED
        if self.restore and not self._may(record.model, "write"):
            obstacle = f"archived: unarchiving it requires the group {need.group}"
        try:
            if not obstacle:
                self.session.call(record.model, "write", [record.id], {"active": True})
                log.info("odoo_record_unarchived", model=record.model, account=self.account.name)
        except ItemError as error:
            obstacle = f"archived; {error.reason}"
        if obstacle:
            self.missing.append(Missing(record.what, record.how, obstacle, archived=True))
        return obstacle

    def _made(self, need: Need, find: Callable[[], Found], create: Callable[[], object]) -> Found:
        if blocker := need.blocker():
            self.lacks(need.what, blocker)
            return find()
        obstacle = self._obstacle(need, create)
        # Also searched for after a refusal: another process may have created it at this moment.
        found = find()
        if not found:
            changed = _CHANGED if self.create else ""
            self.missing.append(Missing(need.what, need.how, obstacle or changed))
        elif self.create:
            log.info("odoo_record_created", model=need.model, account=self.account.name)
        return found

    def _obstacle(self, need: Need, create: Callable[[], object]) -> str:
        """Create it, if requested. Returns what prevents it."""
        if not self._may(need.model, need.operation):
            return f"the login may not create it: that requires the group {need.group}"
        try:
            if self.create:
                _retrying_once(create)
        except ItemError as error:
            return error.reason
        return ""

    def _may(self, model: str, operation: str) -> bool:
        key = model, operation
        if key not in self._rights:
            self._rights[key] = may(self.session, model, operation)
        return self._rights[key]

    def lacks(self, what: str, how: str) -> None:
        """Note something that only a person can correct."""
        self.missing.append(Missing(what, how, how))

    def named(
        self,
        what: str,
        model: str,
        name: str,
        domain: Sequence[Any],
        fields: Sequence[str] = ("id",),
        *,
        field: str = "name",
    ) -> list[dict[str, Any]]:
        """Records with this displayed name; advises against names that aren't displayed."""
        session = self.session
        rows, language = search_by_name(session, model, name, domain, fields, field=field)
        if rows and language != session.language:
            self.advice[what] = Advice(
                f"People see {what} under another name: {name} is its name in {language}, and the "
                f"login's language is {session.language}",
                "Write the name that people see into the configuration.",
            )
        return rows

    def archived_ids(self, model: str, reference: str, condition: Sequence[Any]) -> list[int]:
        """Archived records: the one with our external id, else those of a domain."""
        known = self.session.reference(reference, archived=True) if reference else None
        found = [("id", "=", known)] if known else condition
        if not found:
            return []
        domain = [*found, ("active", "=", False)]
        rows = self.session.search_read(model, domain, ["id"], order="id", limit=1)
        return [row["id"] for row in rows]

    def find_ours(
        self, model: str, names_by_reference: Mapping[str, str], fields: Sequence[str] = ("id",)
    ) -> dict[str, dict[str, Any]]:
        """Records by external id. Most still have their original name: two calls find these."""
        named = ("name", "in", sorted(names_by_reference.values()))
        rows = {row["id"]: row for row in self.session.search_read(model, [named], fields)}
        names = self.session.external_ids(model, sorted(rows))
        found = {name: rows[id_] for id_, name in names.items() if name in names_by_reference}
        for name in sorted(names_by_reference.keys() - found.keys()):
            if id_ := self.session.reference(name):
                found[name] = self.session.read(model, [id_], fields)[0]
        return found


def slug(name: str) -> str:
    """Readable, and different for different names, whatever their script."""
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{readable}_{zlib.crc32(name.encode()):08x}"


def first_id(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The id of the first record, if there is one."""
    return int(rows[0]["id"]) if rows else None
