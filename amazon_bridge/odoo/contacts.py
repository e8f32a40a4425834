"""Contacts in Odoo: read, created under external ids, and completed where they are empty.

What exists is never overwritten: people correct contacts, archive them, and merge two into
one, which moves the external ids to the one that is left.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.odoo.addresses import (
    FIELDS,
    OdooAddress,
    Row,
    blanks,
    column,
    is_blank,
    is_same_place,
    is_same_text,
)
from amazon_bridge.odoo.buyers import Buyer, digest
from amazon_bridge.odoo.session import MODULE, OdooSession, external

PARTNER = [
    *("name", "email", "email_normalized", "vat", "comment", "ref", "type", "is_company"),
    *("active", "parent_id", *FIELDS),
]
"""The fields of a contact that are read."""

UNTRACKED = {"tracking_disable": True}
"""Context for writing contacts: otherwise Odoo keeps old and new values in the chatter for ever."""

_ARCHIVED_TOO = {"active_test": False}

Cells = Mapping[str, str]
"""What goes into the columns of a load."""


def read(session: OdooSession, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Contacts by id, including archived ones; without those that the login may not see."""
    return {row["id"]: row for row in _search(session, [("id", "in", sorted(set(ids)))])}


class Families:
    """Contacts read together with those below them, which then need not be read again.

    Args:
        session: the login.
        parents: contacts that are known already, whose children are read with the first ones.
    """

    def __init__(self, session: OdooSession, parents: Iterable[int]) -> None:
        self._session = session
        self._parents = set(parents)
        self._read: set[int] = set()
        self._rows: dict[int, dict[str, Any]] = {}

    def read(self, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Contacts by id, including archived ones; without those that the login may not see."""
        requested = set(ids)
        parents = requested | self._parents
        below = ("parent_id", "in", sorted(parents))
        rows = _search(self._session, ["|", ("id", "in", sorted(requested)), below])
        self._rows |= {row["id"]: row for row in rows}
        self._read |= parents
        self._parents = set()
        return {row["id"]: row for row in rows if row["id"] in requested}

    def below(self, parents: Iterable[int]) -> list[dict[str, Any]]:
        """The contacts below these, including archived ones."""
        requested = set(parents)
        if not requested <= self._read:
            return _children(self._session, requested)
        return [row for _, row in sorted(self._rows.items()) if row["parent_id"] in requested]


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact as read, with ids in place of Odoo's pairs and "" in place of False."""
    return {
        name: (value[0] if isinstance(value, list) else value or "") for name, value in row.items()
    }


def write(session: OdooSession, changes: Mapping[int, Cells]) -> None:
    """Write cells on contacts by id, one call per set of columns."""
    for columns, ids in _by_columns(changes).items():
        rows = [[str(id_), *(changes[id_][name] for name in columns)] for id_ in ids]
        fields = [".id", *columns]
        session.load("res.partner", fields, rows, overwrite=True, context=UNTRACKED)


def _by_columns(cells: Mapping[Any, Cells]) -> dict[tuple[str, ...], list[Any]]:
    """The keys by their columns: an empty cell would clear the field."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for key in sorted(cells):  # parallel loads in one order don't deadlock
        if cells[key]:
            found.setdefault(tuple(sorted(cells[key])), []).append(key)
    return found


# Create


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to create unless its external id exists."""

    key: str
    """The external id, without the module."""
    order_id: str
    cells: Cells


_ATTEMPTS = 5


def create(
    session: OdooSession,
    new: Iterable[NewContact],
    is_usable: Callable[[NewContact, Row], bool],
    families: Families | None = None,
) -> dict[str, dict[str, Any]]:
    """Create the contacts whose external ids don't exist.

    Where the contact of an external id exists and is not usable, because somebody archived,
    changed, merged or assigned it to another company, another one is created.

    Returns:
        The contacts by the keys of ``new``.

    Raises:
        ItemErrors: Odoo refuses some of them, named by their orders.
    """
    missing = {contact.key: contact for contact in new}
    found: dict[str, dict[str, Any]] = {}
    for attempt in range(_ATTEMPTS):
        ids = _load(session, {key: _named(c, attempt) for key, c in missing.items()})
        contacts = families.read(ids.values()) if families else read(session, ids.values())
        rows = {key: dict(contacts[id_]) for key, id_ in ids.items() if id_ in contacts}
        found |= {key: row for key, row in rows.items() if is_usable(missing[key], row)}
        missing = {key: contact for key, contact in missing.items() if key not in found}
        if not missing:
            return found
    raise ItemErrors({contact.order_id: _UNUSABLE for contact in missing.values()})


_UNUSABLE = ItemError(
    "needs_attention",
    "Each contact that the bridge created for this order's buyer was archived, changed or"
    " assigned to another company.",
    "Unarchive one of them in Odoo (Contacts > Filters > Archived), then retry.",
)


def _named(contact: NewContact, attempt: int) -> NewContact:
    endings = ("", f"_{contact.order_id}", f"_{contact.order_id}_{attempt}")
    return replace(contact, key=f"{contact.key}{endings[min(attempt, 2)]}")


def _load(session: OdooSession, new: Mapping[str, NewContact]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for columns, keys in _by_columns({key: c.cells for key, c in new.items()}).items():
        rows = [
            [external(new[key].key), *(new[key].cells[name] for name in columns)] for key in keys
        ]
        owners = [new[key].order_id for key in keys]
        fields = ["id", *columns]
        loaded = session.load("res.partner", fields, rows, owners=owners, context=UNTRACKED)
        ids |= zip(keys, loaded, strict=True)
    return ids


# Complete


def add_notes(contact: Row, notes: Sequence[str]) -> dict[str, str]:
    """The cells that append to a contact's notes what they lack."""
    comment = str(contact["comment"])
    missing = [note for note in notes if html.unescape(note) not in html.unescape(comment)]
    return {"comment": "".join([comment, *missing])} if missing else {}


# Below customers


def delivery_contacts(
    session: OdooSession, placed: Sequence[tuple[Buyer, Row]], families: Families | None = None
) -> dict[str, dict[str, Any]]:
    """Find or create the delivery contact of each order: its customer, or one below it.

    Args:
        session: a login, in the account's company.
        placed: buyers, each with the customer in Odoo.
        families: of the customers, where they are read already.

    Returns:
        By Amazon order id. Each has exactly the name and address that Amazon states.
    """
    elsewhere = [(buyer, row) for buyer, row in placed if not _delivered_at(buyer, row)]
    parents = {row["id"] for _, row in placed if row["is_company"] or elsewhere}
    below = (families or Families(session, ())).below(parents)
    found: dict[str, dict[str, Any]] = {
        buyer.order_id: dict(row) for buyer, row in placed if _delivered_at(buyer, row)
    }
    new: dict[str, NewContact] = {}
    for buyer, row in elsewhere:
        known = [each for each in below if _is_delivery_of(each, row, buyer)]
        if known:
            found[buyer.order_id] = known[0]
        else:
            new[buyer.order_id] = _delivery(buyer, row)
    created = _create_below(session, [*_persons(placed, below), *new.values()])
    return found | {order_id: created[contact.key] for order_id, contact in new.items()}


def _delivered_at(buyer: Buyer, customer: Row) -> bool:
    """The order goes to the customer itself.

    One without an address must not go to the address of an earlier order, unless Amazon has
    shipped it already.
    """
    if not buyer.address.has_place:
        return not buyer.ships or is_blank(customer)
    return is_same_place(buyer.address, buyer.deliver_to(customer), customer)


def _children(session: OdooSession, customers: Iterable[int]) -> list[dict[str, Any]]:
    ids = sorted(customers)
    return _search(session, [("parent_id", "in", ids)]) if ids else []


def _search(session: OdooSession, domain: Sequence[Any]) -> list[dict[str, Any]]:
    rows = session.search_read("res.partner", domain, PARTNER, order="id", context=_ARCHIVED_TOO)
    return [plain(row) for row in rows]


_OWN_ADDRESS = {"delivery", "other"}
"""Types of contacts with a separate address."""


def _is_delivery_of(contact: Row, customer: Row, buyer: Buyer) -> bool:
    return bool(
        contact["active"]
        and contact["type"] in _OWN_ADDRESS
        and contact["parent_id"] == customer["id"]
        and buyer.address.has_place
        and is_same_place(buyer.address, buyer.deliver_to(customer), contact)
    )


def _delivery(buyer: Buyer, customer: Row) -> NewContact:
    """A new delivery contact. Its key is a digest of the address, so that each has one contact."""
    name, cells = buyer.deliver_to(customer), buyer.address.cells()
    if buyer.address.has_place:
        key = f"partner_{customer['id']}_delivery_{_address_digest(buyer.address, name)}"
    else:
        key = f"partner_{customer['id']}_delivery_order_{buyer.order_id}"
    # Odoo copies the tax number from above; what it computes of a later one, it tracks.
    own = {"name": name, "type": "delivery", "email": "", "vat": str(customer["vat"])}
    return NewContact(key, buyer.order_id, {**cells, **own, "parent_id/.id": str(customer["id"])})


def _address_digest(address: OdooAddress, name: str) -> str:
    return digest(name, *(address.fields[field] or "" for field in FIELDS))


def _persons(placed: Sequence[tuple[Buyer, Row]], below: Sequence[Row]) -> Iterator[NewContact]:
    """The persons who buy for companies. Archived ones stay archived."""
    known = {(each["parent_id"], each["name"]) for each in below if each["type"] == _PERSON}
    known |= {(e["parent_id"], e["email_normalized"]) for e in below if e["email_normalized"]}
    for buyer, row in placed:
        is_new = not known & {(row["id"], buyer.person), (row["id"], buyer.email)}
        if buyer.company and buyer.person and buyer.person != row["name"] and is_new:
            yield _person(buyer, row)


def _person(buyer: Buyer, company: Row) -> NewContact:
    key = f"partner_{company['id']}_person_{digest(buyer.person, buyer.email)}"
    own = {"name": buyer.person, "type": _PERSON, "email": buyer.email, "vat": str(company["vat"])}
    nowhere = dict.fromkeys(map(column, FIELDS), "")
    nowhere[column("country_id")] = str(company["country_id"] or "")
    return NewContact(key, buyer.order_id, {**nowhere, **own, "parent_id/.id": str(company["id"])})


_PERSON = "contact"
"""The type of a contact that shares the address of its parent."""


_GIVEN_LATER = ("parent_id/.id", "email")


def _create_below(session: OdooSession, new: Sequence[NewContact]) -> dict[str, dict[str, Any]]:
    """Create contacts and set their parents.

    In two steps: Odoo 19 compares a contact that is loaded with a parent with fields that only
    accountants may read (``res.partner._load_records_create``), and a load through the parent's
    ``child_ids`` overwrites what exists. Between the steps the contact's reference names its
    external id, so that an interrupted one is known from one that people took from its parent.
    """
    if not new:
        return {}
    by_key = {contact.key: contact for contact in new}
    first = [replace(contact, cells=_first(contact)) for contact in by_key.values()]

    def is_usable(contact: NewContact, row: Row) -> bool:
        is_person = contact.cells["type"] == _PERSON  # nothing is sent there
        return is_person or _is_new(row) or _has_values_of(row, by_key[contact.key])

    try:
        rows = create(session, first, is_usable)
    except (ItemError, ItemErrors):  # of the tax number perhaps, in another country
        rows = create(session, [_without_number(contact) for contact in first], is_usable)
    unfinished = {key: row for key, row in rows.items() if _is_new(row)}
    write(session, {row["id"]: _rest(by_key[key]) for key, row in unfinished.items()})
    return rows


def _without_number(contact: NewContact) -> NewContact:
    return replace(contact, cells={n: cell for n, cell in contact.cells.items() if n != "vat"})


def _first(contact: NewContact) -> Cells:
    cells = {name: cell for name, cell in contact.cells.items() if name not in _GIVEN_LATER}
    return cells | {"ref": external(contact.key)}


def _rest(contact: NewContact) -> Cells:
    return {name: c for name, c in contact.cells.items() if name in _GIVEN_LATER} | {"ref": ""}


def _is_new(row: Row) -> bool:
    """True if its creation was interrupted."""
    return str(row["ref"]).startswith(f"{MODULE}.") and bool(row["active"]) and not row["parent_id"]


def _has_values_of(row: Row, contact: NewContact) -> bool:
    """True if it is active and still has the values of the new contact."""
    same = all(
        is_same_text(row[name.removesuffix("/.id")], cell)
        for name, cell in contact.cells.items()
        if name.removesuffix("/.id") in _COMPARED
    )
    return bool(row["active"]) and row["type"] in _OWN_ADDRESS and same


_COMPARED = {"name", "parent_id", *FIELDS} - {"phone"}


def filled(address: OdooAddress, contact: dict[str, Any]) -> dict[str, str]:
    """Fill in what a contact lacks of an address. Returns the cells to write."""
    cells = blanks(address, contact)
    contact |= {name: address.fields[name] for name in FIELDS if not contact[name]}
    return cells
