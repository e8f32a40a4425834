"""Items that keep failing one after the other, wherever batches begin and end."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from test_runner import Remote

from amazon_bridge.engine.batch_size import BatchSize
from amazon_bridge.engine.errors import AccountError, ItemError
from amazon_bridge.engine.retrying import NO_RETRY
from amazon_bridge.engine.runner import work

COUNTS = st.sampled_from([10, 99, 100, 101, 130, 200, 230, 400])
SIZES = st.sampled_from([1, 3, 7, 16, 70, 100, 150, 500, None])
FIRSTS = st.sampled_from([0, 93, 95, 98, 99, 100, 150, 195, 199, 200, 225]) | st.integers(0, 399)
FAILING_RUNS = st.lists(st.tuples(FIRSTS, st.sampled_from([1, 5, 6, 12])), min_size=1, max_size=4)
"""First item and length."""


def adaptive() -> BatchSize:
    """One that has come to twelve items."""
    size = BatchSize()
    for _ in range(3):
        size.halve()
    return size


def processed(remote: Remote, count: int, size: int | None) -> dict[str, ItemError] | None:
    """The errors by item; None if the operation counts as broken."""
    try:
        with capture_logs():
            return work(
                range(count),
                remote.apply,
                key=str,
                alive=remote.alive,
                size=size or adaptive(),
                policy=NO_RETRY,
                sleep=lambda _: None,
            )
    except AccountError:
        return None


@example(count=400, runs=[(95, 6)], size=500)
@example(count=400, runs=[(99, 1), (200, 5)], size=500)
@example(count=400, runs=[(150, 250)], size=500)
@example(count=300, runs=[(95, 6)], size=None)
@example(count=300, runs=[(100, 6)], size=None)
@given(count=COUNTS, runs=FAILING_RUNS, size=SIZES)
def test_each_item_is_processed_once_or_blamed_unless_a_later_one_fails_too(
    count: int, runs: list[tuple[int, int]], size: int | None
) -> None:
    bad = {n for first, length in runs for n in range(first, first + length) if n < count}
    remote = Remote(dict.fromkeys(bad, "keeps_failing"))
    errors = processed(remote, count, size)
    done = [n for batch in remote.batches if bad.isdisjoint(batch) for n in batch]
    assert len(done) == len(set(done))
    if errors is not None:
        assert errors.keys() == set(map(str, bad))
        assert set(done) == set(range(count)) - bad
        return
    alone = [batch[0] for batch in remote.batches if len(batch) == 1]
    assert alone[-1] in bad
    assert alone[-1] > max(set(alone) - {alone[-1]})
