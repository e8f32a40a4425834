"""Amounts of money in Odoo's responses."""

from __future__ import annotations

from decimal import Decimal


def amount_of(value: float) -> Decimal:
    """An amount of Odoo, without the imprecision of a float."""
    return Decimal(str(round(value, 6)))
