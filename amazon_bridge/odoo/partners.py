"""Customers, and the contacts that goods are delivered to.

A person is known by Amazon's anonymised e-mail address, which stays the same for one buyer and
one seller; a company by its VAT number, else by its name and that address. Where Amazon states
none of these (orders that it ships itself), the order gets its own customer. What exists
in Odoo is never overwritten; only fields that are empty are filled. A buyer whose contact was
archived or anonymised (see ``anonymisation``) and buys again becomes a new customer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.model import Order
from amazon_bridge.odoo import contacts
from amazon_bridge.odoo.addresses import Row, is_same_place, is_same_text, may_be_filled
from amazon_bridge.odoo.buyers import ANONYMOUS, Buyer, buyer_of, is_nameless
from amazon_bridge.odoo.contacts import PARTNER, Families, NewContact, plain
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.tax_numbers import canonical, spellings


@dataclass(frozen=True, slots=True)
class Customer:
    """The contacts of one order: who buys, and where it is delivered."""

    partner_id: int
    delivery_id: int
    has_address: bool = True
    """Amazon states an address. If not, the delivery contact has none."""
    tax_number_refused: bool = False
    """Odoo refuses the tax number that Amazon states; it is in the customer's notes."""


def customers(
    session: OdooSession,
    geography: Geography,
    orders: Sequence[Order],
    company_id: int,
    *,
    known_again: bool = True,
) -> dict[str, Customer]:
    """Find the customer of each order, and create those that don't exist.

    Args:
        session: a login, in the account's company.
        geography: Odoo's countries and states.
        orders: of any buyers.
        company_id: whose contacts are searched, with those shared by all.
        known_again: whether a returning buyer is the same customer; else each order has its own.

    Returns:
        By Amazon order id.

    Raises:
        ItemErrors: Odoo refuses the contacts of some orders.
    """
    read = [replace(b, known_again=known_again) for b in _buyers(geography, orders)]
    known = _search(session, geography, read, company_id) if known_again else _Known({}, {})
    families = contacts.Families(session, known.ids)
    buyers, rows = _find_or_create(session, geography, read, known, families)
    placed = [(buyer, rows[buyer.key]) for buyer in buyers]
    _complete(session, placed)
    refused = {b.order_id for b in buyers if b.is_refused} | _add_tax_numbers(session, placed)
    deliveries = contacts.delivery_contacts(session, placed, families)
    return {
        buyer.order_id: Customer(
            partner_id=row["id"],
            delivery_id=deliveries[buyer.order_id]["id"],
            has_address=buyer.address.has_place,
            tax_number_refused=buyer.order_id in refused,
        )
        for buyer, row in placed
    }


# Find


@dataclass(frozen=True, slots=True)
class _Known:
    """Existing customers by what identifies a buyer."""

    by_number: Mapping[str, Row]
    """Companies by their normalised tax number."""
    by_email: Mapping[tuple[str, str], Row]
    """By e-mail address, and name of the company (empty for a person)."""

    @property
    def ids(self) -> set[int]:
        return {row["id"] for row in (*self.by_number.values(), *self.by_email.values())}

    def customer(self, buyer: Buyer) -> Row | None:
        by_number = self.by_number.get(buyer.number) if buyer.company and buyer.number else None
        return by_number or self._by_email(buyer)

    def _by_email(self, buyer: Buyer) -> Row | None:
        if not buyer.email:
            return None
        found = self.by_email.get((buyer.email, buyer.company.casefold()))
        return None if found and buyer.company and buyer.number and found["vat"] else found


def _buyers(geography: Geography, orders: Collection[Order]) -> list[Buyer]:
    addresses = [order.address for order in orders if order.address]
    geography.read_states({a.country_code for a in addresses if a.state_or_region})
    return [buyer_of(geography, order) for order in orders]


