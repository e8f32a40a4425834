"""Makes clients of a simulated seller. Nothing really sleeps."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.selling_partner import Page, SellingPartner
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.model import Listing, Order, Shipment, UnreadableOrder
from amazon_bridge.simulator import Order as SimulatedOrder
from amazon_bridge.simulator import Seller, Simulator

SELLER_ID = "A1EUROPE"


@dataclass(frozen=True)
class Login:
    client_id: SecretStr
    client_secret: SecretStr
    refresh_token: SecretStr


def login_of(seller: Seller, **changed: str) -> Login:
    values = {
        "client_id": seller.client_id,
        "client_secret": seller.client_secret,
        "refresh_token": seller.refresh_token,
    } | changed
    return Login(**{name: SecretStr(value) for name, value in values.items()})


@dataclass
class Sleeper:
    """A monotonic clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Desk:
    """Makes clients of the simulator's sellers, and closes them."""

    simulator: Simulator
    throttle_sleeper: Sleeper = field(default_factory=Sleeper)
    retry_sleeper: Sleeper = field(default_factory=Sleeper)
    open: list[SellingPartner] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.throttle = Throttle(
            operations.LIMITS,
            clock=self.throttle_sleeper.clock,
            sleep=self.throttle_sleeper.sleep,
        )

    def partner(
        self, seller_id: str = SELLER_ID, countries: str = "FR DE", **settings: Any
    ) -> SellingPartner:
        seller = self.simulator.world.sellers[seller_id]
        defaults = {
            "seller_id": seller_id,
            "marketplaces": [marketplace(country) for country in countries.split()],
            "credentials": login_of(seller),
            "endpoint": self.simulator.url,
            "token_url": self.simulator.token_url,
            "throttle": self.throttle,
            "timeout": 5.0,
            "sleep": self.retry_sleeper.sleep,
        }
        self.open.append(SellingPartner(**{**defaults, **settings}))
        return self.open[-1]

    def window(self) -> tuple[datetime, datetime]:
        now = self.simulator.world.clock()
        return now - timedelta(days=30), now - timedelta(minutes=2)

    def pages(self, partner: SellingPartner) -> Iterator[Page]:
        """All pages of the window."""
        token: str | None = None
        while True:
            yield (page := partner.changed_orders(*self.window(), token))
            token = page.next_token
            if token is None:
                return

    def changed(self, partner: SellingPartner) -> list[Order | UnreadableOrder]:
        return [order for page in self.pages(partner) for order in page.orders]


def shipment(order: SimulatedOrder, **changed: object) -> Shipment:
    fields = {
        "order_id": order.order_id,
        "marketplace_id": order.market.marketplace_id,
        "package_reference_id": "17",
        "carrier_code": "DHL",
        "carrier_name": None,
        "shipping_method": None,
        "tracking_number": "JD0123456789",
        "ship_date": order.created,
        "quantities": tuple((item.order_item_id, item.quantity) for item in order.items),
    }
    return Shipment(**{**fields, **changed})


def is_merchants(listing: Listing) -> bool:
    """True if Amazon says that the merchant ships it, and that Amazon doesn't."""
    return listing.sold_by_merchant and not listing.sold_by_amazon
