"""Customers of whom nothing is open any more: found, and made anonymous.

Only customers that the bridge made, with their contacts. Country and state stay, for the taxes and
the statistics. So does the Amazon order id, under which Seller Central shows the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from amazon_bridge.odoo import deliveries, sales
from amazon_bridge.odoo.partners import ANONYMOUS, BUYERS_FIELDS, UNTRACKED, VAT_NOTE
from amazon_bridge.odoo.session import OdooSession

_PAGE = 100
"""Sale orders whose customers are looked at together."""

_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class PastCustomer:
    """A customer whose last goods left long enough ago."""

    id: int
    contact_ids: tuple[int, ...]
    """The customer's own, and those of its contacts."""
    sale_order_ids: tuple[int, ...]
    order_ids: tuple[str, ...]
    """Amazon's, of these sale orders."""
    needed: str = ""
    """What its data is needed for still; empty when for nothing."""


def past_customers(session: OdooSession, before: datetime) -> Iterator[list[PastCustomer]]:
    """Customers of Amazon's orders whose last goods left, or came back, before a moment.

    Those that are anonymous already are left out. They come by the page, and nothing is known
    of a page before it is asked for. A customer may stand on several.

    Args:
        session: a login to all companies that the bridge works for.
        before: the moment. A cancelled order counts by its order date.
    """
    domain = [
        ("origin", "=like", f"{sales.ORIGIN}%"),
        ("date_order", "<", before.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")),
        ("partner_id.name", "!=", ANONYMOUS),
    ]
    last = 0
    while rows := session.search_read(
        "sale.order", [*domain, ("id", ">", last)], ["partner_id"], order="id", limit=_PAGE
    ):
        last = rows[-1]["id"]
        yield judge(session, {row["partner_id"][0] for row in rows}, before)


def judge(
    session: OdooSession, partner_ids: Collection[int], before: datetime
) -> list[PastCustomer]:
    """Those of the partners that the bridge made and whose last goods moved before a moment."""
    papers = _Papers.read(session, partner_ids)
    found = [papers.of(id_) for id_ in papers.customers]
    return [each for each in found if each.sale_order_ids and papers.last_moved(each.id) < before]


_PARTIES = ["partner_id", "partner_invoice_id", "partner_shipping_id"]


@dataclass(frozen=True, slots=True)
class _Papers:
    """The contacts of some customers, and all documents that name one of them."""

    customers: Mapping[int, Sequence[int]]
    """The contacts of each, its own included."""
    contacts: _Rows
    orders: _Rows
    transfers: _Rows
    invoices: _Rows
    made_here: Mapping[int, str]
    """External ids of the contacts that the bridge made."""
    amazons: Mapping[int, str]
    """Amazon order ids of the sale orders that the bridge made."""

    @classmethod
    def read(cls, session: OdooSession, partner_ids: Collection[int]) -> _Papers:
        ours = sorted(session.external_ids("res.partner", sorted(partner_ids)))
        contacts = session.search_read(
            "res.partner",
            [("id", "child_of", ours)],
            ["parent_id", "user_ids"],
            context={"active_test": False},
        )
        ids = sorted(row["id"] for row in contacts)
        of_them = ["|", "|", *((field, "in", ids) for field in _PARTIES)]
        orders = session.search_read(
            "sale.order", of_them, ["name", "state", "date_order", *_PARTIES]
        )
        order_ids = sorted(row["id"] for row in orders)
        moved = ["|", ("partner_id", "in", ids), ("sale_id", "in", order_ids)]
        names = session.external_ids("sale.order", order_ids)
        return cls(
            customers=_families(contacts, ours),
            contacts=contacts,
            orders=orders,
            transfers=session.search_read(
                "stock.picking", moved, ["name", "state", "date_done", "partner_id", "sale_id"]
            ),
            invoices=session.search_read(
                "account.move",
                [("partner_id", "in", ids), ("state", "!=", "cancel")],
                ["partner_id"],
            ),
            made_here=session.external_ids("res.partner", ids),
            amazons={id_: sales.external_order_id(name) for id_, name in names.items()},
        )

    def of(self, customer_id: int) -> PastCustomer:
        orders = self._orders(customer_id)
        return PastCustomer(
            id=customer_id,
            contact_ids=tuple(self.customers[customer_id]),
            sale_order_ids=tuple(row["id"] for row in orders),
            order_ids=tuple(self.amazons[row["id"]] for row in orders if row["id"] in self.amazons),
            needed=next(self._needs(customer_id), ""),
        )

    def last_moved(self, customer_id: int) -> datetime:
        """When the last goods left or came back; of an order without any, when it was made."""
        ordered = [row["date_order"] for row in self._orders(customer_id)]
        moved = [row["date_done"] for row in self._transfers(customer_id) if row["date_done"]]
        return datetime.fromisoformat(max(ordered + moved)).replace(tzinfo=UTC)

    def _needs(self, customer_id: int) -> Iterator[str]:
        """What needs the customer's data still, in words that tell none of it."""
        mine = set(self.customers[customer_id])
        for contact in self.contacts:
            if contact["id"] in mine and contact["id"] not in self.made_here:
                yield f"somebody added the contact {contact['id']}"
            if contact["id"] in mine and contact["user_ids"]:
                yield f"the contact {contact['id']} has a login"
        if any(_id(row["partner_id"]) in mine for row in self.invoices):
            yield "there is an invoice"
        for order in self._orders(customer_id):
            yield from self._needs_of(order)
        for transfer in self._transfers(customer_id):
            if transfer["state"] not in {"done", "cancel"}:
                yield f"the transfer {transfer['name']} is open"

    def _needs_of(self, order: Mapping[str, Any]) -> Iterator[str]:
        if order["id"] not in self.amazons:
            yield f"the sale order {order['name']} isn't Amazon's"
        elif order["state"] in {"draft", "sent"}:
            yield f"the quotation {order['name']} is open"
        elif order["state"] != "cancel" and not self._is_delivered(order["id"]):
            yield f"the sale order {order['name']} isn't delivered"

    def _is_delivered(self, order_id: int) -> bool:
        return any(_id(t["sale_id"]) == order_id and t["state"] == "done" for t in self.transfers)

    def _orders(self, customer_id: int) -> list[Mapping[str, Any]]:
        mine = set(self.customers[customer_id])
        return [row for row in self.orders if mine & {_id(row[party]) for party in _PARTIES}]

    def _transfers(self, customer_id: int) -> list[Mapping[str, Any]]:
        mine = set(self.customers[customer_id])
        orders = {row["id"] for row in self._orders(customer_id)}
        return [
            row
            for row in self.transfers
            if _id(row["partner_id"]) in mine or _id(row["sale_id"]) in orders
        ]


def _id(value: Any) -> int:
    """The database id in what Odoo answers for a many2one field; 0 for none."""
    return value[0] if value else 0


def _families(contacts: _Rows, customers: Collection[int]) -> dict[int, list[int]]:
    """The contacts by the customer at their top."""
    parents = {row["id"]: _id(row["parent_id"]) for row in contacts}
    families: dict[int, list[int]] = {id_: [] for id_ in customers if not parents.get(id_)}
    for contact in sorted(parents):
        top = contact
        while parents.get(top):
            top = parents[top]
        if top in families:
            families[top].append(contact)
    return families


# Anonymise


def anonymise(session: OdooSession, customers: Sequence[PastCustomer]) -> None:
    """Take away what tells who these customers are, their gift messages and purchase orders.

    Last of all their names, by which ``past_customers`` knows who is still to be made anonymous.
    """
    orders = sorted({id_ for customer in customers for id_ in customer.sale_order_ids})
    sales.forget_gift_messages(session, orders)
    sales.forget_purchase_orders(session, orders)
    deliveries.forget_gift_messages(session, orders)
    contacts = sorted({id_ for customer in customers for id_ in customer.contact_ids})
    fields = [*BUYERS_FIELDS, *session.fields_of("res.partner", _DERIVED)]
    rows = [
        [str(row["id"]), ANONYMOUS, VAT_NOTE.sub("", row["comment"] or ""), *("" for _ in fields)]
        for row in session.read("res.partner", contacts, ["comment"])
    ]
    columns = [".id", "name", "comment", *fields]
    session.load("res.partner", columns, rows, overwrite=True, context=UNTRACKED)


_DERIVED = ("company_registry", "peppol_endpoint")
"""What Odoo's modules fill in by themselves from a VAT number."""
