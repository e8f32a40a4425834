"""Items that Amazon does not answer for, although it is up: they are given up after a while."""

from __future__ import annotations

from collections.abc import Mapping
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
SILENT, REFUSED, LIMITED = Transient("No answer."), AccountError("Denied."), RateLimited("x", 9)


@dataclass
class PlayedAmazon:
    """Counts the calls that ask whether it is up."""

    probes: int = 0
    error: Exception | None = None
    answers: Mapping[str, Exception] = field(default_factory=dict)

    def marketplace_participations(self) -> None:
        self.probes += 1
        if self.error:
            raise self.error

    def work(self, key: str) -> str:
        if error := self.answers.get(key):
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


def test_amazon_is_asked_once_whether_it_is_up(
    context: Context, amazon: PlayedAmazon, clock: Clock
) -> None:
    amazon.answers = dict.fromkeys(KEYS[::2], SILENT)
    assert amazon.answers.keys() == {k for k, v in results(context, amazon).items() if v is SILENT}
    clock.now += timedelta(days=1)
    given_up = {k for k, v in results(context, amazon).items() if isinstance(v, ItemError)}
    assert (given_up, amazon.probes) == (set(KEYS[::2]), 1)


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
    amazon.answers = {KEYS[1]: REFUSED, KEYS[5]: LIMITED}
    found = []
    with pytest.raises(RateLimited):  # noqa: PT012  what is yielded before it counts
        for key, _ in context.one_by_one(JOB, KEYS, amazon.work, key=str):
            found.append(key)
    assert found == [KEYS[0], *KEYS[2:5], KEYS[1]]
    entry = ledger.items.get("acme", JOB, KEYS[1])
    assert entry
    assert entry.unanswered_since
