"""POST_ORDER_ACKNOWLEDGEMENT_DATA: an XML feed that cancels orders, and the report on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn
from xml.etree import ElementTree as ET

from amazon_bridge.simulator.orders import Order
from amazon_bridge.simulator.world import Seller, World

CANCEL_REASONS = (
    "NoInventory",
    "ShippingAddressUndeliverable",
    "CustomerExchange",
    "BuyerCanceled",
    "GeneralAdjustment",
    "CarrierCreditDecision",
    "RiskAssessmentInformationNotValid",
    "CarrierCoverageFailure",
    "CustomerReturn",
    "MerchandiseNotReceived",
    "CannotVerifyInformation",
    "PricingError",
    "RejectOrder",
    "WeatherDelay",
)
_ACKNOWLEDGEMENT = ("AmazonOrderID", "MerchantOrderID?", "StatusCode", "Item*")
_ITEM = ("AmazonOrderItemCode", "MerchantOrderItemID?", "CancelReason?")
_MALFORMED, _REFUSED = "5000", "18028"


class Malformed(Exception):
    """The document can't be processed at all."""


class _MessageError(Exception):
    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Result:
    """The error of one message."""

    message_id: str
    code: str
    description: str


@dataclass(slots=True)
class Report:
    """The result of a feed."""

    seller_id: str
    processed: int = 0
    results: tuple[Result, ...] = ()

    def to_xml(self) -> bytes:
        """Amazon's ProcessingReport."""
        root = ET.Element("AmazonEnvelope")
        header = ET.SubElement(root, "Header")
        _add(header, "DocumentVersion", "1.02")
        _add(header, "MerchantIdentifier", self.seller_id)
        _add(root, "MessageType", "ProcessingReport")
        message = ET.SubElement(root, "Message")
        _add(message, "MessageID", "1")
        report = ET.SubElement(message, "ProcessingReport")
        _add(report, "DocumentTransactionID", "50084018513")
        _add(report, "StatusCode", "Complete")
        self._add_summary(ET.SubElement(report, "ProcessingSummary"))
        for result in self.results:
            self._add_result(ET.SubElement(report, "Result"), result)
        document: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
        return document

    def _add_summary(self, summary: ET.Element) -> None:
        failed = len(self.results)
        _add(summary, "MessagesProcessed", str(self.processed))
        _add(summary, "MessagesSuccessful", str(self.processed - failed))
        _add(summary, "MessagesWithError", str(failed))
        _add(summary, "MessagesWithWarning", "0")

    def _add_result(self, element: ET.Element, result: Result) -> None:
        _add(element, "MessageID", result.message_id)
        _add(element, "ResultCode", "Error")
        _add(element, "ResultMessageCode", result.code)
        _add(element, "ResultDescription", result.description)


