"""The Odoo product of an order item: by product map, internal reference or barcode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amazon_bridge.config.product_map import GIFT_WRAP, ITEM, NO_MAP, SHIPPING
from amazon_bridge.flows.context import Context
from amazon_bridge.model import Item, Order
from amazon_bridge.odoo.products import find_products


def mapped_pieces(context: Context, order: Order) -> dict[str, int]:
    """Return pieces in Odoo per unit, by order item id, from the current product map."""
    known = context.account.product_map or NO_MAP
    return {
        item.order_item_id: known.units(order.marketplace_id, item.sku) if item.sku else 1
        for item in order.items
    }


class Catalogue:
    """The products of some orders, read at once."""

    def __init__(self, context: Context, orders: Sequence[Order]) -> None:
        self._map = context.account.product_map or NO_MAP
        self._match_barcode = context.account.match_barcode
        references = {r for order in orders for r in self._item_references(order)}
        services = {r for order in orders for r in self._service_references(order)}
        barcodes = {b for order in orders for i in order.items for b in self._barcodes(i)}
        company_id = context.setup.company_id
        self._products = find_products(
            context.odoo, references, barcodes, company_id, optional=services
        )

    def item(self, order: Order, item: Item) -> int | None:
        """Return the product id of an item; None if there is none that can be sold."""
        found = self._by_reference(order, ITEM, item.sku)
        by_barcode = self._products.by_barcode
        found_by_barcode = (by_barcode[b] for b in self._barcodes(item) if b in by_barcode)
        return found or next(found_by_barcode, None)

    def is_moved(self, product_id: int) -> bool:
        """True if Odoo creates a delivery for the product: it is neither a service nor a combo."""
        return product_id not in self._products.not_moved

    def shipping(self, order: Order) -> int | None:
        """Return the product id of an order's shipping service, if there is one."""
        return self._by_reference(order, SHIPPING, order.service_level)

    def gift_wrap(self, order: Order, item: Item) -> int | None:
        """Return the product id of an item's gift wrap, if there is one."""
        return self._by_reference(order, GIFT_WRAP, item.gift_wrap_level)

    def why_not(self, order: Order, item: Item) -> str:
        """Return why no product matches an item."""
        mapped = self._mapped(order, ITEM, item.sku)
        names = [name for name in (mapped, item.sku, *self._barcodes(item)) if name]
        for name in names:
            if obstacle := self._products.obstacles.get(name):
                return f"The product {name!r} {obstacle}."
        if mapped:
            return (
                f"The product map maps {item.sku!r} to {mapped!r}, but no product has the internal"
                f" reference {mapped!r}."
            )
        return f"No product that can be sold has the internal reference {item.sku!r}."

    def _item_references(self, order: Order) -> Iterator[str]:
        for item in order.items:
            yield from filter(None, (item.sku, self._mapped(order, ITEM, item.sku)))

    def _service_references(self, order: Order) -> Iterator[str]:
        services = [(SHIPPING, order.service_level)]
        services += [(GIFT_WRAP, item.gift_wrap_level) for item in order.items]
        for kind, code in services:
            yield from filter(None, (code, self._mapped(order, kind, code)))

    def _mapped(self, order: Order, kind: str, code: str | None) -> str | None:
        return self._map.reference(kind, order.marketplace_id, code) if code else None

    def _by_reference(self, order: Order, kind: str, code: str | None) -> int | None:
        """Look up the product by the map's reference, or by the code if the map has none."""
        return self._products.by_reference.get(self._mapped(order, kind, code) or code or "")

    def _barcodes(self, item: Item) -> list[str]:
        return [code for code in (item.sku, item.asin) if code] if self._match_barcode else []
