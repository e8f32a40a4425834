"""The section of the status page with what happened to orders, hour by hour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from amazon_bridge.engine.records import HourOfEvents
from amazon_bridge.flows.events import OrderEvent
from amazon_bridge.model import FulfilledBy
from amazon_bridge.service.bars import Bar, bars, sparkline
from amazon_bridge.service.markup import details, each, row, section, soft, table
from amazon_bridge.service.view import View

PERIOD = timedelta(days=3)
_HOUR = timedelta(hours=1)

Hours = Counter[HourOfEvents]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one colour of a plot, and one column of a table, shows."""

    event: OrderEvent
    label: str
    fulfilled_by: tuple[str, ...] = (FulfilledBy.MERCHANT, FulfilledBy.AMAZON, "")
    colour: str = "fbm"

    def includes(self, hour: HourOfEvents) -> bool:
        return hour.name == self.event and hour.fulfilled_by in self.fulfilled_by


_ALL = _Kind(OrderEvent.IMPORTED, "imported")
_FBM = _Kind(OrderEvent.IMPORTED, "FBM", (FulfilledBy.MERCHANT,))
_FBA = _Kind(OrderEvent.IMPORTED, "FBA", (FulfilledBy.AMAZON,), "fba")
_UNKNOWN = _Kind(OrderEvent.IMPORTED, "before the update", ("",), "unknown")
_CANCELLED = _Kind(OrderEvent.CANCELLED, "cancelled")
_CONFIRMED = _Kind(OrderEvent.CONFIRMED, "shipments confirmed")


def order_hours(view: View, hours: Hours) -> Markup:
    """The orders of each hour by kind, as plots, and of each account and hour as tables."""
    kinds = _imported(hours)
    return section(
        "Orders per hour",
        f"the last {PERIOD.days} days",
        _plot("Imported", kinds, hours, view.now),
        _plot("Cancelled", [_CANCELLED], hours, view.now),
        _plot("Shipments confirmed", [_CONFIRMED], hours, view.now),
        _by_account(view, kinds, hours),
        _by_hour(kinds, hours),
    )


def imported_since(hours: Hours, since: datetime) -> int:
    """The number of orders imported in the hours that begin after a moment."""
    return _total(_ALL, Counter({hour: n for hour, n in hours.items() if hour.hour > since}))


def _imported(hours: Hours) -> list[_Kind]:
    """The kinds of imported orders, without a legend for what there is none of."""
    return [_FBM, _FBA, *([_UNKNOWN] if _total(_UNKNOWN, hours) else [])]


def _total(kind: _Kind, hours: Hours) -> int:
    return sum(number for hour, number in hours.items() if kind.includes(hour))


def _numbers(kinds: Sequence[_Kind], hours: Hours) -> Counter[tuple[datetime, str]]:
    """By the hour's beginning and the kind's label."""
    found: Counter[tuple[datetime, str]] = Counter()
    for hour, number in hours.items():
        for kind in kinds:
            found[hour.hour, kind.label] += number * kind.includes(hour)
    return found


# Plots


def _plot(title: str, kinds: Sequence[_Kind], hours: Hours, now: datetime) -> Markup:
    totals = {kind: _total(kind, hours) for kind in kinds}
    heading = Markup("<h3>{} <small>{:,}{}</small></h3>")
    legend = _legend(totals) if len(kinds) > 1 else ""
    size = "" if kinds[0].event == OrderEvent.IMPORTED else "small"
    plotted = bars(f"{title} in each hour", _bars(kinds, hours, now), size)
    is_shown = any(totals.values()) or not size
    return heading.format(title, sum(totals.values()), legend) + (plotted if is_shown else "")


def _legend(totals: dict[_Kind, int]) -> Markup:
    entry = Markup(' · <span class="key {}">{}</span> {:,}')
    return each(entry, ((kind.colour, kind.label, n) for kind, n in totals.items()))


def _bars(kinds: Sequence[_Kind], hours: Hours, now: datetime) -> list[Bar]:
    numbers = _numbers(kinds, hours)
    colours = {kind.label: kind.colour for kind in kinds}
    return [
        Bar(hour, {colour: numbers[hour, label] for label, colour in colours.items()})
        for hour in _hours_until(now)
    ]


def _hours_until(now: datetime) -> list[datetime]:
    end = now.replace(minute=0, second=0, microsecond=0) + _HOUR
    return [end - number * _HOUR for number in range(PERIOD // _HOUR, 0, -1)]


# Tables


def _by_account(view: View, kinds: Sequence[_Kind], hours: Hours) -> Markup:
    """The numbers of each account, if several are shown."""
    if len(view.accounts) < 2:  # noqa: PLR2004
        return Markup("")
    columns = ("Account", *_titles(kinds), "Imported in each hour")
    of_accounts: defaultdict[str, Hours] = defaultdict(Counter)
    for hour, number in hours.items():
        of_accounts[hour.account][hour] = number
    rows = (_account(view, name, columns, kinds, of_accounts[name]) for name in view.names)
    return table(columns, rows)


def _titles(kinds: Iterable[_Kind]) -> list[str]:
    return [*(f"Imported, {kind.label}" for kind in kinds), "Cancelled", "Shipments confirmed"]


def _account(
    view: View, name: str, columns: Sequence[str], kinds: Sequence[_Kind], mine: Hours
) -> Markup:
    totals = (_total(kind, mine) for kind in (*kinds, _CANCELLED, _CONFIRMED))
    plotted = sparkline(f"Orders of {name} imported in each hour", _bars(kinds, mine, view.now))
    return row(columns, (name, *(f"{number:,}" for number in totals), plotted))


def _by_hour(kinds: Sequence[_Kind], hours: Hours) -> Markup:
    """The numbers of all plots: for screen readers, and for whoever wants them exactly."""
    shown = (*kinds, _CANCELLED, _CONFIRMED)
    numbers = _numbers(shown, hours)
    columns = ("Hour", *_titles(kinds))
    rows = [
        row(columns, (f"{hour:%a %d %b, %H:%M}", *(numbers[hour, kind.label] for kind in shown)))
        for hour in sorted({hour.hour for hour in hours}, reverse=True)
    ]
    content = table(columns, rows) if rows else soft("There are none.")
    return details("The figures, hour by hour", content)
