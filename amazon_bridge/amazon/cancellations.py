"""Cancellations are sent as a feed: its document, and the processing report that results.

Source: Amazon's page "Feeds API v2021-06-30 Use Case Guide", ``OrderAcknowledgement.xsd`` (its
elements have a fixed order) and ``ProcessingReport.xsd``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from amazon_bridge.amazon.feeds import MessageResult, MessageStatus
from amazon_bridge.amazon.payloads import writable
from amazon_bridge.engine.errors import Transient
from amazon_bridge.model import Cancellation

FEED_TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
CONTENT_TYPE = "text/xml; charset=UTF-8"
LARGEST_REPORT = 8 * 2**20
"""Bytes: room for the refusals of some 20,000 orders."""

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_LONGEST_REASON = 300
_LONGEST_NUMBER = 9  # digits


def cancellation_document(seller_id: str, cancellations: Sequence[Cancellation]) -> bytes:
    """The feed document that cancels orders, numbered from 1 in the sequence's order."""
    root = ET.Element(
        "AmazonEnvelope",
        {
            "xmlns:xsi": _SCHEMA_INSTANCE,
            "xsi:noNamespaceSchemaLocation": "amzn-envelope.xsd",
        },
    )
    header = ET.SubElement(root, "Header")
    _add(header, "DocumentVersion", "1.01")
    _add(header, "MerchantIdentifier", seller_id)
    _add(root, "MessageType", "OrderAcknowledgement")
    for number, cancellation in enumerate(cancellations, start=1):
        message = ET.SubElement(root, "Message")
        _add(message, "MessageID", str(number))
        _add_acknowledgement(message, cancellation)
    document: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document


def read_report(document: bytes, order_ids: Sequence[str]) -> dict[str, MessageResult]:
    """Read what a processing report says of each order of the feed.

    An order is accepted only if the report says that all orders were processed and that this
    one has no error, and no error concerns the feed as a whole.

    Args:
        document: The result document, unpacked.
        order_ids: The orders in the sequence in which they were sent.

    Raises:
        Transient: It isn't a processing report.
    """
    report = _report(document)
    errors = _errors(report, order_ids)
    processed = _count(report, "MessagesProcessed")
    failed = _count(report, "MessagesWithError")
    complete = processed == len(order_ids) and failed == len(errors) and "" not in errors
    others = MessageResult(MessageStatus.ACCEPTED if complete else MessageStatus.UNKNOWN)
    return {order_id: errors.get(order_id, others) for order_id in order_ids}


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = writable(text)


def _add_acknowledgement(message: ET.Element, cancellation: Cancellation) -> None:
    acknowledgement = ET.SubElement(message, "OrderAcknowledgement")
    _add(acknowledgement, "AmazonOrderID", cancellation.order_id)
    _add(acknowledgement, "MerchantOrderID", cancellation.sale_order_name)
    _add(acknowledgement, "StatusCode", "Failure")
    reasons = dict(cancellation.item_reasons)
    for order_item_id in cancellation.order_item_ids:
        item = ET.SubElement(acknowledgement, "Item")
        _add(item, "AmazonOrderItemCode", order_item_id)
        _add(item, "CancelReason", reasons.get(order_item_id, cancellation.reason))


def _report(document: bytes) -> ET.Element:
    try:
        root = SafeET.fromstring(document, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError):
        root = None
    report = None if root is None else root.find("Message/ProcessingReport")
    if report is None:
        raise Transient("The result of the feed is not a processing report.")
    return report


def _errors(report: ET.Element, order_ids: Sequence[str]) -> Mapping[str, MessageResult]:
    """The errors by order id; under the empty id, the error of the feed as a whole.

    A result with an unknown code may be an error, too: its order's status is unknown.
    """
    errors: dict[str, MessageResult] = {}
    for result in report.findall("Result"):
        status = _STATUSES.get(result.findtext("ResultCode", "").strip(), MessageStatus.UNKNOWN)
        order_id = _order_id(result, order_ids)
        known = errors.get(order_id)
        if status is not MessageStatus.ACCEPTED and not (
            known and known.status is MessageStatus.REFUSED
        ):
            errors[order_id] = MessageResult(status, _reason(result))
    return errors


_STATUSES = {"Error": MessageStatus.REFUSED, "Warning": MessageStatus.ACCEPTED}
"""By the result's code; these two are all that ``ProcessingReport.xsd`` knows."""


def _order_id(result: ET.Element, order_ids: Sequence[str]) -> str:
    number = _number(result.findtext("MessageID", ""))
    return order_ids[number - 1] if 1 <= number <= len(order_ids) else ""


def _reason(result: ET.Element) -> str:
    code = result.findtext("ResultMessageCode", "").strip()
    description = " ".join(result.findtext("ResultDescription", "").split())
    return f"{code}: {description}"[:_LONGEST_REASON]


def _count(report: ET.Element, tag: str) -> int:
    return _number(report.findtext(f"ProcessingSummary/{tag}", ""))


def _number(text: str) -> int:
    """The number, or -1 if it isn't one that a report can hold."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else -1
