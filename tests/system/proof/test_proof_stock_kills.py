"""A run of the stock job is killed after any of its calls, and started again."""

import random
from pathlib import Path

import pytest
from figures import FIGURES, SEED, scaled
from killer import Killer
from test_system_stock_kills import WAYS, check, choose_way, killed_run, opened

pytestmark = pytest.mark.odoo("in memory")


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_killed_after_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    choose_way(monkeypatch, way)
    counter = Killer(calls_left=-1)
    with opened(tmp_path / "undisturbed") as stock:
        killed_run(stock, counter)
        check(stock)
    calls = -1 - counter.calls_left
    for number in random.Random(SEED).sample(range(1, calls + 1), scaled(2, calls)):
        with opened(tmp_path / str(number)) as stock:
            assert killed_run(stock, Killer(calls_left=number))
            check(stock)
        FIGURES["kills of the stock job"] += 1
