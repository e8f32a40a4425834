from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from amazon_bridge.engine.lazy import Lazy


def test_it_is_made_once_for_all_threads():
    made: list[object] = []

    def make() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    once = Lazy(make)
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(lambda _: once.get(), range(8)))
    assert got == set(made)
    assert len(made) == 1


def test_those_who_waited_share_a_failure_and_the_next_tries_again():
    tries: list[int] = []
    callers = threading.Barrier(8)

    def make() -> str:
        tries.append(1)
        if len(tries) == 1:
            time.sleep(0.2)  # the others have called ``get`` by then: they passed the barrier
            raise OSError("down")
        return "up"

    once = Lazy(make)

    def get() -> str:
        callers.wait()
        return once.get()

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(get) for _ in range(8)]
    assert [type(each.exception()) for each in results] == [OSError] * 8
    assert len(tries) == 1
    assert once.get() == "up"


def test_what_is_forgotten_is_made_anew():
    once = Lazy(object)
    before = once.get()
    once.forget()
    assert once.get() is not before


def test_an_interrupt_is_not_kept():
    results = iter([KeyboardInterrupt, None])

    def make() -> str:
        if error := next(results):
            raise error
        return "made"

    once = Lazy(make)
    with pytest.raises(KeyboardInterrupt):
        once.get()
    assert once.get() == "made"


def test_what_is_older_than_its_lifetime_is_made_again(monkeypatch: pytest.MonkeyPatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    forever, brief = Lazy(make), Lazy(make, lifetime=20)
    assert forever.known() is None
    assert (forever.get(), brief.get(), brief.known()) == (0, 1, 1)
    now[0] += 21
    assert (forever.get(), brief.get()) == (0, 2)
    assert forever.known() == 0
