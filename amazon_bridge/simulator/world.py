"""The state of the simulated Amazon: sellers, listings, orders with their history, mails."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, pairwise
from typing import Any

from amazon_bridge.simulator import people
from amazon_bridge.simulator.clock import Clock, system_clock
from amazon_bridge.simulator.inventory import Inventory
from amazon_bridge.simulator.lines import Line, make_item
from amazon_bridge.simulator.markets import MARKETS, Market
from amazon_bridge.simulator.orders import (
    Address,
    Buyer,
    Item,
    Order,
    Package,
    shipping_status,
)
from amazon_bridge.simulator.settings import Settings

COUNTRIES = tuple(MARKETS)
Follower = Callable[[Order | None, Order], None]
"""Called with the revision before, and the new one."""


@dataclass(frozen=True, slots=True)
class Seller:
    """A selling partner, with its credentials."""

    seller_id: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    markets: tuple[Market, ...]

    @property
    def countries(self) -> tuple[str, ...]:
        return tuple(market.country for market in self.markets)

    def sells_in(self, marketplace_id: str) -> bool:
        return any(market.marketplace_id == marketplace_id for market in self.markets)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to the buyer."""

    time: datetime
    order_id: str
    kind: str
    """``shipped`` or ``cancelled``."""
    package_reference: str | None = None


@dataclass(frozen=True, slots=True)
class _Revision:
    order: Order
    readable: datetime
    searchable: datetime


