"""Keeps the events of all sellers, enters them in the ledger, and closes settlements."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.money import ledger
from amazon_bridge.simulator.money.events import ZERO, Account, Event, Row
from amazon_bridge.simulator.money.ledger import Ledger
from amazon_bridge.simulator.money.settlements import Settlement, token
from amazon_bridge.simulator.money.triples import Triple, find

_OTHER = "other-transaction"
_RESERVED = (_OTHER, _OTHER, "Current Reserve Amount")
_RETURNED = (_OTHER, _OTHER, "Previous Reserve Amount Balance")
_PAYABLE = (_OTHER, _OTHER, "Payable to Amazon")
_CHARGED = (_OTHER, _OTHER, "Successful charge")
_COUNTERPARTS = {
    _RESERVED: ledger.RESERVE,
    _RETURNED: ledger.RESERVE,
    _PAYABLE: ledger.CARRIED,
    _CHARGED: ledger.CARRIED,
}
_FIRST_SETTLEMENT, _SPREAD = 17_000_000_000, 1_000_000


class Book:
    """The events, settlements and balances of all sellers.

    Args:
        home: Returns the marketplace for what is of none.
        seed: Settlements of different seeds have different ids.
    """

    def __init__(self, home: Callable[[Account], Market], *, seed: int = 0) -> None:
        self.ledger = Ledger()
        self.events: list[Event] = []
        self.payouts: list[Event] = []
        self.settlements: dict[str, Settlement] = {}
        self.home = home
        self._first = _FIRST_SETTLEMENT + zlib.crc32(str(seed).encode()) % _SPREAD
        self._open: dict[Account, Settlement] = {}
        self._deferred: list[Event] = []
        self._numbers = count()

    def key(self) -> str:
        """The id of a new transaction."""
        return token(f"transaction {next(self._numbers)}")

    # -- adding ----------------------------------------------------------------------------

    def add(self, event: Event) -> Event:
        """Enter an event; one that matures later is deferred."""
        opened = self.open(event.account)
        if opened.start is not None:
            event.posted = max(event.posted, opened.start)
        self.events.append(event)
        if event.matures is None:
            self._settle(event, opened)
        else:
            self._deferred.append(event)
        target = ledger.AVAILABLE if event.matures is None else ledger.DEFERRED
        for row in event.rows:
            self._move(event, row.amount, to=target, source=_counterpart(row.triple))
        return event

    def defer(self, event: Event, until: datetime) -> None:
        """Defer an event that is already entered, as if it had been so from the start.

        Raises:
            ValueError: It is deferred already, or in a closed settlement.
        """
        settlement = self.open(event.account)
        if event not in settlement.events:
            raise ValueError("Only events of an open settlement can be deferred.")
        settlement.events.remove(event)
        event.settlement_id, event.matures = "", until
        self._deferred.append(event)
        self._move(event, event.total, to=ledger.DEFERRED, source=ledger.AVAILABLE)

    def release(self, now: datetime) -> None:
        """Make available what was deferred until now."""
        due = [event for event in self._deferred if event.matures and event.matures <= now]
        for event in sorted(due, key=lambda event: (event.matures or now, event.posted)):
            self._deferred.remove(event)
            self._release(event)

    def _release(self, event: Event) -> None:
        assert event.matures, "only deferred events are released"
        released = replace(
            event,
            key=self.key(),
            posted=event.matures,
            matures=None,
            settlement_id="",
            releases=event.key,
        )
        event.released_by = released.key
        opened = self.open(event.account)
        if opened.start is not None:
            released.posted = max(released.posted, opened.start)
        self.events.append(released)
        self._settle(released, opened)
        self._move(released, event.total, to=ledger.AVAILABLE, source=ledger.DEFERRED)

    def _settle(self, event: Event, settlement: Settlement) -> None:
        event.settlement_id = settlement.settlement_id
        settlement.events.append(event)

    def _move(self, event: Event, amount: Decimal, *, to: str, source: str) -> None:
        place = (event.market or self.home(event.account)).marketplace_id
        self.ledger.move(event.posted, event.account, place, amount, to=to, source=source)

    # -- closing ---------------------------------------------------------------------------

    def open(self, account: Account) -> Settlement:
        """The settlement that is open."""
        if account not in self._open:
            self._open[account] = self._new_settlement(account, None)
        return self._open[account]

    def close(
        self,
        account: Account,
        *,
        end: datetime,
        deposited: datetime,
        reserve: Decimal = ZERO,
        carries: bool = False,
        holds_payout: bool = False,
        inclusive: bool = False,
    ) -> Settlement:
        """Close the open settlement; events posted later belong to the next one.

        Args:
            account: Of a seller.
            end: Of the settlement.
            deposited: When the money arrives at the bank.
            reserve: What Amazon keeps back until the next settlement.
            carries: A negative balance is carried on, instead of charged to the seller's card.
            holds_payout: Balances still have the payout until it is deposited.
            inclusive: It has the events that were posted at its end.

        Raises:
            ValueError: It would end before it starts.
        """
        settlement = self.open(account)
        if settlement.start is not None and end < settlement.start:
            raise ValueError("It would end before it starts.")
        settlement.start = settlement.start or _earliest(settlement, end)
        limit = end + timedelta(microseconds=1) if inclusive else end
        later = [event for event in settlement.events if event.posted >= limit]
        settlement.events = [event for event in settlement.events if event.posted < limit]
        settlement.end, settlement.deposited = end, deposited
        self._open[account] = following = self._new_settlement(account, end)
        for event in later:
            self._settle(event, following)
        self._reserve(settlement, end, reserve)
        self._make_good(settlement, end, carries=carries)
        self._pay_out(settlement, holds=holds_payout)
        return settlement

    def _reserve(self, settlement: Settlement, end: datetime, reserve: Decimal) -> None:
        """Return the reserve of the settlement before, and keep that of this one."""
        before = self.ledger.balances(settlement.account, before=end).account_level_reserve
        kept = self.home(settlement.account).round(reserve)
        for texts, amount in ((_RETURNED, before), (_RESERVED, -kept)):
            if amount:
                self._add_to(settlement, _in(settlement, end), [(texts, amount)])

    def _make_good(self, settlement: Settlement, end: datetime, *, carries: bool) -> None:
        """Let the next settlement show what became of a negative balance."""
        missing = -settlement.total
        if missing <= 0:
            return
        following = self.open(settlement.account)
        if carries:
            self._add_to(settlement, _in(settlement, end), [(_PAYABLE, missing)])
            self._add_to(following, end, [(_PAYABLE, -missing)])
        else:
            self._add_to(following, end, [(_PAYABLE, -missing), (_CHARGED, missing)])

    def _add_to(
        self,
        settlement: Settlement,
        posted: datetime,
        rows: list[tuple[tuple[str, str, str], Decimal]],
    ) -> None:
        triples = [find(texts) for texts, _ in rows]
        event = Event(
            key=self.key(),
            account=settlement.account,
            kind=triples[0].event,
            description=triples[0].amount_description,
            posted=posted,
            rows=tuple(
                Row(triple=triple, amount=amount)
                for triple, (_, amount) in zip(triples, rows, strict=True)
            ),
        )
        self.events.append(event)
        self._settle(event, settlement)
        for row in event.rows:
            source = _counterpart(row.triple)
            self._move(event, row.amount, to=ledger.AVAILABLE, source=source)

    def _pay_out(self, settlement: Settlement, *, holds: bool) -> None:
        """Pay each marketplace's part of the total; if Amazon holds it, until the deposit."""
        assert settlement.end, "it is closed"
        assert settlement.deposited, "it is closed"
        target = ledger.PAYABLE if holds else ledger.BANK
        for place, amount in self._parts(settlement).items():
            move = self.ledger.move
            account = settlement.account
            move(settlement.end, account, place, amount, to=target, source=ledger.AVAILABLE)
            if holds:
                moment = max(settlement.end, settlement.deposited)
                move(moment, account, place, amount, to=ledger.BANK, source=ledger.PAYABLE)
        if settlement.total:
            self.payouts.append(_payout(settlement, self.key()))

    def _parts(self, settlement: Settlement) -> dict[str, Decimal]:
        """The total by marketplace id."""
        home, parts = self.home(settlement.account), dict[str, Decimal]()
        for event in settlement.events:
            place = (event.market or home).marketplace_id
            parts[place] = parts.get(place, ZERO) + event.total
        return parts

    def _new_settlement(self, account: Account, start: datetime | None) -> Settlement:
        number = self._first + 1_000_003 * len(self.settlements)
        settlement = Settlement(settlement_id=str(number), account=account, start=start)
        self.settlements[settlement.settlement_id] = settlement
        return settlement

    # -- reading ---------------------------------------------------------------------------

    def of_seller(self, seller_id: str) -> Iterator[Event]:
        """All events and payouts of a seller."""
        for event in (*self.events, *self.payouts):
            if event.account.seller_id == seller_id:
                yield event


def _in(settlement: Settlement, end: datetime) -> datetime:
    """The last moment in a settlement."""
    assert settlement.start, "it is closed"
    return max(settlement.start, end - timedelta(seconds=1))


def _earliest(settlement: Settlement, end: datetime) -> datetime:
    return min((event.posted for event in settlement.events), default=end)


def _counterpart(triple: Triple) -> str:
    """The account of the ledger that a row's amount comes from."""
    elsewhere = {"in transit": ledger.BANK, "reserve": "another account"}
    return _COUNTERPARTS.get(triple.texts, elsewhere.get(triple.category, triple.category))


def _payout(settlement: Settlement, key: str) -> Event:
    """The transaction of a payout: its amount is positive if the seller gets it."""
    assert settlement.end, "it is closed"
    transfer = Triple("Transfer", "Transfer", "FundTransfer", "in transit", "Transfer")
    return Event(
        key=key,
        account=settlement.account,
        kind="Transfer",
        description="Transfer to bank account",
        posted=settlement.end,
        rows=(Row(triple=transfer, amount=settlement.total),),
        settlement_id=settlement.settlement_id,
    )
