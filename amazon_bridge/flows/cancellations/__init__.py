"""Odoo → Amazon: merchant-fulfilled orders that people cancelled in Odoo are cancelled on Amazon.

All orders of a run go into one feed, and feeds are at least 20 minutes apart. The state store
records a feed before it is created, and its id before it is polled; later runs poll it and read its
report line by line. For orders that the report doesn't name, the order itself is read.

``find`` reads what was cancelled, ``decide`` has the rules, ``brake`` holds mass actions,
``feeds`` notifies Amazon, ``apply`` settles, ``tell`` informs people, ``run`` lists a run's steps.
"""

from amazon_bridge.job import ORDER_KINDS, Job, NotifySwitch, OdooRight

CANCELLATIONS = Job(
    name="cancellations",
    title="Orders cancelled in Odoo, to Amazon.",
    run="amazon_bridge.flows.cancellations.run:sync",
    amazon_roles=("Inventory and Order Tracking",),
    amazon_check="amazon_bridge.amazon.doctor:examine_feeds",
    odoo_rights=(OdooRight("mail.activity", "create", "schedule activities", "Internal User"),),
    quarantine_kinds={
        **ORDER_KINDS,
        "cancellation_refused": "settle it in Seller Central; or retry",
        "cancellation_without_effect": "cancel it in Seller Central; or retry",
        "feed_refused": "settle it in Seller Central; or retry",
        "held": "retry if the cancellations were intended; else set the orders back in Odoo",
        "needs_attention": "as the reason says",
        "not_cancellable": "look in Seller Central; or retry",
        "unclear": "settle it in Seller Central; or retry later",
        "unreadable": "retry; report it",
    },
    notify_amazon=NotifySwitch(
        "cancellations",
        "Tell Amazon of orders cancelled in Odoo.",
        ("cancel_reason", "cancellation_brake"),
    ),
    pending_heading="Pending for Amazon",
)
