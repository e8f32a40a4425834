"""A valid request to each operation, and all ways to break it by Amazon's models."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import resources
from typing import Any

import httpx
from amazon_models import validate_response

from amazon_bridge.simulator import Simulator

FRANCE = "A13V1IB3VIYZZH"
SELLER = "A1EUROPE"
LISTINGS_REPORT = "GET_MERCHANT_LISTINGS_ALL_DATA"
_FILES = [
    json.loads(path.read_text("utf-8"))
    for path in resources.files("amazon_bridge.simulator").joinpath("models").iterdir()
]
MODELS: dict[str, dict[str, Any]] = {
    name: operation for file in _FILES for name, operation in file["operations"].items()
}
_DEFINITIONS = {name: file["definitions"] for file in _FILES for name in file["operations"]}


@dataclass(frozen=True)
class Call:
    """A request; ``query`` has pairs, so that names may occur twice."""

    operation: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    content_type: str | None = "application/json"
    raw_body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, http: httpx.Client, token: str) -> httpx.Response:
        """Send it, and check the response against the model."""
        headers = {"x-amz-access-token": token} | self.headers
        content = self.raw_body
        if content is None and self.body is not None:
            content = json.dumps(self.body).encode()
        if content is not None and self.content_type:
            headers["Content-Type"] = self.content_type
        response = http.request(
            MODELS[self.operation]["method"],
            self.path,
            params=list(self.query),
            content=content,
            headers={name: value for name, value in headers.items() if value},
        )
        validate_response(
            self.operation, response.status_code, response.json() if response.content else None
        )
        return response

    def asking(self, **query: str) -> "Call":
        """The same with other parameters."""
        rest = tuple(pair for pair in self.query if pair[0] not in query)
        return replace(self, query=(*rest, *query.items()))

    def without(self, name: str) -> "Call":
        return replace(self, query=tuple(pair for pair in self.query if pair[0] != name))


class Scene:
    """A seller with an order, a listing, a feed and a report, each as new as it can be."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator, self.world = simulator, simulator.world
        self.seller = self.world.sellers[SELLER]
        self.order = self.world.place_order("FR")
        self.world.listings.add(SELLER, "MUG/BLUE", "FR", {"DEFAULT": 5})

    def call(self, operation: str) -> Call:
        """A valid request."""
        return Call(operation, self._path(operation), self._query(operation), self._body(operation))

    def _path(self, operation: str) -> str:
        document = operation in {"getFeedDocument", "getReportDocument"}
        feed = self._feed() if operation in {"getFeed", "cancelFeed"} else ""
        report = self._report() if operation in {"getReport", "cancelReport"} else ""
        parts = {
            "orderId": self.order.order_id,
            "sellerId": SELLER,
            "sku": "MUG%2FBLUE",
            "feedId": feed,
            "reportId": report,
            "feedDocumentId": self._document() if document else "",
            "reportDocumentId": self._document() if document else "",
        }
        return str(MODELS[operation]["path"]).format(**parts)

    def _query(self, operation: str) -> tuple[tuple[str, str], ...]:
        queries = {
            "searchOrders": (("lastUpdatedAfter", "2026-11-01T00:00:00Z"),),
            "getFeeds": (("feedTypes", "JSON_LISTINGS_FEED"),),
            "getReports": (("reportTypes", LISTINGS_REPORT),),
            "listTransactions": (("postedAfter", "2026-11-01T00:00:00Z"),),
            "listSummary": (("periodStart", "2026-11-01"), ("periodEnd", "2026-11-30")),
        }
        needs_place = operation.endswith(("ListingsItem", "ListingsItems"))
        return (("marketplaceIds", FRANCE),) if needs_place else queries.get(operation, ())

    def _body(self, operation: str) -> Any:
        value = [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]
        path = "/attributes/fulfillment_availability"
        bodies = {
            "confirmShipment": self._shipment,
            "createFeedDocument": lambda: {"contentType": "application/json"},
            "createFeed": lambda: {
                "feedType": "JSON_LISTINGS_FEED",
                "marketplaceIds": [FRANCE],
                "inputFeedDocumentId": self._document(),
            },
            "createReport": lambda: {"reportType": LISTINGS_REPORT, "marketplaceIds": [FRANCE]},
            "patchListingsItem": lambda: {
                "productType": "PRODUCT",
                "patches": [{"op": "merge", "path": path, "value": value}],
            },
        }
        return bodies[operation]() if operation in bodies else None

    def _shipment(self) -> dict[str, Any]:
        items = [{"orderItemId": i.order_item_id, "quantity": 1} for i in self.order.items]
        detail = {
            "packageReferenceId": "1",
            "carrierCode": "DHL",
            "trackingNumber": "JD01",
            "shipDate": (self.world.clock() + timedelta(0)).isoformat(),
            "orderItems": items,
        }
        return {"marketplaceId": FRANCE, "packageDetail": detail}

    def _document(self) -> str:
        documents = self.simulator.documents
        stored = documents.store(self.seller, "application/json", b"{}", compressed=False)
        return stored.document_id

    def _feed(self) -> str:
        body = self._body("createFeed")
        response = self.simulator.feeds.create_feed(self.seller, body)
        return str(json.loads(response.get_data())["feedId"])

    def _report(self) -> str:
        response = self.simulator.reports.create_report(self.seller, self._body("createReport"))
        return str(json.loads(response.get_data())["reportId"])


