"""How the Finances API 2024-06-19 breaks amounts down.

Amazon's model names no values. These are from a published response of Amazon's sandbox (Airbyte's
tests of its Amazon connector) and from a public list of the types in 13,818 real transactions:
groups (``ProductCharges``, ``Tax``, ``AmazonFees``...) with their parts (``OurPricePrincipal``...)
in each item; ``Sales`` and ``Expenses`` with the groups, and no further parts, in the transaction.
Reimbursements and fees have theirs in the transaction only (amzn/selling-partner-api-models #4993).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from amazon_bridge.simulator.money.events import Event, Row, total

Json = dict[str, Any]
_PARTS: dict[tuple[str, str], tuple[str, str]] = {
    ("ItemPrice", "Principal"): ("ProductCharges", "OurPricePrincipal"),
    ("ItemPrice", "Tax"): ("Tax", "OurPriceTax"),
    ("ItemPrice", "Shipping"): ("Shipping", "ShippingPrincipal"),
    ("ItemPrice", "ShippingTax"): ("Tax", "ShippingTax"),
    ("ItemPrice", "GiftWrap"): ("GiftWrap", "GiftwrapPrincipal"),
    ("ItemPrice", "GiftWrapTax"): ("Tax", "GiftwrapTax"),
    ("ItemPrice", "COD"): ("COD", "CODPrincipal"),
    ("ItemPrice", "Goodwill"): ("ProductCharges", "GoodwillPrincipal"),
    ("ItemPrice", "RestockingFee"): ("ProductCharges", "RestockingDeductionPrincipal"),
    ("Promotion", "Principal"): ("PromoRebates", "OurPriceDiscount"),
    ("Promotion", "Shipping"): ("PromoRebates", "ShippingDiscount"),
    ("Promotion", "TaxDiscount"): ("PromoRebates", "TaxDiscount"),
    ("FBA Inventory Reimbursement", ""): ("FBAInventoryReimbursement",) * 2,
    ("MCF Inventory Reimbursement", ""): ("FBAInventoryReimbursement",) * 2,
    ("Cost of Advertising", ""): ("AdvertisingFee",) * 2,
    ("Refund for Advertiser", ""): ("AdvertisingFeeRefund",) * 2,
    ("other-transaction", "Current Reserve Amount"): ("ReserveDebit",) * 2,
    ("other-transaction", "Previous Reserve Amount Balance"): ("ReserveCredit",) * 2,
    ("other-transaction", "Storage Fee"): ("FBAStorageFee",) * 2,
    ("other-transaction", "StorageRenewalBilling"): ("FBALongTermStorageFee",) * 2,
    ("other-transaction", "Subscription Fee"): ("Subscription",) * 2,
    ("other-transaction", "RemovalComplete"): ("FBARemovalFee",) * 2,
    ("other-transaction", "DisposalComplete"): ("FBADisposalFee",) * 2,
}
_GROUPS = {"ItemWithheldTax": "Tax", "ItemFees": "AmazonFees"}
_EXPENSES = {"AmazonFees", "FBAFees", "PromoRebates"}
_OF_REFUNDS = {"Refund": "Refunded ", "Chargeback": "Refunded ", "GuaranteeClaim": "Refunded "}


def of_item(rows: Iterable[Row], currency: str) -> list[Json]:
    """An item's groups with their parts."""
    groups: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        group, part = _place(row)
        groups[group][part] += row.amount
    return [
        breakdown(
            group,
            sum(parts.values(), Decimal(0)),
            currency,
            [_with_base(part, amount, group, currency) for part, amount in parts.items()],
        )
        for group, parts in groups.items()
    ]


def of_transaction(event: Event) -> list[Json]:
    """The groups of a transaction, under ``Sales`` and ``Expenses``."""
    sides: dict[str, dict[str, Decimal]] = {"Sales": {}, "Expenses": {}}
    for row in event.rows:
        group = _place(row)[0]
        side = "Expenses" if group in _EXPENSES or _is_fee(event, row) else "Sales"
        sides[side][group] = sides[side].get(group, Decimal(0)) + row.amount
    prefix = _OF_REFUNDS.get(event.kind, "")
    return [
        breakdown(
            prefix + side,
            sum(groups.values(), Decimal(0)),
            event.account.currency,
            [breakdown(group, amount, event.account.currency) for group, amount in groups.items()],
        )
        for side, groups in sides.items()
    ]


def breakdown(kind: str, amount: Decimal, currency: str, parts: list[Json] | None = None) -> Json:
    """A Breakdown of Amazon's model."""
    given: Json = {"breakdownType": kind, "breakdownAmount": money(amount, currency)}
    return given if parts is None else given | {"breakdowns": parts}


def money(amount: Decimal, currency: str) -> Mapping[str, Any]:
    """A Currency of Amazon's model; its amounts are JSON numbers."""
    return {"currencyAmount": float(amount), "currencyCode": currency}


def _place(row: Row) -> tuple[str, str]:
    """The group and the type of a row."""
    _, amount_type, description = row.triple.texts
    found = _PARTS.get((amount_type, description)) or _PARTS.get((amount_type, ""))
    group = _GROUPS.get(amount_type)
    if group:
        return group, description
    return found or (_squeezed(description), _squeezed(description))


def _squeezed(text: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in text.split())


def _with_base(part: str, amount: Decimal, group: str, currency: str) -> Json:
    """Fees have the amount once more, without and with their own tax; here they have none."""
    parts = [breakdown("Base", amount, currency)] if group == "AmazonFees" else []
    return breakdown(part, amount, currency, parts)


def _is_fee(event: Event, row: Row) -> bool:
    return not event.order_id and total((row,)) < 0
