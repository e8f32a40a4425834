"""Which items get their turn where a run can't take all of them.

They are chosen at random, so that those that stay pending don't keep others from their turn, and
no schedule selects the same ones in every run.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")


def shuffled(items: Sequence[T], moment: datetime) -> Sequence[T]:
    """Return all items; in another sequence at another moment."""
    return random.Random(moment.timestamp()).sample(items, len(items))  # noqa: S311


def shuffled_by_order(items: Iterable[T], moment: datetime, *, key: Callable[[T], str]) -> list[T]:
    """Return all items; those of one order, whose id their keys begin with, stay in sequence."""
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item).partition("#")[0]].append(item)
    return [item for order_id in shuffled(sorted(groups), moment) for item in groups[order_id]]


def sample(items: Sequence[T], moment: datetime, number: int) -> Sequence[T]:
    """Return at most this many items; other ones at another moment."""
    return items if len(items) <= number else shuffled(items, moment)[:number]
