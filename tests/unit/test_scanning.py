"""What a job reads of Odoo, by what the state store remembers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import cast

from clocks import NOON, Clock

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.scanning import batches
from amazon_bridge.odoo.paging import ChangedPage


def test_a_first_scan_that_a_rate_limit_interrupts_looks_back_as_far_in_the_next_run(
    ledger: Ledger, clock: Clock
) -> None:
    fields = SimpleNamespace(ledger=ledger, clock=clock, name="acme", dry_run=False)
    context = cast("Context", fields)
    fields.since = partial(Context.since, context)
    begun: list[datetime] = []

    def read(since: datetime, _after: int) -> Iterator[ChangedPage]:
        begun.append(since)
        yield {7: NOON - timedelta(days=50)}, True

    assert next(batches(context, "pickings", read)).changed == [7]
    counts = Counts(resume_in=5)
    ledger.runs.record("acme", "pickings", started=NOON, finished=NOON, counts=counts)
    clock.now += timedelta(minutes=5)
    assert [batch.changed for batch in batches(context, "pickings", read)] == [[7]]
    assert begun == [NOON - timedelta(days=60)] * 2
