"""What a job of one account works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Setup


@dataclass(frozen=True, slots=True)
class Context:
    """One account, its two sides, and the memory between them."""

    account: AccountConfig
    amazon: SellingPartner
    odoo: OdooSession
    """Works in the account's company."""
    setup: Setup
    geography: Geography
    ledger: Ledger
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    @property
    def name(self) -> str:
        return self.account.name

    def since(self, job: str, *, overlap: timedelta, first_look: timedelta) -> datetime:
        """From when on a job looks at what people did in Odoo: from before its last good round."""
        last = self.ledger.last_success(self.name, job)
        return last - overlap if last else self.clock() - first_look
