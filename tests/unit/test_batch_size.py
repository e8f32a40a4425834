import pytest

from amazon_bridge.engine.batch_size import BatchSize
from amazon_bridge.engine.errors import Transient
from amazon_bridge.engine.runner import work


def sizes(size: BatchSize, *slowest: float) -> list[int]:
    found = []
    for seconds in slowest:
        found.append(size.next())
        size.note(seconds)
    return [*found, size.next()]


@pytest.mark.parametrize(("timeout", "near"), [(120, 30), (60, 30), (20, 10)])
def test_a_call_near_the_limit_halves_the_batches(timeout: float, near: float) -> None:
    assert sizes(BatchSize(timeout), near - 0.1, near - 0.1) == [100, 100, 100]
    assert sizes(BatchSize(timeout), near, near, 0.1) == [100, 50, 25, 25]


def test_they_never_get_empty() -> None:
    assert sizes(BatchSize(most=4), *[59] * 5)[-1] == 1


def test_they_grow_again_after_many_good_ones() -> None:
    size = BatchSize(most=8)
    size.halve()
    found = sizes(size, *[0.1] * 25)
    assert (found[0], found[9], found[10], found[-1]) == (4, 4, 8, 8)


def test_batches_that_get_no_response_are_smaller_the_next_time() -> None:
    """As behind a proxy that limits the size of a request, or its time."""
    size, tried = BatchSize(most=8), []

    def apply(batch: list[int]) -> None:
        tried.append(len(batch))
        if len(batch) > 4:
            raise Transient("No response.")

    errors = work(
        list(range(24)),
        apply,  # type: ignore[arg-type]
        key=str,
        alive=lambda: None,
        size=size,
        sleep=lambda _: None,
    )
    assert errors == {}
    assert tried.count(8) == 6  # one batch, retried
    assert tried[6:] == [4, 4, 4, 4, 4, 4]
