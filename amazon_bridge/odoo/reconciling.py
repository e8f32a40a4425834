"""Reconciles the orders' lines of settlements with the payments of their invoices.

Both are on the account *owed by Amazon* (``SettlementSetup.owed``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup


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


def open_lines(
    session: OdooSession, setup: SettlementSetup, *, until: date | None = None
) -> Iterator[list[OpenLine]]:
    """The open lines of orders and refunds in settlements' entries, page by page.

    Args:
        session: A login, restricted to the company.
        setup: Where settlements are booked.
        until: Only lines dated until this day; None: all.
    """
    raise NotImplementedError


def payments(
    session: OdooSession, setup: SettlementSetup, order_ids: Collection[str]
) -> dict[str, list[OpenLine]]:
    """The open payments of the orders' invoices and credit notes, by Amazon order id.

    Those of invoices that people created are included. An order that is not in Odoo has no key;
    one without payments has an empty list.
    """
    raise NotImplementedError


def reconcile(session: OdooSession, groups: Sequence[Sequence[int]]) -> None:
    """Reconcile the lines of each group with each other; each group is the lines of one order.

    Lines that are reconciled already are no error.

    Raises:
        ItemError: Odoo refuses one of the groups; others may be done.
    """
    raise NotImplementedError
