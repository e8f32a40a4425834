"""Finds customers whose data is no longer needed, and anonymises them.

Only customers that the bridge created, with their contacts. Country and state stay, for taxes and
statistics. So does the Amazon order id, under which Seller Central shows the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from amazon_bridge.odoo import deliveries, sale_terms, sales
from amazon_bridge.odoo.buyers import ANONYMOUS, NOTE
from amazon_bridge.odoo.contacts import UNTRACKED
from amazon_bridge.odoo.moments import moment, timestamp
from amazon_bridge.odoo.paging import pages
from amazon_bridge.odoo.references import link_fields, sale_orders_of, transfers_of
from amazon_bridge.odoo.responses import id_of
from amazon_bridge.odoo.session import OdooSession

_PAGE = 100
"""Sale orders whose customers are checked together."""

_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer's own contact, or one of those below it."""

    id: int
    made_by_bridge: bool
    has_login: bool


@dataclass(frozen=True, slots=True)
class CustomerOrder:
    """A sale order that names one of the contacts."""

    id: int
    name: str
    order_id: str
    """Amazon's; empty when the bridge didn't make it."""
    ordered: datetime
    is_quotation: bool
    is_cancelled: bool
    is_delivered: bool
    """Something of it was."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A delivery, a return, or whatever else moves goods for one of the contacts or orders."""

    name: str
    is_open: bool
    done: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerHistory:
    """A customer that the bridge created, with all records that name it."""

    id: int
    contacts: tuple[Contact, ...]
    orders: tuple[CustomerOrder, ...]
    transfers: tuple[Transfer, ...]
    is_invoiced: bool
    """There is an invoice, or a draft of one."""
    created: datetime

    @property
    def last_moved(self) -> datetime:
        """When the last goods left or came back; of an order without any, when it was created.

        Of a customer without orders and transfers, when the customer was created.
        """
        moved = [transfer.done for transfer in self.transfers if transfer.done]
        return max([*moved, *(order.ordered for order in self.orders)], default=self.created)


class Candidates(NamedTuple):
    """A page of customers whose data may no longer be needed."""

    customer_ids: list[int]
    last_id: int
    """Of the page's records: sale orders, or contacts without any."""


def with_last_goods_between(
    session: OdooSession, since: datetime, before: datetime, *, after: int = 0
) -> Iterator[Candidates]:
    """Customers of Amazon orders that were placed, or whose goods left or came back, in between.

    Page by page, without those that are anonymous; a customer may be on several pages.

    Args:
        session: a login to all companies of the bridge's accounts.
        since: included.
        before: excluded.
        after: the last id of the page at which an earlier reading stopped.
    """
    between = ((">=", timestamp(since)), ("<", timestamp(before)))
    ordered, moved = (
        [(field, *each) for each in between] for field in ("date_order", "picking_ids.date_done")
    )
    return _candidates(session, ["|", "&", *ordered, "&", *moved], after)


def of_orders(
    session: OdooSession, before: datetime, *, after: int = 0, up_to: int | None = None
) -> Iterator[Candidates]:
    """Customers of Amazon orders that were placed before a moment; see above.

    Args:
        session: a login to all companies of the bridge's accounts.
        before: the moment.
        after: orders up to this id are left out.
        up_to: the last order's id.
    """
    up = [("id", "<=", up_to)] if up_to else []
    return _candidates(session, [("date_order", "<", timestamp(before)), *up], after)


def last_order_id(session: OdooSession) -> int:
    """The id of the newest Amazon order; 0 if there is none."""
    return _last_id(session, "sale.order", [_IS_AMAZONS])


def last_contact_id(session: OdooSession) -> int:
    """The id of the newest contact."""
    return _last_id(session, "res.partner", [("parent_id", "=", False)])


def _last_id(session: OdooSession, model: str, domain: Sequence[Any]) -> int:
    rows = session.search_read(model, domain, ["id"], order="id desc", limit=1)
    return rows[0]["id"] if rows else 0


