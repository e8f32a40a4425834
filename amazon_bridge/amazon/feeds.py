"""Cancellations travel as a feed: the document that is sent, and the report that comes back.

Source: Amazon's page "Feeds API v2021-06-30 Use Case Guide", ``OrderAcknowledgement.xsd`` (its
elements have a fixed order) and ``ProcessingReport.xsd``.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree as ET

import httpx
from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from amazon_bridge.amazon.client import require_safe
from amazon_bridge.amazon.payloads import writable
from amazon_bridge.engine.errors import Transient
from amazon_bridge.model import Cancellation

FEED_TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
CONTENT_TYPE = "text/xml; charset=UTF-8"

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_LONGEST_REASON = 300
_LARGEST = 8 * 2**20
"""Bytes of a document, unpacked: room for the refusals of some 20,000 orders. What claims to be
larger, or swells to more, is no report of ours and must not fill the memory."""
_LONGEST_NUMBER = 9  # digits


class FeedStatus(StrEnum):
    """Where a feed stands. DONE says that it was read, not that anything in it went well."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FATAL = "FATAL"
    """Broken off; some of it may have been done."""

    @property
    def final(self) -> bool:
        return self not in (FeedStatus.IN_QUEUE, FeedStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed as it stands now. There may be no result document, above all for CANCELLED."""

    feed_id: str
    status: FeedStatus
    result_document_id: str | None


class Outcome(StrEnum):
    """What became of one order of a feed."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Amazon doesn't say: look at the order itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one order of a feed, and Amazon's reason if it was refused."""

    outcome: Outcome
    reason: str = ""


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


def read_report(document: bytes, order_ids: Sequence[str]) -> dict[str, Result]:
    """What a processing report says of each order of the feed.

    An order is accepted only if the report says that all orders were processed and that this
    one has no error, and no error concerns the feed as a whole.

    Args:
        document: The result document, unpacked.
        order_ids: The orders in the sequence in which they were sent.

    Raises:
        Transient: It is no processing report.
    """
    report = _report(document)
    errors = _errors(report, order_ids)
    processed = _count(report, "MessagesProcessed")
    failed = _count(report, "MessagesWithError")
    complete = processed == len(order_ids) and failed == len(errors) and "" not in errors
    others = Result(Outcome.ACCEPTED if complete else Outcome.UNKNOWN)
    return {order_id: errors.get(order_id, others) for order_id in order_ids}


def upload(http: httpx.Client, url: str, document: bytes) -> None:
    """Put a feed document where Amazon wants it; the URL lives for five minutes.

    Raises:
        Transient: It didn't arrive, or not surely. Begin again with a new URL.
    """
    _transfer(http, "PUT", url, content=document, headers={"Content-Type": CONTENT_TYPE})


def download(http: httpx.Client, url: str, compression: str | None) -> bytes:
    """Get a result document.

    Raises:
        Transient: It didn't come, can't be unpacked, or is larger than any report.
    """
    content = _transfer(http, "GET", url)
    return content if compression is None else _unpacked(content)


def _unpacked(content: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacking.decompress(content, _LARGEST)
    except zlib.error:
        raise _damaged() from None
    if unpacking.unconsumed_tail:
        raise _too_large()
    if not unpacking.eof:
        raise _damaged()
    return unpacked


def _damaged() -> Transient:
    return Transient("The feed's result can't be unpacked.")


def _too_large() -> Transient:
    return Transient(
        f"The feed's result is larger than {_LARGEST // 2**20} MB: it is no report.",
        "If this stays, look in Seller Central which of the orders are cancelled, and report it.",
    )


def _transfer(http: httpx.Client, method: str, url: str, **request: object) -> bytes:
    """Move a document. Never name the URL: whoever has it has the document."""
    require_safe(url, "URL of the feed document")
    try:
        with http.stream(method, url, **request) as response:  # type: ignore[arg-type]
            if not response.is_success:
                status = response.status_code
                raise Transient(f"Amazon's storage refused a feed document ({status}).")
            return _content(response)
    except httpx.HTTPError as error:
        raise Transient(f"A feed document was lost on its way ({type(error).__name__}).") from None


def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    for part in response.iter_bytes(chunk_size=2**16):
        content += part
        if len(content) > _LARGEST:
            raise _too_large()
    return bytes(content)


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
        raise Transient("The feed's result is no processing report.")
    return report


def _errors(report: ET.Element, order_ids: Sequence[str]) -> Mapping[str, Result]:
    """The errors by order; under the empty id that of the feed as a whole, if there is one.

    A result of an unknown code may be an error, too: what became of its order is unknown.
    """
    errors: dict[str, Result] = {}
    for result in report.findall("Result"):
        outcome = _OUTCOMES.get(result.findtext("ResultCode", "").strip(), Outcome.UNKNOWN)
        order_id = _order_id(result, order_ids)
        known = errors.get(order_id)
        if outcome is not Outcome.ACCEPTED and not (known and known.outcome is Outcome.REFUSED):
            errors[order_id] = Result(outcome, _reason(result))
    return errors


_OUTCOMES = {"Error": Outcome.REFUSED, "Warning": Outcome.ACCEPTED}
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
    """-1 for what is no number, or none that a report can hold."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else -1
