"""Reconciles the lines of orders with the payments of invoices, and says why some stay open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain, islice

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements.apply import settlement_setup
from amazon_bridge.flows.settlements.memo import entries_of
from amazon_bridge.marketplaces import in_words
from amazon_bridge.odoo import reconciling
from amazon_bridge.odoo.reconciling import OpenLine
from amazon_bridge.odoo.session import chunks
from amazon_bridge.odoo.setup import SettlementSetup

log = structlog.get_logger(__name__)

_ORDERS = 500
"""Orders whose payments are read at once."""

_GROUPS = 1000
"""Orders that are reconciled at once."""

Payments = Mapping[str, Sequence[OpenLine]]
Side = tuple[str, bool]
"""An order id, and whether it is about its refunds."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What a settlement has of an order, or of its refunds, that no payment has cleared."""

    order_id: str
    is_refund: bool
    lines: Sequence[OpenLine]
    payments: Sequence[OpenLine]
    is_imported: bool
    is_invoiced: bool = False
    """Whether its invoice, or the credit note of its refunds, is posted."""
    has_payments: bool = False
    """Whether the order has open payments at all, of sales or refunds."""

    @property
    def difference(self) -> Decimal:
        """What the payments are worth less than the settlement's lines; negative: more."""
        return -sum((line.residual for line in (*self.lines, *self.payments)), Decimal())

    @property
    def reason(self) -> str:
        """Why it is open."""
        if not self.is_imported:
            return "not imported"
        if not self.payments and not self.is_invoiced:
            return "not invoiced (no credit note)" if self.is_refund else "not invoiced"
        if not self.difference:
            return "not reconciled yet"
        reason = f"differs by {in_words(self.difference, self.lines[0].currency)}"
        return reason if self.payments else f"{reason}: its invoice has no open payment"


def reconcile(context: Context) -> int:
    """Reconcile what matches exactly, in the account's own settlements.

    Accounts that share the payment journal may leave reconciling to people.

    Returns:
        How many orders were.

    Raises:
        AccountError, Transient: Odoo is down, or doesn't respond.
    """
    setup, matched = settlement_setup(context), _Reconciling(context)
    own = entries_of(context.ledger, context.name)
    left: defaultdict[str, list[OpenOrder]] = defaultdict(list)
    for page in reconciling.open_lines(context.odoo, setup):
        lines = [line for line in page if line.entry in own]
        for order in _orders(context, setup, _by_side(lines)):
            if not matched.add(order):
                left[order.order_id].append(order)
        matched.flush()
    _reconcile_left(context, setup, matched, left)
    done, refused = matched.done, matched.refused
    if done or refused:
        log.info("settlements_reconciled", account=context.name, orders=done, refused=refused)
    return done


def _reconcile_left(
    context: Context,
    setup: SettlementSetup,
    matched: _Reconciling,
    left: Mapping[str, Sequence[OpenOrder]],
) -> None:
    """Reconcile what no page has alone: orders whose lines are in several ones.

    Sale and refund of an order may clear only together, such as with a credit note for what Amazon
    has taken off the sale.
    """
    ids = [id_ for id_, orders in left.items() if any(each.has_payments for each in orders)]
    for some in chunks(ids):
        payments = reconciling.payments(context.odoo, setup, some)
        for order_id in some:
            lines = list(chain(*(each.lines for each in left[order_id])))
            sides = [_open_order(*each, payments) for each in _by_side(lines).items()]
            done = [matched.add(each) for each in sides]
            if not any(done):
                both = payments.get(order_id, ())
                matched.add(replace(sides[0], lines=lines, payments=both))
        matched.flush()