def _add(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def apply_acknowledgements(
    world: World, seller: Seller, document: bytes, *, most: int | None = None
) -> Report:
    """Process the messages of a feed one by one, at most ``most`` of them.

    Raises:
        Malformed: It is no such document of this seller; nothing was done.
    """
    messages = _messages(_parse(document), seller)
    report = Report(seller.seller_id)
    results = []
    for message in messages[:most]:
        report.processed += 1
        try:
            _apply(world, seller, message)
        except _MessageError as error:
            message_id = message.findtext("MessageID", "0")
            results.append(Result(message_id, error.code, error.description))
    report.results = tuple(results)
    return report


class _NoDoctype(ET.TreeBuilder):
    """Entities can only be declared in a document type: without it there are no XML bombs."""

    def doctype(self, *_: object) -> NoReturn:
        raise Malformed("A document type is not allowed.")


def _parse(document: bytes) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314 - document types are refused
    try:
        parser.feed(document)
        root = parser.close()
    except ET.ParseError as error:
        raise Malformed(f"The XML is not well-formed: {error}") from None
    assert isinstance(root, ET.Element)
    return root


def _messages(root: ET.Element, seller: Seller) -> list[ET.Element]:
    if root.tag != "AmazonEnvelope":
        raise Malformed("The root element must be AmazonEnvelope.")
    wrong = _order_error(root, ("Header", "MessageType", "PurgeAndReplace?", "Message*"))
    header = root.find("Header")
    if wrong or header is None:
        raise Malformed(wrong or "There is no Header.")
    wrong = _order_error(header, ("DocumentVersion", "MerchantIdentifier"))
    if wrong:
        raise Malformed(wrong)
    if root.findtext("MessageType") != "OrderAcknowledgement":
        raise Malformed("The MessageType does not belong to this feed type.")
    if header.findtext("MerchantIdentifier") != seller.seller_id:
        raise Malformed("The MerchantIdentifier is not that of the seller.")
    messages = root.findall("Message")
    ids = [message.findtext("MessageID") for message in messages]
    if not messages or len(set(ids)) < len(ids):
        raise Malformed("There must be messages, each with its own MessageID.")
    return messages


def _order_error(parent: ET.Element, pattern: tuple[str, ...]) -> str | None:
    """The first violation of the children's order; ``?`` marks optional, ``*`` repeated ones."""
    tags = [child.tag for child in parent]
    for expected in pattern:
        name = expected.rstrip("?*")
        count = 0
        while tags and tags[0] == name and (count == 0 or expected.endswith("*")):
            tags.pop(0)
            count += 1
        if not count and not expected.endswith(("?", "*")):
            return f"{parent.tag}: {name} is missing or misplaced."
    return f"{parent.tag}: {tags[0]} is unknown or misplaced." if tags else None


def _apply(world: World, seller: Seller, message: ET.Element) -> None:
    wrong = _order_error(message, ("MessageID", "OrderAcknowledgement"))
    acknowledgement = message.find("OrderAcknowledgement")
    if wrong or acknowledgement is None:
        raise _MessageError(_MALFORMED, wrong or "There is no OrderAcknowledgement.")
    _check_form(acknowledgement)
    order = _find(world, seller, acknowledgement.findtext("AmazonOrderID", "").strip())
    if acknowledgement.findtext("StatusCode") == "Failure":
        _check_cancellable(order, acknowledgement)
        world.cancel(order.order_id, by="MERCHANT", reason=next(_reasons(acknowledgement)))


def _check_form(acknowledgement: ET.Element) -> None:
    wrong = _order_error(acknowledgement, _ACKNOWLEDGEMENT)
    for item in acknowledgement.findall("Item"):
        wrong = wrong or _order_error(item, _ITEM)
    if wrong:
        raise _MessageError(_MALFORMED, wrong)
    if acknowledgement.findtext("StatusCode") not in {"Success", "Failure"}:
        raise _MessageError(_MALFORMED, "StatusCode must be Success or Failure.")
    unknown = [reason for reason in _reasons(acknowledgement) if reason not in CANCEL_REASONS]
    if unknown:
        raise _MessageError(_MALFORMED, f"CancelReason {unknown[0]!r} is not valid.")


def _reasons(acknowledgement: ET.Element) -> Iterator[str]:
    for item in acknowledgement.findall("Item"):
        reason = item.findtext("CancelReason")
        if reason is not None:
            yield reason


def _find(world: World, seller: Seller, order_id: str) -> Order:
    if world.readable(order_id, seller) is None:
        raise _MessageError(_REFUSED, "The Amazon order id is not one of the seller's orders.")
    return world.order(order_id)


def _check_cancellable(order: Order, acknowledgement: ET.Element) -> None:
    if order.status == "CANCELLED":
        raise _MessageError(_REFUSED, "The order is already canceled.")
    if order.fulfilled_by == "AMAZON":
        raise _MessageError(_REFUSED, "The order is fulfilled by Amazon.")
    if any(item.fulfilled for item in order.items):
        raise _MessageError(_REFUSED, "The order has already shipped and can't be canceled.")
    items = acknowledgement.findall("Item")
    named = [item.findtext("AmazonOrderItemCode", "").strip() for item in items]
    if sorted(named) != sorted(item.order_item_id for item in order.items):
        raise _MessageError(_REFUSED, "The items are not exactly those of the order.")
    if len(list(_reasons(acknowledgement))) < len(items):
        raise _MessageError(_MALFORMED, "Each item of a canceled order needs a CancelReason.")
