"""Customers, their contacts, and where they want goods delivered.

A person is known by Amazon's anonymised e-mail address, which stays the same for one buyer and
one seller; a company by its VAT number, else by its name and that address. Where Amazon tells
none of these (orders that it ships itself), the order has a customer of its own. What stands in
Odoo is never overwritten; only fields that are empty are filled. A buyer who was made anonymous
(see ``past_customers``) and buys again is a new customer.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.model import Address, Order
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import printable

_ADDRESS = ("street", "street2", "zip", "city", "state_id", "country_id", "phone")
_PARTNER = ["name", "vat", "comment", *_ADDRESS]
_ADDRESS_COLUMNS = [f"{name}/.id" if name.endswith("_id") else name for name in _ADDRESS]

ANONYMOUS = "Anonymous Amazon customer"
"""The name of contacts that were made anonymous."""

BUYERS_FIELDS = ("email", "phone", "vat", "street", "street2", "zip", "city")
"""What a contact tells of a buyer, beside the name."""

VAT_NOTE = re.compile(r"<p>VAT number as told by Amazon; Odoo finds it wrong: [^<]*</p>")

UNTRACKED = {"tracking_disable": True}
"""The context of what is written on contacts: else Odoo keeps in their chatter, for ever, what
the fields held before and after."""


@dataclass(frozen=True, slots=True)
class Customer:
    """The contacts of one order: who buys, and where it is delivered."""

    partner_id: int
    delivery_id: int


def customers(
    session: OdooSession,
    geography: Geography,
    orders: Sequence[Order],
    company_id: int,
    *,
    known_again: bool = True,
) -> dict[str, Customer]:
    """The customer of each order, by its Amazon order id; made where there is none yet.

    Args:
        session: a login, in the account's company.
        geography: Odoo's countries and states.
        orders: of any buyers.
        company_id: whose contacts are looked through, and those of all companies.
        known_again: whether a buyer who comes back is the same customer; else each order has one
            of its own.
    """
    cards = {order.order_id: _card(geography, order) for order in orders}
    if known_again:
        standing = _find(session, cards.values(), company_id)
    else:
        standing = {}
        cards = {id_: replace(card, key=_key_of_order(id_)) for id_, card in cards.items()}
    standing |= _make(session, [card for card in cards.values() if card.key not in standing])
    _fill_blanks(session, cards.values(), standing)
    _add_vat_numbers(session, cards.values(), standing)
    return _with_contacts(session, cards, standing)


@dataclass(frozen=True, slots=True)
class _Card:
    """What one order tells of its buyer, in Odoo's fields."""

    order_id: str
    key: str
    email: str
    company: str
    """The company that buys; empty for a person."""
    vat: str
    person: str
    recipient: str
    address: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The customer's."""
        return self.company or self.person


def _card(geography: Geography, order: Order) -> _Card:
    address = order.address or Address(country_code=None)
    email, company = printable(order.buyer.email).lower(), printable(order.buyer.company_name)
    vat = printable(order.buyer.vat_number).replace(" ", "").upper() if company else ""
    recipient = printable(address.name)
    person = printable(order.buyer.name) or recipient or f"Amazon customer {order.order_id}"
    return _Card(
        order_id=order.order_id,
        key=_key(order.order_id, email, company, vat),
        email=email,
        company=company,
        vat=vat,
        person=person,
        recipient=recipient or person,
        address=_address(geography, address),
    )


def _key(order_id: str, email: str, company: str, vat: str) -> str:
    """The end of the customer's external id."""
    if company and (vat or email):
        return f"partner_company_{_digest(*([vat] if vat else [company, email]))}"
    return f"partner_{_digest(email)}" if email else _key_of_order(order_id)


def _key_of_order(order_id: str) -> str:
    return f"partner_order_{order_id}"


def _address(geography: Geography, address: Address) -> dict[str, Any]:
    country_id = geography.country_id(address.country_code)
    state_id = geography.state_id(country_id, address.state_or_region)
    unresolved_state = "" if state_id else printable(address.state_or_region)
    lines = [line for line in map(printable, (address.company_name, *address.lines)) if line]
    rest = [*lines[1:], printable(address.district_or_county), unresolved_state]
    return {
        "street": lines[0] if lines else "",
        "street2": ", ".join(part for part in rest if part),
        "zip": printable(address.postal_code),
        "city": printable(address.city),
        "state_id": state_id,
        "country_id": country_id,
        "phone": printable(address.phone),
    }


