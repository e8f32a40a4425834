"""Odoo → Amazon: how many units of each merchant-fulfilled listing Amazon may sell.

The catalogue of listings comes from Amazon's report, every few hours. The quantities of SKUs whose
products changed in Odoo, or whose units in flight did, are compared in each run, and all of them
every few hours. What differs is sent listing by listing, or in a feed, and read back when Amazon
has had time to apply it.

``catalogue`` reads the reports, ``find`` selects SKUs, ``compare`` compares them with what
``quantities`` computes from Odoo, ``decide`` has the rules, ``brake`` holds decreases to zero that
look like a mistake, ``apply`` sends quantities and reads them back, ``feeds`` sends many at once,
``preview`` does dry runs, ``tell`` informs people, ``run`` lists a run's steps.
"""

from amazon_bridge.job import (
    EventCounter,
    Job,
    NotifySwitch,
    OdooRight,
    PendingView,
    StaleAlert,
    Tally,
)

STOCK = Job(
    name="stock",
    title="Quantities of merchant-fulfilled listings, to Amazon.",
    run="amazon_bridge.flows.stock.run:sync",
    is_on=lambda account: account.stock.is_on,
    amazon_roles=("Product Listing", "Inventory and Order Tracking"),
    amazon_check="amazon_bridge.amazon.doctor:examine_listings",
    odoo_check="amazon_bridge.flows.stock.check:examine",
    odoo_rights=(
        OdooRight("stock.quant", "read", "read what is on hand", "Inventory: User"),
        OdooRight("stock.move", "read", "read what is to leave", "Inventory: User"),
    ),
    quarantine_kinds={
        "held": "retry if the products are really sold out; else correct the stock in Odoo",
        "listing_unreadable": "correct the listing in Seller Central; report it",
        "stock_refused": "correct the listing in Seller Central, then retry",
    },
    notify_amazon=NotifySwitch("stock", "Send quantities to Amazon, if `stock` says so."),
    pending=PendingView(
        "SKUs are not sent to Amazon",
        "stock_not_sent",
        "amazon_bridge.flows.stock.tell:not_sent",
        "SKU is not sent to Amazon",
    ),
    pending_heading="Pending for Amazon",
    tally=Tally("SKUs", "amazon_bridge.flows.stock.tell:summary"),
    counters=(
        EventCounter(
            "drift",
            "SKUs that showed another quantity than was sent.",
            "amazon_bridge.flows.stock.tell:drifts",
        ),
    ),
    stale_alert=StaleAlert("quantities", lambda account: account.stock.stale),
)
