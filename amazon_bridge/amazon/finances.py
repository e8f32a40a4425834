"""What Amazon owes a seller: balances, transactions, and the summaries of settlements.

Source: Amazon's model "finances_2024-06-19".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.client import Connection
from amazon_bridge.amazon.pages import pages
from amazon_bridge.amazon.payloads import Instant, KnownEntries, Part, Payload, Text, iso
from amazon_bridge.engine.errors import Transient

_LONGEST = timedelta(days=180)
"""Of a period of transactions; of a longer one Amazon returns none."""


class TransactionStatus(StrEnum):
    """Whether money is available yet."""

    DEFERRED = "DEFERRED"
    RELEASED = "RELEASED"
    DEFERRED_RELEASED = "DEFERRED_RELEASED"
    """It was deferred, and another transaction released it."""


@dataclass(frozen=True, slots=True)
class Balances:
    """Amazon's balances in one currency."""

    total: Decimal = Decimal(0)
    available: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    deferred: Decimal = Decimal(0)
    account_level_reserve: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement of money, without its breakdown."""

    transaction_id: str
    transaction_type: str
    status: str
    posted: datetime
    amount: Decimal
    currency: str
    marketplace_id: str
    related: Mapping[str, str]
    """Identifiers by name, such as ``ORDER_ID``."""
    is_internal: bool = False
    """It moves money between the parts of the balance: reserves, and carried debts."""
    account_type: str = ""
    """Of the seller's account, such as ``Standard Orders``; each type has its own settlements."""

    @property
    def order_id(self) -> str:
        """Amazon's order id; empty: it is of no order."""
        return self.related.get("ORDER_ID", "")

    @property
    def settlement_id(self) -> str:
        """The settlement that has it, as far as Amazon names one."""
        return self.related.get("SETTLEMENT_ID", "")


class _Money(Payload):
    currency_code: Text = None
    currency_amount: Decimal | None = None


class _Place(Payload):
    marketplace_id: Text = None


class _Partner(_Place):
    account_type: Text = None


class _Balance(Payload):
    balance_type: Text = None
    amount: Part[_Money] = _Money()
    balances: KnownEntries[_Balance] = ()


class _Balances(Payload):
    balances: KnownEntries[_Balance] = ()
    next_token: Text = None


def _list_of_breakdowns(value: object) -> object:
    """A list; Amazon's example has an object with the list."""
    found = value.get("breakdowns") if isinstance(value, dict) else value
    return [each for each in found if each is not None] if isinstance(found, list) else ()


class _Related(Payload):
    related_identifier_name: Text = None
    related_identifier_value: Text = None


class _Breakdown(Payload):
    breakdown_type: Text = None
    breakdown_amount: Part[_Money] = _Money()
    breakdowns: KnownEntries[_Breakdown] = ()


class _Transaction(Payload):
    transaction_id: Text = None
    transaction_type: Text = None
    transaction_status: Text = None
    posted_date: Instant
    total_amount: _Money
    marketplace_details: Part[_Place] = _Place()
    selling_partner_metadata: Part[_Partner] = _Partner()
    related_identifiers: KnownEntries[_Related] = ()
    breakdowns: Annotated[tuple[_Breakdown, ...], BeforeValidator(_list_of_breakdowns)] = ()


class _Transactions(Payload):
    transactions: KnownEntries[_Transaction] = ()
    next_token: Text = None


class _TransactionsResponse(Payload):
    payload: Part[_Transactions] = _Transactions()


class _Summary(Payload):
    net_proceeds: Part[_Money] = _Money()


class _Summaries(Payload):
    summaries: KnownEntries[_Summary] = ()
    next_token: Text = None


