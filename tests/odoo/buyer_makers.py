"""Orders of invented people, with nothing in them but who buys and where it goes."""

import itertools
from datetime import UTC, datetime
from typing import Any

from amazon_bridge.model import Address, Buyer, FulfilledBy, FulfillmentStatus, Order

NUMBERS = itertools.count(1)
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
HOME = Address(
    name="Ada Testwell",
    lines=("1 rue Haute", "Porte B"),
    postal_code="75002",
    city="Paris",
    country_code="FR",
)


def order(
    address: Address | None = HOME, *, by: FulfilledBy = FulfilledBy.MERCHANT, **buyer: Any
) -> Order:
    """An order; of a new buyer, unless an ``email`` is given."""
    number = next(NUMBERS)
    values = {"name": "Ada Testwell", "email": f"b{number}@marketplace.amazon.fr", **buyer}
    return Order(
        order_id=f"403-{number:07}-1234567",
        fingerprint="",
        created=NOW,
        last_updated=NOW,
        status=FulfillmentStatus.UNSHIPPED,
        fulfilled_by=by,
        marketplace_id=None,
        sold_on_amazon=True,
        currency="EUR",
        items=(),
        buyer=Buyer(**values),
        address=address,
    )
