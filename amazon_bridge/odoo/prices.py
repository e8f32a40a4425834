"""Computes the unit price for which Odoo's tax computation results in a given total.

The taxes of a sale order line are Odoo's business (product, fiscal position, company); the
total is Amazon's. So the unit price is solved for. Whether Odoo really arrives there is read
back afterwards: this module only proposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.taxes import COMPUTED, Tax, flattened, line_total

_DIGITS = Decimal("1e-10")
"""Odoo 19 keeps a unit price as it is; older ones round it to their own precision."""

_ZERO, _ONE = Decimal(0), Decimal(1)
_NEIGHBOURS = (0, -1, 1, -2, 2)


def unit_price(
    total: Decimal,
    quantity: int,
    taxes: Sequence[Tax],
    *,
    unit: Decimal | None = None,
) -> Decimal:
    """The unit price at which ``quantity`` units with these taxes cost ``total``, tax included.

    Args:
        total: of the line; a discount's is negative.
        quantity: at least 1.
        taxes: of the line.
        unit: the currency's smallest unit where the company rounds taxes per line, else None.
            If rounding prevents the exact total, a price nearby that results in it is used.

    Raises:
        ItemError: a tax is of an unknown kind, or no price results in the total.
    """
    _refuse_unknown(taxes)
    base = _base(total, quantity, taxes)
    if unit:
        base = _avoid_rounding(base, total, quantity, taxes, unit)
    return (base / quantity).quantize(_DIGITS, ROUND_HALF_UP)


def _refuse_unknown(taxes: Sequence[Tax]) -> None:
    for tax in flattened(taxes):
        if tax.kind not in COMPUTED:
            raise ItemError(
                "unsupported_tax",
                f"The tax {tax.name!r} has the computation type {tax.kind!r}, for which the bridge"
                " can't compute a unit price.",
                "Put another tax on the quotation's line in Odoo, then retry.",
            )


def _base(total: Decimal, quantity: int, taxes: Sequence[Tax]) -> Decimal:
    """What the unit prices must add up to, before any rounding.

    A line's total is a straight line over its price: fixed taxes are where it begins, all
    others are its slope.
    """
    sign = -1 if total < 0 else 1
    begin = sign * line_total(_ZERO, quantity, taxes)
    slope = _slope(sign, quantity, taxes)
    if slope > 0 and (base := (total - begin) / slope) * sign >= 0:
        return base
    names = ", ".join(repr(tax.name) for tax in taxes)
    raise ItemError(
        "unreachable_total",
        f"With the taxes {names} no price gives the total {total} of a line: they alone amount"
        f" to {begin}.",
        "Put other taxes on the quotation's line in Odoo, then retry.",
    )


def _slope(sign: int, quantity: int, taxes: Sequence[Tax]) -> Decimal:
    """How much a line's total grows with its price."""
    begin = line_total(_ZERO, quantity, taxes)
    return line_total(Decimal(sign), quantity, taxes) * sign - begin


def largest_rounding(
    quantity: Decimal,
    taxes: Sequence[Tax],
    *,
    unit: Decimal,
    digits: int | None,
    discount: Decimal = _ZERO,
) -> Decimal:
    """The largest difference that rounding can cause between a line's total and the target.

    Half a unit of the currency for the line itself and for each of its taxes, and half of the
    price's last digit for each piece, all of it taxed.

    Args:
        quantity: of the line.
        taxes: of the line.
        unit: the currency's smallest unit.
        digits: of a unit price; None where all are kept.
        discount: in percent.
    """
    by_tax = unit * (1 + len(flattened(taxes)))
    last_digit = Decimal(1).scaleb(-digits) if digits is not None else _ZERO
    by_price = quantity * last_digit * (1 - discount / 100)
    return (by_tax + by_price) / 2 * max(_ONE, _slope(1, int(quantity), taxes))


def _avoid_rounding(
    base: Decimal, total: Decimal, quantity: int, taxes: Sequence[Tax], unit: Decimal
) -> Decimal:
    """A multiple of the unit near ``base`` that gives the total; ``base`` if none does."""
    whole = (base / unit).quantize(_ONE, ROUND_HALF_UP) * unit
    near = [whole + step * unit for step in _NEIGHBOURS]
    return next((b for b in near if line_total(b, quantity, taxes, unit) == total), base)
