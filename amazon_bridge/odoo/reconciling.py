"""Reconciles the orders' lines of settlements with the payments of their invoices.

Both are on the account *owed by Amazon* (``SettlementSetup.owed``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.model import is_order_id
from amazon_bridge.odoo.amounts import amount_of
from amazon_bridge.odoo.paging import pages, plain_rows
from amazon_bridge.odoo.sales import external_order_id, order_domain
from amazon_bridge.odoo.session import OdooSession, chunks
from amazon_bridge.odoo.setup import SettlementSetup

_LINE, _PARTIAL = "account.move.line", "account.partial.reconcile"
Key = TypeVar("Key", bound=int | str)
_NO_ORDER = "none"
_OURS = re.compile(r"(?P<entry>settlement_.+_\d{6}_\d+)_(?P<kind>[or])_(?P<order>.+)")


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A posted line on the account that is not, or not fully, reconciled."""

    id: int
    order_id: str
    is_refund: bool
    residual: Decimal
    """In its currency; negative: credit."""
    currency: str
    date: date
    entry: str = ""
    """Reference of the settlement's entry; empty for payments."""
    company_residual: Decimal = Decimal()
    """In the company's currency."""


_FIELDS = [
    *("amount_currency", "balance", "amount_residual", "amount_residual_currency", "currency_id"),
    *("date", "date_maturity"),
]
_MATCHES = ["matched_debit_ids", "matched_credit_ids"]


def open_lines(
    session: OdooSession, setup: SettlementSetup, *, until: date | None = None
) -> Iterator[list[OpenLine]]:
    """The open lines of orders and refunds in settlements' entries, page by page.

    Args:
        session: A login, restricted to the company.
        setup: Where settlements are booked.
        until: As of this day: lines dated until then, and what was not reconciled with others
            dated until then; None: as of now.
    """
    domain = [*_posted_on(setup), ("journal_id", "=", setup.journal_id), *_open(until)]
    for rows in pages(session, _LINE, domain, [*_FIELDS, *_MATCHES]):
        names = session.external_ids(_LINE, [row["id"] for row in rows])
        later = _matched_until(session, rows, until) if until else {}
        lines = (_ours(row, names.get(row["id"], ""), later.get(row["id"])) for row in rows)
        yield [line for line in lines if line and line.residual]


def _posted_on(setup: SettlementSetup) -> list[Any]:
    return [("account_id", "=", setup.owed.account_id), ("parent_state", "=", "posted")]


def _open(until: date | None) -> list[Any]:
    """The lines may be reconciled with later ones."""
    if until is None:
        return [("reconciled", "=", False)]
    day = until.isoformat()
    later = [(f"{field}.max_date", ">", day) for field in _MATCHES]
    return [("date", "<=", day), "|", ("reconciled", "=", False), "|", *later]


def _matched_until(
    session: OdooSession, rows: Sequence[Mapping[str, Any]], until: date
) -> dict[int, tuple[Decimal, Decimal]]:
    """What each line had left on a day, by its id: in its currency and in the company's."""
    ids = sorted({id_ for row in rows for field in _MATCHES for id_ in row[field]})
    fields = [
        *("debit_move_id", "credit_move_id", "amount", "debit_amount_currency"),
        *("credit_amount_currency", "max_date"),
    ]
    left = {r["id"]: (amount_of(r["amount_currency"]), amount_of(r["balance"])) for r in rows}
    for some in chunks(ids):
        for match in plain_rows(session, _PARTIAL, [("id", "in", some)], fields):
            if match["max_date"] <= until.isoformat():
                _match(left, match, "debit", -1)
                _match(left, match, "credit", 1)
    return left


def _match(
    left: dict[int, tuple[Decimal, Decimal]], match: Mapping[str, Any], side: str, sign: int
) -> None:
    id_ = match[f"{side}_move_id"]
    if id_ in left:
        amount, company = left[id_]
        taken = amount_of(match[f"{side}_amount_currency"])
        left[id_] = amount + sign * taken, company + sign * amount_of(match["amount"])


def _ours(
    row: Mapping[str, Any], name: str, left: tuple[Decimal, Decimal] | None
) -> OpenLine | None:
    """The line of an order; None for others."""
    found = _OURS.fullmatch(name)
    if not found:
        return None
    is_refund = found["kind"] == "r"
    order_id = "" if found["order"] == _NO_ORDER else found["order"]
    return _line(row, order_id, is_refund=is_refund, entry=found["entry"], left=left)


def _line(
    row: Mapping[str, Any],
    order_id: str,
    *,
    is_refund: bool,
    entry: str = "",
    left: tuple[Decimal, Decimal] | None = None,
) -> OpenLine:
    now = amount_of(row["amount_residual_currency"]), amount_of(row["amount_residual"])
    residual, company_residual = left or now
    return OpenLine(
        id=row["id"],
        order_id=order_id,
        is_refund=is_refund,
        residual=residual,
        currency=row["currency_id"][1],
        date=date.fromisoformat(row["date_maturity"] or row["date"]),
        entry=entry,
        company_residual=company_residual,
    )


