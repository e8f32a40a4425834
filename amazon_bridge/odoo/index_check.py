"""Checks how long the searches take for which Odoo's database has no index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from amazon_bridge.model import Finding
from amazon_bridge.odoo.session import OdooSession

_SEARCHES: tuple[tuple[str, str, tuple[str, str, str]], ...] = (
    ("sale.order", "sale_order (client_order_ref)", ("client_order_ref", "=", "none")),
    ("sale.order", "sale_order (origin)", ("origin", "=", "none")),
    ("res.partner", "res_partner (email_normalized)", ("email_normalized", "=", "none")),
    ("res.partner", "res_partner (vat)", ("vat", "=", "none")),
    ("stock.picking", "stock_picking (write_date)", ("write_date", ">", "2100-01-01 00:00:00")),
)
"""Model, index, and a condition that no record meets, so that all records are looked at."""

_PAYS = 0.05  # seconds that an index saves per search, from which on it is worth the space

_TIMES = 5
"""The fastest of this many searches counts: what else Odoo has to do makes some slower."""


def examine_searches(
    session: OdooSession, timer: Callable[[], float] = time.perf_counter
) -> Iterator[Finding]:
    """Name the indexes that would save much time; none in a shop without a long history."""
    for model, index, condition in _SEARCHES:
        usual = _fastest(partial(_search, session, model, ("id", "=", 0)), timer)
        longer = _fastest(partial(_search, session, model, condition), timer) - usual
        if longer > _PAYS:
            yield Finding(
                ok=True,
                what=f"A search by {condition[0]} of {model} takes {longer * 1000:.0f} ms, because"
                " there is no index for it",
                remedy="An administrator of Odoo's database may add it: CREATE INDEX CONCURRENTLY"
                f" ON {index}; see docs/performance.md.",
            )


def _search(session: OdooSession, model: str, condition: tuple[Any, ...]) -> None:
    session.search_read(model, [condition], ["id"], limit=1)


def _fastest(call: Callable[[], None], timer: Callable[[], float]) -> float:
    return min(_seconds(call, timer) for _ in range(_TIMES))


def _seconds(call: Callable[[], None], timer: Callable[[], float]) -> float:
    begun = timer()
    call()
    return timer() - begun
