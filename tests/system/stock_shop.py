"""A seller whose quantities are sent to Amazon: listings there, goods in Odoo."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memory_shop import MemoryShop

from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.simulator import Received
from amazon_bridge.simulator.inventory import Listing

DE, FR = "DE", "FR"
NOW = {"push": True, "raise_after": "1s"}
"""Settings that send quantities with little delay."""
_COUNTED = {"notified", "quarantined"}


@dataclass
class StockShop:
    here: MemoryShop
    countries: tuple[str, ...] = (FR, DE)

    # Amazon

    def offer(
        self, sku: str, quantity: int | None = None, *countries: str, **fields: Any
    ) -> Sequence[Listing]:
        """List a SKU that the merchant ships, unless ``channels`` says otherwise."""
        given = {"channels": {"DEFAULT": quantity or 0}, **fields}
        listings = self.here.world.listings
        places = countries or self.countries
        return [listings.add(self.here.seller.seller_id, sku, each, **given) for each in places]

    def amazons(self, sku: str) -> dict[str, int | None]:
        """Amazon's quantities by country."""
        self.here.world.listings.settle()
        seller = self.here.seller.seller_id
        found = self.here.world.listings
        return {
            each.market.country: each.quantity
            for each in found
            if (each.seller_id, each.sku) == (seller, sku)
        }

    def listing(self, sku: str, country: str = FR) -> Listing:
        return self.here.world.listings.get(self.here.seller.seller_id, sku, country)

    def patches(self) -> Sequence[Received]:
        """Updates of single listings that Amazon was sent."""
        return self.here.bridge.received("patchListingsItem")

    def calls(self) -> int:
        """The number of calls to Amazon so far."""
        return sum(len(self.here.bridge.received(name)) for name in LIMITS)

    # Odoo

    def product(self, sku: str, on_hand: float, **fields: Any) -> int:
        """A product of this internal reference, created if missing, with so many on hand."""
        found = self.here.shop.search("product.product", [("default_code", "=", sku)], [])
        if found:
            id_ = int(found[0]["id"])
        else:
            values = {"name": sku, "default_code": sku, "is_storable": True, **fields}
            id_ = int(self.here.shop.rpc("product.product", "create", values))
        self.have(id_, on_hand)
        return id_

    def have(self, product: int, on_hand: float, location: int | None = None) -> None:
        """Count so many pieces of a product."""
        place = location or self.here.shop.database.reference("stock.stock_location_stock")
        rpc = self.here.shop.rpc
        domain = [("product_id", "=", product), ("location_id", "=", place)]
        found = rpc("stock.quant", "search", domain)
        if found:
            rpc("stock.quant", "write", found, {"inventory_quantity": on_hand})
        else:
            values = {"product_id": product, "location_id": place}
            found = [rpc("stock.quant", "create", {**values, "inventory_quantity": on_hand})]
        rpc("stock.quant", "action_apply_inventory", found)

    def kit(self, sku: str, parts: Mapping[int, float]) -> int:
        """A product that is shipped as its components."""
        rpc = self.here.shop.rpc
        values = {"name": sku, "default_code": sku, "is_storable": False}
        id_ = int(rpc("product.product", "create", values))
        (row,) = rpc("product.product", "read", [id_], ["product_tmpl_id"])
        lines = [(0, 0, {"product_id": part, "product_qty": n}) for part, n in parts.items()]
        kit = {"product_tmpl_id": row["product_tmpl_id"][0], "type": "phantom"}
        rpc("mrp.bom", "create", {**kit, "bom_line_ids": lines})
        return id_

    # The bridge

    def state(self, sku: str) -> SkuState | None:
        """A SKU's state after it was compared last."""
        return self.here.bridge.app.ledger.stock.known("acme", [sku])[sku].state

    def pass_time(self, **duration: float) -> None:
        self.here.clock.advance(**duration)

    def sync(self, **more: Any) -> dict[str, Any]:
        """Run the job until it isn't resumed any more; returns the sum of the counts.

        Each SKU that is quarantined must be in the log.
        """
        total = Counter[str]()
        while True:
            counts = self.here.bridge.sync("stock", **more)
            assert "error" not in counts, counts
            logged = self.here.bridge.logged("stock_quarantined")
            assert len(logged) == (0 if more.get("dry_run") else counts.get("quarantined", 0))
            resume_in = counts.pop("resume_in", None)
            total.update(counts)
            if resume_in is None:
                return {name: number for name, number in total.items() if name in _COUNTED}
            self.here.clock.advance(seconds=resume_in)

    def settle(self) -> None:
        """Run until nothing is left to be sent or read back."""
        for _ in range(3):
            self.sync()
            self.here.clock.advance(minutes=16)
        self.sync()