class World:
    """Sellers, listings and orders. Every change to an order sets its ``last_updated`` to now."""

    def __init__(self, clock: Clock = system_clock, *, seed: int = 0) -> None:
        self.clock, self.seed = clock, seed
        self.settings = Settings()
        self.listings = Inventory(clock, self.settings, seed=seed)
        self.lock = threading.RLock()
        self.sellers: dict[str, Seller] = {}
        self.mails: list[Mail] = []
        self.issued_secrets: set[str] = set()
        self._chance = random.Random(seed)  # noqa: S311 - made-up data, the same for each seed
        self._histories: dict[str, list[_Revision]] = {}
        self._followers: list[Follower] = []

    # -- sellers ---------------------------------------------------------------------------

    def add_seller(
        self, seller_id: str = "A1SIMULATED", countries: Iterable[str] = COUNTRIES
    ) -> Seller:
        """Register a seller; its credentials follow from its id and are always the same."""
        digest = hashlib.sha256(seller_id.encode()).hexdigest()
        seller = Seller(
            seller_id,
            client_id=f"amzn1.application-oa2-client.{digest[:32]}",
            client_secret=f"amzn1.oa2-cs.v1.{digest[32:]}",
            refresh_token=f"Atzr|{digest[::-1]}",
            markets=tuple(MARKETS[country] for country in countries),
        )
        self.sellers[seller_id] = seller
        return seller

    # -- reading --------------------------------------------------------------------------

    @property
    def orders(self) -> list[Order]:
        """All orders in their latest revision."""
        with self.lock:
            return [history[-1].order for history in self._histories.values()]

    def order(self, order_id: str) -> Order:
        """The latest revision of an order.

        Raises:
            KeyError: There is none.
        """
        return self._histories[order_id][-1].order

    def readable(self, order_id: str, seller: Seller) -> Order | None:
        """The order as getOrder shows it to the seller."""
        now = self.clock()
        visible = [r.order for r in self._histories.get(order_id, ()) if r.readable <= now]
        return visible[-1] if visible and _is_shown(visible[-1], seller) else None

    def searchable(self, seller: Seller, *, changes_ago: int = 0) -> Iterator[Order]:
        """The seller's orders as searchOrders shows them, or as it did ``changes_ago``."""
        now = self.clock()
        for history in self._histories.values():
            visible = [r.order for r in history if r.searchable <= now]
            if visible and _is_shown(visible[-1], seller):
                yield visible[max(-1 - changes_ago, -len(visible))]

    def personal_data(self) -> frozenset[str]:
        """All buyers' data, which must not leak, from all revisions of all orders."""
        with self.lock:
            orders = [r.order for history in self._histories.values() for r in history]
        return frozenset(value for order in orders for value in _personal_values(order))

    def secrets(self) -> frozenset[str]:
        """All secrets: client secrets, refresh and access tokens, signatures of URLs."""
        own = {value for s in self.sellers.values() for value in (s.client_secret, s.refresh_token)}
        return frozenset(own | self.issued_secrets)

    def follow(self, follower: Follower) -> None:
        """Call back for every change of an order, those that were made already included."""
        with self.lock:
            for history in self._histories.values():
                orders = [None, *(revision.order for revision in history)]
                for before, order in pairwise(orders):
                    assert order, "only the first order has none before"
                    follower(before, order)
            self._followers.append(follower)

    # -- changing --------------------------------------------------------------------------

    def place_order(
        self,
        country: str = "FR",
        lines: Sequence[Line] = (Line(),),
        *,
        seller: Seller | None = None,
        fulfilled_by: str = "MERCHANT",
        status: str | None = None,
        buyer: Buyer | None = None,
        address: Address | None = None,
        business: bool = False,
        **fields: Any,
    ) -> Order:
        """A new order, by default unshipped (by the merchant) or shipped (by Amazon).

        ``fields`` are further fields of ``Order`` (``created``, ``channel``, ``programs``...).
        Without a seller the first one that sells in the country gets it.
        """
        with self.lock:
            market = MARKETS[country]
            buyer = buyer or people.make_buyer(market, self._chance, business=business)
            address = address or people.make_address(market, self._chance, buyer)
            given: dict[str, Any] = {
                "order_id": self._new_order_id(market),
                "created": self.clock(),
                "last_updated": self.clock(),
            } | fields
            order = Order(
                seller_id=(seller or self._seller_in(market)).seller_id,
                market=market,
                status=status or ("UNSHIPPED" if fulfilled_by == "MERCHANT" else "SHIPPED"),
                fulfilled_by=fulfilled_by,
                items=tuple(make_item(market, line, self._digits(14)) for line in lines),
                buyer=buyer,
                address=address,
                **given,
            )
            return self.store(_settle(order))

    def change(self, order_id: str, **fields: Any) -> Order:
        """Change fields of an order, as of now."""
        with self.lock:
            fields.setdefault("last_updated", self.clock())
            return self.store(replace(self.order(order_id), **fields))

    def change_item(self, order_id: str, order_item_id: str, **fields: Any) -> Order:
        """Change fields of one order item, as of now."""
        with self.lock:
            items = tuple(
                replace(item, **fields) if item.order_item_id == order_item_id else item
                for item in self.order(order_id).items
            )
            return self.change(order_id, items=items)

    def pay(self, order_id: str) -> Order:
        """Make a pending order unshipped."""
        return self.change(order_id, status="UNSHIPPED")

    def lapse(self, order_id: str, *, silently: bool = False) -> Order:
        """Let a pending order end because it was not paid; silently: it isn't shown any more."""
        with self.lock:
            items = tuple(
                replace(item, cancelled_by="AMAZON", cancel_reason="Not paid", quantity=0)
                for item in self.order(order_id).items
            )
            return self.change(order_id, status="CANCELLED", items=items, hidden=silently)

    def ship(self, order_id: str, package: Package | None = None) -> Order:
        """Ship an order: Amazon's as a whole; of a merchant's, the package is created or edited.

        The buyer gets a mail, once for each package.
        """
        with self.lock:
            order = self.order(order_id)
            package = package or self.make_package(order)
            known = any(p.reference == package.reference for p in order.packages)
            others = tuple(p for p in order.packages if p.reference != package.reference)
            if not known:
                self._mail(order_id, "shipped", package.reference)
            shipped = order.with_packages((*others, package))
            if order.fulfilled_by == "AMAZON":
                shipped = replace(shipped, packages=())
            delay = timedelta(seconds=self.settings.package_delay)
            return self.store(replace(shipped, last_updated=self.clock()), delay=delay)

    def cancel(
        self, order_id: str, *, by: str = "BUYER", reason: str = "Ordered by mistake"
    ) -> Order:
        """Cancel the whole order; ``by`` is BUYER, MERCHANT or AMAZON."""
        with self.lock:
            items = tuple(
                replace(item, cancelled_by=by, cancel_reason=reason, quantity=0)
                for item in self.order(order_id).items
            )
            self._mail(order_id, "cancelled", None)
            return self.change(order_id, status="CANCELLED", items=items)

    def cancel_units(
        self,
        order_id: str,
        order_item_id: str,
        units: int | None = None,
        *,
        by: str = "BUYER",
        reason: str = "Ordered by mistake",
        lowers_quantity: bool = True,
    ) -> Order:
        """Cancel units of one item (None: all that are open); the amounts go down with them.

        Amazon does not document whether quantityOrdered goes down as well: play both.
        """
        with self.lock:
            order = self.order(order_id)
            items = tuple(
                replace(
                    item.without(
                        item.unfulfilled if units is None else units,
                        lowers_quantity=lowers_quantity,
                    ),
                    cancelled_by=by,
                    cancel_reason=reason,
                )
                if item.order_item_id == order_item_id
                else item
                for item in order.items
            )
            return self.change(order_id, items=items, status=_status_without_units(items))

    def request_cancellation(
        self,
        order_id: str,
        reason: str = "No longer needed",
        order_item_id: str | None = None,
    ) -> Order:
        """The buyer asks to cancel one item (None: all): the status stays, the time moves."""
        with self.lock:
            items = tuple(
                replace(item, cancellation_requested=reason)
                if order_item_id in (None, item.order_item_id)
                else item
                for item in self.order(order_id).items
            )
            return self.change(order_id, items=items)

    def store(self, order: Order, *, delay: timedelta = timedelta(0)) -> Order:
        """Store a revision; it becomes visible after the delay, never before an earlier one."""
        with self.lock:
            history = self._histories.setdefault(order.order_id, [])
            before = history[-1].order if history else None
            self.listings.follow(before, order)
            for follower in self._followers:
                follower(before, order)
            readable = self.clock() + delay
            searchable = readable + timedelta(seconds=self.settings.search_delay)
            if history:
                readable = max(readable, history[-1].readable)
                searchable = max(searchable, history[-1].searchable)
            history.append(_Revision(order, readable, searchable))
            return order

    # -- made-up details -------------------------------------------------------------------

    def _mail(self, order_id: str, kind: str, package_reference: str | None) -> None:
        self.mails.append(Mail(self.clock(), order_id, kind, package_reference))

    def _seller_in(self, market: Market) -> Seller:
        for seller in self.sellers.values():
            if seller.sells_in(market.marketplace_id):
                return seller
        return self.add_seller(f"A1SIMULATED{market.country}", [market.country])

    def _digits(self, count: int) -> str:
        return "".join(self._chance.choices("0123456789", k=count))

    def _new_order_id(self, market: Market) -> str:
        return f"{market.order_prefix}{self._digits(1)}-{self._digits(7)}-{self._digits(7)}"

    def make_package(self, order: Order, quantities: Mapping[str, int] | None = None) -> Package:
        """A package to ship, with the next free reference; by default with all that is left."""
        now = self.clock()
        taken = {package.reference for package in order.packages}
        left = {item.order_item_id: item.unfulfilled for item in order.items if item.unfulfilled}
        return Package(
            reference=next(n for n in map(str, count(1)) if n not in taken),
            created=now,
            carrier_code="DHL",
            carrier_name=None,
            shipping_method="Standard",
            tracking_number=f"JD{self._digits(18)}",
            shipped=now,
            quantities=tuple((left if quantities is None else quantities).items()),
        )


