"""Records with those that they refer to, in one call.

``web_search_read`` reads them, since Odoo 17; ``web_save_multi`` writes them first, since 19.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from amazon_bridge.odoo import responses
from amazon_bridge.odoo.session import OdooSession

Tree: TypeAlias = Mapping[str, Any]
"""By field: None, or for a relation the tree of the related records. With None it has ids only."""


def search(
    session: OdooSession, model: str, domain: Sequence[Any], tree: Tree, *, order: str = "id"
) -> list[responses.Row]:
    """Search and read. Returns a dict per record, with dicts in place of related records.

    A many2one is an id without its name, or False.
    """
    response = session.call(
        model, "web_search_read", list(domain), specification=_specification(tree), order=order
    )
    return responses.tree(model, response, tree)


def write(
    session: OdooSession, model: str, values: Mapping[int, Mapping[str, Any]], tree: Tree
) -> list[responses.Row]:
    """Write to each record its own values, and read all, in one transaction.

    Args:
        session: the login.
        model: of the records.
        values: by database id, as ``write`` takes them.
        tree: what to read, as ``search`` returns it.
    """
    ids = sorted(values)
    each = [dict(values[id_]) for id_ in ids]
    response = session.call(
        model, "web_save_multi", ids, vals_list=each, specification=_specification(tree)
    )
    return responses.branches(model, response, tree)


def _specification(tree: Tree) -> dict[str, Any]:
    return {
        name: {"fields": _specification(below)} if below else {} for name, below in tree.items()
    }
