"""Panels of the status page: the results of a job in a table, and numbers over time as a plot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from markupsafe import Markup

from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.job import Job, Panel, Series, load
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.markup import details, each, row, section, soft, table

_WIDTH, _HEIGHT = 720, 100
_MARGIN = 0.08
"""The part of the height that is left free above and below the line."""


def panels(runner: JobRunner, accounts: Iterable[AccountConfig]) -> Iterator[Markup]:
    """The panels of all jobs that have one, of each account for which they are on."""
    for job in JOBS:
        if job.panel:
            names = [each.name for each in accounts if each.is_active(job)]
            found = [(name, load(job.panel)(runner.app.ledger, name)) for name in names]
            yield from (_panel(job, name, panel) for name, panel in found)


def _panel(job: Job, account: str, panel: Panel) -> Markup:
    rows = [row(panel.columns, cells) for cells in panel.rows]
    content = table(panel.columns, rows) if rows else soft("Nothing yet.")
    plots = (_plot(series) for series in panel.series if series.points)
    return section(job.name.capitalize(), account, content, *plots)


_PLOT = Markup("""<h3>{title} <small>{last}</small></h3>
<div class="chart">
<div class="scale soft" aria-hidden="true"><span>{top}</span><span>{bottom}</span></div>
<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img"
 aria-label="{title}, from {first_day} to {last_day}; {last} at last">
<line class="grid" x1="0" y1="{zero}" x2="{width}" y2="{zero}"/>
<polyline class="line" points="{points}"/>{marks}</svg>
<div class="days soft" aria-hidden="true">
<span>{first_day}</span><span>{last_day}</span></div></div>
{figures}""")
_COLUMNS = ("Day", "Amount")
_MARK = Markup(
    '<g><title>{}: {}</title><rect class="hour" x="{}" y="0" width="{}" height="100"/></g>'
)


def _plot(series: Series) -> Markup:
    numbers = [number for _, number in series.points]
    top, bottom = max(*numbers, 0.0), min(*numbers, 0.0)
    heights = [_y(number, top, bottom) for number in numbers]
    places = [_x(day, series) for day, _ in series.points]
    step = _WIDTH / max(1, len(places))
    return _PLOT.format(
        title=series.title,
        last=_number(numbers[-1]),
        top=_number(top),
        bottom=_number(bottom),
        width=_WIDTH,
        height=_HEIGHT,
        zero=_y(0, top, bottom),
        points=" ".join(f"{x},{y}" for x, y in zip(places, heights, strict=True)),
        marks=each(
            _MARK,
            (
                (day, _number(number), round(x - step / 2, 1), round(step, 1))
                for (day, number), x in zip(series.points, places, strict=True)
            ),
        ),
        figures=_figures(series),
        first_day=series.points[0][0],
        last_day=series.points[-1][0],
    )


def _figures(series: Series) -> Markup:
    """The numbers of the plot, the last first."""
    points = reversed(series.points)
    rows = [row(_COLUMNS, (day, _number(number))) for day, number in points]
    return details("The figures, day by day", table(_COLUMNS, rows))


def _x(day: date, series: Series) -> float:
    first, last = series.points[0][0], series.points[-1][0]
    return round(_WIDTH * (day - first).days / max(1, (last - first).days), 1)


def _y(number: float, top: float, bottom: float) -> float:
    share = (top - number) / ((top - bottom) or 1)
    return round(_HEIGHT * (_MARGIN + share * (1 - 2 * _MARGIN)), 1)


def _number(number: float) -> str:
    return f"{number:,.2f}"