def _digest(*parts: str) -> str:
    """A short, stable name for personal data that doesn't show it."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _find(
    session: OdooSession, cards: Collection[_Card], company_id: int
) -> dict[str, dict[str, Any]]:
    known = {("email_normalized", c.email): c.key for c in cards if c.email and not c.company}
    known |= {("vat", card.vat): card.key for card in cards if card.vat}
    if not known:
        return {}
    persons, companies = ([v for f, v in known if f == field] for field in _KNOWN_BY)
    domain = [
        ("parent_id", "=", False),
        ("company_id", "in", [False, company_id]),
        *("|", "&", ("is_company", "=", False), ("email_normalized", "in", sorted(persons))),
        *("&", ("is_company", "=", True), ("vat", "in", sorted(companies))),
    ]
    fields = [*_PARTNER, *_KNOWN_BY, "is_company"]
    rows = session.search_read("res.partner", domain, fields, order="id desc")
    names = [("vat" if row["is_company"] else "email_normalized") for row in rows]
    found = {(name, row[name]): _plain(row) for name, row in zip(names, rows, strict=True)}
    return {key: found[name] for name, key in known.items() if name in found}


_KNOWN_BY = ("email_normalized", "vat")


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A partner as read, with ids in place of Odoo's pairs and "" in place of False."""
    return {
        name: (value[0] if isinstance(value, list) else value or "") for name, value in row.items()
    }


def _make(session: OdooSession, cards: Iterable[_Card]) -> dict[str, dict[str, Any]]:
    absent = {card.key: card for card in cards}
    try:
        made = _loaded(session, absent)
    except (ItemError, ItemErrors):  # of a VAT number perhaps: these are given one by one then
        made = _loaded(session, {key: replace(card, vat="") for key, card in absent.items()})
    gone = {key: card for key, card in absent.items() if made[key]["name"] == ANONYMOUS}
    again = _loaded(session, {_key_again(card): card for card in gone.values()})
    return made | {key: again[_key_again(card)] for key, card in gone.items()}


def _key_again(card: _Card) -> str:
    """Of the customer that a buyer becomes who was made anonymous before."""
    return f"{card.key}_{card.order_id}"


def _loaded(session: OdooSession, absent: Mapping[str, _Card]) -> dict[str, dict[str, Any]]:
    keys = sorted(absent)
    rows = [
        [
            *(f"amazon_bridge.{key}", absent[key].name, absent[key].email),
            *("1" if absent[key].company else "0", absent[key].vat, *_cells(absent[key])),
        ]
        for key in keys
    ]
    owners = [absent[key].order_id for key in keys]
    columns = ["id", "name", "email", "is_company", "vat", *_ADDRESS_COLUMNS]
    ids = session.load("res.partner", columns, rows, owners=owners)
    by_id = {row["id"]: _plain(row) for row in session.read("res.partner", ids, _PARTNER)}
    return {key: by_id[id_] for key, id_ in zip(keys, ids, strict=True)}


def _cells(card: _Card) -> list[str]:
    return [str(card.address[field] or "") for field in _ADDRESS]


def _fill_blanks(
    session: OdooSession, cards: Iterable[_Card], standing: Mapping[str, dict[str, Any]]
) -> None:
    """Complete customers of whom Odoo has no address at all, now that Amazon tells one."""
    rows = {}
    for card in cards:
        partner = standing[card.key]
        if any(card.address.values()) and not any(partner[field] for field in _ADDRESS):
            rows[partner["id"]] = [str(partner["id"]), *_cells(card)]
            partner.update({field: card.address[field] or "" for field in _ADDRESS})
    values = [rows[id_] for id_ in sorted(rows)]
    _write(session, [".id", *_ADDRESS_COLUMNS], values)


