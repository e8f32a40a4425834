"""Reconciles the lines of orders with the payments of invoices, and says why some stay open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

import structlog

from amazon_bridge.engine import runner
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.settlements.apply import settlement_setup
from amazon_bridge.odoo import reconciling
from amazon_bridge.odoo.reconciling import OpenLine

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

    @property
    def difference(self) -> Decimal:
        """What the payments are worth less than the settlement's lines; negative: more."""
        return -sum((line.residual for line in (*self.lines, *self.payments)), Decimal())

    @property
    def reason(self) -> str:
        """Why it is open."""
        if not self.is_imported:
            return "not imported"
        if not self.payments:
            return "not invoiced"
        return f"differs by {self.difference} {self.lines[0].currency}"


def reconcile(context: Context) -> int:
    """Reconcile what matches exactly.

    Returns:
        How many orders were.

    Raises:
        AccountError, Transient: Odoo is down, or doesn't respond.
    """
    setup, done, failed = settlement_setup(context), 0, 0
    for orders in open_orders(context):
        groups = [group for order in orders for group in matches(order)]
        errors = runner.work(
            groups,
            lambda batch: reconciling.reconcile(context.odoo, setup, batch),
            key=lambda lines: lines[0].order_id,
            alive=context.odoo.ping,
            size=_GROUPS,
            sleep=context.sleep,
        )
        done, failed = done + len(groups) - len(errors), failed + len(errors)
    if done or failed:
        log.info("settlements_reconciled", account=context.name, orders=done, refused=failed)
    return done


def open_orders(context: Context, settlement_id: str = "") -> Iterator[list[OpenOrder]]:
    """The orders with open lines, in batches.

    Args:
        context: Of the account.
        settlement_id: Only those with lines of this settlement; empty: all.
    """
    setup = settlement_setup(context)
    by_side: defaultdict[Side, list[OpenLine]] = defaultdict(list)
    for page in reconciling.open_lines(context.odoo, setup):
        for line in page:
            by_side[line.order_id, line.is_refund].append(line)
    sides = iter(sorted(side for side, lines in by_side.items() if _is_of(lines, settlement_id)))
    while batch := list(islice(sides, _ORDERS)):
        ids = sorted({order_id for order_id, _ in batch if order_id})
        payments = reconciling.payments(context.odoo, setup, ids)
        yield [_open_order(side, by_side[side], payments) for side in batch]


def _is_of(lines: Iterable[OpenLine], settlement_id: str) -> bool:
    prefix = f"settlement_{settlement_id}_"
    return not settlement_id or any(line.entry.startswith(prefix) for line in lines)


def _open_order(side: Side, lines: Sequence[OpenLine], payments: Payments) -> OpenOrder:
    order_id, is_refund = side
    own = [each for each in payments.get(order_id, ()) if each.is_refund == is_refund]
    return OpenOrder(order_id, is_refund, lines, own, order_id in payments)


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