_IS_AMAZONS = ("origin", "=like", f"{sales.ORIGIN}%")


def without_orders(
    session: OdooSession, before: datetime, *, after: int = 0, up_to: int | None = None
) -> Iterator[Candidates]:
    """Customers that no sale order is for, such as after it was deleted, and other contacts.

    Args:
        session: a login to all companies of the bridge's accounts.
        before: they were created before this moment.
        after: contacts up to this id are left out.
        up_to: the last contact's id.
    """
    domain = [
        *(("parent_id", "=", False), ("sale_order_ids", "=", False), ("name", "!=", ANONYMOUS)),
        *(("create_date", "<", timestamp(before)), ("active", "in", [True, False])),
        *([("id", "<=", up_to)] if up_to else []),
    ]
    for rows in pages(session, "res.partner", domain, ["active"], after=after, size=_PAGE):
        if rows:
            yield Candidates([row["id"] for row in rows], rows[-1]["id"])


def _candidates(session: OdooSession, domain: Sequence[Any], after: int) -> Iterator[Candidates]:
    known = [_IS_AMAZONS, ("partner_id.name", "!=", ANONYMOUS), *domain]
    for rows in pages(session, "sale.order", known, ["partner_id"], after=after, size=_PAGE):
        if rows:
            yield Candidates(sorted({row["partner_id"][0] for row in rows}), rows[-1]["id"])


def read_customers(session: OdooSession, customer_ids: Collection[int]) -> list[CustomerHistory]:
    """Read those of the customers that the bridge created, with all that names them."""
    ours = sorted(session.external_ids("res.partner", sorted(customer_ids)))
    records = _Records.read(session, ours) if ours else None
    return [records.of(id_) for id_ in records.customers] if records else []


_PARTIES = ["partner_id", "partner_invoice_id", "partner_shipping_id"]


@dataclass(frozen=True, slots=True)
class _Records:
    """The contacts of some customers, and all documents that name one of them."""

    customers: Mapping[int, Sequence[int]]
    """The contacts of each, its own included."""
    contacts: _Rows
    orders: _Rows
    transfers: _Rows
    sold: Mapping[int, Collection[int]]
    """The sale orders of each transfer."""
    invoices: _Rows
    made_here: Mapping[int, str]
    """External ids of the contacts that the bridge created."""
    amazons: Mapping[int, str]
    """Amazon order ids of the sale orders that the bridge created."""

    @classmethod
    def read(cls, session: OdooSession, ours: Sequence[int]) -> _Records:
        contacts = session.search_read(
            "res.partner",
            [("id", "child_of", ours)],
            ["parent_id", "user_ids", "create_date"],
            context={"active_test": False},
        )
        ids = sorted(row["id"] for row in contacts)
        of_them = ["|", "|", *((field, "in", ids) for field in _PARTIES)]
        orders = session.search_read(
            "sale.order", of_them, ["name", "state", "date_order", *_PARTIES]
        )
        order_ids = sorted(row["id"] for row in orders)
        moved = ["|", ("partner_id", "in", ids), *transfers_of(session, order_ids)]
        fields = ["name", "state", "date_done", "partner_id", *link_fields(session)]
        transfers = session.search_read("stock.picking", moved, fields)
        names = session.external_ids("sale.order", order_ids)
        return cls(
            customers=_families(contacts, ours),
            contacts=contacts,
            orders=orders,
            transfers=transfers,
            sold=sale_orders_of(session, transfers),
            invoices=session.search_read(
                "account.move",
                [("partner_id", "in", ids), ("state", "!=", "cancel")],
                ["partner_id"],
            ),
            made_here=session.external_ids("res.partner", ids),
            amazons={id_: sales.external_order_id(name) for id_, name in names.items()},
        )

    def of(self, customer_id: int) -> CustomerHistory:
        mine = set(self.customers[customer_id])
        return CustomerHistory(
            id=customer_id,
            contacts=tuple(self._contact(row) for row in self.contacts if row["id"] in mine),
            orders=tuple(self._order(row) for row in self._orders(mine)),
            transfers=tuple(_transfer(row) for row in self._transfers(mine)),
            is_invoiced=any(id_of(row["partner_id"]) in mine for row in self.invoices),
            created=min(moment(row["create_date"]) for row in self.contacts if row["id"] in mine),
        )

    def _contact(self, row: Mapping[str, Any]) -> Contact:
        return Contact(row["id"], row["id"] in self.made_here, bool(row["user_ids"]))

    def _order(self, row: Mapping[str, Any]) -> CustomerOrder:
        return CustomerOrder(
            id=row["id"],
            name=row["name"],
            order_id=self.amazons.get(row["id"], ""),
            ordered=moment(row["date_order"]),
            is_quotation=row["state"] in sales.QUOTATION,
            is_cancelled=row["state"] == "cancel",
            is_delivered=self._is_delivered(row["id"]),
        )

    def _is_delivered(self, order_id: int) -> bool:
        done = (row["id"] for row in self.transfers if row["state"] == "done")
        return any(order_id in self.sold[id_] for id_ in done)

    def _orders(self, contact_ids: Collection[int]) -> list[Mapping[str, Any]]:
        return [
            row
            for row in self.orders
            if any(id_of(row[party]) in contact_ids for party in _PARTIES)
        ]

    def _transfers(self, contact_ids: Collection[int]) -> list[Mapping[str, Any]]:
        orders = {row["id"] for row in self._orders(contact_ids)}
        return [
            row
            for row in self.transfers
            if id_of(row["partner_id"]) in contact_ids
            or not orders.isdisjoint(self.sold[row["id"]])
        ]


