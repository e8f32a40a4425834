"""What ``check`` examines for the settlements job: the quarantine, drafts, and the last tie-out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from amazon_bridge.config import AccountConfig, Config
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import State
from amazon_bridge.flows.settlements.follow import is_draft_again
from amazon_bridge.flows.settlements.memo import JOB
from amazon_bridge.flows.settlements.tell import memo_of, unexplained
from amazon_bridge.marketplaces import in_words
from amazon_bridge.model import Finding
from amazon_bridge.odoo.session import OdooSession


def examine(
    _session: OdooSession, account: AccountConfig, ledger: Ledger, _config: Config
) -> Iterator[Finding]:
    """Name the settlements that need a person, and what the last tie-out could not explain."""
    yield from _drafts(account, ledger)
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


def _drafts(account: AccountConfig, ledger: Ledger) -> Iterator[Finding]:
    for entry in ledger.items.of_job(account.name, JOB):
        if entry.state is State.DONE and is_draft_again(account, memo_of(entry)):
            yield Finding(
                ok=False,
                what=f"Settlement {entry.key} was booked, and its journal entry is a draft again.",
                remedy="Post the entry in Odoo; the next run then reconciles it.",
            )
