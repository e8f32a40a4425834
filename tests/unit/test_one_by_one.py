"""Items processed one by one: a failure delays no other item, an outage ends the run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from amazon_bridge.engine.errors import (
    AccountError,
    ConfigError,
    ItemError,
    RateLimited,
    StorageError,
    Transient,
)
from amazon_bridge.engine.runner import RefusedItem, one_by_one

WAYS = {
    "good": None,
    "bad": ItemError("bad", "It is bad.", "Correct it."),
    "silent": Transient("No response."),
    "internal_error": KeyError("Erika Mustermann"),
}


LISTS = st.lists(st.sampled_from(sorted(WAYS)), max_size=12)


def results_of(ways: list[str]) -> list[tuple[int, object]]:
    def work(item: int) -> int:
        if error := WAYS[ways[item]]:
            raise error
        return 10 * item

    with capture_logs():
        return list(one_by_one(range(len(ways)), work, key=str))


def is_down(ways: list[str]) -> bool:
    return "silent,silent,silent" in ",".join(ways)


@given(LISTS.filter(lambda ways: not is_down(ways)))
def test_each_item_is_processed_and_returned_with_its_result(ways: list[str]) -> None:
    results = results_of(ways)
    assert [item for item, _ in results] == list(range(len(ways)))
    for item, result in results:
        match ways[item]:
            case "good":
                assert result == 10 * item
            case "internal_error":
                assert isinstance(result, ItemError)
                assert result.kind == "internal_error"
                assert "Erika" not in str(result)
            case way:
                assert result is WAYS[way]


@given(LISTS, LISTS)
def test_three_without_a_response_in_a_row_end_it(before: list[str], after: list[str]) -> None:
    ways = [*before, *["silent"] * 3, *after]
    third = next(n for n in range(2, len(ways)) if ways[n - 2 : n + 1] == ["silent"] * 3)
    results = one_by_one(ways, _raise, key=str)
    with capture_logs():
        assert [next(results)[0] for _ in range(third)] == ways[:third]
        with pytest.raises(AccountError, match="No response"):
            next(results)


def _raise(way: str) -> None:
    if error := WAYS[way]:
        raise error


REFUSED = AccountError("Refused.", "Grant it.")


def test_an_item_that_is_refused_keeps_no_other_if_the_remote_is_alive() -> None:
    probes: list[int] = []
    errors = {1: REFUSED, 3: REFUSED}
    with capture_logs():
        results = one_by_one(
            range(5),
            lambda item: _raise_any(errors.get(item)),
            key=str,
            alive=lambda: probes.append(1),
        )
        found = {item: type(result) for item, result in results}
    assert found == {n: RefusedItem if n in errors else type(None) for n in range(5)}
    assert len(probes) == 1, "one probe: Amazon allows one call in a minute"


def test_a_remote_that_refuses_ten_and_accepts_none_refuses_the_account() -> None:
    seen: list[int] = []

    def work(item: int) -> None:
        seen.append(item)
        raise REFUSED

    with capture_logs(), pytest.raises(AccountError, match="Grant it"):
        list(one_by_one(range(50), work, key=str, alive=lambda: None))
    assert len(seen) == 10


def test_a_remote_that_refuses_the_login_ends_it_at_once() -> None:
    def refuse() -> None:
        raise AccountError("No such login.")

    with pytest.raises(AccountError, match="No such login"):
        next(one_by_one([1, 2], lambda _: _raise_any(REFUSED), key=str, alive=refuse))


@given(st.lists(st.booleans(), max_size=20))
def test_a_login_that_is_revoked_ends_it_within_three_items(refusals: list[bool]) -> None:
    """The items before are processed, although some of them are refused for their own sake."""
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item > 0 and (item > len(refusals) or refusals[item - 1]):
            raise REFUSED

    def alive() -> None:
        if begun[-1] > len(refusals):
            raise AccountError("No such login.")

    with capture_logs(), pytest.raises(AccountError, match="No such login"):
        list(one_by_one(range(100), work, key=str, alive=alive))
    assert len(refusals) < begun[-1] <= len(refusals) + 3


def test_probes_that_the_rate_does_not_allow_end_nothing() -> None:
    probes: list[int] = []

    def alive() -> None:
        probes.append(1)
        if len(probes) > 1:
            raise RateLimited("getMarketplaceParticipations", 60)

    def work(item: int) -> None:
        if item:
            raise REFUSED

    with capture_logs():
        results = list(one_by_one(range(20), work, key=str, alive=alive))
    assert [type(result) for _, result in results] == [type(None), *[RefusedItem] * 19]
    assert len(probes) == 7


def _raise_any(error: Exception | None) -> None:
    if error:
        raise error


@pytest.mark.parametrize(
    "error",
    [
        AccountError("Refused."),
        StorageError("Full."),
        ConfigError("Wrong."),
        RateLimited("getOrder", 9),
    ],
)
def test_what_concerns_all_ends_it_at_once(error: Exception) -> None:
    def work(_: int) -> None:
        raise error

    with pytest.raises(type(error)):
        next(one_by_one([1, 2], work, key=str))