@dataclass(slots=True)
class _Reconciling:
    """Reconciles groups of lines, many in a call."""

    context: Context
    groups: list[list[OpenLine]] = field(default_factory=list)
    done: int = 0
    refused: int = 0

    def add(self, order: OpenOrder) -> bool:
        """Note the lines that clear each other. Returns whether there are any."""
        found = list(matches(order))
        self.groups += found
        return bool(found)

    def flush(self) -> None:
        """Reconcile what is noted."""
        context = self.context
        errors = runner.work(
            self.groups,
            lambda batch: reconciling.reconcile(context.odoo, batch),
            key=lambda lines: str(lines[0].id),
            alive=context.odoo.ping,
            size=_GROUPS,
            sleep=context.sleep,
        )
        self.done += len(self.groups) - len(errors)
        self.refused += len(errors)
        self.groups = []


def open_orders(context: Context, settlement_id: str = "") -> Iterator[list[OpenOrder]]:
    """The orders with open lines, in batches, with what is known of their invoices.

    Args:
        context: Of the account.
        settlement_id: Only those with lines of this settlement; empty: all.
    """
    setup = settlement_setup(context)
    lines = (line for page in reconciling.open_lines(context.odoo, setup) for line in page)
    by_side = _by_side(lines)
    of_settlement = {s: found for s, found in by_side.items() if _is_of(found, settlement_id)}
    for batch in _batches(context, setup, of_settlement):
        yield _with_invoices(context, setup, batch)


def _with_invoices(
    context: Context, setup: SettlementSetup, orders: Sequence[OpenOrder]
) -> list[OpenOrder]:
    ids = {each.order_id for each in orders if each.order_id and not each.payments}
    sides = reconciling.invoiced(context.odoo, setup, ids)
    return [replace(each, is_invoiced=(each.order_id, each.is_refund) in sides) for each in orders]


def _by_side(lines: Iterable[OpenLine]) -> dict[Side, list[OpenLine]]:
    by_side: defaultdict[Side, list[OpenLine]] = defaultdict(list)
    for line in lines:
        by_side[line.order_id, line.is_refund].append(line)
    return by_side


def _orders(
    context: Context, setup: SettlementSetup, by_side: Mapping[Side, Sequence[OpenLine]]
) -> Iterator[OpenOrder]:
    for batch in _batches(context, setup, by_side):
        yield from batch


def _batches(
    context: Context, setup: SettlementSetup, by_side: Mapping[Side, Sequence[OpenLine]]
) -> Iterator[list[OpenOrder]]:
    """Open orders with their payments, some at once."""
    sides = iter(sorted(by_side))
    while batch := list(islice(sides, _ORDERS)):
        ids = sorted({order_id for order_id, _ in batch if order_id})
        payments = reconciling.payments(context.odoo, setup, ids)
        yield [_open_order(side, by_side[side], payments) for side in batch]


def _is_of(lines: Iterable[OpenLine], settlement_id: str) -> bool:
    prefix = f"settlement_{settlement_id}_"
    return not settlement_id or any(line.entry.startswith(prefix) for line in lines)


def _open_order(side: Side, lines: Sequence[OpenLine], payments: Payments) -> OpenOrder:
    order_id, is_refund = side
    paid = payments.get(order_id, ())
    own = [each for each in paid if each.is_refund == is_refund]
    is_imported, has_payments = order_id in payments, bool(paid)
    return OpenOrder(
        order_id, is_refund, lines, own, is_imported=is_imported, has_payments=has_payments
    )


def matches(order: OpenOrder) -> Iterator[list[OpenLine]]:
    """The lines that clear each other: all of the order's, or pairs of the same amount."""
    everything = [*order.lines, *order.payments]
    currencies = {line.currency for line in everything}
    if not order.payments or not order.lines:
        return
    if len(currencies) == 1 and not order.difference:
        yield everything
        return
    left = list(order.payments)
    for line in order.lines:
        opposite = next((each for each in left if _clear(line, each)), None)
        if opposite:
            left.remove(opposite)
            yield [line, opposite]


def _clear(line: OpenLine, payment: OpenLine) -> bool:
    return line.currency == payment.currency and line.residual == -payment.residual
