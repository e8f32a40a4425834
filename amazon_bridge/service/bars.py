"""Numbers of each hour as stacked bars, in SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from markupsafe import Markup

from amazon_bridge.service.markup import each

_STEP, _WIDTH = 10, 8
"""Of a bar, in units of the drawing, which is 100 units high."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The numbers of one hour, by their colour; stacked in this sequence."""

    hour: datetime
    parts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.parts.values())


_PLOT = Markup("""<div class="chart {size}">
<div class="scale soft" aria-hidden="true">
<span>{top}</span><span>{middle}</span><span>0</span></div>
<svg viewBox="0 0 {width} 100" preserveAspectRatio="none" role="img" aria-label="{label}">
{lines}{bars}{marks}</svg>
<div class="days soft" aria-hidden="true">{names}</div></div>
""")
_LINE = Markup('<line class="grid" x1="0" y1="{}" x2="{}" y2="{}"/>')
_MARK = Markup('<g><title>{}</title><rect class="hour" x="{}" y="0" width="10" height="100"/></g>')
_SPARKLINE = Markup(
    '<svg class="sparkline" viewBox="0 0 {} 100" preserveAspectRatio="none" role="img"'
    ' aria-label="{}">{}</svg>'
)


def bars(title: str, numbers: Sequence[Bar], size: str = "") -> Markup:
    """A plot with a scale, a name for each day, and each hour's numbers as its tooltip."""
    top, width = _top(numbers), len(numbers) * _STEP
    tooltips = ((_tooltip(bar), place * _STEP) for place, bar in enumerate(numbers))
    return _PLOT.format(
        size=size,
        top=top,
        middle=top // 2,
        width=width,
        label=_summary(title, numbers),
        lines=each(_LINE, ((y, width, y) for y in (0, 50, 100))),
        bars=_columns(numbers, top),
        marks=each(_MARK, tooltips),
        names=each(Markup("<span>{}</span>"), ((_day(bar.hour),) for bar in numbers[::24])),
    )


def sparkline(title: str, numbers: Sequence[Bar]) -> Markup:
    """A small plot without scale and names."""
    columns = _columns(numbers, _top(numbers))
    return _SPARKLINE.format(len(numbers) * _STEP, _summary(title, numbers), columns)


def _summary(title: str, numbers: Sequence[Bar]) -> str:
    """What a plot shows, in words."""
    highest = max(numbers, key=lambda bar: bar.total)
    if not highest.total:
        return f"{title}: none"
    total = sum(bar.total for bar in numbers)
    return f"{title}: {total:,} in all, at most {highest.total:,}, on {_exact(highest.hour)}"


def _tooltip(bar: Bar) -> str:
    parts = [f"{number} {colour.upper()}" for colour, number in bar.parts.items() if number]
    named = f" ({', '.join(parts)})" if len(bar.parts) > 1 and parts else ""
    return f"{_exact(bar.hour)}: {bar.total}{named}"


def _columns(numbers: Sequence[Bar], top: int) -> Markup:
    """One path for each colour."""
    colours = numbers[0].parts
    shape = Markup('<path class="{}" d="{}"/>')
    shapes = ((colour, " ".join(_rectangles(numbers, colour, top))) for colour in colours)
    return each(shape, ((colour, path) for colour, path in shapes if path))


def _rectangles(numbers: Sequence[Bar], colour: str, top: int) -> Iterator[str]:
    for place, bar in enumerate(numbers):
        sums = dict(zip(bar.parts, accumulate(bar.parts.values()), strict=True))
        if bar.parts[colour]:
            height = round(100 * bar.parts[colour] / top, 1)
            y = round(100 - 100 * sums[colour] / top, 1)
            yield f"M{place * _STEP + 1} {y}h{_WIDTH}v{height}h-{_WIDTH}z"


def _top(numbers: Sequence[Bar]) -> int:
    return round_up(max(bar.total for bar in numbers))


def round_up(number: int) -> int:
    """Round up to a number that is easy to read on a scale, and whose half is too."""
    power = int("1" + "0" * (len(str(number)) - 1))
    return max(4, next(s * power for s in (1, 2, 4, 6, 8, 10) if s * power >= number))


def _exact(hour: datetime) -> str:
    return f"{hour:%a %d %b, %H:%M}"


def _day(hour: datetime) -> str:
    return f"{hour:%a %d, %H:%M}"
