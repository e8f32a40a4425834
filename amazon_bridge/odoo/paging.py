"""Reads of any number of records: page by page, by ascending id.

Odoo builds a response in memory and sends it whole, so no response may grow with the history or
the size of the shop. Pages by ``id`` cost the same wherever they begin, and a record that is
written meanwhile neither moves to another page nor pushes another record off one, as it would with
an offset or another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from amazon_bridge.odoo import responses
from amazon_bridge.odoo.moments import moment, timestamp
from amazon_bridge.odoo.session import PAGE, OdooSession


def pages(
    session: OdooSession,
    model: str,
    domain: Sequence[Any],
    fields: Sequence[str],
    *,
    after: int = 0,
    size: int | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Search and read page by page; each page is read only when it is requested.

    Args:
        session: a login.
        model: what to search.
        domain: the conditions.
        fields: what to read.
        after: the last id of the page at which an earlier reading stopped.
        size: records in a page; None: ``PAGE``.

    Yields:
        At least one page. The last one has fewer than ``size`` rows, or none.
    """
    size = size or PAGE
    while True:
        following = [*domain, ("id", ">", after)]
        rows = session.search_read(model, following, fields, order="id", limit=size)
        yield rows
        if len(rows) < size:
            return
        after = rows[-1]["id"]


@dataclass(frozen=True, slots=True)
class Query:
    """A query with any number of results: the newest page, or all of them page by page."""

    session: OdooSession
    model: str
    domain: Sequence[Any]
    fields: Sequence[str]

    def newest(self) -> list[dict[str, Any]]:
        """The newest records; all of them if they are fewer than ``PAGE``."""
        return self.session.search_read(
            self.model, self.domain, self.fields, order="id desc", limit=PAGE
        )

    def pages(self, after: int) -> Iterator[list[dict[str, Any]]]:
        """The records behind an id, page by page; see ``pages``."""
        return pages(self.session, self.model, self.domain, self.fields, after=after)

    def of(self, condition: Any) -> list[dict[str, Any]]:
        """The few records for which another condition holds as well."""
        return self.session.search_read(
            self.model, [*self.domain, condition], self.fields, order="id"
        )


class ChangedPage(NamedTuple):
    """A page of records that changed, with the moment of each one's last change, by id."""

    changes: dict[int, datetime]
    is_last: bool


def changed(
    session: OdooSession, model: str, domain: Sequence[Any], *, since: datetime, after: int = 0
) -> Iterator[ChangedPage]:
    """The records of a domain that changed since a moment: their ids and last changes only.

    ``write_date`` is the beginning of the transaction that wrote the record, by the database's
    clock, in whole seconds. The record becomes visible only at the end of the transaction.
    """
    written = ("write_date", ">=", timestamp(since))
    for rows in pages(session, model, [*domain, written], ["write_date"], after=after):
        changes = {row["id"]: moment(row["write_date"]) for row in rows}
        yield ChangedPage(changes, is_last=len(rows) < PAGE)


_PLAIN_SINCE = (15, 0)
_PLAIN_SINCE_OF: Mapping[str, tuple[int, int]] = {"account.move.line": (17, 0)}
"""Models whose own ``search_read`` takes no ``load`` before a later version."""
_PLAIN_ROWS = 1000


def plain_rows(
    session: OdooSession,
    model: str,
    domain: Sequence[Any],
    fields: Sequence[str],
    context: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Search and read any number of records, without the names of what many2one fields name.

    The names of 500 products take Odoo several times as long as the rows that name them. Where
    ``search_read`` knows no ``load``, they are read and dropped.

    Args:
        session: a login.
        model: what to search.
        domain: the conditions.
        fields: what to read.
        context: in addition to the session's.

    Yields:
        One dict per record, by ascending id: ``id`` plus the fields, many2one fields as ids.
    """
    is_known = session.version >= _PLAIN_SINCE_OF.get(model, _PLAIN_SINCE)
    options: dict[str, Any] = {"load": ""} if is_known else {}
    options |= {"order": "id", "limit": _PLAIN_ROWS}
    after = 0
    while True:
        following = [*domain, ("id", ">", after)]
        response = session.call(
            model, "search_read", following, list(fields), context=context, **options
        )
        rows = responses.plain_rows(model, response, fields)
        yield from rows
        if len(rows) < _PLAIN_ROWS:
            return
        after = rows[-1]["id"]
