"""The kinds of a settlement's rows, by their types."""

import csv
import re
from pathlib import Path

import pytest
from settlement_makers import row

from amazon_bridge.config.account_map import AccountMap, Category, TypePattern
from amazon_bridge.flows.settlements.classify import Classifier, Role

SIMULATED = Path(__file__).parents[2] / "amazon_bridge/simulator/money/triples.txt"


def category(transaction_type: str, amount_type: str, description: str) -> Category | None:
    kind = Classifier().kind(row("1", description, amount_type, transaction_type))
    return kind.category if kind else None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("Order/ItemPrice/Principal", Category.ORDER),
        ("Order/Points/PointsGranted", Category.ORDER),
        ("Order/ItemWithheldTax/LowValueGoodsTax-Other", Category.FACILITATOR_TAX),
        ("Order/ItemWithheldTax/TCS-IGST", Category.TAX_ASSET),
        ("Order/ItemFees/ShippingHB", Category.SELLING_FEE),
        ("Order/ItemFees/GiftwrapChargeback", Category.FBA_FEE),
        ("A-to-z Guarantee Refund/ItemPrice/Goodwill", Category.REFUND),
        ("Chargeback Refund/ItemFees/RefundCommission", Category.SELLING_FEE),
        ("Refund_Retrocharge/ItemPrice/ShippingTax", Category.FACILITATOR_TAX),
        ("Liquidations/ItemFees/LiquidationsBrokerageFee", Category.FBA_FEE),
        ("Liquidations/ItemPrice/Principal", Category.OTHER_INCOME),
        ("AmazonFees/Premium Services Fee/Tax on fee", Category.FEE_VAT),
        ("Promotion Fee/PromotionFee/Promotion fee (special)", Category.ADVERTISING),
        ("CouponRedemptionFee/CouponRedemptionFee/10 % off \u2013 mugs", Category.ADVERTISING),
        ("FBAFees/FBA Amazon-Partnered Carrier Shipment Fee/Base fee", Category.INBOUND_FREIGHT),
        ("other-transaction/other-transaction/Successful charge", Category.RESERVE),
        (
            "other-transaction/other-transaction/Transfer of funds unsuccessful: see your bank",
            Category.IN_TRANSIT,
        ),
        ("other-transaction/other-transaction/Debt adjustment against X", Category.RESERVE),
    ],
)
def test_known_types(texts, expected):
    assert category(*texts.split("/")) == expected


def test_case_and_surplus_spaces_do_not_matter():
    assert category("ORDER", "itemprice", "principal") == Category.ORDER
    assert category("FBAFees", "FBA  Inventory Storage Fee", "base Fee") == Category.STORAGE


@pytest.mark.parametrize(
    "texts",
    [
        "Order/ItemFees/NewFee",
        "Order/ItemPrice/",
        "New/ItemPrice/Principal",
        "other-transaction/other-transaction/MiscAdjustment",
        "Commingling VAT/other-transaction/Commingling VAT",
        "Order/ItemPrice/Principal and more",
    ],
)
def test_there_is_no_guess_and_mixed_types_are_held(texts):
    assert category(*texts.split("/")) is None


def test_an_accounts_own_types_go_first():
    own = (
        TypePattern("Order", "ItemFees", "NewFee*", Category.SELLING_FEE),
        TypePattern("Order", "ItemFees", "ShippingHB", Category.FBA_FEE),
        TypePattern("other-transaction", "other-transaction", "Adjustment", Category.OTHER),
    )
    classifier = Classifier(AccountMap({}, own))

    def of(description: str, *types: str) -> Category | None:
        kind = classifier.kind(row("1", description, *types))
        return kind.category if kind else None

    assert of("newfee (2027)", "ItemFees") == Category.SELLING_FEE
    assert of("ShippingHB", "ItemFees") == Category.FBA_FEE
    assert of("Adjustment", "other-transaction", "other-transaction") == Category.OTHER
    assert of("Commission", "ItemFees") == Category.SELLING_FEE


def test_an_asterisk_does_not_reach_into_the_next_text():
    own = (TypePattern("New*", "Fee", "Base", Category.SELLING_FEE),)
    classifier = Classifier(AccountMap({}, own))
    assert classifier.kind(row("1", "Base", "Fee", "New X"))
    assert classifier.kind(row("1", "Base", "x", "New\tFee")) is None


def test_the_tax_that_amazon_collects():
    classifier = Classifier()
    charged = classifier.kind(row("1", "ShippingTax"))
    withheld = classifier.kind(row("1", "MarketplaceFacilitatorVAT-Shipping", "ItemWithheldTax"))
    later = classifier.kind(
        row("1", "MarketplaceFacilitatorVAT-Shipping", "ItemWithheldTax", "Order_Retrocharge")
    )
    assert charged
    assert withheld
    assert later
    assert [charged.role, withheld.role, later.role] == [Role.CHARGED, Role.WITHHELD, Role.PLAIN]


def test_claims_are_told_from_refunds():
    kinds = ("Refund", "Chargeback Refund", "A-to-z Guarantee Refund")
    found = [Classifier().kind(row("1", transaction_type=each)) for each in kinds]
    assert [each.claim for each in found if each] == ["", "chargeback", "A-to-z"]


def test_the_types_are_those_that_the_simulator_knows_on_its_own():
    lines = [line for line in SIMULATED.read_text().splitlines() if line and line[0] != "#"]
    for line in lines:
        *texts, expected, _, mark = (cell.strip() for cell in line.split("|"))
        parts = [cell.split("; ") for cell in texts]
        for transaction_type in parts[0]:
            for amount_type in parts[1]:
                for description in parts[2]:
                    found = category(transaction_type, amount_type, description)
                    assert found == (None if mark == "held" else expected), line


def test_each_type_is_listed_once():
    path = Path(__file__).parents[2] / "amazon_bridge/flows/settlements/types.csv"
    lines = [line[:3] for line in csv.reader(path.read_text().splitlines())]
    folded = [re.sub(r"\s+", " ", "/".join(line)).casefold() for line in lines]
    assert len(set(folded)) == len(folded)
