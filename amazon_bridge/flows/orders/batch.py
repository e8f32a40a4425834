"""Orders that are processed together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders.decide import Step
from amazon_bridge.model import Order
from amazon_bridge.odoo.sales import Draft, SaleOrder


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a phase, by Amazon order id."""

    errors: Mapping[str, ItemError] = field(default_factory=dict)
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    sale_orders: Mapping[str, SaleOrder] = field(default_factory=dict)
    """Sale orders that the phase has created or changed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders as Amazon shows them now, with what is known of each. Each by Amazon order id."""

    orders: Sequence[Order]
    steps: Mapping[str, Step]
    sale_orders: Mapping[str, SaleOrder]
    """As they are in Odoo after the last phase."""
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    """Of the sale orders that are not confirmed yet."""
    errors: Mapping[str, ItemError] = field(default_factory=dict)

    def orders_with(self, *steps: Step) -> list[Order]:
        return [order for order in self.orders if self.steps[order.order_id] in steps]

    def sale_orders_with(self, *steps: Step) -> list[tuple[Order, SaleOrder]]:
        """Pairs of the orders that have a sale order and their sale order."""
        orders = self.orders_with(*steps)
        known = self.sale_orders
        return [(each, known[each.order_id]) for each in orders if each.order_id in known]

    @property
    def imported(self) -> list[tuple[Order, SaleOrder]]:
        """Orders that are imported, with their sale orders; not those that are to be cancelled."""
        return self.sale_orders_with(Step.IMPORT, Step.COMPLETE, Step.NOTHING)

    @property
    def created(self) -> Collection[str]:
        """Ids of the orders whose sale orders were created in this batch."""
        return {order.order_id for order, _ in self.sale_orders_with(Step.IMPORT)}

    def after(self, result: Result) -> Batch:
        """The batch with the result of one more phase."""
        return replace(
            self,
            sale_orders={**self.sale_orders, **result.sale_orders},
            drafts={**self.drafts, **result.drafts},
            errors={**self.errors, **result.errors},
        )


def errors_of_one(errors: Mapping[str, ItemError], tried: int) -> Mapping[str, ItemError]:
    """Return the errors of orders that Odoo left as they are, if just one order was tried.

    Raises:
        ItemError: several were tried. One of them may be the cause that Odoo left the others, so
            they are to be tried in smaller batches.
    """
    if errors and tried > 1:
        raise next(iter(errors.values()))
    return errors
