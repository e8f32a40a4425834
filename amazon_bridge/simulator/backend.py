"""The state of the simulated Amazon and its operations, without the web server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Request, Response

from amazon_bridge.simulator import roles
from amazon_bridge.simulator.documents import Documents
from amazon_bridge.simulator.faults import Faults
from amazon_bridge.simulator.feeds import Feeds
from amazon_bridge.simulator.limits import Limits
from amazon_bridge.simulator.listings import Listings
from amazon_bridge.simulator.money import Finances, Money
from amazon_bridge.simulator.personal import without_delivery_data
from amazon_bridge.simulator.reports import Reports
from amazon_bridge.simulator.responses import as_json, denied, read_object
from amazon_bridge.simulator.search import Search
from amazon_bridge.simulator.sellers import participations
from amazon_bridge.simulator.shipments import confirm_shipment
from amazon_bridge.simulator.tokens import Tokens
from amazon_bridge.simulator.world import Seller, World

Operation = Callable[[Seller, Request, str], Response]


@dataclass(slots=True)
class Received:
    """A request that came in."""

    time: datetime
    operation: str
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str | None
    query_string: str = ""
    """The raw query, including names that occur twice."""
    seller_id: str | None = None
    status: int | None = None
    """The status returned; None when the connection was broken off."""


class Backend:
    """Everything that the server and the control addresses work on.

    ``requests`` keeps every request that came in. ``missing_roles`` has those of the application's
    roles (``roles.APPLICATION``) that it lacks.
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.settings = self.world.settings
        self.tokens = Tokens(self.world)
        self.search = Search(self.world)
        self.documents = Documents(self.world)
        self.limits = Limits(self.settings)
        self.feeds = Feeds(self.world, self.documents, self.limits, self.check_type)
        self.reports = Reports(self.world, self.documents, self.check_type)
        self.listings = Listings(self.world)
        self.money = Money(self.world, self.reports)
        self.finances = Finances(self.world, self.money)
        self.missing_roles: set[str] = set()
        self.faults = Faults()
        self.requests: list[Received] = []
        self.operations = self._bind_operations()

    def settle(self) -> None:
        """Process what is due by the clock: feeds, updates, deferred money."""
        with self.world.lock:
            self.feeds.process()
            self.world.listings.settle()
            self.money.settle()

    def received(self, operation: str) -> list[Received]:
        """The requests of one operation."""
        return [request for request in self.requests if request.operation == operation]

    def check_roles(self, operation: str) -> None:
        """Check that the application has one of the roles that an operation needs.

        Raises:
            Refusal: 403.
        """
        if not roles.are_enough(roles.OPERATIONS[operation], self.missing_roles):
            raise denied()

    def check_type(self, needed: Iterable[str]) -> None:
        """Check that the application has one of the roles that a type of feeds or reports needs.

        Raises:
            Refusal: 403.
        """
        if not roles.are_enough(needed, self.missing_roles):
            raise denied()

    def _bind_operations(self) -> dict[str, Operation]:
        search, feeds, reports, listings = self.search, self.feeds, self.reports, self.listings
        return {
            "searchOrders": lambda seller, request, _: self._as_permitted(
                search.search_orders(seller, request.args)
            ),
            "getOrder": lambda seller, request, key: self._as_permitted(
                search.get_order(seller, key, request.args)
            ),
            "confirmShipment": self._confirm_shipment,
            "createFeedDocument": lambda seller, request, _: feeds.create_document(
                seller, _body(request), request.root_url
            ),
            "getFeedDocument": lambda seller, request, key: feeds.get_document(
                seller, key, request.root_url
            ),
            "createFeed": lambda seller, request, _: feeds.create_feed(seller, _body(request)),
            "getFeeds": lambda seller, request, _: feeds.search(seller, request.args),
            "getFeed": lambda seller, _, key: feeds.get(seller, key),
            "cancelFeed": lambda seller, _, key: feeds.cancel(seller, key),
            "createReport": lambda seller, request, _: reports.create_report(
                seller, _body(request)
            ),
            "getReports": lambda seller, request, _: reports.search(seller, request.args),
            "getReport": lambda seller, _, key: reports.get(seller, key),
            "cancelReport": lambda seller, _, key: reports.cancel(seller, key),
            "getReportDocument": lambda seller, request, key: reports.get_document(
                seller, key, request.root_url
            ),
            "getListingsItem": lambda seller, request, key: listings.get(seller, key, request.args),
            "searchListingsItems": lambda seller, request, key: listings.search(
                seller, key, request.args
            ),
            "patchListingsItem": lambda seller, request, key: listings.patch(
                seller, key, request.args, _body(request)
            ),
            **self._bind_finances(),
            "getMarketplaceParticipations": lambda seller, *_: as_json(participations(seller)),
        }

    def _bind_finances(self) -> dict[str, Operation]:
        finances = self.finances
        return {
            "listTransactions": lambda seller, request, _: finances.list_transactions(
                seller, request.args
            ),
            "listBalances": lambda seller, request, _: finances.list_balances(seller, request.args),
            "listSummary": lambda seller, request, _: finances.list_summary(seller, request.args),
        }

    def _as_permitted(self, body: dict[str, Any]) -> Response:
        """Orders as the application's roles show them."""
        lacks_delivery = roles.DELIVERY in self.missing_roles
        return as_json(without_delivery_data(body) if lacks_delivery else body)

    def _confirm_shipment(self, seller: Seller, request: Request, key: str) -> Response:
        confirm_shipment(self.world, seller, key, _body(request))
        return Response(status=HTTPStatus.NO_CONTENT)


def _body(request: Request) -> dict[str, Any]:
    return read_object(request.get_data())
