"""The simulated Amazon as a web server."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from amazon_bridge.simulator import control, responses
from amazon_bridge.simulator.backend import Backend, Received
from amazon_bridge.simulator.faults import Fault, quota_exceeded
from amazon_bridge.simulator.responses import Refusal
from amazon_bridge.simulator.validation import check
from amazon_bridge.simulator.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_ORDERS = "/orders/2026-01-01/orders"
_FEEDS = "/feeds/2021-06-30"
_LISTINGS = "/listings/2021-08-01/items"
_REPORTS = "/reports/2021-06-30"
_FINANCES = "/finances/2024-06-19"
ROUTES = Map(
    [
        Rule("/auth/o2/token", endpoint="token", methods=["POST"]),
        Rule(_ORDERS, endpoint="searchOrders", methods=["GET"]),
        Rule(f"{_ORDERS}/<key>", endpoint="getOrder", methods=["GET"]),
        Rule(
            "/orders/v0/orders/<key>/shipmentConfirmation",
            endpoint="confirmShipment",
            methods=["POST"],
        ),
        Rule(f"{_FEEDS}/documents", endpoint="createFeedDocument", methods=["POST"]),
        Rule(f"{_FEEDS}/documents/<key>", endpoint="getFeedDocument", methods=["GET"]),
        Rule(f"{_FEEDS}/feeds", endpoint="createFeed", methods=["POST"]),
        Rule(f"{_FEEDS}/feeds", endpoint="getFeeds", methods=["GET"]),
        Rule(f"{_FEEDS}/feeds/<key>", endpoint="getFeed", methods=["GET"]),
        Rule(f"{_FEEDS}/feeds/<key>", endpoint="cancelFeed", methods=["DELETE"]),
        Rule(f"{_REPORTS}/reports", endpoint="createReport", methods=["POST"]),
        Rule(f"{_REPORTS}/reports", endpoint="getReports", methods=["GET"]),
        Rule(f"{_REPORTS}/reports/<key>", endpoint="getReport", methods=["GET"]),
        Rule(f"{_REPORTS}/reports/<key>", endpoint="cancelReport", methods=["DELETE"]),
        Rule(f"{_REPORTS}/documents/<key>", endpoint="getReportDocument", methods=["GET"]),
        Rule(
            "/sellers/v1/marketplaceParticipations",
            endpoint="getMarketplaceParticipations",
            methods=["GET"],
        ),
        Rule(f"{_FINANCES}/transactions", endpoint="listTransactions", methods=["GET"]),
        Rule(f"{_FINANCES}/balances", endpoint="listBalances", methods=["GET"]),
        Rule(f"{_FINANCES}/summary", endpoint="listSummary", methods=["GET"]),
        Rule(f"{_LISTINGS}/<key>", endpoint="searchListingsItems", methods=["GET"]),
        Rule(f"{_LISTINGS}/<path:key>", endpoint="getListingsItem", methods=["GET"]),
        Rule(f"{_LISTINGS}/<path:key>", endpoint="patchListingsItem", methods=["PATCH"]),
        Rule("/storage/<key>", endpoint="upload", methods=["PUT"]),
        Rule("/storage/<key>", endpoint="download", methods=["GET"]),
        Rule("/simulator/<path:key>", endpoint="control"),
    ],
    merge_slashes=False,  # SKUs may have any
)
WITH_RATE = (200, 201, 202, 204, 400, 404)
"""Statuses of responses that state the rate limit, by Amazon's models."""
WITHOUT_TOKEN = ("token", "upload", "download")


class Simulator(Backend):
    """A small Amazon on a port of this machine. A context manager, or ``start`` and ``stop``.

    Port 0 takes a free one.
    """

    def __init__(
        self, world: World | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        super().__init__(world)
        self._server = make_server(host, port, self, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(target=self._serve, name="simulated-amazon", daemon=True)

    # -- running ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL of the Selling Partner API."""
        return f"http://{self._server.host}:{self._server.server_port}"

    @property
    def token_url(self) -> str:
        """The URL of Login with Amazon's token endpoint."""
        return f"{self.url}/auth/o2/token"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def serve_forever(self) -> None:
        """Serve in this thread until it is interrupted."""
        self._serve()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    # -- responding ------------------------------------------------------------------------

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        try:
            operation, parts = ROUTES.bind_to_environ(environ).match()
            _require_encoded_sku(operation, environ)
        except HTTPException as problem:
            status = problem.code or 500
            return responses.error(status, "NotFound", problem.name)(environ, start_response)
        if operation == "control":
            response = control.respond(self, request, parts["key"])
        else:
            response = self._respond(operation, request, parts.get("key", ""))
        return response(environ, start_response)

    def _respond(self, operation: str, request: Request, key: str) -> Response:
        record = self._record(operation, request)
        with self.world.lock:
            fault = self.faults.strike(operation, request)
        if fault and fault.seconds:
            time.sleep(fault.seconds)
        with self.world.lock:
            self.settle()
            response = self._with_fault(fault, lambda: self._refusable(record, request, key))
        record.status = response.status_code
        return self._with_headers(response, operation)

    def _with_fault(self, fault: Fault | None, work: Callable[[], Response]) -> Response:
        if fault is None:
            return work()
        return fault.before() or fault.after(work())

    def _refusable(self, record: Received, request: Request, key: str) -> Response:
        try:
            if record.operation in WITHOUT_TOKEN:
                return self._work_without_token(record.operation, request, key)
            seller = self.tokens.seller(request.headers.get("x-amz-access-token"))
            record.seller_id = seller.seller_id
            if not self.limits.take(seller.seller_id, record.operation, record.time):
                return quota_exceeded()
            self.check_roles(record.operation)
            check(record.operation, request)
            return self.operations[record.operation](seller, request, key)
        except Refusal as refusal:
            return refusal.response()

    def _work_without_token(self, operation: str, request: Request, key: str) -> Response:
        if operation == "token":
            return self.tokens.grant(request.form)
        if operation == "upload":
            return self.documents.upload(request, key)
        return self.documents.download(request, key)

    def _record(self, operation: str, request: Request) -> Received:
        record = Received(
            time=self.world.clock(),
            operation=operation,
            method=request.method,
            path=request.path,
            query=request.args.to_dict(),
            body=request.get_data(cache=True, parse_form_data=False),
            content_type=request.headers.get("Content-Type"),
            query_string=request.query_string.decode("latin-1"),
        )
        self.requests.append(record)
        return record

    def _with_headers(self, response: Response, operation: str) -> Response:
        response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
        rate = self.limits.rate(operation)
        if rate is not None and response.status_code in WITH_RATE:
            response.headers["x-amzn-RateLimit-Limit"] = f"{rate:g}"
        return response


def _require_encoded_sku(operation: str, environ: WSGIEnvironment) -> None:
    """Check that slashes of a SKU are encoded, where the server says what the client sent.

    Raises:
        NotFound: They are parts of the path.
    """
    raw = environ.get("REQUEST_URI")
    if operation in {"getListingsItem", "patchListingsItem"} and raw is not None:
        path = raw.partition("?")[0].removeprefix(f"{_LISTINGS}/")
        if path.count("/") != 1:
            raise NotFound


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log: the requests are in ``Simulator.requests``."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        if type == "error":
            super().log(type, message, *args)

    def connection_dropped(self, *_: Any) -> None:
        """Hang up: werkzeug would wait for another request on the same connection."""
        self.close_connection = True
