"""A first account map: the accounts that `setup` creates, for people to change."""

from __future__ import annotations

import csv
import io

from amazon_bridge.config.account_map import Category
from amazon_bridge.odoo.setup import SettlementSetup


def first_map(setup: SettlementSetup, *, of_orders: bool) -> str:
    """The map as CSV.

    Args:
        setup: Where settlements are booked.
        of_orders: Whether orders and refunds have accounts of their own.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["category", "account", "tax", "marketplace"])
    for category in Category:
        if of_orders or category not in {Category.ORDER, Category.REFUND}:
            target = setup.target(category)
            code = target.account.partition(" ")[0]
            writer.writerow([category, code, target.tax.name if target.tax else "", ""])
    return text.getvalue()
