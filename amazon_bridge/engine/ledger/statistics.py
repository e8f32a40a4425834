"""What happened to orders, by hour: how often, and how long it took. No order is named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import delete, func, select

from amazon_bridge.engine.durations import Durations, bound_of
from amazon_bridge.engine.ledger.columns import insert
from amazon_bridge.engine.ledger.database import Subject
from amazon_bridge.engine.ledger.prepared import Prepared
from amazon_bridge.engine.ledger.tables import order_hours
from amazon_bridge.engine.records import Event, HourOfEvents

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The hour under which all events are counted as well: metrics read them often."""

_UNKNOWN = -1
"""The bound of a duration that is not known."""

_table = order_hours.c
_COUNT = insert(order_hours)
COUNT = Prepared(
    _COUNT.on_conflict_do_update(
        index_elements=order_hours.primary_key.columns,
        set_={
            "number": _table.number + _COUNT.excluded.number,
            "seconds": _table.seconds + _COUNT.excluded.seconds,
        },
    )
)


class OrderStatistics(Subject):
    """What happened to the orders of all accounts."""

    def count(self, account: str, events: Iterable[Event]) -> None:
        """Count events that happened just now.

        Call it when they are done: an interruption in between costs their place in the statistics,
        and nothing else.
        """
        hour = self._now().replace(minute=0, second=0, microsecond=0)
        counted = [{"account": account, **_columns(event)} for event in events]
        rows = [{"hour": each, **event} for event in counted for each in (hour, _EVER)]
        if rows:
            with self._transaction(account) as db:
                db.run(COUNT, *rows)

    def by_hour(self, since: datetime, account: str | None = None) -> Counter[HourOfEvents]:
        """The number of events of each hour since a moment, of one account or of all."""
        columns = (_table.hour, _table.account, _table.event, _table.fulfilled_by)
        of_account = (_table.account == account,) if account else ()
        query = select(*columns, func.sum(_table.number)).where(_table.hour >= since, *of_account)
        rows = self._rows(query.group_by(*columns))
        return Counter({HourOfEvents(*row[:-1]): int(row[-1]) for row in rows})

    def durations(
        self, since: datetime | None = None, account: str | None = None
    ) -> dict[tuple[str, str, str], Durations]:
        """How long events took, by account, event and who fulfils; of one account or of all.

        Without a moment all that were ever counted: these numbers only grow.
        """
        columns = (_table.account, _table.event, _table.fulfilled_by, _table.within)
        query = select(*columns, func.sum(_table.number), func.sum(_table.seconds))
        of_account = (_table.account == account,) if account else ()
        period = _table.hour >= since if since else _table.hour == _EVER
        query = query.where(period, _table.within != _UNKNOWN, *of_account)
        numbers: defaultdict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
        seconds: Counter[tuple[str, str, str]] = Counter()
        for *key, within, number, took in self._rows(query.group_by(*columns)):
            of = (key[0], key[1], key[2])
            numbers[of][within] = int(number)
            seconds[of] += int(took)  # PostgreSQL's sums are decimal numbers
        return {of: Durations(numbers[of], seconds[of]) for of in numbers}

    def forget_hours(self, before: datetime) -> None:
        """Forget in which hours events happened, if that was before a moment."""
        with self._transaction() as db:
            db.execute(delete(order_hours).where(_table.hour < before, _table.hour > _EVER))


def _columns(event: Event) -> dict[str, object]:
    seconds = 0 if event.took is None else max(0, round(event.took.total_seconds()))
    return {
        "event": event.name,
        "fulfilled_by": event.fulfilled_by,
        "within": _UNKNOWN if event.took is None else bound_of(event.took),
        "number": 1,
        "seconds": seconds,
    }
