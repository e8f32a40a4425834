"""A bare client that checks every response against Amazon's models."""

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from amazon_models import validate_response

from amazon_bridge.simulator import Order, Simulator

EVERYTHING = (
    "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,"
    "FULFILLMENT_ORDERS"
)
LISTINGS = "/listings/2021-08-01/items"
XML = "text/xml; charset=UTF-8"


def amounts(item: dict[str, Any]) -> dict[str, str]:
    """The proceeds of an order item by their types."""
    return {b["type"]: b["subtotal"]["amount"] for b in item["proceeds"]["breakdowns"]}


class SimulatedSeller:
    def __init__(self, simulator: Simulator, seller_id: str) -> None:
        self.simulator = simulator
        self.seller = simulator.world.sellers[seller_id]
        self.http = httpx.Client(base_url=simulator.url, verify=False, timeout=60)  # plain HTTP
        self.token = ""
        self.log_in()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "grant_type": "refresh_token",
            "client_id": self.seller.client_id,
            "client_secret": self.seller.client_secret,
            "refresh_token": self.seller.refresh_token,
        }

    def log_in(self) -> None:
        response = self.http.post(self.simulator.token_url, data=self.credentials)
        self.token = response.json()["access_token"]

    def call(self, operation: str, method: str, path: str, **options: Any) -> httpx.Response:
        response = self.http.request(
            method, path, headers={"x-amz-access-token": self.token}, **options
        )
        body = response.json() if response.content else None
        validate_response(operation, response.status_code, body)
        assert response.headers["x-amzn-RequestId"]
        return response

    def search(self, **query: str | int) -> httpx.Response:
        query.setdefault("includedData", EVERYTHING)
        return self.call("searchOrders", "GET", "/orders/2026-01-01/orders", params=query)

    def found(self, **query: str | int) -> list[str]:
        """The ids of the orders of one page."""
        query.setdefault("lastUpdatedAfter", "2026-11-01T00:00:00Z")
        response = self.search(**query)
        assert response.status_code == 200, response.text
        return [order["orderId"] for order in response.json()["orders"]]

    def get_order(self, order_id: str, included: str | None = EVERYTHING) -> httpx.Response:
        query = {"includedData": included} if included else {}
        return self.call("getOrder", "GET", f"/orders/2026-01-01/orders/{order_id}", params=query)

    def order(self, order_id: str, included: str | None = EVERYTHING) -> dict[str, Any]:
        response = self.get_order(order_id, included)
        assert response.status_code == 200, response.text
        order: dict[str, Any] = response.json()["order"]
        return order

    def confirm(self, order: Order, **detail: Any) -> httpx.Response:
        """Confirm a shipment of all of the order; ``detail`` differs from that (None: left out)."""
        marketplace_id = detail.pop("marketplaceId", order.market.marketplace_id)
        detail = {
            "packageReferenceId": "17",
            "carrierCode": "Colissimo",
            "trackingNumber": "6A12345678901",
            "shipDate": self.simulator.world.clock().isoformat(),
            "orderItems": [
                {"orderItemId": item.order_item_id, "quantity": item.quantity}
                for item in order.items
            ],
        } | detail
        present = {name: value for name, value in detail.items() if value is not None}
        return self.call(
            "confirmShipment",
            "POST",
            f"/orders/v0/orders/{order.order_id}/shipmentConfirmation",
            json={"marketplaceId": marketplace_id, "packageDetail": present},
        )

    def create_document(self, content_type: str = XML) -> dict[str, str]:
        response = self.call(
            "createFeedDocument",
            "POST",
            "/feeds/2021-06-30/documents",
            json={"contentType": content_type},
        )
        document: dict[str, str] = response.json()
        return document

    def upload(self, content: str, content_type: str = XML) -> str:
        document = self.create_document(content_type)
        response = self.http.put(
            document["url"], content=content.encode(), headers={"Content-Type": content_type}
        )
        assert response.status_code == 200, response.text
        return document["feedDocumentId"]

    def create_feed(self, document_id: str, **differences: Any) -> httpx.Response:
        body = {
            "feedType": "POST_ORDER_ACKNOWLEDGEMENT_DATA",
            "marketplaceIds": [self.seller.markets[0].marketplace_id],
            "inputFeedDocumentId": document_id,
        } | differences
        return self.call("createFeed", "POST", "/feeds/2021-06-30/feeds", json=body)

    def submit(self, content: str) -> str:
        """Submit a feed; its id."""
        feed_id: str = self.create_feed(self.upload(content)).json()["feedId"]
        return feed_id

    def listing(self, sku: str, place: str, included: str | None = None) -> httpx.Response:
        query = {"marketplaceIds": place} | ({"includedData": included} if included else {})
        path = f"{LISTINGS}/{self.seller.seller_id}/{quote(sku, safe='')}"
        return self.call("getListingsItem", "GET", path, params=query)

    def patch(self, sku: str, place: str, *patches: dict[str, Any], **more: str) -> httpx.Response:
        body = {"productType": more.pop("productType", "PRODUCT"), "patches": list(patches)}
        path = f"{LISTINGS}/{self.seller.seller_id}/{quote(sku, safe='')}"
        query = {"marketplaceIds": place} | more
        return self.call("patchListingsItem", "PATCH", path, params=query, json=body)

    def feed(self, feed_id: str) -> dict[str, Any]:
        response = self.call("getFeed", "GET", f"/feeds/2021-06-30/feeds/{feed_id}")
        feed: dict[str, Any] = json.loads(response.content)
        return feed

    def document(self, document_id: str) -> dict[str, str]:
        path = f"/feeds/2021-06-30/documents/{document_id}"
        document: dict[str, str] = self.call("getFeedDocument", "GET", path).json()
        return document
