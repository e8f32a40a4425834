"""Orders with open reminders: which are compared with Odoo in a run, if they are many."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from examples import ENTRY

from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.sampling import sample

MOMENT = datetime(2026, 11, 20, tzinfo=UTC)


def entry(number: int) -> Entry:
    return replace(ENTRY, key=f"404-1234567-{number:07}")


@pytest.mark.parametrize("minutes", [1, 5, 10, 60])
@pytest.mark.parametrize("number", [0, 50, 125, 250, 300])
def test_each_order_is_compared_in_one_of_the_runs_of_a_schedule(number: int, minutes: int) -> None:
    entries = [entry(each) for each in range(number)]
    samples = [sample(entries, MOMENT + timedelta(minutes=minutes * run), 50) for run in range(100)]
    assert {len(each) for each in samples} == {min(number, 50)}
    assert {each.key for entries in samples for each in entries} == {each.key for each in entries}
