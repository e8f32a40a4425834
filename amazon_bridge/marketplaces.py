"""Amazon's marketplaces: facts that ``amazon`` and ``odoo`` need.

Source of ids and regions: Amazon's page "Marketplace IDs" of the Selling Partner API
documentation, as also listed in python-amazon-sp-api.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
    time_zone: str
    """In which Amazon counts its days: ship-by dates end with one."""

    @property
    def seller_central(self) -> str:
        """The host of its Seller Central."""
        shared = self.country_code in _SHARED_SELLER_CENTRAL
        return f"sellercentral{'-europe.amazon.com' if shared else f'.{self.domain}'}"


_ROWS = {
    Region.NORTH_AMERICA: """
        CA A2EUQ1WTGCTBG2 CAD amazon.ca     America/Los_Angeles
        US ATVPDKIKX0DER  USD amazon.com    America/Los_Angeles
        MX A1AM78C64UM0Y8 MXN amazon.com.mx America/Mexico_City
        BR A2Q3Y263D00KWC BRL amazon.com.br America/Sao_Paulo
    """,
    Region.EUROPE: """
        IE A28R8C7NBKEWEA EUR amazon.ie     Europe/Dublin
        ES A1RKKUPIHCS9HS EUR amazon.es     Europe/Madrid
        GB A1F83G8C2ARO7P GBP amazon.co.uk  Europe/London
        FR A13V1IB3VIYZZH EUR amazon.fr     Europe/Paris
        BE AMEN7PMS3EDWL  EUR amazon.com.be Europe/Brussels
        NL A1805IZSGTT6HS EUR amazon.nl     Europe/Amsterdam
        DE A1PA6795UKMFR9 EUR amazon.de     Europe/Berlin
        IT APJ6JRA9NG5V4  EUR amazon.it     Europe/Rome
        SE A2NODRKZP88ZB9 SEK amazon.se     Europe/Stockholm
        ZA AE08WJ6YKNBMC  ZAR amazon.co.za  Africa/Johannesburg
        PL A1C3SOZRARQ6R3 PLN amazon.pl     Europe/Warsaw
        EG ARBP9OOSHTCHU  EGP amazon.eg     Africa/Cairo
        TR A33AVAJ2PDY3EV TRY amazon.com.tr Europe/Istanbul
        SA A17E79C6D8DWNP SAR amazon.sa     Asia/Riyadh
        AE A2VIGQ35RCS4UG AED amazon.ae     Asia/Dubai
        IN A21TJRUUN4KGV  INR amazon.in     Asia/Kolkata
    """,
    Region.FAR_EAST: """
        SG A19VAU5U5O7RUS SGD amazon.sg     Asia/Singapore
        AU A39IBJ37TRP1C6 AUD amazon.com.au Australia/Sydney
        JP A1VC38T7YXB528 JPY amazon.co.jp  Asia/Tokyo
    """,
}


def _read(row: str, region: Region) -> Marketplace:
    country_code, marketplace_id, currency, domain, time_zone = row.split()
    include_tax = region != Region.NORTH_AMERICA
    return Marketplace(
        country_code, marketplace_id, region, currency, domain, include_tax, time_zone
    )


MARKETPLACES: tuple[Marketplace, ...] = tuple(
    _read(row, region) for region, rows in _ROWS.items() for row in rows.strip().splitlines()
)
_SHARED_SELLER_CENTRAL = {"DE", "ES", "FR", "GB", "IT"}
"""Amazon's page "Seller Central URLs"; every other marketplace has its own host."""

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


def local_date(at: datetime, marketplace_id: str | None) -> date:
    """The day of a moment in a marketplace's time zone.

    In UTC for an unknown marketplace, and on a machine without time zones (package ``tzdata``).
    """
    found = marketplace(marketplace_id or "")
    try:
        zone = ZoneInfo(found.time_zone) if found else UTC
    except ZoneInfoNotFoundError:
        zone = UTC
    return at.astimezone(zone).date()


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
