"""What the login may do, by its groups."""

from __future__ import annotations

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import OdooSession


def may(session: OdooSession, model: str, operation: str) -> bool:
    """Whether the login's groups allow ``create``, ``read``, ``write`` or ``unlink``.

    ``has_access`` since Odoo 18; before, and deprecated there, ``check_access_rights``.
    """
    if session.version >= (18, 0):
        return bool(session.call(model, "has_access", [], operation))
    return bool(session.call(model, "check_access_rights", operation, raise_exception=False))


def has_group(session: OdooSession, group: str) -> bool:
    """Whether the login is in a group, by the group's external id."""
    try:
        return bool(session.call("res.users", "has_group", [session.uid], group))
    except ItemError:  # older versions ask about the calling user only, without ids
        return bool(session.call("res.users", "has_group", group))
