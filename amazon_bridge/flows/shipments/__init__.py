"""Odoo → Amazon: delivery orders that are done are confirmed as shipments, one by one.

A predicate selects them: done, on its way to the customer, of a merchant-fulfilled order that the
bridge imported, and not confirmed to Amazon yet. The state store keeps the ``ShipmentProgress`` of
each; a delivery order is settled when Amazon shows its package. The package reference is the
delivery order's database id. Unless it cannot have been confirmed yet, the order is fetched from
Amazon before a confirmation is sent.

``find`` reads what is done in Odoo, ``decide`` has the rules, ``apply`` notifies Amazon,
``tell`` informs people, ``records`` keeps the progress of each, and ``run`` lists a run's steps.
"""

from amazon_bridge.job import ORDER_KINDS, Job, NotifySwitch, OdooModule, OdooRight, PendingView

SHIPMENTS = Job(
    name="pickings",
    title="Delivery orders done in Odoo, to Amazon.",
    run="amazon_bridge.flows.shipments.run:sync",
    amazon_roles=("Inventory and Order Tracking",),
    odoo_modules=(
        OdooModule(
            "Carriers and tracking references on delivery orders (module stock_delivery, before"
            " Odoo 17: delivery)",
            "stock.picking",
            "carrier_tracking_ref",
            "Install it, else no FBM shipment can be confirmed to Amazon.",
        ),
    ),
    odoo_rights=(OdooRight("mail.activity", "create", "schedule activities", "Internal User"),),
    quarantine_kinds={
        **ORDER_KINDS,
        "cancelled_on_amazon": "stop the parcel, or bring the goods back",
        "correction_not_shown": "correct it in Seller Central, then retry",
        "goods_unclear": "write it into the delivery order's note",
        "kit_unclear": "write it into the delivery order's note",
        "reference_taken": "confirm the parcel in Seller Central, or correct the tracking reference"
        " if it is the same parcel; then retry",
        "shipment_not_shown": "look in Seller Central; retry sends it again if it isn't there",
        "shipment_refused": "the remedy is that of Amazon's reason; mostly correct carrier or"
        " tracking reference in Odoo",
        "told_too_much": "settle it in Seller Central; then remove the line from the note",
        "unreadable": "retry; report it",
    },
    notify_amazon=NotifySwitch(
        "shipments",
        "Tell Amazon of delivery orders done in Odoo.",
        ("carriers", "tracking_reminder"),
    ),
    explain="amazon_bridge.flows.shipments.records:with_reason",
    pending=PendingView(
        "delivery orders are pending for Amazon",
        "waiting",
        "amazon_bridge.flows.shipments.records:pending_list",
        "delivery order is pending for Amazon",
    ),
    pending_heading="Pending for Amazon",
)
