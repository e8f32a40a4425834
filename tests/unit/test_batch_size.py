from collections.abc import Sequence

import pytest

from amazon_bridge.engine.batch_size import BatchSize
from amazon_bridge.engine.errors import ItemError, TooLarge, Transient
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


def test_a_batch_whose_slow_call_got_no_response_halves_them_once() -> None:
    size = BatchSize(timeout=60)
    size.note(60)
    size.halve()
    assert sizes(size, 0.1) == [50, 50]


NO_RESPONSE = Transient("No response.")
TOO_LARGE = TooLarge("odoo_refused", "The request is too large.", "Raise the limit.")
WRONG = ItemError("odoo_refused", "Odoo refused.", "Correct it.")


def batches_tried(error: Exception, *, most: int = 8) -> list[int]:
    """The sizes of batches of which those with more than 4 items raise an error."""
    size, tried = BatchSize(most=most), []

    def apply(batch: Sequence[int]) -> None:
        tried.append(len(batch))
        if len(batch) > 4:
            raise error

    errors = work(
        list(range(24)), apply, key=str, alive=lambda: None, size=size, sleep=lambda _: None
    )
    assert errors == {}
    return tried


def test_batches_that_get_no_response_are_smaller_the_next_time() -> None:
    """As behind a proxy that limits the time of a request."""
    tried = batches_tried(NO_RESPONSE)
    assert tried.count(8) == 6  # one batch, retried
    assert tried[6:] == [4, 4, 4, 4, 4, 4]


def test_batches_that_are_too_large_are_smaller_the_next_time() -> None:
    """As behind a proxy that limits the size of a request."""
    assert batches_tried(TOO_LARGE) == [8, 4, 4, 4, 4, 4, 4]
    assert batches_tried(TOO_LARGE, most=16) == [16, 8, 4, 4, 8, 4, 4, 8, 4, 4]


def test_an_item_that_is_refused_says_nothing_about_the_size() -> None:
    assert batches_tried(WRONG) == [8, 4, 4] * 3
