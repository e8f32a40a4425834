"""Customers and their delivery contacts.

A customer is known by Amazon's anonymised e-mail address, which stays the same for one buyer
and one seller. Where Amazon tells none (orders that it ships itself), the order has a customer
of its own. What stands in Odoo is never overwritten; only fields that are empty are filled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_bridge.model import Address, Order
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import printable

_ADDRESS = ("street", "street2", "zip", "city", "state_id", "country_id", "phone")
_PARTNER = ["name", *_ADDRESS]
_ADDRESS_COLUMNS = [f"{name}/.id" if name.endswith("_id") else name for name in _ADDRESS]


@dataclass(frozen=True, slots=True)
class Customer:
    """The contacts of one order: who buys, and where it is delivered."""

    partner_id: int
    delivery_id: int


def customers(
    session: OdooSession, geography: Geography, orders: Sequence[Order], company_id: int
) -> dict[str, Customer]:
    """The customer of each order, by its Amazon order id; made where there is none yet."""
    cards = {order.order_id: _card(geography, order) for order in orders}
    standing = _find(session, cards.values(), company_id)
    standing |= _make(session, [card for card in cards.values() if card.key not in standing])
    _fill_blanks(session, cards.values(), standing)
    return _with_delivery_contacts(session, cards, standing)


@dataclass(frozen=True, slots=True)
class _Card:
    """What one order tells of its buyer, in Odoo's fields."""

    order_id: str
    key: str
    email: str
    name: str
    recipient: str
    address: Mapping[str, Any]


def _card(geography: Geography, order: Order) -> _Card:
    address = order.address or Address(country_code=None)
    email = printable(order.buyer.email).lower()
    recipient = printable(address.name)
    name = printable(order.buyer.name) or recipient or f"Amazon customer {order.order_id}"
    return _Card(
        order_id=order.order_id,
        key=f"partner_{_digest(email)}" if email else f"partner_order_{order.order_id}",
        email=email,
        name=name,
        recipient=recipient or name,
        address=_address(geography, address),
    )


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
    session: OdooSession, cards: Iterable[_Card], company_id: int
) -> dict[str, dict[str, Any]]:
    emails = {card.email: card.key for card in cards if card.email}
    if not emails:
        return {}
    domain = [
        ("email_normalized", "in", sorted(emails)),
        ("parent_id", "=", False),
        ("company_id", "in", [False, company_id]),
    ]
    fields = [*_PARTNER, "email_normalized"]
    rows = session.search_read("res.partner", domain, fields, order="id desc")
    return {emails[row["email_normalized"]]: _plain(row) for row in rows}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A partner as read, with ids in place of Odoo's pairs and "" in place of False."""
    return {
        name: (value[0] if isinstance(value, list) else value or "") for name, value in row.items()
    }


def _make(session: OdooSession, cards: Iterable[_Card]) -> dict[str, dict[str, Any]]:
    absent = {card.key: card for card in cards}
    keys = sorted(absent)
    rows = [
        [f"amazon_bridge.{key}", absent[key].name, absent[key].email, *_cells(absent[key])]
        for key in keys
    ]
    owners = [absent[key].order_id for key in keys]
    columns = ["id", "name", "email", *_ADDRESS_COLUMNS]
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
    session.load("res.partner", [".id", *_ADDRESS_COLUMNS], values, overwrite=True)


def _with_delivery_contacts(
    session: OdooSession, cards: Mapping[str, _Card], standing: Mapping[str, dict[str, Any]]
) -> dict[str, Customer]:
    elsewhere = {
        _delivery_key(card): card
        for card in cards.values()
        if _delivered_elsewhere(card, standing[card.key])
    }
    parents = {key: standing[card.key]["id"] for key, card in elsewhere.items()}
    contacts = _delivery_contacts(session, elsewhere, parents)
    return {
        order_id: Customer(
            partner_id=standing[card.key]["id"],
            delivery_id=contacts.get(_delivery_key(card), standing[card.key]["id"]),
        )
        for order_id, card in cards.items()
    }


def _delivered_elsewhere(card: _Card, partner: Mapping[str, Any]) -> bool:
    told = {field: value for field, value in card.address.items() if value}
    differs = any(value != partner[field] for field, value in told.items())
    return bool(told) and (differs or card.recipient != partner["name"])


def _delivery_key(card: _Card) -> str:
    return f"{card.key}_delivery_{_digest(card.recipient, *_cells(card))}"


def _delivery_contacts(
    session: OdooSession, cards: Mapping[str, _Card], parents: Mapping[str, int]
) -> dict[str, int]:
    """The delivery contacts of these keys; those that are missing are made."""
    if not cards:
        return {}
    found = _children(session, parents)
    missing = sorted(cards.keys() - found.keys(), key=lambda key: (parents[key], key))
    # Made through their customer: Odoo 19 checks a contact that is loaded with a parent
    # against fields that only accountants may read (res.partner._check_import_consistency).
    columns = ["id", "name", "type", *_ADDRESS_COLUMNS]
    rows, previous = [], None
    for key in missing:
        cells = [f"amazon_bridge.{key}", cards[key].recipient, "delivery", *_cells(cards[key])]
        rows.append([str(parents[key]) if parents[key] != previous else "", *cells])
        previous = parents[key]
    owners = [cards[key].order_id for key in missing]
    fields = [".id", *(f"child_ids/{column}" for column in columns)]
    session.load("res.partner", fields, rows, owners=owners, overwrite=True)
    return found | (_children(session, parents) if missing else {})


def _children(session: OdooSession, parents: Mapping[str, int]) -> dict[str, int]:
    """The contacts of these customers that the bridge made, by their keys."""
    domain = [("parent_id", "in", sorted(set(parents.values()))), ("type", "=", "delivery")]
    rows = session.search_read("res.partner", domain, ["id"])
    names = session.external_ids("res.partner", [row["id"] for row in rows])
    return {name: id_ for id_, name in names.items()}
