"""The section ``settlements`` of an account: how Amazon's settlements are booked."""

from __future__ import annotations

from datetime import date
from typing import Literal

from amazon_bridge.config.section import Section
from amazon_bridge.config.values import AccountMapFile


class SettlementsConfig(Section):
    """Journal entries of Amazon's settlements. Off by default."""

    mode: Literal["off", "draft", "post"] = "off"
    """`off`: nothing is booked; `draft`: journal entries are created and a person posts them;
    `post`: they are posted and reconciled."""
    since: date | None = None
    """Settlements that end before this day are left out. Default: all that Amazon still has (90
    days)."""
    orders: Literal["clearing", "revenue"] = "clearing"
    """`clearing`: an order's amount clears the payment of its invoice, on the account of
    `invoicing.payment_journal`; `revenue`: for merchants who don't invoice single orders, sales go
    to income accounts."""
    fees: Literal["expense", "to_invoice"] = "expense"
    """`expense`: fees go to expense accounts; `to_invoice`: to the account *Amazon fees to be
    invoiced*, which the vendor bill made from Amazon's tax invoice clears."""
    accounts: AccountMapFile | None = None
    """A CSV or YAML file that maps categories to accounts and taxes. Default: the accounts that
    `setup` creates."""
    unknown: Literal["hold", "other"] = "hold"
    """Settlements with types of amounts that neither the bridge nor `accounts` knows: `hold`
    quarantines them; `other` books these amounts to the account *Amazon other*."""
    reconcile: bool = True
    """Whether the lines of orders are reconciled with the payments of their invoices."""
    closed_period: Literal["hold", "next_open"] = "hold"
    """Settlements of a month that is locked in Odoo: `hold` quarantines them; `next_open` books
    them on the first day that is open."""

    @property
    def is_on(self) -> bool:
        """True if settlements are booked."""
        return self.mode != "off"
