"""The indexes that ``check`` recommends where searches are slow."""

from __future__ import annotations

from typing import Any

import memory_odoo
import pytest
from memory_odoo import MemoryOdoo

from amazon_bridge.odoo.index_check import examine_searches

SCAN = 0.12
"""Seconds that a search takes longer than another."""


class LongHistory(MemoryOdoo):
    """Searches by some fields take long, by a clock of its own."""

    slow: tuple[str, ...] = ()
    now = 0.0

    def execute_kw(self, *call: Any) -> Any:  # type: ignore[override]
        self.now += 0.02 + SCAN * any(name in str(call[5:]) for name in self.slow)
        return super().execute_kw(*call)


@pytest.fixture
def odoo() -> LongHistory:
    return LongHistory()


def advice(odoo: LongHistory) -> list[tuple[str, str]]:
    session = memory_odoo.connect(odoo)
    found = list(examine_searches(session, lambda: odoo.now))
    assert all(finding.ok for finding in found)
    return [(finding.what, finding.remedy) for finding in found]


def test_fast_searches_need_no_index(odoo: LongHistory) -> None:
    assert advice(odoo) == []


def test_an_index_is_recommended_for_each_slow_search(odoo: LongHistory) -> None:
    odoo.slow = ("client_order_ref", "vat")
    assert [what for what, _ in advice(odoo)] == [
        "A search by client_order_ref of sale.order takes 120 ms, because there is no index for it",
        "A search by vat of res.partner takes 120 ms, because there is no index for it",
    ]
    assert "CREATE INDEX CONCURRENTLY ON sale_order (client_order_ref);" in advice(odoo)[0][1]
