"""Sums of fields, computed by Odoo's database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amazon_bridge.odoo import responses
from amazon_bridge.odoo.session import OdooSession

_FORMATTED_SINCE = (19, 0)


def sums(
    session: OdooSession, model: str, domain: Sequence[Any], by: str, fields: Sequence[str]
) -> dict[int, dict[str, float]]:
    """Sum fields by the record that a many2one names; one call.

    ``formatted_read_group`` since Odoo 19; before, and deprecated there, ``read_group``.

    Args:
        session: a login.
        model: what to sum.
        domain: which of its records.
        by: a many2one.
        fields: stored numbers.

    Returns:
        By the other record's id, each field's sum; none where the domain has no records of it.
    """
    specifications = [f"{field}:sum" for field in fields]
    if session.version >= _FORMATTED_SINCE:
        answer = session.call(model, "formatted_read_group", list(domain), [by], specifications)
        return responses.groups(model, answer, by, dict(zip(fields, specifications, strict=True)))
    answer = session.call(model, "read_group", list(domain), specifications, [by])
    return responses.groups(model, answer, by, {field: field for field in fields})
