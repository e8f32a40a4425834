"""What ``check`` examines for the settlements job: the quarantine, and the last tie-out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.settlements.memo import JOB
from amazon_bridge.flows.settlements.tell import unexplained
from amazon_bridge.marketplaces import in_words
from amazon_bridge.model import Finding
from amazon_bridge.odoo.session import OdooSession


def examine(
    _session: OdooSession, account: AccountConfig, ledger: Ledger, _config: Config
) -> Iterator[Finding]:
    """Name the settlements that need a person, and what the last tie-out could not explain."""
    for entry in ledger.items.quarantined(account.name):
        if entry.job == JOB:
            what = f"Settlement {entry.key} is not booked. {entry.reason}"
            yield Finding(ok=False, what=what, remedy=entry.remedy or "")
    for currency, amount in unexplained(ledger, account.name).items():
        if amount:
            of_tie = in_words(Decimal(str(amount)), currency)
            yield Finding(
                ok=True,
                what=f"{of_tie} of the last tie-out with Amazon are unexplained",
                remedy="See `amazon-bridge settlements tie-out`, and docs/settlements.md.",
            )