def _is_shown(order: Order, seller: Seller) -> bool:
    is_own = order.seller_id == seller.seller_id
    return is_own and seller.sells_in(order.market.marketplace_id) and not order.hidden


def _status_without_units(items: tuple[Item, ...]) -> str:
    """The status after units were cancelled."""
    if not any(item.fulfilled or item.unfulfilled for item in items):
        return "CANCELLED"
    return shipping_status(items)


def _settle(order: Order) -> Order:
    """Make the items of a new order agree with its status."""
    if order.status == "SHIPPED":
        items = tuple(replace(item, fulfilled=item.quantity) for item in order.items)
    elif order.status == "PARTIALLY_SHIPPED":
        first, *rest = order.items
        items = (replace(first, fulfilled=first.quantity), *rest)
    elif order.status == "CANCELLED":
        items = tuple(
            replace(item, cancelled_by="BUYER", cancel_reason="Ordered by mistake", quantity=0)
            for item in order.items
        )
    else:
        items = order.items
    return replace(order, items=items)


def _personal_values(order: Order) -> Iterator[str]:
    buyer, address = order.buyer, order.address
    yield from filter(None, (buyer.name, buyer.email, buyer.company, buyer.vat_number))
    yield from filter(None, (buyer.purchase_order_number, buyer.person_tax_number))
    yield from filter(None, (address.name, address.company, *address.lines, address.phone))
    yield from filter(None, (address.street_name, address.complement, address.neighborhood))
    yield from filter(None, (order.address_instruction,))
    yield from filter(None, (item.gift_message for item in order.items))
    yield from filter(None, (item.customization_url for item in order.items))
