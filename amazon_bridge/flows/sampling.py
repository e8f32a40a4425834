"""Which items get their turn where a run can't take all of them.

They are chosen at random, so that those that stay pending don't keep others from their turn, and
no schedule selects the same ones in every run.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")


def shuffled(items: Sequence[T], moment: datetime) -> Sequence[T]:
    """Return all items; in another sequence at another moment."""
    return random.Random(moment.timestamp()).sample(items, len(items))  # noqa: S311


def sample(items: Sequence[T], moment: datetime, number: int) -> Sequence[T]:
    """Return at most so many items; other ones at another moment."""
    return items if len(items) <= number else shuffled(items, moment)[:number]