def _search(
    session: OdooSession, geography: Geography, buyers: Collection[Buyer], company_id: int
) -> _Known:
    companies = [buyer for buyer in buyers if buyer.company]
    persons = sorted({b.email for b in buyers if b.email and not b.company})
    numbers = spellings((b.tax_number, b.country_code) for b in companies if b.tax_number)
    emails = sorted({b.email for b in companies if b.email})
    if not persons and not numbers and not emails:
        return _Known({}, {})
    domain = [
        ("parent_id", "=", False),
        ("company_id", "in", [False, company_id]),
        *("|", "&", ("is_company", "=", False), ("email_normalized", "in", persons)),
        *("&", ("is_company", "=", True)),
        *("|", ("vat", "in", numbers), ("email_normalized", "in", emails)),
    ]
    found = session.search_read("res.partner", domain, PARTNER, order="id desc")
    rows = [plain(row) for row in found if row["name"] != ANONYMOUS]
    return _Known(
        by_number={_number(geography, r): r for r in rows if r["is_company"] and r["vat"]},
        by_email={(r["email_normalized"], _company(r)): r for r in rows},
    )


def _number(geography: Geography, row: Row) -> str:
    """The contact's tax number, normalised."""
    return canonical(str(row["vat"]), geography.country_code(row["country_id"] or None))


def _company(row: Row) -> str:
    return str(row["name"]).casefold() if row["is_company"] else ""


# Create


def _find_or_create(
    session: OdooSession,
    geography: Geography,
    buyers: Sequence[Buyer],
    known: _Known,
    families: Families,
) -> tuple[list[Buyer], dict[str, dict[str, Any]]]:
    """Customers by key, and the buyers without the tax numbers that Odoo refuses.

    A company is known by a number that Odoo accepts; by one that is wrong, as ``123456`` typed
    by many, different companies would become one.
    """
    while True:
        rows = {b.key: dict(row) for b in buyers if (row := known.customer(b))}
        absent = {b.key: b for b in buyers if b.key not in rows}
        try:
            return list(buyers), _shared(rows | _create(session, geography, absent, families))
        except (ItemError, ItemErrors) as error:
            refused = _refused_numbers(error, absent.values())
            if not refused:
                raise
        buyers = [b.without_tax_number() if b.tax_number in refused else b for b in buyers]


