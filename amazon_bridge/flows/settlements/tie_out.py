"""Compares Amazon's balance with Odoo's, of now or of a day, and explains the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from amazon_bridge.amazon.finances import Transaction, TransactionStatus
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements.apply import settlement_setup
from amazon_bridge.flows.settlements.memo import JOB, TIES, SettlementMemo
from amazon_bridge.flows.settlements.other_sellers import OtherSellers, Sums
from amazon_bridge.flows.settlements.ties import Findings, InOdoo, Tie, parts_of
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.odoo import account_balances, journal_entries, reconciling
from amazon_bridge.odoo.journal_entries import Booked
from amazon_bridge.odoo.reconciling import OpenLine
from amazon_bridge.odoo.setup import Target

_SHOWN_AFTER = timedelta(minutes=2, seconds=5)
"""Amazon shows transactions that are more than two minutes old."""

_LISTED_AFTER = timedelta(hours=48)
"""Amazon may list the transactions of orders so much later."""

_LONGEST_STATEMENT = timedelta(days=16)
"""Accounts of a seller may have settlements of two weeks each that end on different days."""

_WITHOUT_SETTLEMENTS = timedelta(days=45)
_LONGEST_DEFERRAL = timedelta(days=180)

_REFUNDS = frozenset({"Refund", "Chargeback", "GuaranteeClaim"})
"""Types of transactions."""

_PAYOUT = "Transfer"
_PAID_AFTER = timedelta(days=5)
"""A settlement is paid out within this time after its end."""


@dataclass(slots=True)
class _Settlement:
    """What is known of a settlement, as of the day."""

    key: str
    memo: SettlementMemo
    is_left_out: bool
    months: set[str] = field(default_factory=set)
    """Those that are booked."""
    is_complete: bool = False
    """All of it is booked, the payout too."""
    has_payout: bool = False
    """Its payout is booked, which is in its last entry."""
    move_ids: Collection[int] = ()
    """Its journal entries in Odoo."""

    def spans(self, each: Transaction) -> bool:
        """Whether it was open when a transaction was posted."""
        memo = self.memo
        return bool(memo.starts and memo.ends and memo.starts <= each.posted < memo.ends)


def tie_out(context: Context, as_of: date | None = None) -> list[Tie]:
    """Compare the balances of an account.

    Args:
        context: Of the account.
        as_of: At the end of this day (UTC); None: now.

    Returns:
        A comparison for each currency.
    """
    return list(_TieOut(context, as_of).ties())


def record(context: Context, ties: Sequence[Tie]) -> None:
    """Keep comparisons in the state store, one a day; a later one of the day replaces it."""
    items, name = context.ledger.items, context.name
    for tie in ties:
        key = " ".join(filter(None, (tie.day.isoformat(), tie.currency, tie.marketplace)))
        items.file(name, TIES, [Seen(key, key)])
        items.settle(name, TIES, key, key, State.DONE)
        items.remember(name, TIES, key, tie)


def due(context: Context) -> date | None:
    """Yesterday, if its end is not compared yet: of today Amazon doesn't list all transactions."""
    yesterday = context.clock().date() - timedelta(days=1)
    keys = [entry.key for entry in context.ledger.items.of_job(context.name, TIES)]
    return None if any(key.startswith(yesterday.isoformat()) for key in keys) else yesterday


def as_json(tie: Tie) -> dict[str, Any]:
    """A comparison, as ``settlements tie-out --json`` prints it."""
    names = ("total", "available", "reserved", "deferred", "account_level_reserve")
    accounts = ("owed", "reserve", "in_transit")
    return {
        "marketplace": tie.marketplace or None,
        "currency": tie.currency,
        "amazon": {name: float(getattr(tie.amazon, name)) for name in names},
        "odoo": {name: float(getattr(tie.odoo, name)) for name in accounts},
        "difference": float(tie.difference),
        "parts": {name: float(amount) for name, amount in tie.parts.items()},
    }


