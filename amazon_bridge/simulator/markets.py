"""The simulated marketplaces, with their currencies and taxes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True, slots=True)
class Market:
    """A marketplace. ``tax_included``: prices include the tax."""

    country: str
    marketplace_id: str
    name: str
    domain: str
    currency: str
    language: str
    region: str
    tax_rate: Decimal
    tax_included: bool
    order_prefix: str

    def round(self, amount: Decimal) -> Decimal:
        """The amount in the currency's smallest unit; yen have no decimals."""
        unit = Decimal(1) if self.currency == "JPY" else Decimal("0.01")
        return amount.quantize(unit, ROUND_HALF_UP)

    @property
    def amazon_channel(self) -> str:
        """Amazon's code of its own fulfilment channel there."""
        return f"AMAZON_{'JP' if self.region == 'fe' else self.region.upper()}"

    @property
    def facilitates_tax(self) -> bool:
        """Amazon is the marketplace facilitator in the United States."""
        return self.country == "US"


_ROWS = """
US ATVPDKIKX0DER  Amazon.com   www.amazon.com   USD en na 0.08 top    11
FR A13V1IB3VIYZZH Amazon.fr    www.amazon.fr    EUR fr eu 0.20 inside 40
DE A1PA6795UKMFR9 Amazon.de    www.amazon.de    EUR de eu 0.19 inside 30
GB A1F83G8C2ARO7P Amazon.co.uk www.amazon.co.uk GBP en eu 0.20 inside 20
JP A1VC38T7YXB528 Amazon.co.jp www.amazon.co.jp JPY ja fe 0.10 inside 25
"""


def _read(row: str) -> Market:
    country, key, name, domain, currency, language, region, rate, tax, prefix = row.split()
    return Market(
        country,
        key,
        name,
        domain,
        currency,
        language,
        region,
        Decimal(rate),
        tax == "inside",
        prefix,
    )


MARKETS: dict[str, Market] = {row[:2]: _read(row) for row in _ROWS.strip().splitlines()}
"""By country code."""


def market_of(marketplace_id: str) -> Market:
    """The marketplace with an id.

    Raises:
        KeyError: It is not simulated.
    """
    return _BY_ID[marketplace_id]


_BY_ID = {market.marketplace_id: market for market in MARKETS.values()}