def _transfer(row: Mapping[str, Any]) -> Transfer:
    done = moment(row["date_done"]) if row["date_done"] else None
    return Transfer(row["name"], row["state"] not in sales.CLOSED, done)


def _families(contacts: _Rows, customers: Collection[int]) -> dict[int, list[int]]:
    """The contacts by the customer at their top."""
    parents = {row["id"]: id_of(row["parent_id"]) for row in contacts}
    families: dict[int, list[int]] = {id_: [] for id_ in customers if not parents.get(id_)}
    for contact in sorted(parents):
        top = contact
        while parents.get(top):
            top = parents[top]
        if top in families:
            families[top].append(contact)
    return families


# Anonymise


def anonymise(session: OdooSession, customers: Sequence[CustomerHistory]) -> None:
    """Erase personal data of these customers, their gift messages and purchase order numbers.

    Names go last, because anonymous customers are recognised by it.
    """
    if not customers:
        return
    orders = sorted({order.id for customer in customers for order in customer.orders})
    sale_terms.erase_gift_messages(session, orders)
    sale_terms.erase_purchase_orders(session, orders)
    deliveries.erase_instructions(session, orders)
    contacts = sorted({each.id for customer in customers for each in customer.contacts})
    fields = [*_BUYERS_FIELDS, *session.fields_of("res.partner", _OF_MODULES)]
    rows = [
        [str(row["id"]), ANONYMOUS, NOTE.sub("", row["comment"] or ""), *("" for _ in fields)]
        for row in session.read("res.partner", contacts, ["comment"])
    ]
    columns = [".id", "name", "comment", *fields]
    session.load("res.partner", columns, rows, overwrite=True, context=UNTRACKED)


_BUYERS_FIELDS = ("email", "phone", "vat", "street", "street2", "zip", "city")
"""Fields of a contact with a buyer's data, in addition to name and notes."""

_OF_MODULES = (
    *("company_registry", "peppol_endpoint"),
    *("mobile", "street_name", "street_number", "street_number2", "district", "city_id"),
)
"""What Odoo's modules add to it: the first two are filled in from a VAT number."""
