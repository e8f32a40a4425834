"""Amazon's marketplaces: facts that ``amazon`` and ``odoo`` need.

Source of ids and regions: Amazon's page "Marketplace IDs" of the Selling Partner API
documentation, as also listed in python-amazon-sp-api.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from amazon_bridge.closest import closest


class Region(StrEnum):
    """The regions of the Selling Partner API; an account lives in exactly one."""

    NORTH_AMERICA = "na"
    EUROPE = "eu"
    FAR_EAST = "fe"

    @property
    def endpoint(self) -> str:
        """The base URL of the region's Selling Partner API."""
        return f"https://sellingpartnerapi-{self.value}.amazon.com"


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One of Amazon's marketplaces."""

    country_code: str
    marketplace_id: str
    region: Region
    currency: str
    domain: str
    prices_include_tax: bool


_ROWS = {
    Region.NORTH_AMERICA: """
        CA A2EUQ1WTGCTBG2 CAD amazon.ca
        US ATVPDKIKX0DER  USD amazon.com
        MX A1AM78C64UM0Y8 MXN amazon.com.mx
        BR A2Q3Y263D00KWC BRL amazon.com.br
    """,
    Region.EUROPE: """
        IE A28R8C7NBKEWEA EUR amazon.ie
        ES A1RKKUPIHCS9HS EUR amazon.es
        GB A1F83G8C2ARO7P GBP amazon.co.uk
        FR A13V1IB3VIYZZH EUR amazon.fr
        BE AMEN7PMS3EDWL  EUR amazon.com.be
        NL A1805IZSGTT6HS EUR amazon.nl
        DE A1PA6795UKMFR9 EUR amazon.de
        IT APJ6JRA9NG5V4  EUR amazon.it
        SE A2NODRKZP88ZB9 SEK amazon.se
        ZA AE08WJ6YKNBMC  ZAR amazon.co.za
        PL A1C3SOZRARQ6R3 PLN amazon.pl
        EG ARBP9OOSHTCHU  EGP amazon.eg
        TR A33AVAJ2PDY3EV TRY amazon.com.tr
        SA A17E79C6D8DWNP SAR amazon.sa
        AE A2VIGQ35RCS4UG AED amazon.ae
        IN A21TJRUUN4KGV  INR amazon.in
    """,
    Region.FAR_EAST: """
        SG A19VAU5U5O7RUS SGD amazon.sg
        AU A39IBJ37TRP1C6 AUD amazon.com.au
        JP A1VC38T7YXB528 JPY amazon.co.jp
    """,
}


def _read(row: str, region: Region) -> Marketplace:
    country_code, marketplace_id, currency, domain = row.split()
    return Marketplace(
        country_code, marketplace_id, region, currency, domain, region != Region.NORTH_AMERICA
    )


MARKETPLACES: tuple[Marketplace, ...] = tuple(
    _read(row, region) for region, rows in _ROWS.items() for row in rows.strip().splitlines()
)
_BY_KEY = {key: m for m in MARKETPLACES for key in (m.country_code, m.marketplace_id)}
_BY_KEY["UK"] = _BY_KEY["GB"]


def marketplace(key: str) -> Marketplace | None:
    """The marketplace of a country code (``UK`` serves as ``GB``) or of a marketplace id."""
    return _BY_KEY.get(key)


def closest_marketplace(text: str) -> Marketplace | None:
    """The marketplace whose code, id or domain is most like a text, such as ``DEU``."""
    known = {**_BY_KEY, **{each.domain: each for each in MARKETPLACES}}
    found = closest(text.strip(), known)
    return known[found] if found else None


_ODD_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
_DIGITS = {code: digits for digits, row in _ODD_CURRENCIES.items() for code in row.split()}
"""Digits after the point of the currencies that don't have two (ISO 4217)."""


def country_of(marketplace_id: str) -> str:
    """The country code of a marketplace, for people; its id if it isn't known."""
    found = marketplace(marketplace_id)
    return found.country_code if found else marketplace_id


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of a currency, by ISO 4217: the yen has no cents, the dinar fils."""
    return Decimal(1).scaleb(-_DIGITS.get(currency, 2))


def in_digits(amount: Decimal, currency: str) -> str:
    """An amount with its currency's digits, for people; one that has more keeps them."""
    unit = smallest_unit(currency)
    return f"{amount:f}" if amount % unit else f"{amount.quantize(unit):f}"


def in_words(amount: Decimal, currency: str) -> str:
    """An amount and its currency, such as ``0.00 EUR``."""
    return f"{in_digits(amount, currency)} {currency}"
