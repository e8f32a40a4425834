"""Reads what changed on Amazon: the windows of all lanes, page by page.

Each page is filed together with the token of the next one, and then processed. A run that ends in
between goes on there; nothing is lost and nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from amazon_bridge.amazon.pages import pages, repeated
from amazon_bridge.amazon.selling_partner import Page
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError, InvalidRequest, RateLimited, Transient
from amazon_bridge.engine.retrying import BATCH, NO_RETRY, RetryPolicy, retry_transient
from amazon_bridge.engine.throttle import Urgency
from amazon_bridge.engine.window import (
    LOOKS,
    SLICE,
    Backlog,
    Lane,
    Look,
    Progress,
    Reading,
    Window,
    is_behind,
    is_near,
    latest_searchable,
    live_start,
    live_window,
    live_window_beside,
    look_window,
    window_between,
    windows_from,
)
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders.decide import UNPAID
from amazon_bridge.flows.orders.find import FetchedOrder, file, newest, note_in_flight

if TYPE_CHECKING:  # loads SQLAlchemy, which other commands do without
    from amazon_bridge.engine.ledger.lanes import Lanes

log = structlog.get_logger(__name__)

OPEN_FOR = timedelta(days=90)
"""No order of a merchant stays open for longer: Amazon cancels unpaid orders after three weeks, and
unshipped ones a week after they were to be shipped; pre-orders change when they are available."""

_CALLS_OF_LOOK = 4
"""Calls that are kept for a later look when it is due, so that the first one doesn't starve it."""

ProcessPage = Callable[[Reading, Sequence[FetchedOrder], Sequence[str]], None]
"""Gets how far the window is read, the orders of a page, and the ids of the new or changed ones."""


