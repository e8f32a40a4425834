"""Amounts in messages."""

from __future__ import annotations

from decimal import Decimal


def alike(*amounts: Decimal) -> list[str]:
    """Amounts with the same number of digits behind the point, which Odoo's floats lack."""
    digits = max(len(f"{amount:f}".partition(".")[2]) for amount in amounts)
    return [f"{amount:.{digits}f}" for amount in amounts]
