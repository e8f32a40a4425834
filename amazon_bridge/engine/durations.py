"""Durations, counted by upper bounds: their percentiles cost the same for any number of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
BOUNDS = (
    *(5, 10, 15, 20, 30, 45),
    *(round(n * _MINUTE) for n in (1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45)),
    *(round(n * _HOUR) for n in (1, 1.5, 2, 3, 4, 6, 8, 12, 18)),
    *(round(n * _DAY) for n in (1, 1.5, 2, 3, 4, 5, 7, 10, 14, 21, 30)),
)
"""Seconds. At most twice the one before."""

BEYOND = 2**31 - 1
"""Stands for a bound of all longer durations."""


def bound_of(duration: timedelta) -> int:
    """The least bound that a duration does not exceed, in seconds.

    Negative durations, of clocks that differ, count as none.
    """
    place = bisect_left(BOUNDS, duration.total_seconds())
    return BOUNDS[place] if place < len(BOUNDS) else BEYOND


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took, many times."""

    numbers: Mapping[int, int]
    """How often, by bound."""
    seconds: float
    """The sum of all."""

    @property
    def count(self) -> int:
        return sum(self.numbers.values())

    def within(self, bound: int) -> int:
        """How often it took no longer than one of the bounds."""
        return sum(number for each, number in self.numbers.items() if each <= bound)

    def percentile(self, percent: int) -> int:
        """The least bound that ``percent`` of 100 durations do not exceed."""
        bounds = sorted(self.numbers)
        sums = accumulate(self.numbers[bound] for bound in bounds)
        enough = self.count * percent / 100
        return next(bound for bound, so_far in zip(bounds, sums, strict=True) if so_far >= enough)