@dataclass(slots=True)
class ChangedOrders:
    """Reads the lanes of an account in one run.

    Every method raises:

    - ``RateLimited``: the calls that the lane may make are used up; a later run goes on.
    - ``AccountError``, ``Transient``: a remote is down, or refuses the account.
    """

    context: Context
    now: datetime
    process: ProcessPage
    wait: Callable[[], None] = lambda: None
    """Called before a page is filed: returns when it may be processed."""
    _known: tuple[Progress, Mapping[Lane, Reading]] | None = field(default=None, init=False)
    """How far everything was read, and what has begun to be read; None after it has changed."""

    def read_live(self) -> None:
        """Read what changed lately."""
        for look in LOOKS:
            self._position(look)  # which begins here, before the cursor moves
        plan = self._live_window_beside if self._backlog() else self._live_window
        self._read_lane(Lane.LIVE, plan, Urgency.LIVE)

    def read_backlog(self) -> None:
        """Read what changed long ago, if the cursor is far behind."""
        self._read_lane(Lane.BACKLOG, self._backlog_window, Urgency.BACKLOG)

    def read_in_flight(self) -> None:
        """Find all open orders once, if it is not known which units are in flight.

        Changes are noted as they are read; where something may be missing, a survey is due again.
        """
        context = self.context
        if context.account.sends_stock:
            self._read_lane(Lane.IN_FLIGHT, self._survey_window, Urgency.BACKLOG)
        else:
            context.ledger.in_flight.stop(context.name)

    def read_second_looks(self) -> None:
        """Do the second looks, as far as spare calls allow."""
        with suppress(RateLimited):
            for look in LOOKS:
                self._read_lane(look.lane, lambda look=look: self._look_window(look), Urgency.SPARE)  # type: ignore[misc]

    # Plans

    @property
    def _lanes(self) -> Lanes:
        return self.context.ledger.lanes

    @property
    def _progress(self) -> Progress:
        return self._stored()[0]

    def _stored(self) -> tuple[Progress, Mapping[Lane, Reading]]:
        if self._known is None:
            name = self.context.name
            self._known = self._lanes.progress(name), self._lanes.readings(name)
        return self._known

    @property
    def _cursor(self) -> datetime:
        return self._progress.cursor or self.now

    def _backlog(self) -> Backlog | None:
        """What lies between the cursor and the live interval, which begins if it is needed."""
        name, start = self.context.name, live_start(self.now)
        backlog = self._progress.backlog
        if backlog is None and is_behind(self._cursor, self.now) and not self._is_at_hand:
            self._lanes.begin_backlog(name, self._cursor, start)
            log.info("backlog_begun", account=name, since=self._cursor.isoformat())
        elif backlog and is_behind(backlog.live_until, self.now):
            self._lanes.begin_live_again(name, start)
        else:
            return backlog
        self._known = None
        return self._progress.backlog

    @property
    def _is_at_hand(self) -> bool:
        """Whether all may be read in one go; if it is too much, a later run makes it a back-log.

        That saves a call and an almost empty batch after each night and each restart.
        """
        return self.now - self._cursor <= SLICE and self.context.amazon.has_spare_searches()

    def _live_window(self) -> Window | None:
        start = self._with_first_look(self._cursor) if self._has_spare_calls else self._cursor
        return live_window(self._cursor, start, self.now)

    @property
    def _has_spare_calls(self) -> bool:
        """Whether there are more calls than the live windows and the later looks need."""
        due = sum(self._look_window(look) is not None for look in LOOKS[:-1])
        return self.context.amazon.has_spare_searches(besides=due * _CALLS_OF_LOOK)

    def _with_first_look(self, cursor: datetime) -> datetime:
        """Where a window from the cursor begins, if the first look is made by the same calls."""
        look = self._position(LOOKS[-1])
        return min(look, cursor) if is_near(look, cursor) else cursor

    def _live_window_beside(self) -> Window | None:
        backlog = self._progress.backlog
        return live_window_beside(backlog, self.now) if backlog else None

    def _backlog_window(self) -> Window | None:
        backlog = self._progress.backlog
        if backlog is None:
            return None
        # After a clock that was wrong, the end may lie ahead.
        end = min(backlog.ends, latest_searchable(self.now))
        return window_between(self._with_first_look(backlog.position), end)

    def _look_window(self, look: Look) -> Window | None:
        """The next window of a second look. What was looked at later than that needs it no more."""
        positions = [self._position(each) for each in LOOKS[: LOOKS.index(look) + 1]]
        return look_window(look, max(positions), self._cursor, self.now)

    def _survey_window(self) -> Window | None:
        context = self.context
        if context.ledger.in_flight.is_surveyed(context.name, self._filters):
            return None
        end = latest_searchable(self.now)
        return Window(end - OPEN_FOR, end)

    def _position(self, look: Look) -> datetime:
        """How far a second look has come. None reads what changed before the account's beginning.

        The first look has always looked back from the cursor, also at the beginning.
        """
        earliest = self._progress.began or self.now
        first = self.now - look.lag
        if look is LOOKS[-1]:
            earliest, first = earliest - look.lag, self._cursor - look.lag
        position = self._progress.positions.get(look.lane) or self._begun_at(look, first)
        return max(min(position, self.now - look.lag), earliest)

    def _begun_at(self, look: Look, first: datetime) -> datetime:
        self._known = None
        return self._lanes.position(self.context.name, look.lane, first)

    # Pages

    def _read_lane(self, lane: Lane, plan: Callable[[], Window | None], urgency: Urgency) -> None:
        """Read a lane's windows, until nothing is left to read or Amazon shows nothing newer."""
        while (reading := self._begun(lane) or self._planned(lane, plan())) and self._read(
            reading, urgency
        ):
            pass

    def _begun(self, lane: Lane) -> Reading | None:
        """The window that an earlier run has begun to read, unless its token is not valid."""
        if self._stored()[1].get(lane):
            self._known = None  # a rewind may have dropped it since
        reading = self._stored()[1].get(lane)
        if reading is None or reading.is_valid(self._filters, self.now):
            return reading
        self._drop(lane)
        return None

    def _drop(self, lane: Lane) -> None:
        self._lanes.drop(self.context.name, lane)
        self._known = None

    def _planned(self, lane: Lane, window: Window | None) -> Reading | None:
        return Reading.of(lane, window, self._filters, self.now) if window else None

    @property
    def _filters(self) -> str:
        return filters(self.context.account)

    def _read(self, reading: Reading, urgency: Urgency) -> bool:
        """Read a window to its end.

        Returns:
            False if Amazon shows only a part of it yet.
        """
        stored, used = reading.token, set[str | None]()
        while True:
            reading, page = self._fetch(reading, urgency, may_begin_anew=reading.token == stored)
            used.add(reading.token)
            reading = reading.continued(page.complete_until, page.next_token)
            is_repeated = reading.token is not None and reading.token in used
            self._keep(newest(page.orders), reading, is_repeated=is_repeated)
            if is_repeated:
                self._drop(reading.lane)
                raise repeated("orders")  # the list would never end
            if reading.token is None:
                return self._is_complete(reading)

    def _keep(
        self, fetched: Sequence[FetchedOrder], reading: Reading, *, is_repeated: bool
    ) -> None:
        noted = None if is_repeated else reading
        self._known = None
        if reading.lane is Lane.IN_FLIGHT:
            note_in_flight(self.context, fetched, reading=noted)
            return
        self.wait()
        todo = file(self.context, fetched, reading=noted)
        self.process(reading, [each for each in fetched if each.status not in UNPAID], todo)

    def _fetch(
        self, reading: Reading, urgency: Urgency, *, may_begin_anew: bool
    ) -> tuple[Reading, Page]:
        """Fetch the next page.

        The token of the state store is kept as long as it is valid, unless Amazon refuses it, or
        fails with it and shows the window without it.
        """
        try:
            return reading, self._page(reading, urgency)
        except (InvalidRequest, Transient) as error:
            if reading.token is None or not may_begin_anew:
                raise
            return self._fetch_anew(reading, urgency, error)

    def _fetch_anew(
        self, reading: Reading, urgency: Urgency, failure: InvalidRequest | Transient
    ) -> tuple[Reading, Page]:
        """Fetch the first page again; its token replaces the one that failed when it is filed.

        Raises:
            InvalidRequest, Transient: the failure, if Amazon does not show the first page either.
        """
        anew = Reading.of(reading.lane, reading.window, self._filters, self.now)
        try:
            page = self._page(anew, urgency, NO_RETRY)
        except (AccountError, Transient):
            raise failure from None
        except RateLimited:
            if isinstance(failure, Transient):
                raise failure from None
            self._drop(reading.lane)
            raise
        log.info("page_token_refused", account=self.context.name, lane=reading.lane)
        return anew, page

    def _page(self, reading: Reading, urgency: Urgency, policy: RetryPolicy = BATCH) -> Page:
        amazon, unpaid = self.context.amazon, self.context.account.sends_stock
        search = partial(amazon.changed_orders, unpaid=unpaid)
        if reading.lane is Lane.IN_FLIGHT:
            search = partial(amazon.open_orders)
        arguments = *reading.window, reading.token, urgency
        return retry_transient(lambda: search(*arguments), policy, sleep=self.context.sleep)

    def _is_complete(self, reading: Reading) -> bool:
        until, name = reading.known_until, self.context.name
        if until < reading.window.before:
            log.info("search_lags", account=name, until=until.isoformat())
            return False
        return True


def filters(account: AccountConfig) -> str:
    """What a search for an account's orders depends on besides the window."""
    names = sorted(each.marketplace_id for each in account.marketplaces)
    return " ".join([*names, *(["unpaid"] if account.sends_stock else [])])


def pages_from(context: Context, cursor: datetime) -> Iterator[list[FetchedOrder]]:
    """The pages that a run would read from this cursor on, the latest orders first.

    Raises:
        RateLimited: The calls that may be made at once are used up.
        Transient: Amazon is down, or repeats a page token.
    """
    for window in windows_from(cursor, context.clock()):
        fetch = partial(context.amazon.changed_orders, *window)
        for page in pages(fetch, lambda page: page.next_token, of="orders"):
            yield newest(page.orders)