def payments(
    session: OdooSession,
    setup: SettlementSetup,
    order_ids: Collection[str],
    *,
    until: date | None = None,
) -> dict[str, list[OpenLine]]:
    """The open payments of the orders' invoices and credit notes, by Amazon order id.

    Those of invoices that people created are included. An order that is not in Odoo has no key;
    one without open payments has an empty list. A payment of several orders is listed for each.

    Args:
        session: A login, restricted to the company.
        setup: Where settlements are booked.
        order_ids: Amazon's.
        until: As in ``open_lines``.
    """
    found: dict[str, list[OpenLine]] = {}
    for some in chunks(sorted(set(order_ids))):
        of_invoice: dict[int, set[str]] = {}
        for order_id, invoice_ids in _orders(session, setup, some):
            found.setdefault(order_id, [])
            of_invoice |= {invoice_id: {order_id} for invoice_id in invoice_ids}
        of_payment = _matched_moves(session, of_invoice)
        for ids in chunks(sorted(of_payment)):
            condition = [("move_id", "in", ids)]
            for row, left in _on_account(session, setup, condition, until):
                for order_id in sorted(of_payment[row["move_id"][0]]):
                    found[order_id].append(_payment(row, order_id, left))
    return found


def invoiced(
    session: OdooSession, setup: SettlementSetup, order_ids: Collection[str]
) -> set[tuple[str, bool]]:
    """The orders that have a posted invoice, and (True) those that have a posted credit note."""
    found: set[tuple[str, bool]] = set()
    for some in chunks(sorted(set(order_ids))):
        orders = _orders(session, setup, some)
        of_invoice = {id_: order_id for order_id, ids in orders for id_ in ids}
        for ids in chunks(sorted(of_invoice)):
            domain = [("id", "in", ids), ("state", "=", "posted")]
            for row in session.search_read("account.move", domain, ["move_type"]):
                found.add((of_invoice[row["id"]], row["move_type"] == "out_refund"))
    return found


def _orders(
    session: OdooSession, setup: SettlementSetup, order_ids: Sequence[str]
) -> Iterator[tuple[str, list[int]]]:
    """The sale orders, ours also if a person changed their reference, and their invoices."""
    domain = [*order_domain(order_ids), ("company_id", "=", setup.company_id)]
    rows = session.search_read("sale.order", domain, ["client_order_ref", "invoice_ids"])
    others = [row["id"] for row in rows if row["client_order_ref"] not in order_ids]
    names = session.external_ids("sale.order", others)
    for row in rows:
        ours = external_order_id(names.get(row["id"]))
        order_id = row["client_order_ref"] if row["client_order_ref"] in order_ids else ours
        if order_id in order_ids:
            yield order_id, row["invoice_ids"]


def open_payments(
    session: OdooSession, setup: SettlementSetup, *, until: date | None = None
) -> Iterator[list[OpenLine]]:
    """All open lines on the account that are of no settlement, page by page.

    Args:
        session: A login, restricted to the company.
        setup: Where settlements are booked.
        until: As in ``open_lines``.

    Yields:
        Lines, with an empty order id where they pay no single sale order.
    """
    domain = [*_posted_on(setup), ("journal_id", "!=", setup.journal_id), *_open(until)]
    for rows in pages(session, _LINE, domain, ["move_id", *_FIELDS, *_MATCHES]):
        orders = _orders_paid(session, {row["move_id"][0] for row in rows})
        left = _matched_until(session, rows, until) if until else {}
        lines = (
            _payment(row, orders.get(row["move_id"][0], ""), left.get(row["id"])) for row in rows
        )
        yield [line for line in lines if line.residual]


def _orders_paid(session: OdooSession, move_ids: Collection[int]) -> dict[int, str]:
    """The Amazon order ids by the payments' entries, where it is one."""
    paying = _matched_moves(session, {id_: {id_} for id_ in move_ids})
    found: dict[int, set[str]] = defaultdict(set)
    for some in chunks(sorted(paying)):
        domain = [("invoice_ids", "in", some)]
        for order in session.search_read("sale.order", domain, ["client_order_ref", "invoice_ids"]):
            for invoice_id in paying.keys() & set(order["invoice_ids"]):
                for move_id in paying[invoice_id]:
                    found[move_id].add(order["client_order_ref"] or "")
    single = {id_: next(iter(each)) for id_, each in found.items() if len(each) == 1}
    return {id_: each for id_, each in single.items() if is_order_id(each)}


def _payment(
    row: Mapping[str, Any], order_id: str, left: tuple[Decimal, Decimal] | None
) -> OpenLine:
    return _line(row, order_id, is_refund=row["balance"] < 0, left=left)


