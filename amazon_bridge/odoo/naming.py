"""Names of records as people see them: translated fields, read in the login's language.

Names in the configuration are those that the login sees on its screen. Configurations that were
written with the source names (``en_US``) keep working: they are tried second.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_bridge.odoo.session import SOURCE_LANGUAGE, OdooSession


@dataclass(frozen=True, slots=True)
class Name:
    """A record's name in the login's language and in the source language; often the same."""

    displayed: str
    source: str

    def __str__(self) -> str:
        return self.displayed

    @property
    def both(self) -> tuple[str, ...]:
        """Both names, the displayed one first."""
        return tuple(dict.fromkeys((self.displayed, self.source)))


def read_names(session: OdooSession, model: str, ids: Collection[int]) -> dict[int, Name]:
    """The names of records by database id; a call, or two where the login isn't in English."""
    if not ids:
        return {}
    displayed = _names(session.in_users_language(), model, ids)
    translated = session.language != SOURCE_LANGUAGE
    source = _names(session, model, ids) if translated else displayed
    return {id_: Name(name, source.get(id_, name)) for id_, name in displayed.items()}


def _names(session: OdooSession, model: str, ids: Collection[int]) -> dict[int, str]:
    return {row["id"]: row["name"] for row in session.read(model, sorted(ids), ["name"])}


def search_by_name(
    session: OdooSession,
    model: str,
    name: str,
    domain: Sequence[Any],
    fields: Sequence[str],
    *,
    field: str = "name",
    order: str = "id",
    context: Mapping[str, Any] | None = None,
) -> tuple[list[dict[str, Any]], str]:
    """Find records that are named so in the login's language, or else in ``SOURCE_LANGUAGE``.

    Args:
        session: a login.
        model: what to search.
        name: as the configuration has it.
        domain: what else must hold.
        fields: what to read.
        field: a path to the translated name.
        order: of the records.
        context: in addition to the session's.

    Returns:
        The records, and the language in which they have the name.
    """
    displayed = session.in_users_language()
    conditions = [(field, "=", name), *domain]
    rows = displayed.search_read(model, conditions, fields, order=order, context=context)
    if rows or displayed is session:
        return rows, session.language
    rows = session.search_read(model, conditions, fields, order=order, context=context)
    return rows, SOURCE_LANGUAGE
