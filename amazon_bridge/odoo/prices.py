"""Which unit price makes Odoo's own tax computation arrive at a given total.

The taxes of a sale order line are Odoo's business (product, fiscal position, company); the
total is Amazon's. So the unit price is solved for. Whether Odoo really arrives there is read
back afterwards: this module only proposes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from amazon_bridge.engine.errors import ItemError

_DIGITS = Decimal("1e-10")
"""Odoo 17 and later keep a unit price as it is; older ones round it to their own precision."""


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax of Odoo (``account.tax``), as far as a price depends on it."""

    id: int
    name: str
    percent: Decimal | None
    """None for a tax that is no plain percentage."""
    included: bool
    """The tax is part of the unit price (``price_include``)."""


def unit_price(total: Decimal, quantity: int, taxes: Iterable[Tax]) -> Decimal:
    """The unit price at which ``quantity`` units with these taxes cost ``total``, tax included.

    Raises:
        ItemError: one of the taxes is neither a plain percentage nor zero.
    """
    excluded = Decimal(0)
    for tax in taxes:
        if tax.percent is None:
            raise ItemError(
                "unsupported_tax",
                f"The tax {tax.name!r} is no plain percentage: its unit price can't be told.",
                "Give the product a percentage tax in Odoo, delete the quotation, then retry.",
            )
        if not tax.included:
            excluded += tax.percent
    return (total * 100 / (100 + excluded) / quantity).quantize(_DIGITS)