class Finances:
    """The money of one seller. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def balances(
        self, as_of: date | None = None, marketplace_ids: Sequence[str] = ()
    ) -> dict[str, Balances]:
        """Balances by currency.

        Args:
            as_of: At the end of this day; None: now.
            marketplace_ids: Only of these; empty: of all.
        """
        query: dict[str, object] = {"asOfDate": as_of.isoformat()} if as_of else {}
        if marketplace_ids:
            query["marketplaceIds"] = list(marketplace_ids)
        found = pages(
            lambda token: self._connection.ask(
                _Balances, operations.LIST_BALANCES, **query, **_page(token)
            ),
            lambda page: page.next_token,
            of="balances",
        )
        return _by_currency([each for page in found for each in page.balances])

    def transactions(
        self, after: datetime, before: datetime, status: TransactionStatus | None = None
    ) -> Iterator[Transaction]:
        """The transactions of a period, a page at a time; one call for 500.

        Those of orders may be missing for 48 hours.

        Args:
            after: Posted at this instant or later.
            before: Posted before this instant; at least two minutes ago.
            status: Only these.
        """
        while after < before:
            until = min(before, after + _LONGEST)
            yield from self._transactions(after, until, status)
            after = until

    def _transactions(
        self, after: datetime, before: datetime, status: TransactionStatus | None
    ) -> Iterator[Transaction]:
        query = {"postedAfter": iso(after), "postedBefore": iso(before)}
        query |= {"transactionStatus": status.value} if status else {}
        for page in pages(
            lambda token: self._connection.ask(
                _TransactionsResponse, operations.LIST_TRANSACTIONS, **query, **_page(token)
            ),
            lambda page: page.payload.next_token,
            of="transactions",
        ):
            yield from map(_transaction, page.payload.transactions)

    def summary(self, settlement_id: str) -> dict[str, Decimal]:
        """Net proceeds of a settlement, by currency; empty if Amazon knows none."""
        query = {
            "relatedIdentifierName": "SETTLEMENT_ID",
            "relatedIdentifierValue": settlement_id,
        }
        proceeds: defaultdict[str, Decimal] = defaultdict(Decimal)
        for page in pages(
            lambda token: self._connection.ask(
                _Summaries, operations.LIST_SUMMARY, **query, **_page(token)
            ),
            lambda page: page.next_token,
            of="summaries",
        ):
            for each in page.summaries:
                currency, amount = _money(each.net_proceeds)
                proceeds[currency] += amount
        return dict(proceeds)


def _page(token: str | None) -> dict[str, str]:
    return {"nextToken": token} if token else {}


def _money(money: _Money) -> tuple[str, Decimal]:
    if money.currency_code is None or money.currency_amount is None:
        raise Transient("Amazon stated an amount without its currency, or a currency without it.")
    return money.currency_code, money.currency_amount


def _transaction(payload: _Transaction) -> Transaction:
    currency, amount = _money(payload.total_amount)
    place = payload.marketplace_details.marketplace_id
    return Transaction(
        transaction_id=payload.transaction_id or "",
        transaction_type=payload.transaction_type or "",
        status=(payload.transaction_status or "").upper(),
        posted=payload.posted_date,
        amount=amount,
        currency=currency,
        marketplace_id=place or payload.selling_partner_metadata.marketplace_id or "",
        related={
            each.related_identifier_name: each.related_identifier_value
            for each in payload.related_identifiers
            if each.related_identifier_name and each.related_identifier_value
        },
        is_internal=_is_internal(payload),
        account_type=payload.selling_partner_metadata.account_type or "",
    )


def _is_internal(payload: _Transaction) -> bool:
    if payload.transaction_type in _DEBTS:
        return True
    leaves = [each for each in _leaves(payload.breakdowns) if each.breakdown_amount.currency_amount]
    types = [each.breakdown_type for each in leaves]
    return bool(types) and all(type_ and "reserve" in type_.lower() for type_ in types)


def _leaves(breakdowns: Iterable[_Breakdown]) -> Iterator[_Breakdown]:
    for each in breakdowns:
        if each.breakdowns:
            yield from _leaves(each.breakdowns)
        else:
            yield each


_DEBTS = frozenset({"DebtRecovery", "DebtPayment"})
"""Types of transactions that carry a negative balance to the next settlement."""

_TYPES = tuple(Balances.__dataclass_fields__)


def _by_currency(balances: Sequence[_Balance]) -> dict[str, Balances]:
    """Add up the balances of all account types and marketplaces.

    A total comprises the other balances. Those listed beside totals as well are the same again.
    """
    totals = [each for each in balances if each.balance_type == "TOTAL"]
    sums: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    _add(sums, totals, frozenset())
    within = {(currency, type_) for currency, by_type in sums.items() for type_ in by_type}
    others: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    _add(others, [each for each in balances if each not in totals], frozenset())
    for currency, by_type in others.items():
        for type_, amount in by_type.items():
            if (currency, type_) not in within:
                sums[currency][type_] += amount
    return {
        currency: Balances(**{type_: by_type[type_] for type_ in _TYPES})
        for currency, by_type in sums.items()
    }


def _add(
    sums: defaultdict[str, defaultdict[str, Decimal]],
    balances: Sequence[_Balance],
    above: frozenset[str],
) -> None:
    """Add balances and what they comprise; a type within itself is its breakdown."""
    for each in balances:
        type_ = (each.balance_type or "").lower()
        if type_ and type_ not in above:
            currency, amount = _money(each.amount)
            sums[currency][type_] += amount
        _add(sums, each.balances, above | {type_})
