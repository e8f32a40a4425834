"""One look at Odoo for one account: finds or makes records, and collects what is missing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import MODULE, OdooSession
from amazon_bridge.odoo.setup.records import Missing, Need

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

INVENTORY_ADMINISTRATOR = "Inventory: Administrator"
SALES_ADMINISTRATOR = "Sales: Administrator"
ACCOUNTING_ADMINISTRATOR = "Accounting or Invoicing: Administrator"


def may(session: OdooSession, model: str, operation: str) -> bool:
    """Whether the login's groups allow ``create``, ``read``, ``write`` or ``unlink``.

    ``has_access`` since Odoo 18; before, and deprecated there, ``check_access_rights``.
    """
    if session.version >= (18, 0):
        return bool(session.call(model, "has_access", [], operation))
    return bool(session.call(model, "check_access_rights", operation, raise_exception=False))


def _insistently(create: Callable[[], object]) -> None:
    """Make something that is made once however often it is tried.

    Where another process makes the same in this moment, Odoo may refuse it, with all kinds of
    texts; afterwards it finds what the other one made.

    Raises:
        ItemError: Odoo refuses it still.
    """
    try:
        create()
    except ItemError:
        create()


class Work:
    """One look at Odoo for one account; collects what is missing."""

    def __init__(self, session: OdooSession, account: AccountConfig, *, create: bool) -> None:
        self.session = session
        self.account = account
        self.create = create
        self.missing: list[Missing] = []

    def ensure(self, need: Need, find: Callable[[], Found], create: Callable[[], object]) -> Found:
        """What ``find`` finds, perhaps only after ``create``; falsy where that doesn't help."""
        found = find()
        if found:
            return found
        obstacle = self._obstacle(need, create)
        if self.create:
            # Looked for after a refusal, too: another process may have made it in this moment.
            found = find()
            if found:
                log.info("odoo_record_made", model=need.model, account=self.account.name)
                return found
            archived = "the one that the bridge once made is archived, or has been changed"
            obstacle = obstacle or archived
        self.missing.append(Missing(need.what, need.how, obstacle))
        return found

    def _obstacle(self, need: Need, create: Callable[[], object]) -> str:
        """Make it, if that is asked for; answer with what stands in the way."""
        if not may(self.session, need.model, need.operation):
            return f"the login may not make it: that takes the group {need.group}"
        try:
            if self.create:
                _insistently(create)
        except ItemError as error:
            return error.reason
        return ""

    def lacks(self, what: str, how: str) -> None:
        """Note something that only a person can put right."""
        self.missing.append(Missing(what, how, how))

    def find_ours(
        self, model: str, wanted: Mapping[str, str], fields: Sequence[str] = ("id",)
    ) -> dict[str, dict[str, Any]]:
        """Records by external id. Most still bear the name we gave them: two calls find these."""
        named = ("name", "in", sorted(wanted.values()))
        rows = {row["id"]: row for row in self.session.search_read(model, [named], fields)}
        names = self.session.external_ids(model, sorted(rows))
        found = {name: rows[id_] for id_, name in names.items() if name in wanted}
        for name in sorted(wanted.keys() - found.keys()):
            if id_ := self.session.reference(name):
                found[name] = self.session.read(model, [id_], fields)[0]
        return found


def external(name: str) -> str:
    """The whole external id, for a load."""
    return f"{MODULE}.{name}"


def slug(name: str) -> str:
    """Readable, and different for different names, whatever their script."""
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"{readable}_{zlib.crc32(name.encode()):08x}"


def first_id(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The id of the first record, if there is one."""
    return int(rows[0]["id"]) if rows else None