def bad_queries(call: Call) -> Iterator[tuple[str, Call]]:
    """The call with its query broken in each way that the model excludes."""
    yield "unknown parameter", call.asking(MarketplaceId=FRANCE)
    for name, schema in MODELS[call.operation]["query"].items():
        if schema.get("required"):
            yield f"{name}: missing", call.without(name)
        for what, text in _bad_texts(schema):
            yield f"{name}: {what}", call.asking(**{name: text})
    for name, value in call.query:
        yield f"{name}: twice", replace(call, query=(*call.query, (name, value)))


def _bad_texts(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "empty", ""
    if schema["type"] == "array":
        items = schema["items"]
        good = items.get("enum", ["A"])[0]
        yield "a part is empty", f"{good},,{good}"
        yield from ((f"a part is {what}", text) for what, text in _bad_values(items))
        if "maxItems" in schema:
            yield "too many", ",".join([good] * (schema["maxItems"] + 1))
    yield from _bad_values(schema)


def _bad_values(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "enum" in schema:
        yield "not in the enumeration", "NONSENSE"
        yield "in another case", schema["enum"][0].swapcase()
    if schema["type"] == "integer":
        yield from (("a text", "ten"), ("a fraction", "1.5"))
    if schema["type"] == "boolean":
        yield "a number", "1"
    if "minimum" in schema:
        yield "too small", str(schema["minimum"] - 1)
    if "maximum" in schema:
        yield "too large", str(schema["maximum"] + 1)
    if schema.get("format") == "date-time":
        yield from (("a date", "2026-11-01"), ("without a zone", "2026-11-01T00:00:00"))
    if schema.get("format") == "date":
        yield from (("a time", "2026-11-01T00:00:00Z"), ("no day", "2026-11-31"))


def bad_bodies(call: Call) -> Iterator[tuple[str, Call]]:
    """The call with its body broken in each way that the model excludes."""
    if call.body is None:
        yield "a body", replace(call, raw_body=b"{}")
        return
    yield "no body", replace(call, body=None, raw_body=b"")
    yield "no JSON", replace(call, raw_body=b"{")
    yield "a list", replace(call, body=[call.body])
    schema = {"$ref": f"#/definitions/{MODELS[call.operation]['body']}"}
    for what, body in _broken(call.operation, schema, call.body):
        yield what, replace(call, body=body)


def _broken(operation: str, schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one part after the other broken; open objects may have any properties."""
    while "$ref" in schema:
        schema = _DEFINITIONS[operation][schema["$ref"].rpartition("/")[2]]
    yield "of another type", [] if schema["type"] != "array" else {}
    if "enum" in schema:
        yield "not in the enumeration", "NONSENSE"
    if schema["type"] == "array":
        yield from _broken_list(operation, schema, value)
    if schema["type"] == "object":
        yield from _broken_object(operation, schema, value)


def _broken_list(
    operation: str, schema: dict[str, Any], value: list[Any]
) -> Iterator[tuple[str, Any]]:
    if "minItems" in schema:
        yield "too few", value[: schema["minItems"] - 1]
    if "maxItems" in schema:
        yield "too many", value[:1] * (schema["maxItems"] + 1)
    for what, item in _broken(operation, schema["items"], value[0]):
        yield f"[0] {what}", [item]


def _broken_object(
    operation: str, schema: dict[str, Any], value: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    for name in schema.get("required", ()):
        yield f"without {name}", {key: each for key, each in value.items() if key != name}
    if "properties" in schema:
        yield "with an unknown property", value | {"Nonsense": "1"}
    for name, part in schema.get("properties", {}).items():
        if name in value:
            for what, broken in _broken(operation, part, copy.deepcopy(value[name])):
                yield f"{name} {what}", value | {name: broken}
