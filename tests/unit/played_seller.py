"""A seller whose changed orders are read by the real lanes, throttle and state store.

Amazon's search, Odoo and the time are played: a week takes seconds. Amazon's rate is its real one.
``PlayedAmazon`` replaces the connection, which has its own tests against the simulator
(``tests/amazon``); whole runs read late orders in ``tests/system/test_system_loss.py``.
The tests read 150,000 orders in 3,000 calls. The simulator takes 17 ms of CPU to render a page of
100 orders, and more to find them among so many, and the bridge as long to parse it: minutes instead
of seconds, for what these tests don't look at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from clocks import Clock
from examples import ORDER

from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.amazon.selling_partner import Page
from amazon_bridge.engine.errors import InvalidRequest, RateLimited, Transient
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.throttle import Throttle, Urgency
from amazon_bridge.engine.window import SEARCH_DELAY, Reading
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.find import FetchedOrder
from amazon_bridge.flows.orders.reading import ChangedOrders

SEARCH = "searchOrders"
EVERY = timedelta(minutes=5)


@dataclass
class PlayedAmazon:
    """searchOrders of one account, which takes tokens of the seller's bucket."""

    clock: Clock
    throttle: Throttle
    account: str
    tokens: list[str | None] = field(default_factory=list)
    """The page token of each call."""
    fails: Callable[[int], Exception | None] = lambda _: None
    """By the number of the call."""
    changes: list[tuple[datetime, str, datetime]] = field(default_factory=list)
    """When an order changed, its id, and when the search shows it; sorted."""

    @property
    def calls(self) -> int:
        return len(self.tokens)

    def change(self, order_id: str, at: datetime, late: timedelta = timedelta(0)) -> None:
        insort(self.changes, (at, order_id, at + late))

    def has_spare_searches(self, besides: int = 0) -> bool:
        return self.throttle.has("A1", SEARCH, Urgency.SPARE, besides)

    def changed_orders(
        self,
        after: datetime,
        before: datetime,
        token: str | None,
        urgency: Urgency,
        *,
        unpaid: bool = False,
    ) -> Page:
        assert before <= self.clock() - SEARCH_DELAY
        self.throttle.wait("A1", SEARCH, self.account, urgency)
        self.tokens.append(token)
        if error := self.fails(self.calls):
            raise error
        start, asked_at = self._begin(after, before, token)
        low = bisect_left(self.changes, (after, "", after))
        high = bisect_right(self.changes, (before, "~", before))
        shown = [each for each in self.changes[low:high] if each[2] <= asked_at]
        page = shown[start : start + 100]
        rest = f"{start + 100}|{asked_at.isoformat()}|{after}|{before}"
        following = rest if len(shown) > start + 100 else None
        return Page(tuple(played_order(id_, at) for at, id_, _ in page), before, following)

    def _begin(self, after: datetime, before: datetime, token: str | None) -> tuple[int, datetime]:
        if token is None:
            return 0, self.clock()
        start, asked_at, *window = token.split("|")
        requested_at = datetime.fromisoformat(asked_at)
        if window != [str(after), str(before)] or self.clock() - requested_at >= timedelta(
            hours=24
        ):
            raise InvalidRequest("The paginationToken is invalid.")
        return int(start), requested_at


def played_order(order_id: str, at: datetime) -> FetchedOrder:
    return replace(ORDER, order_id=order_id, fingerprint=f"{at.timestamp()}", last_updated=at)


class PlayedAccount:
    """Sync runs of one account, on schedule and where a rate limit says so."""

    def __init__(
        self, ledger: Ledger, clock: Clock, throttle: Throttle, name: str = "acme"
    ) -> None:
        self.ledger, self.clock, self.name = ledger, clock, name
        self.amazon = PlayedAmazon(clock, throttle, name)
        self.processed: dict[str, datetime] = {}
        """When each order was first processed."""
        self.times: Counter[str] = Counter()
        self.resumed_at: datetime | None = None
        account = SimpleNamespace(
            marketplaces=[SimpleNamespace(marketplace_id="FR")], sends_stock=False
        )
        fields = {"ledger": ledger, "amazon": self.amazon, "name": name, "account": account}
        fields |= {"clock": clock, "sleep": lambda _: None}
        self.context = cast("Context", SimpleNamespace(**fields))
        ledger.cursors.set(name, clock())

    @property
    def lag(self) -> timedelta:
        """How old the oldest new order may be that is not in Odoo yet."""
        return self.clock() - (self.ledger.cursors.synced_until(self.name) or self.clock())

    def run(self) -> None:
        """One sync run: like ``flows.orders.run``."""
        changed = ChangedOrders(self.context, self.clock(), self._process)
        self.resumed_at = None
        try:
            changed.read_live()
            changed.read_backlog()
            changed.read_second_looks()
        except RateLimited as limit:
            self.resumed_at = self.clock() + timedelta(seconds=max(5.0, limit.seconds))
        except Transient:
            pass

    def _process(self, _: Reading, fetched: Sequence[FetchedOrder], todo: Sequence[str]) -> None:
        fingerprints = {order.order_id: order.fingerprint for order in fetched}
        for order_id in todo:
            self.processed.setdefault(order_id, self.clock())
            self.times[order_id] += 1
            self.ledger.items.settle(self.name, "orders", order_id, fingerprints[order_id])


def throttled(clock: Clock) -> Throttle:
    """A seller's real rates, by the played time."""

    def sleep(seconds: float) -> None:
        assert seconds <= 2
        clock.now += timedelta(seconds=seconds)

    return Throttle(LIMITS, clock=lambda: clock().timestamp(), sleep=sleep)


def play(
    accounts: Sequence[PlayedAccount],
    clock: Clock,
    duration: timedelta,
    watch: Callable[[], Any] = lambda: None,
    every: timedelta = EVERY,
) -> None:
    """Let time pass; each account runs on schedule, and when it is resumed."""
    end, due = clock() + duration, {each.name: clock() for each in accounts}
    while clock() < end:
        moments = [*due.values(), *filter(None, (each.resumed_at for each in accounts))]
        clock.now = max(clock.now, min(moments))
        watch()
        for each in accounts:
            is_scheduled = due[each.name] <= clock()
            if is_scheduled or (each.resumed_at and each.resumed_at <= clock()):
                each.run()
            if is_scheduled:
                due[each.name] += every


def spread(
    amazon: PlayedAmazon, begin: datetime, duration: timedelta, number: int, name: str = ""
) -> list[str]:
    """Let so many orders change within a time, evenly."""
    order_ids = [f"{name}{begin:%d%H%M}-{n}" for n in range(number)]
    for n, order_id in enumerate(order_ids):
        amazon.change(order_id, (begin + duration * n / number).replace(microsecond=0))
    return order_ids
