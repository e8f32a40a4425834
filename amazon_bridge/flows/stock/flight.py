"""Units in flight, as the orders flow knows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from amazon_bridge.flows.context import Context
from amazon_bridge.flows.orders import flight

_LATEST = timedelta(minutes=30)
"""Quantities are not increased if orders have not been read for this long."""


_NAMELESS = ""
"""The SKU of units of which Amazon names none."""


def units(context: Context) -> Mapping[str, int]:
    """The units in flight, by SKU."""
    if context.dry_run:
        return flight.read_units_in_flight(context)
    return context.ledger.in_flight.units(context.name)


def is_known(context: Context) -> bool:
    """True if orders were read lately and all name their SKUs: no SKU in flight is missing.

    Those of other accounts that ship from the same locations must name them as well.
    """
    if context.dry_run:
        return True
    if _is_any_nameless(context, context.name) or any(
        _is_any_nameless(context, each.name) and context.shares_stock(each)
        for each in context.others
    ):
        return False
    until = flight.known_until(context)
    return until is not None and context.clock() - until < _LATEST


def _is_any_nameless(context: Context, account: str) -> bool:
    return bool(context.ledger.in_flight.orders(account, _NAMELESS))
