"""An order, its entry in the state store, its sale order and its delivery order."""

from datetime import UTC, datetime
from decimal import Decimal

from clocks import NOON

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.engine.window import Lane, Reading, Window
from amazon_bridge.flows.orders.memo import Memo
from amazon_bridge.model import FulfilledBy, FulfillmentStatus, Order
from amazon_bridge.odoo.delivery_orders import DeliveryOrder
from amazon_bridge.odoo.sales import SaleOrder

ORDERED = datetime(2026, 11, 1, 9, tzinfo=UTC)
DONE = datetime(2026, 11, 2, 15, 30, tzinfo=UTC)

ORDER = Order(
    order_id="404-1234567-1234567",
    fingerprint="f",
    created=ORDERED,
    last_updated=ORDERED,
    status=FulfillmentStatus.UNSHIPPED,
    fulfilled_by=FulfilledBy.MERCHANT,
    marketplace_id="A13V1IB3VIYZZH",
    sold_on_amazon=True,
    currency="EUR",
    items=(),
)
MEMO = Memo(Decimal(5), ORDER.marketplace_id, "MERCHANT", "UNSHIPPED")
SALE_ORDER = SaleOrder(
    id=1,
    name="S00001",
    order_id=ORDER.order_id,
    state="sale",
    ordered=ORDERED,
    total=Decimal(10),
    currency="EUR",
    made_by_bridge=True,
    line_ids=(1,),
)
DELIVERY = DeliveryOrder(
    id=17,
    name="WH/OUT/00017",
    sale_order_id=4,
    order_id=ORDER.order_id,
    done=DONE,
    ordered=ORDERED,
    carrier="DHL",
    tracking_reference="JD1",
)
ENTRY = Entry(
    account="acme",
    job="orders",
    key=ORDER.order_id,
    fingerprint=ORDER.fingerprint,
    importable=True,
    state=State.DONE,
    kind=None,
    reason=None,
    remedy=None,
    attempts=0,
    memo=None,
    first_seen=DONE,
    last_seen=DONE,
    last_tried=DONE,
    unanswered_since=None,
)

UNKNOWN_SKU = ItemError("unknown_sku", "Nobody knows SKU X-1.", "Create the product.")


def live_window(after: datetime, before: datetime) -> Reading:
    """The live lane has read this window to its end."""
    return Reading.of(Lane.LIVE, Window(after, before), "FR", NOON)
