"""Links to records in Odoo and to orders in Seller Central."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from amazon_bridge.config import Config
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.cancellations import CANCELLATIONS
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.flows.shipments import SHIPMENTS
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.model import WITHOUT_ID
from amazon_bridge.odoo.delivery_orders import id_of
from amazon_bridge.odoo.notes import DELIVERY_ORDER, SALE_ORDER

_OF_ORDERS = {ORDERS.name, *ORDERS.also_stores, SHIPMENTS.name, CANCELLATIONS.name}
"""The jobs whose items are orders, or belong to one."""


ODOO, SELLER_CENTRAL = "Odoo", "Seller Central"


@dataclass(frozen=True, slots=True)
class Link:
    """A link and what it leads to."""

    title: str
    url: str


def as_json(links: Iterable[Link]) -> dict[str, str | None]:
    """The links of an item, as ``--json`` shows them; null where there is none."""
    urls = {link.title: link.url for link in links}
    return {"odoo_url": urls.get(ODOO), "amazon_url": urls.get(SELLER_CENTRAL)}


class Links:
    """The links of a configuration and its state store."""

    def __init__(self, config: Config, ledger: Ledger) -> None:
        self._ledger = ledger
        self._odoo = config.odoo.url.rstrip("/")
        self._hosts = {a.name: a.marketplaces[0].seller_central for a in config.accounts}

    def of(self, entry: Entry) -> list[Link]:
        """The links of an item: to its record in Odoo, and to its order in Seller Central."""
        found = [(ODOO, self.odoo(entry)), (SELLER_CENTRAL, self.seller_central(entry))]
        return [Link(title, url) for title, url in found if url]

    def of_item(self, account: str, job: str, display_key: str) -> list[Link]:
        """The links of the item that people see under this key."""
        entry = self._ledger.items.get(account, job, display_key.rpartition("@")[2])
        return self.of(entry) if entry else []

    def odoo(self, entry: Entry) -> str | None:
        """The link to the delivery order or sale order of an item; None if there is none."""
        if entry.job == SHIPMENTS.name and "#" in entry.key:
            return self.delivery_order(id_of(entry.key))
        order = self._order(entry)
        return self.sale_order(order.record) if order and order.record else None

    def seller_central(self, entry: Entry) -> str | None:
        """The link to the order of an item; None if it belongs to none."""
        order_id = entry.key.partition("#")[0]
        if entry.job not in _OF_ORDERS or order_id.startswith(WITHOUT_ID):
            return None
        order = self._order(entry)
        return self.amazon(entry.account, order_id, order.marketplace if order else None)

    def _order(self, entry: Entry) -> Entry | None:
        """The order that an item is or belongs to."""
        if entry.job not in _OF_ORDERS or entry.job == ORDERS.name:
            return entry
        order_id = entry.key.partition("#")[0]
        return self._ledger.items.get(entry.account, ORDERS.name, order_id)

    def amazon(self, account: str, order_id: str, marketplace_id: str | None) -> str | None:
        """The link to an order.

        Without a known marketplace, in the Seller Central of the account's first one; None for an
        account that is not configured any more.
        """
        known = marketplace(marketplace_id or "")
        host = known.seller_central if known else self._hosts.get(account)
        return f"https://{host}/orders-v3/order/{quote(order_id, safe='')}" if host else None

    def sale_order(self, id_: int) -> str:
        return self._record(SALE_ORDER, id_)

    def delivery_order(self, id_: int) -> str:
        return self._record(DELIVERY_ORDER, id_)

    def _record(self, model: str, id_: int) -> str:
        """Odoo 18 and newer forward this address to theirs (``/odoo/…``)."""
        return f"{self._odoo}/web#id={id_}&model={model}&view_type=form"