def _shared(rows: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One dictionary per contact, shared by all of its keys."""
    by_id = {row["id"]: row for row in rows.values()}
    return {key: by_id[row["id"]] for key, row in rows.items()}


def _refused_numbers(error: ItemError | ItemErrors, buyers: Iterable[Buyer]) -> set[str]:
    """The tax numbers that Odoo may refuse."""
    named = set(error.errors) if isinstance(error, ItemErrors) else None
    return {b.tax_number for b in buyers if named is None or b.order_id in named} - {""}


def _create(
    session: OdooSession, geography: Geography, absent: Mapping[str, Buyer], families: Families
) -> dict[str, dict[str, Any]]:
    def is_usable(contact: NewContact, row: Row) -> bool:
        buyer = absent[contact.key]
        same = buyer.number in ("", _number(geography, row))
        is_one = not buyer.company or same or is_same_text(row["name"], buyer.company)
        return _is_live(row) and is_one

    new = [NewContact(key, buyer.order_id, _cells(buyer)) for key, buyer in absent.items()]
    return contacts.create(session, new, is_usable, families)


def _cells(buyer: Buyer) -> dict[str, str]:
    own = {
        "name": buyer.name,
        "email": buyer.email,
        "is_company": "1" if buyer.company else "0",
        "vat": buyer.tax_number,
        "comment": "".join(buyer.notes),
    }
    return buyer.address.cells() | own


# Complete


def _complete(session: OdooSession, placed: Iterable[tuple[Buyer, dict[str, Any]]]) -> None:
    """Fill in empty fields of customers: name, address, notes. Existing values stay."""
    changes: dict[int, dict[str, str]] = {}
    for buyer, row in placed:
        if not _is_live(row):
            continue
        cells = _name_and_email(buyer, row)
        row.update(cells)
        if may_be_filled(buyer.address, row):
            cells |= contacts.filled(buyer.address, row)
        notes = contacts.add_notes(row, buyer.notes)
        row.update(notes)
        if cells or notes:
            changes[row["id"]] = {**changes.get(row["id"], {}), **cells, **notes}
    contacts.write(session, changes)


def _is_live(row: Row) -> bool:
    return bool(row["active"]) and row["name"] != ANONYMOUS


def _name_and_email(buyer: Buyer, row: Row) -> dict[str, str]:
    """The name of a customer whom Amazon did not name before."""
    if not is_nameless(row) or row["name"] == buyer.name:
        return {}
    return {"name": buyer.name} | ({} if row["email"] else {"email": buyer.email})


def _add_tax_numbers(
    session: OdooSession, placed: Iterable[tuple[Buyer, dict[str, Any]]]
) -> set[str]:
    """Set the tax number of customers, or note it where Odoo refuses it.

    Returns:
        The orders whose number is refused.
    """
    lacking = {row["id"]: (b, row) for b, row in placed if b.tax_number and not row["vat"]}
    noted = {
        id_ for id_, (buyer, row) in lacking.items() if buyer.tax_number in str(row["comment"])
    }
    numbers = {id_: {"vat": b.tax_number} for id_, (b, _) in lacking.items() if id_ not in noted}
    refused = noted | _write_numbers(session, numbers)
    notes = {
        id_: contacts.add_notes(lacking[id_][1], lacking[id_][0].without_tax_number().notes)
        for id_ in refused - noted
    }
    contacts.write(session, notes)
    return {lacking[id_][0].order_id for id_ in refused}


def _write_numbers(session: OdooSession, numbers: Mapping[int, Mapping[str, str]]) -> set[int]:
    """Write tax numbers on contacts. Returns the contacts whose number Odoo refuses."""
    try:
        contacts.write(session, numbers)
    except ItemError:
        if len(numbers) == 1:
            return set(numbers)
        return {id_ for i, n in numbers.items() for id_ in _write_numbers(session, {i: n})}
    return set()


# Orders that are in Odoo


def destinations(
    session: OdooSession,
    geography: Geography,
    orders: Sequence[Order],
    placed: Mapping[str, tuple[int, int]],
) -> dict[str, int]:
    """Find or create the delivery contact of each order below its customer.

    For existing sale orders: Amazon may state the address after the import, or change it. A
    customer, or a delivery contact, that has no address yet gets Amazon's. Nothing else is
    written: not the sale order, and not its deliveries.

    Args:
        session: a login, in the account's company.
        geography: Odoo's countries and states.
        orders: as Amazon shows them now.
        placed: the customer and the delivery contact of each one's sale order, by order id.

    Returns:
        The delivery contact by Amazon order id: the sale order's own if its address is the same in
        substance, or if Amazon withholds the address.
    """
    buyers = _buyers(geography, orders)
    rows = contacts.read(session, {id_ for pair in placed.values() for id_ in pair})
    addressed = [
        b for b in buyers if b.address.has_place and _is_known(rows, placed[b.order_id][0])
    ]
    blank = {b.order_id for b in addressed if _fits(b, rows.get(placed[b.order_id][1]))}
    _complete(session, [(b, rows[placed[b.order_id][0]]) for b in addressed])
    found = {b.order_id: placed[b.order_id][1] for b in buyers}
    moved = []
    for buyer in addressed:
        customer, delivery = (rows.get(id_) for id_ in placed[buyer.order_id])
        assert customer is not None
        if delivery and delivery is not customer and buyer.order_id in blank:
            _fill_delivery(session, buyer, customer, delivery)
        if not (delivery and delivery["active"] and _is_at(buyer, customer, delivery)):
            moved.append((buyer, customer))
    below = contacts.delivery_contacts(session, moved)
    return found | {order_id: contact["id"] for order_id, contact in below.items()}


def _is_known(rows: Mapping[int, Row], customer_id: int) -> bool:
    """True unless the customer doesn't exist or is anonymised."""
    return customer_id in rows and rows[customer_id]["name"] != ANONYMOUS


def _fits(buyer: Buyer, delivery: Row | None) -> bool:
    return bool(delivery and _is_live(delivery) and may_be_filled(buyer.address, delivery))


def _is_at(buyer: Buyer, customer: Row, contact: Row) -> bool:
    return is_same_place(buyer.address, buyer.deliver_to(customer), contact)


def _fill_delivery(
    session: OdooSession, buyer: Buyer, customer: Row, delivery: dict[str, Any]
) -> None:
    """Fill in the address that Amazon states now on a delivery contact without one.

    It has the customer's name if the bridge created it so (``contacts.delivery_contacts``).
    """
    cells = contacts.filled(buyer.address, delivery)
    if is_nameless(delivery) or is_same_text(delivery["name"], customer["name"]):
        cells["name"] = delivery["name"] = buyer.deliver_to(customer)
    contacts.write(session, {delivery["id"]: cells})
