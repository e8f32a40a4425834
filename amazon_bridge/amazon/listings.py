"""Listings: read one by one; their quantities updated one by one or in a feed.

Source: Amazon's model "listingsItems_2021-08-01", its page "Merge a listing", and its schemas
"listings-feed-schema-v2" and "listings-feed-processing-report-schema-v2".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.client import Connection
from amazon_bridge.amazon.feeds import Feeds, MessageResult, MessageStatus
from amazon_bridge.amazon.payloads import (
    Entries,
    KnownEntries,
    NonEmpty,
    Part,
    Payload,
    Quantity,
    Text,
)
from amazon_bridge.engine.errors import ItemError, Transient
from amazon_bridge.model import DEFAULT_CHANNEL, Listing, QuantityUpdate

UPDATES_A_FEED = 20_000
"""Amazon allows 25,000 messages and 10 MB: this many fit whatever their SKUs are."""

_CONTENT_TYPE = "application/json; charset=UTF-8"
_LARGEST_RESULT = 64 * 2**20  # bytes: several issues for each message
_LONGEST_REASON = 300
_LONGEST_STATUS = 30
_INCLUDED_DATA = ("summaries", "fulfillmentAvailability", "issues", "productTypes")
_ERROR = "ERROR"


class _Availability(Payload):
    fulfillment_channel_code: NonEmpty
    quantity: Quantity | None = None


class _Summary(Payload):
    marketplace_id: str
    product_type: Text = None
    status: KnownEntries[str] = ()


class _ProductType(Payload):
    marketplace_id: str
    product_type: Text = None


class _Issue(Payload):
    message_id: int | None = None
    sku: Text = None
    code: Text = None
    message: Text = None
    severity: str

    @property
    def text(self) -> str:
        parts = (part for part in (self.code, self.message) if part)
        return " ".join(": ".join(parts).split())[:_LONGEST_REASON]


class _Item(Payload):
    sku: NonEmpty
    summaries: KnownEntries[_Summary] = ()
    fulfillment_availability: Entries[_Availability] = ()
    issues: KnownEntries[_Issue] = ()
    product_types: KnownEntries[_ProductType] = ()


class _Submission(Payload):
    status: str
    issues: KnownEntries[_Issue] = ()


class _ReportSummary(Payload):
    messages_processed: Quantity | None = None
    messages_invalid: Quantity | None = None


class _ProcessingReport(Payload):
    issues: KnownEntries[_Issue] = ()
    summary: Part[_ReportSummary] = _ReportSummary()


class Listings:
    """The listings of one account. Safe to share between threads."""

    def __init__(self, connection: Connection, feeds: Feeds, seller_id: str) -> None:
        self._connection, self._feeds, self._seller_id = connection, feeds, seller_id

    def get(self, sku: str, marketplace_id: str) -> Listing:
        """A listing as it is now.

        Raises:
            ItemError: ``not_found``, or ``stock_refused`` if Amazon refuses the SKU.
        """
        item = self._connection.ask(
            _Item,
            operations.GET_LISTING,
            self._seller_id,
            sku,
            marketplaceIds=[marketplace_id],
            includedData=list(_INCLUDED_DATA),
        )
        if item.sku.casefold() != sku.casefold():
            raise Transient("Amazon returned another listing than the requested one.")
        return _listing(item, sku, marketplace_id)

    def set_quantity(self, update: QuantityUpdate, marketplace_id: str) -> tuple[str, ...]:
        """Update the quantity of one listing; what the update doesn't name stays as it is.

        Amazon accepts it now, and it takes effect minutes later: read it back.

        Returns:
            The texts of Amazon's warnings.

        Raises:
            ItemError: ``stock_refused`` with Amazon's reason, or ``not_found``.
            Transient: With ``maybe_done``; to repeat it does no harm.
        """
        submission = self._connection.ask(
            _Submission,
            operations.PATCH_LISTING,
            self._seller_id,
            update.sku,
            marketplaceIds=[marketplace_id],
            body=_patch(update),
        )
        errors = _texts(submission.issues, _ERROR)
        if submission.status == "INVALID" or errors:
            reason = "; ".join(errors) or "it gives no reason"
            raise ItemError(
                "stock_refused",
                f"Amazon refused the quantity: {reason.rstrip('.')}.",
                operations.PATCH_LISTING.remedy,
            )
        if submission.status != "ACCEPTED":
            status = submission.status[:_LONGEST_STATUS]
            raise Transient(
                f"Unexpected response to patchListingsItem: {status} (expected ACCEPTED).",
                maybe_done=True,
            )
        return _texts(submission.issues, "WARNING")

    def submit_quantities(self, updates: Sequence[QuantityUpdate], marketplace_id: str) -> str:
        """Update the quantities of many listings in one feed.

        Args:
            updates: At most ``UPDATES_A_FEED``, each of another SKU.
            marketplace_id: One of the account's.

        Returns:
            The feed's id. Save it, with the SKUs in their sequence, before polling its state.

        Raises:
            RateLimited: Also beyond five such feeds in five minutes.
            Transient: With ``maybe_done``, the feed may exist; another one does no harm.
        """
        content = quantities_document(self._seller_id, updates)
        self._connection.pace(operations.LISTINGS_FEED)
        return self._feeds.submit(
            operations.LISTINGS_FEED, content, _CONTENT_TYPE, [marketplace_id]
        )

    def is_any_feed_pending(self, since: datetime) -> bool:
        """True if any feed of listings created since then isn't processed yet."""
        return self._feeds.is_any_pending(operations.LISTINGS_FEED, since)

    def result(self, result_document_id: str, skus: Sequence[str]) -> dict[str, MessageResult]:
        """Which quantities Amazon accepted of a feed.

        Args:
            result_document_id: From ``SellingPartner.feed_state``.
            skus: The SKUs in the sequence in which they were submitted.

        Raises:
            ItemError: ``not_found``: results are kept for 28 days.
            Transient: It didn't arrive, or isn't a processing report.
        """
        document = self._feeds.result(result_document_id, largest=_LARGEST_RESULT)
        return read_quantities_report(document, skus)


