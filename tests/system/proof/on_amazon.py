"""What may happen to orders on Amazon."""

from dataclasses import replace
from random import Random

from cast import History

from amazon_bridge.simulator import Order, people

SELLER_CENTRAL = 7_000_000_000
"""References of packages that people enter there begin here; those of the bridge are small."""


class OnAmazon(History):
    def amazon_go_on(self, order: Order) -> None:
        """It is paid, or Amazon ships it."""
        if order.status == "PENDING":
            self.world.pay(order.order_id)
        elif order.status == "UNSHIPPED" and order.fulfilled_by == "AMAZON":
            self.world.ship(order.order_id)

    def amazon_cancel(self, order: Order) -> None:
        if order.status in ("UNSHIPPED", "PENDING"):
            self.world.cancel(order.order_id)

    def amazon_request(self, order: Order) -> None:
        if order.status == "UNSHIPPED":
            self.world.request_cancellation(order.order_id)

    def amazon_touch(self, order: Order) -> None:
        self.world.change(order.order_id, seller_order_id=f"MINE-{self.clock():%H:%M:%S}")

    def amazon_repeat(self, _: Order) -> None:
        """From now on searches show orders twice and out of order, or don't any more."""
        self.habits.repeating_search = not self.habits.repeating_search

    def amazon_lag(self, _: Order) -> None:
        """From now on searches show orders as they were, or don't any more."""
        self.habits.lagging_search = not self.habits.lagging_search

    def amazon_cancel_unit(self, order: Order) -> None:
        open_ = [item for item in order.items if item.unfulfilled]
        if open_ and order.fulfilled_by == "MERCHANT" and order.status != "PENDING":
            lowers = order.market.country == "FR"
            item = open_[0].order_item_id
            self.world.cancel_units(order.order_id, item, 1, lowers_quantity=lowers)
            self.loose.add(order.order_id)

    def amazon_ship_elsewhere(self, order: Order) -> None:
        """In Seller Central, all that is open."""
        if order.fulfilled_by == "MERCHANT" and order.status in ("UNSHIPPED", "PARTIALLY_SHIPPED"):
            reference = str(SELLER_CENTRAL + len(self.elsewhere))
            package = replace(self.world.make_package(order), reference=reference)
            self.world.ship(order.order_id, package)
            self.elsewhere.add(reference)
            self.loose.add(order.order_id)

    def amazon_readdress(self, order: Order) -> None:
        """The address comes, or is another one."""
        if order.fulfilled_by == "MERCHANT":
            chance = Random(self.clock().timestamp())
            address = people.make_address(order.market, chance, order.buyer)
            self.world.change(order.order_id, address=address)
