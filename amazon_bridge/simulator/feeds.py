"""The Feeds API 2021-06-30."""

from __future__ import annotations

import json
import random
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator import listings_feed, responses
from amazon_bridge.simulator.acknowledgements import (
    Malformed,
    Report,
    Result,
    apply_acknowledgements,
)
from amazon_bridge.simulator.documents import Document, Documents
from amazon_bridge.simulator.faults import quota_exceeded
from amazon_bridge.simulator.limits import Limits
from amazon_bridge.simulator.processing import Processing, RoleCheck, Task
from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.roles import FEED_TYPES
from amazon_bridge.simulator.sellers import own_marketplaces
from amazon_bridge.simulator.world import Seller, World

FEED_TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ADVISED_PAUSE = timedelta(minutes=20)


@dataclass(slots=True, kw_only=True)
class Feed(Task):
    """A feed. ``processed`` is the time when its messages were applied."""

    document_id: str
    messages_done: int | None = None
    result_document_id: str | None = None
    processed: datetime | None = None
    report: Report | None = None
    too_soon: bool = False
    """It came within 20 minutes of the one before: against Amazon's advice, but accepted."""


class Feeds(Processing[Feed]):
    """Keeps feeds, and processes them when they are due.

    ``fates`` has the outcomes of the next feeds: pairs of a final status (DONE, CANCELLED, FATAL,
    or STUCK: DONE after hours) and the number of messages to process (None: all; a FATAL feed may
    have processed some).
    """

    def __init__(
        self, world: World, documents: Documents, limits: Limits, check_roles: RoleCheck
    ) -> None:
        super().__init__(
            "feed", 50_000_000_000, world, documents, types=FEED_TYPES, check_roles=check_roles
        )
        self._limits = limits
        self._chance = random.Random("feeds")  # noqa: S311 - repeatable, not secret
        self.feeds = self.tasks
        self.fates: deque[tuple[str, int | None]] = deque()

    def create_document(self, seller: Seller, body: dict[str, Any], root: str) -> Response:
        """The createFeedDocument operation."""
        document = self._documents.new(seller, body["contentType"])
        url = self._documents.sign(document, root)
        return responses.as_json({"feedDocumentId": document.document_id, "url": url}, 201)

    def create_feed(self, seller: Seller, body: dict[str, Any]) -> Response:
        """The createFeed operation."""
        feed_type = body["feedType"]
        self._require_type(feed_type)
        marketplace_ids = own_marketplaces(seller, body)
        document_id = body["inputFeedDocumentId"]
        document = self._documents.of(seller, document_id)
        if document is None or document.content is None:
            raise invalid("'inputFeedDocumentId' does not name an uploaded document.")
        if not self._limits.take(seller.seller_id, feed_type, self._world.clock()):
            return quota_exceeded()
        feed = self._new_feed(seller, feed_type, marketplace_ids, document_id)
        return responses.as_json({"feedId": feed.key}, 202)

    def process(self) -> None:
        """Process the feeds that are due."""
        now = self._world.clock()
        for feed in self.feeds.values():
            if feed.processed is None and feed.status(now) in {"DONE", "FATAL"}:
                feed.processed = now
                self._process(feed)

    def _process(self, feed: Feed) -> None:
        document = self._documents[feed.document_id]
        if feed.type == listings_feed.FEED_TYPE:
            result, content_type = self._update(feed, document), "application/json; charset=UTF-8"
        else:
            result, content_type = self._acknowledge(feed, document), "text/xml; charset=UTF-8"
        if feed.fate == "DONE":
            compressed = self._world.settings.compress_feed_results
            stored = self._documents.store(feed.seller, content_type, result, compressed=compressed)
            feed.result_document_id = stored.document_id

    def _acknowledge(self, feed: Feed, document: Document) -> bytes:
        try:
            content = _content(document, "text/xml")
            report = apply_acknowledgements(
                self._world, feed.seller, content, most=feed.messages_done
            )
        except Malformed as problem:
            feed.fate = "FATAL"
            report = Report(feed.seller.seller_id, 1, (Result("0", "5000", str(problem)),))
        feed.report = report
        return report.to_xml()

    def _update(self, feed: Feed, document: Document) -> bytes:
        try:
            content = _content(document, "application/json")
            report = listings_feed.apply_updates(
                self._world, feed.seller, feed.marketplace_ids, content, feed.messages_done
            )
        except Malformed as problem:
            feed.fate = "FATAL"
            report = listings_feed.feed_problem(feed.seller, problem)
        report["header"]["feedId"] = feed.key
        return json.dumps(report).encode()

    def _new_feed(
        self, seller: Seller, feed_type: str, marketplace_ids: list[str], document_id: str
    ) -> Feed:
        settings = self._world.settings
        fate, messages_done = self._next_fate(feed_type)
        earlier = [
            feed.created
            for feed in self.feeds.values()
            if feed.seller == seller and feed.type == FEED_TYPE
        ]
        feed = Feed(
            **self._common(
                seller,
                feed_type,
                marketplace_ids,
                queue_time=settings.feed_queue_time,
                work_time=(
                    settings.stuck_feed_time if fate == "STUCK" else settings.feed_work_time
                ),
            ),
            document_id=document_id,
            fate="DONE" if fate == "STUCK" else fate,
            messages_done=messages_done,
            too_soon=bool(earlier)
            and feed_type == FEED_TYPE
            and self._world.clock() - earlier[-1] < ADVISED_PAUSE,
        )
        self.feeds[feed.key] = feed
        return feed

    def _next_fate(self, feed_type: str) -> tuple[str, int | None]:
        if self.fates:
            return self.fates.popleft()
        share = self._world.settings.stuck_feeds if feed_type != FEED_TYPE else 0
        return ("STUCK" if self._chance.random() < share else "DONE"), None

    def _render(self, task: Feed) -> dict[str, Any]:
        response = super()._render(task)
        if task.result_document_id:
            response["resultFeedDocumentId"] = task.result_document_id
        return response


def _content(document: Document, media_type: str) -> bytes:
    """The document's contents.

    Raises:
        Malformed: It was uploaded under another media type than its feed type needs.
    """
    if document.content_type.partition(";")[0].strip().lower() != media_type:
        raise Malformed(f"The content type of the feed document must be {media_type}.")
    return document.content or b""