def _on_account(
    session: OdooSession, setup: SettlementSetup, condition: list[Any], until: date | None
) -> Iterator[tuple[dict[str, Any], tuple[Decimal, Decimal] | None]]:
    """The open lines of a condition, and what they had left on the day."""
    domain = [*_posted_on(setup), *condition, *_open(until)]
    rows = session.search_read(_LINE, domain, ["move_id", *_FIELDS, *_MATCHES], order="id")
    left = _matched_until(session, rows, until) if until else {}
    for row in rows:
        if row["id"] not in left or left[row["id"]][0]:
            yield row, left.get(row["id"])


def _matched_moves(session: OdooSession, keys: Mapping[int, set[Key]]) -> dict[int, set[Key]]:
    """The keys of entries, by the entries that their lines are reconciled with."""
    of_line: dict[int, set[Key]] = {}
    for some in chunks(sorted(keys)):
        domain = [("move_id", "in", some), ("parent_state", "=", "posted")]
        matched = ["|", *((field, "!=", False) for field in _MATCHES)]
        for row in plain_rows(session, _LINE, [*domain, *matched], ["move_id"]):
            of_line[row["id"]] = keys[row["move_id"]]
    others = _counterparts(session, of_line)
    found: dict[int, set[Key]] = defaultdict(set)
    for some in chunks(sorted(others)):
        for row in plain_rows(session, _LINE, [("id", "in", some)], ["move_id"]):
            found[row["move_id"]] |= others[row["id"]]
    return found


def _counterparts(session: OdooSession, of_line: Mapping[int, set[Key]]) -> dict[int, set[Key]]:
    """The keys of lines, by the lines that these are reconciled with."""
    found: dict[int, set[Key]] = defaultdict(set)
    ends = ("debit_move_id", "credit_move_id")
    for some in chunks(sorted(of_line)):
        domain = ["|", *((end, "in", some) for end in ends)]
        for row in plain_rows(session, _PARTIAL, domain, ends):
            for own, other in (ends, ends[::-1]):
                if row[own] in of_line:
                    found[row[other]] |= of_line[row[own]]
    return found


_PAIRS_IN_A_CALL = 100
"""One call for each pair takes Odoo many times as long. All lines of a call get the same
matching number in Odoo, although each payment is matched with its own order."""

Group = Sequence[OpenLine]


def reconcile(session: OdooSession, groups: Sequence[Group]) -> None:
    """Reconcile the lines of each group with each other.

    Lines that are reconciled already are no error.

    Args:
        session: A login, restricted to the company.
        groups: The lines of one order each.

    Raises:
        ItemErrors: By Amazon order id; Odoo refused these, the others are done.
    """
    pairs = [pair for group in groups if (pair := _exact_pair(group))]
    others = [group for group in groups if not _exact_pair(group)]
    for batch in _batches(pairs):
        if not _reconciled_at_once(session, batch):
            others += batch
    errors = {}
    for group in others:
        if error := _refusal(session, group):
            errors[group[0].order_id] = error
    if errors:
        raise ItemErrors(errors)


def _exact_pair(group: Group) -> tuple[OpenLine, OpenLine] | None:
    """A debit and a credit that clear each other in their currency."""
    if len(group) != len(("debit", "credit")) or group[0].residual + group[1].residual:
        return None
    if group[0].currency != group[1].currency or not group[0].residual:
        return None
    debit, credit = sorted(group, key=lambda line: line.residual, reverse=True)
    return debit, credit


def _batches(pairs: Sequence[tuple[OpenLine, OpenLine]]) -> Iterator[list[Group]]:
    """Pairs whose order Odoo keeps: it sorts the lines by date before it matches them.

    Then each debit meets its own credit. The lines of a settlement have few dates.
    """
    of_credits, of_debits = (len({pair[side].date for pair in pairs}) for side in (1, 0))
    fixed, moving = (1, 0) if of_credits <= of_debits else (0, 1)
    batches: dict[tuple[date, str], list[Group]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: pair[moving].date):
        batches[pair[fixed].date, pair[0].currency].append(pair)
    for batch in batches.values():
        for start in range(0, len(batch), _PAIRS_IN_A_CALL):
            yield batch[start : start + _PAIRS_IN_A_CALL]


def _reconciled_at_once(session: OdooSession, batch: Sequence[Group]) -> bool:
    """False if Odoo refused all of them."""
    ids = [line.id for pair in batch for line in pair]
    try:
        # Sorts by date alone, not by amount.
        session.call(_LINE, "reconcile", ids, context={"reduced_line_sorting": True})
    except ItemError:
        return False
    return True


def _refusal(session: OdooSession, group: Group) -> ItemError | None:
    """Reconcile a group. Returns why Odoo refused it."""
    ids = [line.id for line in group]
    try:
        session.call(_LINE, "reconcile", ids)
    except ItemError as error:
        rows = session.read(_LINE, ids, ["reconciled"])
        return None if any(row["reconciled"] for row in rows) else error
    return None