def _write(session: OdooSession, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    session.load("res.partner", columns, rows, overwrite=True, context=UNTRACKED)


def _add_vat_numbers(
    session: OdooSession, cards: Iterable[_Card], standing: Mapping[str, dict[str, Any]]
) -> None:
    """Give companies their VAT number, or a note of it where Odoo finds it wrong."""
    wanted = {}
    for card in cards:
        partner = standing[card.key]
        if card.vat and not partner["vat"] and card.vat not in partner["comment"]:
            wanted[partner["id"]] = (card.vat, partner["comment"])
    try:
        rows = [[str(id_), vat] for id_, (vat, _) in sorted(wanted.items())]
        _write(session, [".id", "vat"], rows)
    except ItemError:
        for id_, (vat, comment) in sorted(wanted.items()):
            _add_vat_number(session, id_, vat, comment)


def _add_vat_number(session: OdooSession, partner_id: int, vat: str, comment: str) -> None:
    try:
        _write(session, [".id", "vat"], [[str(partner_id), vat]])
    except ItemError:
        note = f"<p>VAT number as told by Amazon; Odoo finds it wrong: {html.escape(vat)}</p>"
        _write(session, [".id", "comment"], [[str(partner_id), f"{comment}{note}"]])


# Contacts of customers


@dataclass(frozen=True, slots=True)
class _Contact:
    """A contact of a customer: the person who buys for a company, or a place of delivery."""

    order_id: str
    key: str
    parent_id: int
    type: str
    name: str
    email: str
    address: tuple[str, ...]


def _with_contacts(
    session: OdooSession, cards: Mapping[str, _Card], standing: Mapping[str, dict[str, Any]]
) -> dict[str, Customer]:
    contacts: dict[str, _Contact] = {}
    for card in cards.values():
        for contact in _contacts(card, standing[card.key]):
            contacts[contact.key] = contact
    ids = _contact_ids(session, contacts)
    return {
        order_id: Customer(
            partner_id=standing[card.key]["id"],
            delivery_id=ids.get(_delivery_key(card, standing[card.key]), standing[card.key]["id"]),
        )
        for order_id, card in cards.items()
    }


def _contacts(card: _Card, partner: Mapping[str, Any]) -> Iterator[_Contact]:
    if card.company:
        key = f"partner_{partner['id']}_person_{_digest(card.person, card.email)}"
        nowhere = tuple("" for _ in _ADDRESS)
        yield _Contact(
            card.order_id, key, partner["id"], "contact", card.person, card.email, nowhere
        )
    if _delivered_elsewhere(card, partner):
        key, address = _delivery_key(card, partner), tuple(_cells(card))
        yield _Contact(card.order_id, key, partner["id"], "delivery", card.recipient, "", address)


def _delivered_elsewhere(card: _Card, partner: Mapping[str, Any]) -> bool:
    told = {field: value for field, value in card.address.items() if value}
    differs = any(value != partner[field] for field, value in told.items())
    return bool(told) and (differs or card.recipient != partner["name"])


def _delivery_key(card: _Card, partner: Mapping[str, Any]) -> str:
    return f"partner_{partner['id']}_delivery_{_digest(card.recipient, *_cells(card))}"


def _contact_ids(session: OdooSession, contacts: Mapping[str, _Contact]) -> dict[str, int]:
    """The contacts of these keys; those that are missing are made."""
    if not contacts:
        return {}
    found = _children(session, contacts.values())
    missing = sorted(
        (contact for key, contact in contacts.items() if key not in found),
        key=lambda contact: (contact.parent_id, contact.key),
    )
    # Made through their customer: Odoo 19 checks a contact that is loaded with a parent
    # against fields that only accountants may read (res.partner._check_import_consistency).
    columns = ["id", "name", "type", "email", *_ADDRESS_COLUMNS]
    rows, previous = [], None
    for contact in missing:
        cells = [f"amazon_bridge.{contact.key}", contact.name, contact.type, contact.email]
        parent = str(contact.parent_id) if contact.parent_id != previous else ""
        rows.append([parent, *cells, *contact.address])
        previous = contact.parent_id
    owners = [contact.order_id for contact in missing]
    fields = [".id", *(f"child_ids/{column}" for column in columns)]
    session.load("res.partner", fields, rows, owners=owners, overwrite=True, context=UNTRACKED)
    # A load that finds its records under their external ids answers with their database ids.
    named = [[f"amazon_bridge.{contact.key}", contact.name] for contact in missing]
    ids = session.load("res.partner", ["id", "name"], named)
    return found | dict(zip((contact.key for contact in missing), ids, strict=True))


def _children(session: OdooSession, contacts: Iterable[_Contact]) -> dict[str, int]:
    """The contacts of these customers that the bridge made, by their keys."""
    parents = sorted({contact.parent_id for contact in contacts})
    domain = [("parent_id", "in", parents), ("type", "in", ["delivery", "contact"])]
    rows = session.search_read("res.partner", domain, ["id"])
    names = session.external_ids("res.partner", [row["id"] for row in rows])
    return {name: id_ for id_, name in names.items()}