def quantities_document(seller_id: str, updates: Iterable[QuantityUpdate]) -> bytes:
    """The feed document of quantities, its messages numbered from 1."""
    messages = [
        {"messageId": number, "sku": update.sku, "operationType": "PATCH", **_patch(update)}
        for number, update in enumerate(updates, start=1)
    ]
    header = {"sellerId": seller_id, "version": "2.0", "issueLocale": "en_US"}
    document = {"header": header, "messages": messages}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read_quantities_report(document: bytes, skus: Sequence[str]) -> dict[str, MessageResult]:
    """Read what a processing report says of each SKU of the feed.

    A quantity is accepted only if the report says that all messages were processed and that this
    one has no error, and no error concerns the feed as a whole.

    Args:
        document: The result document, unpacked.
        skus: The SKUs in the sequence in which they were sent.

    Raises:
        Transient: It isn't a processing report.
    """
    try:
        report = _ProcessingReport.model_validate_json(document)
    except ValidationError:
        raise Transient("The result of the feed is not a processing report.") from None
    errors = _errors(report.issues, skus)
    complete = (
        report.summary.messages_processed == len(skus)
        and report.summary.messages_invalid == len(errors)
        and "" not in errors
    )
    others = MessageResult(MessageStatus.ACCEPTED if complete else MessageStatus.UNKNOWN)
    return {sku: errors.get(sku, others) for sku in skus}


def _listing(item: _Item, sku: str, marketplace_id: str) -> Listing:
    summary = next((s for s in item.summaries if s.marketplace_id == marketplace_id), None)
    types = [t.product_type for t in item.product_types if t.marketplace_id == marketplace_id]
    channels = {each.fulfillment_channel_code: each for each in item.fulfillment_availability}
    merchant = channels.get(DEFAULT_CHANNEL)
    return Listing(
        sku=sku,
        marketplace_id=marketplace_id,
        channels=tuple(channels),
        quantity=merchant.quantity if merchant else None,
        product_type=next(filter(None, [*types, summary.product_type if summary else None]), None),
        status=summary.status if summary else (),
        issues=_texts(item.issues, _ERROR),
    )


def _patch(update: QuantityUpdate) -> dict[str, Any]:
    """A merge: it keeps what it doesn't name, such as the handling time."""
    value: dict[str, Any] = {
        "fulfillment_channel_code": DEFAULT_CHANNEL,
        "quantity": update.quantity,
    }
    if update.lead_time_days is not None:
        value["lead_time_to_ship_max_days"] = update.lead_time_days
    patch = {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [value]}
    return {"productType": update.product_type, "patches": [patch]}


def _texts(issues: Iterable[_Issue], severity: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(issue.text for issue in issues if issue.severity == severity))


def _errors(issues: Iterable[_Issue], skus: Sequence[str]) -> dict[str, MessageResult]:
    """The refusals by SKU; under the empty one, the error of the feed as a whole."""
    known, errors = frozenset(skus), dict[str, MessageResult]()
    for issue in issues:
        if issue.severity == _ERROR:
            sku = _sku(issue, skus, known)
            errors.setdefault(sku, MessageResult(MessageStatus.REFUSED, issue.text))
    return errors


def _sku(issue: _Issue, skus: Sequence[str], known: frozenset[str]) -> str:
    number = issue.message_id or 0
    if 1 <= number <= len(skus):
        return skus[number - 1]
    return issue.sku if issue.sku in known and issue.sku else ""
