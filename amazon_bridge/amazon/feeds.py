"""Feeds: submitted, polled, and their results downloaded.

Source: Amazon's model "feeds_2021-06-30" and its page "Feeds API v2021-06-30 Use Case Guide".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from amazon_bridge.amazon import operations
from amazon_bridge.amazon.client import Connection
from amazon_bridge.amazon.documents import ProcessingStatus, downloaded, upload
from amazon_bridge.amazon.payloads import NonEmpty, Payload, Text, iso


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed as it is now. It may have no result document, above all when it was CANCELLED."""

    feed_id: str
    status: ProcessingStatus
    result_document_id: str | None


class MessageStatus(StrEnum):
    """Whether Amazon accepted one message of a feed."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Amazon doesn't say: look at the order, or the listing, itself."""


@dataclass(frozen=True, slots=True)
class MessageResult:
    """Whether Amazon accepted one message of a feed, and its reason if it refused."""

    status: MessageStatus
    reason: str = ""


class _Feed(Payload):
    feed_id: NonEmpty


class _Feeds(Payload):
    feeds: list[Any]
    next_token: Text = None


class _FeedState(_Feed):
    processing_status: ProcessingStatus
    result_feed_document_id: Text = None


class _NewDocument(Payload):
    feed_document_id: NonEmpty
    url: NonEmpty


class Feeds:
    """The feeds of one account. Safe to share between threads."""

    def __init__(self, connection: Connection, marketplace_ids: Sequence[str]) -> None:
        self._connection = connection
        self._marketplace_ids = list(marketplace_ids)

    def submit(
        self,
        feed_type: str,
        content: bytes,
        content_type: str,
        marketplace_ids: Sequence[str] = (),
    ) -> str:
        """Upload a document and create a feed of it, for the account's marketplaces or for these.

        Returns:
            The feed's id. Save it before polling ``state``.

        Raises:
            Transient: With ``maybe_done``, the feed may exist.
        """
        document = self._connection.ask(
            _NewDocument, operations.CREATE_FEED_DOCUMENT, contentType=content_type
        )
        upload(self._connection.files, document.url, content, content_type)
        feed = self._connection.ask(
            _Feed,
            operations.CREATE_FEED,
            feedType=feed_type,
            marketplaceIds=list(marketplace_ids) or self._marketplace_ids,
            inputFeedDocumentId=document.feed_document_id,
        )
        return feed.feed_id

    def is_any_pending(self, feed_type: str, since: datetime) -> bool:
        """True if any feed of this type created since then isn't processed yet."""
        found = self._connection.ask(
            _Feeds,
            operations.GET_FEEDS,
            feedTypes=[feed_type],
            processingStatuses=[status for status in ProcessingStatus if not status.final],
            createdSince=iso(since),
        )
        return bool(found.feeds or found.next_token)

    def state(self, feed_id: str) -> FeedState:
        """A feed as it is now.

        Raises:
            ItemError: ``not_found``.
        """
        feed = self._connection.ask(_FeedState, operations.GET_FEED, feed_id)
        return FeedState(feed.feed_id, feed.processing_status, feed.result_feed_document_id)

    def result(self, document_id: str, *, largest: int) -> bytes:
        """Download the result document of a feed.

        Args:
            document_id: From ``state``.
            largest: Bytes, unpacked.

        Raises:
            ItemError: ``not_found``: results are kept for 28 days.
            Transient: It didn't arrive, can't be unpacked, or is too large.
        """
        with downloaded(
            self._connection,
            operations.GET_FEED_DOCUMENT,
            document_id,
            what="result of the feed",
            largest=largest,
        ) as file:
            return file.read()
