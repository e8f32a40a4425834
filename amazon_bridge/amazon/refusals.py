"""Remedies for confirmations that Amazon refuses, by its message."""

from __future__ import annotations

_CARRIER = (
    "Correct the carrier on the delivery order in Odoo, or map it to one of Amazon's carriers"
    " (`carriers` in the configuration): then it is sent again."
)
_TRACKING = (
    "Correct the tracking reference on the delivery order in Odoo, or the carrier, if the reference"
    " is another carrier's: then it is sent again."
)
_RETRY = "then: amazon-bridge quarantine retry."
_PACKAGE_MISSING = "packagetoupdatenotfound"

_REMEDIES = (
    (
        (_PACKAGE_MISSING,),
        (
            "Amazon doesn't find the package that is to be changed. Look at the order in Seller"
            f" Central: correct the shipment there, or, if it isn't there, {_RETRY}"
        ),
    ),
    (
        ("easy ship", "easyship"),
        (
            "Amazon's own carrier collects Easy Ship orders: schedule the pick-up in Seller Central"
            " (Manage Orders). Such an order can't be confirmed from outside."
        ),
    ),
    (
        ("buy shipping", "amazon shipping label", "label purchased"),
        (
            "Its label was bought from Amazon, which confirms the shipment itself: look at the"
            f" order in Seller Central, {_RETRY}"
        ),
    ),
    (
        ("exceed", "more than what is left", "quantity", "already been shipped", "already shipped"),
        (
            "Compare the shipped units with the order in Seller Central: somebody may have"
            f" confirmed or cancelled units there. Correct it there, {_RETRY}"
        ),
    ),
    (
        ("canceled", "cancelled"),
        "The order is cancelled on Amazon: stop the parcel or bring the goods back.",
    ),
    (
        ("ship date", "shipdate", "ship_date", "purchase date", "before the purchase"),
        (
            "The date of transfer of the delivery order in Odoo may be neither before the order nor"
            f" in the future: confirm the shipment in Seller Central, {_RETRY}"
        ),
    ),
    (("tracking",), _TRACKING),
    (("carrier", "shipping method", "shippingmethod", "shipping service"), _CARRIER),
    (
        ("pending", "payment"),
        f"Amazon has not released the order for shipping yet: wait, {_RETRY}",
    ),
    (
        ("fulfilled by amazon", "fulfillment channel", "fba"),
        (
            "Amazon ships this order itself: there is nothing to confirm. Stop the parcel, or"
            " settle it in Seller Central."
        ),
    ),
    (
        ("marketplace",),
        (
            "The order belongs to another marketplace: compare the account's `marketplaces` and"
            " `seller_id` with Seller Central."
        ),
    ),
)
"""Words in Amazon's message and the remedy; the first match applies. Amazon documents none of the
messages: these are reported by sellers."""

_ANY = (
    "Read Amazon's reason. If it is about the carrier or the tracking reference, correct them on"
    " the delivery order in Odoo: then it is sent again. Anything else: confirm the shipment in"
    f" Seller Central, {_RETRY}"
)


def remedy_for(reason: str) -> str:
    """The remedy for a confirmation that Amazon refused with this message."""
    text = reason.casefold()
    for words, remedy in _REMEDIES:
        if any(word in text for word in words):
            return remedy
    return _ANY


def is_package_missing(reason: str) -> bool:
    """True if Amazon doesn't find the package that a confirmation was to change."""
    return _PACKAGE_MISSING in reason.casefold()
