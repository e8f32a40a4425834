"""The types of rows that settlements have, and what each of them is.

Amazon publishes no list. This one comes from settlements that sellers, and programs that read them,
have shown in public; the categories are those of the bookkeepers who use them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product

UNKNOWN = "unknown"
"""The category of rows that nobody has seen before."""


@dataclass(frozen=True, slots=True)
class Triple:
    """A type of rows.

    Attributes:
        transaction_type: As the file has it; also the next two.
        category: ``order``, ``selling fee``, ...
        event: ``transactionType`` of the Finances API.
        mark: ``held``: a person should look at it; ``free``: the description is free text.
    """

    transaction_type: str
    amount_type: str
    amount_description: str
    category: str = UNKNOWN
    event: str = "MiscellaneousLedgerAdjustment"
    mark: str = ""

    @property
    def texts(self) -> tuple[str, str, str]:
        return self.transaction_type, self.amount_type, self.amount_description


NAMES = {
    "advertising": ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount"),
    "advertising refund": ("ServiceFee", "Refund for Advertiser", "TransactionTotalAmount"),
    "deal": ("ServiceFee", "Deals", "Promotion fee (special)"),
    "storage": ("other-transaction", "other-transaction", "Storage Fee"),
    "long-term storage": ("FBAFees", "FBA Long Term Storage Fee", "Base fee"),
    "subscription": ("other-transaction", "other-transaction", "Subscription Fee"),
    "premium services": ("AmazonFees", "Premium Services Fee", "Base fee"),
    "premium services tax": ("AmazonFees", "Premium Services Fee", "Tax on fee"),
    "removal": ("other-transaction", "other-transaction", "RemovalComplete"),
    "inbound freight": ("other-transaction", "other-transaction", "FBAInboundTransportationFee"),
    "label": ("other-transaction", "other-transaction", "Shipping label purchase"),
    "reimbursement": ("other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_LOST"),
    "clawback": ("other-transaction", "FBA Inventory Reimbursement", "COMPENSATED_CLAWBACK"),
    "safe-t": ("SAFE-T Reimbursement", "Other transactions", "SAFE-T Reimbursement"),
    "liquidation": ("Liquidations", "ItemPrice", "Principal"),
    "liquidation fee": ("Liquidations", "ItemFees", "LiquidationsBrokerageFee"),
    "adjustment": ("other-transaction", "other-transaction", "Adjustment"),
    "micro deposit": ("Transfers", "Micro Deposit", "Micro Deposit"),
    "commingling": ("Commingling VAT", "other-transaction", "Commingling VAT"),
}
"""Short names for frequent types."""


@cache
def known() -> dict[tuple[str, str, str], Triple]:
    """All types by their three texts."""
    return {triple.texts: triple for triple in _read()}


def find(name: str | tuple[str, str, str]) -> Triple:
    """A type by its short name or its three texts; others are unknown types.

    Raises:
        KeyError: There is no such short name.
    """
    texts = NAMES[name] if isinstance(name, str) else name
    return known().get(texts, Triple(*texts))


def _read() -> Iterator[Triple]:
    text = resources.files(__package__).joinpath("triples.txt").read_text("utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("|")]
            for texts in product(*([part.strip() for part in c.split(";")] for c in cells[:3])):
                yield Triple(*texts, *cells[3:])
