"""Items that Amazon does not response for, although it is up: they are given up after a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from clocks import Clock

from amazon_bridge.engine.errors import AccountError, ItemError, RateLimited, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen
from amazon_bridge.flows.context import Context

JOB = "pickings"
KEYS = [f"order-{n}" for n in range(8)]
SILENT, REFUSED, LIMITED = Transient("No response."), AccountError("Denied."), RateLimited("x", 9)


@dataclass
class PlayedAmazon:
    """Counts the calls that ask whether it is up."""

    probes: int = 0
    error: Exception | None = None
    responses: Mapping[str, Exception] = field(default_factory=dict)

    def marketplace_participations(self) -> None:
        self.probes += 1
        if self.error:
            raise self.error

    def work(self, key: str) -> str:
        if error := self.responses.get(key):
            raise error
        return key


@pytest.fixture
def amazon() -> PlayedAmazon:
    return PlayedAmazon()


@pytest.fixture
def context(ledger: Ledger, clock: Clock, amazon: PlayedAmazon) -> Context:
    ledger.items.file("acme", JOB, [Seen(key, "f") for key in KEYS])
    fields: Any = dict.fromkeys(Context.__dataclass_fields__)
    fields |= {"account": SimpleNamespace(name="acme"), "ledger": ledger, "clock": clock}
    return Context(**fields | {"amazon": cast("Any", amazon)})


def results(context: Context, amazon: PlayedAmazon) -> dict[str, object]:
    return dict(context.one_by_one(JOB, KEYS, amazon.work, key=str))


def test_amazon_is_probed_once(context: Context, amazon: PlayedAmazon, clock: Clock) -> None:
    amazon.responses = dict.fromkeys(KEYS[:2], SILENT)
    assert amazon.responses.keys() == {
        k for k, v in results(context, amazon).items() if v is SILENT
    }
    clock.now += timedelta(days=1)
    given_up = {k for k, v in results(context, amazon).items() if isinstance(v, ItemError)}
    assert (given_up, amazon.probes) == (set(KEYS[:2]), 1)


@pytest.mark.parametrize("error", [SILENT, LIMITED])
def test_nothing_is_given_up_while_amazon_does_not_say_that_it_is_up(
    context: Context, amazon: PlayedAmazon, clock: Clock, error: Exception
) -> None:
    context.all_given_up(JOB, KEYS)
    clock.now += timedelta(days=1)
    amazon.error = error
    assert context.all_given_up(JOB, KEYS) == {}
    assert amazon.probes == 1
    amazon.error = None
    assert context.all_given_up(JOB, KEYS).keys() == set(KEYS)
    assert amazon.probes == 2


def test_refused_items_are_noted_before_a_rate_limit_ends_the_run(
    context: Context, amazon: PlayedAmazon, ledger: Ledger
) -> None:
    allowed = iter([REFUSED, None, REFUSED, LIMITED])

    def work(_: str) -> None:
        if error := next(allowed):
            raise error

    found: dict[str, object] = {}
    with pytest.raises(RateLimited):
        _as_it_comes(context.one_by_one(JOB, KEYS, work, key=str), found)
    refused = {key for key, result in found.items() if result}
    assert (len(found), len(refused), amazon.probes) == (3, 2, 1)
    entries = ledger.items.pending_entries("acme", JOB)
    assert {entry.key for entry in entries if entry.unanswered_since} == refused


def test_a_login_that_is_revoked_during_a_run_ends_it(
    context: Context, amazon: PlayedAmazon, ledger: Ledger
) -> None:
    """No item is noted as refused for its own sake."""
    allowed = iter([None, REFUSED, None])

    def work(_: str) -> None:
        if error := next(allowed, REFUSED):
            raise error
        amazon.error = AccountError("The login is revoked.") if amazon.probes else None

    with pytest.raises(AccountError, match="revoked"):
        list(context.one_by_one(JOB, KEYS, work, key=str))
    entries = ledger.items.pending_entries("acme", JOB)
    assert [entry.key for entry in entries if entry.unanswered_since] == []


def _as_it_comes(
    results: Iterator[tuple[str, object]], found: dict[str, object]
) -> dict[str, object]:
    """Results count although an error follows."""
    for key, result in results:
        found |= {key: result}
    return found


def test_items_without_a_response_keep_no_other_from_its_turn(
    context: Context, amazon: PlayedAmazon, clock: Clock
) -> None:
    """Three of them in a row end a run, but another run begins with others."""
    amazon.responses = dict.fromkeys(KEYS[:4], SILENT)
    found: dict[str, object] = {}
    for _ in range(9):
        with suppress(AccountError):
            _as_it_comes(context.one_by_one(JOB, KEYS, amazon.work, key=str), found)
        clock.now += timedelta(minutes=5)
    assert {key for key, result in found.items() if result == key} == set(KEYS[4:])
