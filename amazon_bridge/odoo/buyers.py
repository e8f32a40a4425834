"""The buyer of an order in terms of Odoo's contacts. Pure."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass, replace
from typing import Any

from amazon_bridge import model
from amazon_bridge.model import Address, FulfilledBy, Order
from amazon_bridge.odoo.addresses import OdooAddress, Row, odoo_address
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.tax_numbers import canonical, is_placeholder, is_tax_number
from amazon_bridge.odoo.text import LONGEST, printable, whole

ANONYMOUS = "Anonymous Amazon customer"
"""The name of anonymised contacts."""

_NAMELESS = "Amazon customer "
"""Prefix of the name of a customer whom Amazon doesn't name; the order id follows."""

NOTE = re.compile(r"<p>[^<:]* as told by Amazon[^<:]*: [^<]*</p>")
"""A note of the bridge on a contact, with a buyer's data."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """The buyer and the address of one order."""

    order_id: str
    email: str
    company: str
    """The company that buys, or a person who buys with a company's tax number; else empty."""
    tax_number: str
    """On the customer's contact: a company's VAT number or CNPJ, a person's CPF; else empty."""
    person: str
    """Empty if Amazon withholds it."""
    recipient: str
    """The recipient, with the company at that address; empty if Amazon withholds it."""
    address: OdooAddress
    country_code: str
    """Of the address."""
    ships: bool
    """The seller ships it, so that the address must be right (FBM)."""
    known_again: bool = True
    """A returning buyer is the same customer; if False, each order has its own."""
    is_refused: bool = False
    """Odoo refuses the tax number, or all of its digits are the same."""
    is_sole_trader: bool = False
    """``company`` is the person's name."""
    notes: tuple[str, ...] = ()
    """HTML for the customer's notes: what doesn't fit any field."""

    @property
    def name(self) -> str:
        """The customer's."""
        return self.company or self.person or self.recipient or f"{_NAMELESS}{self.order_id}"

    @property
    def key(self) -> str:
        """The external id of the customer, without the module."""
        if not self.known_again:
            return key_of_order(self.order_id)
        if self.company and self.tax_number:
            return f"partner_company_{digest(self.number)}"
        if self.company and self.email:
            return f"partner_company_{digest(self.company, self.email)}"
        return f"partner_{digest(self.email)}" if self.email else key_of_order(self.order_id)

    @property
    def number(self) -> str:
        """The tax number, normalised."""
        return canonical(self.tax_number, self.country_code) if self.tax_number else ""

    def deliver_to(self, customer: Row) -> str:
        """The name on the parcel."""
        return self.recipient or self.person or str(customer["name"])

    def without_tax_number(self) -> Buyer:
        """The same buyer with the tax number as a note, after Odoo refused it."""
        company = "" if self.is_sole_trader else self.company
        note = _note("Tax number", "Odoo finds it wrong", self.tax_number)
        notes = (*self.notes, note)
        return replace(self, company=company, tax_number="", is_refused=True, notes=notes)


def identifiers(buyer: model.Buyer) -> set[str]:
    """What a customer may be found by: e-mail address, and tax numbers without their country."""
    numbers = (re.sub(r"\W", "", number or "").upper() for number in _numbers(buyer))
    bare = (re.sub(r"^[A-Z]{2}", "", number) for number in numbers)
    return {printable(buyer.email).lower(), *bare} - {""}


def _numbers(buyer: model.Buyer) -> tuple[str | None, str | None]:
    return buyer.vat_number, buyer.person_tax_number


def buyer_of(geography: Geography, order: Order) -> Buyer:
    """Read an order's buyer and address."""
    address = order.address or Address(country_code=None)
    person, company = printable(order.buyer.name), printable(order.buyer.company_name)
    recipient, at_company = whole(address.name), whole(address.company_name)
    of_business, of_person = whole(order.buyer.vat_number), whole(order.buyer.person_tax_number)
    is_sole_trader = not company and is_tax_number(of_business)
    if is_sole_trader:
        company = person or printable(recipient)
    tax_number = of_business if company and is_tax_number(of_business) else ""
    if not tax_number and not company and is_tax_number(of_person):
        tax_number = of_person
    if _is_same(at_company, company):
        at_company = ""  # Odoo writes the customer's name before its contacts'
    label = ", ".join(filter(None, (at_company, recipient)))
    in_odoo = odoo_address(geography, address)
    unused = [
        _note("Tax number", "not used", number)
        for number in dict.fromkeys(filter(None, (of_business, of_person)))
        if number != tax_number
    ]
    too_long = [
        *([_note("Address", "too long for its fields", in_odoo.uncut)] if in_odoo.uncut else []),
        *(_note("Name", "too long", text) for text in (label,) if len(text) > LONGEST),
    ]
    return Buyer(
        order_id=order.order_id,
        email=printable(order.buyer.email).lower(),
        company=company,
        tax_number=re.sub(r"\s", "", tax_number).upper(),
        person=person or printable(recipient),
        recipient=printable(label),
        address=in_odoo,
        country_code=geography.country_code(in_odoo.fields["country_id"]),
        ships=order.fulfilled_by == FulfilledBy.MERCHANT,
        is_refused=not tax_number and any(map(is_placeholder, (of_business, of_person))),
        is_sole_trader=is_sole_trader,
        notes=(*unused, *too_long),
    )


def _is_same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()


def _note(what: str, why: str, text: str) -> str:
    return f"<p>{what} as told by Amazon ({why}): {html.escape(text)}</p>"


def key_of_order(order_id: str) -> str:
    """The external id of the customer of one order alone, without the module."""
    return f"partner_order_{order_id}"


def digest(*parts: Any) -> str:
    """A short digest that identifies personal data without revealing it."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:20]


def is_nameless(row: Row) -> bool:
    """True if the bridge named the contact, because Amazon withheld the name."""
    return bool(_NAMELESS_ROW.fullmatch(str(row["name"])))


_NAMELESS_ROW = re.compile(rf"{_NAMELESS}[A-Za-z0-9.-]+")