class _TieOut:
    def __init__(self, context: Context, as_of: date | None) -> None:
        self._context, self._as_of = context, as_of
        self._now = context.clock()
        self._day = as_of or self._now.date()
        end = datetime.combine(self._day + timedelta(days=1), time(), UTC)
        self._until = min(end, self._now - _SHOWN_AFTER)
        self._setup = settlement_setup(context)
        self._place = _only_place(context)
        self._settlements = self._known_settlements()
        self._others = OtherSellers(context)
        self._others_owed: defaultdict[str, Decimal] = defaultdict(Decimal)
        """By currency: what other sellers have open on *owed by Amazon*."""
        self._account_types: defaultdict[str, set[str]] = defaultdict(set)
        """By settlement: those of its transactions."""

    def ties(self) -> Iterator[Tie]:
        context = self._context
        places = [self._place] if self._place else []
        amazon = context.amazon.finances.balances(self._as_of, places)
        odoo = self._odoo_balances()
        found = self._findings()
        for currency, balances in sorted(amazon.items()):
            in_odoo = odoo.get(currency, {})
            owed = _of(in_odoo, self._setup.owed) - self._others_owed[currency]
            reserve = _of(in_odoo, self._setup.reserve)
            difference = balances.total - owed - reserve
            yield Tie(
                day=self._day,
                currency=currency,
                marketplace=_country(context) if self._place else "",
                amazon=balances,
                odoo=InOdoo(owed, reserve, _of(in_odoo, self._setup.in_transit)),
                parts=parts_of(found[currency], difference, self._recent),
            )

    @property
    def _recent(self) -> date:
        return self._day - _LISTED_AFTER

    # Odoo

    def _odoo_balances(self) -> dict[str, dict[int, Decimal]]:
        setup = self._setup
        targets = (setup.owed, setup.reserve, setup.in_transit)
        ids = {target.account_id for target in targets if target.account_id}
        found = account_balances.by_currency(self._context.odoo, ids, self._as_of)
        ids -= {setup.owed.account_id}  # there, others have what is open
        for currency, sums in self._others.sums(ids, self._as_of).items():
            for account_id, amount in sums.items():
                found[currency][account_id] -= amount
        return found

    def _incomplete(self, target: Target) -> Sums:
        """What the entries of settlements of which some are posted have on an account."""
        known = self._settlements.values()
        move_ids = [id_ for each in known if not each.is_complete for id_ in each.move_ids]
        if not move_ids:
            return {}
        odoo, account_ids = self._context.odoo, [target.account_id]
        return account_balances.by_currency(odoo, account_ids, self._as_of, move_ids)

    def _known_settlements(self) -> dict[str, _Settlement]:
        """All settlements of the state store, with what of them is booked as of the day."""
        context = self._context
        known = {}
        for entry in context.ledger.items.of_job(context.name, JOB):
            memo = SettlementMemo.read(entry) or SettlementMemo()
            known[entry.key] = _Settlement(entry.key, memo, entry.state is State.LEFT_OUT)
        references = [each for one in known.values() for each in one.memo.entries]
        booked = journal_entries.find(context.odoo, references) if references else {}
        for settlement in known.values():
            self._note_booked(settlement, booked)
        return known

    def _note_booked(self, settlement: _Settlement, booked: Mapping[str, Booked]) -> None:
        entries = settlement.memo.entries
        counts = {reference: self._counts(booked.get(reference)) for reference in entries}
        missing = {_month(reference) for reference, is_booked in counts.items() if not is_booked}
        settlement.months = {_month(reference) for reference in entries} - missing
        settlement.is_complete = bool(entries) and not missing
        settlement.has_payout = bool(entries) and counts[entries[-1]]
        settlement.move_ids = [booked[each].id for each in entries if each in booked]

    def _counts(self, booked: Booked | None) -> bool:
        if booked is None or not booked.is_posted:
            return False
        return self._as_of is None or booked.date <= self._as_of

    # What both have

    def _findings(self) -> defaultdict[str, Findings]:
        is_invoiced = self._context.account.settlements.orders == "clearing"
        found = defaultdict[str, Findings](lambda: Findings(is_invoiced=is_invoiced))
        for currency, sums in self._incomplete(self._setup.interim).items():
            found[currency].interim = _of(sums, self._setup.interim)
        for settlement in self._settlements.values():
            self._add_settlement(found, settlement)
        for each in self._named_first(self._transactions()):
            self._add_transaction(found, each)
        if is_invoiced:
            self._add_open_lines(found)
        return found

    def _add_settlement(self, found: Mapping[str, Findings], settlement: _Settlement) -> None:
        memo = settlement.memo
        if memo.total is None or memo.ends is None or settlement.is_left_out:
            return
        was_closed = memo.ends < datetime.combine(self._day + timedelta(days=1), time(), UTC)
        of = found[memo.currency]
        if settlement.is_complete and not was_closed:
            of.paid_later += memo.total
        elif not settlement.has_payout and was_closed:
            of.others -= memo.total
        if was_closed and memo.deposit and memo.deposit >= self._day:
            of.undeposited += memo.total

    def _transactions(self) -> Iterator[Transaction]:
        """What is unsettled or deferred, each once; a transaction and its release count once."""
        finances = self._context.amazon.finances
        seen: set[str] = set()
        released_later: list[Transaction] = []
        for each in finances.transactions(self._since(), self._until):
            seen.add(each.transaction_id)
            if each.status == TransactionStatus.DEFERRED_RELEASED:
                released_later.append(each)
            else:
                yield each
        for status in self._deferred_statuses():
            since = self._until - _LONGEST_DEFERRAL
            for each in finances.transactions(since, self._until, status):
                if each.transaction_id in seen:
                    continue
                seen.add(each.transaction_id)
                if each.status == TransactionStatus.DEFERRED_RELEASED:
                    released_later.append(each)
                else:
                    yield each
        yield from self._still_deferred(released_later, seen)

    def _still_deferred(
        self, released_later: Sequence[Transaction], seen: Container[str]
    ) -> Iterator[Transaction]:
        """Those of the transactions that were released after the moment of the comparison."""
        unseen = [each for each in released_later if _release(each) not in seen]
        if not self._is_past:
            yield from unseen
        elif unseen:
            finances, latest = self._context.amazon.finances, self._now - _SHOWN_AFTER
            later = finances.transactions(self._until, latest, TransactionStatus.RELEASED)
            ids = {each.transaction_id for each in later}
            yield from (each for each in unseen if _release(each) in ids)

    @property
    def _is_past(self) -> bool:
        return self._as_of is not None and self._as_of < self._now.date()

    def _deferred_statuses(self) -> Sequence[TransactionStatus]:
        """Of a day that is past, what was deferred then may be released by now."""
        if not self._is_past:
            return (TransactionStatus.DEFERRED,)
        return (TransactionStatus.DEFERRED, TransactionStatus.DEFERRED_RELEASED)

    def _since(self) -> datetime:
        """Transactions before this moment are settled, or deferred."""
        settlements = [each for each in self._settlements.values() if not each.is_left_out]
        starts = [s.memo.starts for s in settlements if s.memo.starts and not s.is_complete]
        ends = [s.memo.ends for s in settlements if s.memo.ends and s.memo.ends <= self._until]
        latest = max(ends, default=self._until - _WITHOUT_SETTLEMENTS)
        return min([*starts, latest]) - _LONGEST_STATEMENT

    def _add_transaction(self, found: Mapping[str, Findings], each: Transaction) -> None:
        of = found[each.currency]
        if each.transaction_type == _PAYOUT:
            of.others -= Decimal() if self._is_known_payout(each) else each.amount
            return
        if self._is_elsewhere(each) or self._is_settled(each):
            return
        is_deferred = each.status != TransactionStatus.RELEASED
        if each.order_id:
            side = of.sides[each.order_id, each.transaction_type in _REFUNDS]
            side.unsettled += each.amount
            side.deferred = side.deferred or is_deferred
        elif is_deferred:
            of.others_deferred += each.amount
        else:
            of.others += each.amount

    def _is_elsewhere(self, each: Transaction) -> bool:
        """Whether it is of another marketplace, or no change of the balance in all."""
        is_of_place = not self._place or each.marketplace_id in {"", self._place}
        return each.is_internal or not is_of_place

    def _is_known_payout(self, each: Transaction) -> bool:
        """Whether the payout is of a settlement whose report was read."""
        return any(
            (settlement.memo.currency, settlement.memo.total) == (each.currency, each.amount)
            and settlement.memo.ends is not None
            and abs(settlement.memo.ends - each.posted) < _PAID_AFTER
            for settlement in self._settlements.values()
        )

    def _named_first(self, transactions: Iterable[Transaction]) -> Iterator[Transaction]:
        """Those whose settlement Amazon names first: they tell whose settlement it is."""
        others = []
        for each in transactions:
            if each.settlement_id:
                self._account_types[each.settlement_id].add(each.account_type)
                yield each
            else:
                others.append(each)
        yield from others

    def _may_have(self, settlement: _Settlement, each: Transaction) -> bool:
        """Whether a settlement may have a transaction of which Amazon names none."""
        types = self._account_types.get(settlement.key)
        is_of_account = types is None or each.account_type in types
        return (
            is_of_account and settlement.memo.currency == each.currency and settlement.spans(each)
        )

    def _is_settled(self, each: Transaction) -> bool:
        """Whether it is in a settlement that is booked, or that is left out."""
        if each.status != TransactionStatus.RELEASED:
            return False
        settlement = self._settlements.get(each.settlement_id)
        if settlement is None and not each.settlement_id:
            known = self._settlements.values()
            settlement = next((one for one in known if self._may_have(one, each)), None)
        if settlement is None:
            return False
        return settlement.is_left_out or f"{each.posted:%Y%m}" in settlement.months

    def _add_open_lines(self, found: Mapping[str, Findings]) -> None:
        odoo, setup = self._context.odoo, self._setup
        for page in reconciling.open_lines(odoo, setup, until=self._as_of):
            for line in self._own(page):
                _side(found, line).lines += line.residual
        for page in reconciling.open_payments(odoo, setup, until=self._as_of):
            for line in self._own(page):
                side = _side(found, line)
                side.payments += line.residual
                side.paid = max(side.paid or line.date, line.date)

    def _own(self, page: Sequence[OpenLine]) -> Iterator[OpenLine]:
        """The lines that are of no other seller; what others have is noted."""
        for line in page:
            if self._others.have(line):
                self._others_owed[line.currency] += line.residual
            else:
                yield line


def _release(deferred: Transaction) -> str:
    """The id of the transaction that released a deferred one."""
    return deferred.related.get("RELEASE_TRANSACTION_ID", "")


def _side(found: Mapping[str, Findings], line: OpenLine) -> Any:
    return found[line.currency].sides[line.order_id, line.is_refund]


def _only_place(context: Context) -> str:
    """The marketplace of an account that has one; empty: it has several.

    Amazon settles all of a seller's marketplaces of one currency together: an account that shares
    the currency with another account of the seller is compared as a whole with it.
    """
    places = context.account.marketplaces
    currencies = [
        place.currency for id_ in context.accounts_by_marketplace if (place := marketplace(id_))
    ]
    is_alone = len(places) == 1 and currencies.count(places[0].currency) == 1
    return places[0].marketplace_id if is_alone else ""


def _country(context: Context) -> str:
    return context.account.marketplaces[0].country_code


def _of(balances: Mapping[int, Decimal], target: Target) -> Decimal:
    return balances.get(target.account_id, Decimal())


def _month(reference: str) -> str:
    return reference.rsplit("_", 2)[1]
