"""The Feeds API 2021-06-30."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator import answers
from amazon_bridge.simulator.acknowledgements import (
    Malformed,
    Report,
    Result,
    apply_acknowledgements,
)
from amazon_bridge.simulator.answers import invalid, not_found
from amazon_bridge.simulator.documents import Documents
from amazon_bridge.simulator.pages import Pages, matches
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.sellers import own_marketplaces
from amazon_bridge.simulator.world import Seller, World

FEED_TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
ADVISED_PAUSE = timedelta(minutes=20)


@dataclass(slots=True)
class Feed:
    """A feed. ``processed`` is the time when its messages were applied."""

    feed_id: str
    seller: Seller
    marketplace_ids: list[str]
    document_id: str
    created: datetime
    starts: datetime
    ends: datetime
    fate: str = "DONE"
    messages_done: int | None = None
    result_document_id: str | None = None
    processed: datetime | None = None
    report: Report | None = None
    too_soon: bool = False
    """It came within 20 minutes of the one before: against Amazon's advice, but accepted."""

    def status(self, now: datetime) -> str:
        if now < self.starts:
            return "IN_QUEUE"
        if self.fate == "CANCELLED":
            return "CANCELLED"
        return "IN_PROGRESS" if now < self.ends else self.fate


class Feeds:
    """Keeps feeds, and processes them when they are due.

    ``fates`` has the outcomes of the next feeds: pairs of a final status (DONE, CANCELLED, FATAL)
    and the number of messages to process (None: all; a FATAL feed may have processed some).
    """

    def __init__(self, world: World, documents: Documents) -> None:
        self._world, self._documents = world, documents
        self.feeds: dict[str, Feed] = {}
        self.fates: deque[tuple[str, int | None]] = deque()
        self._pages = Pages("feedTypes")

    # -- operations ------------------------------------------------------------------------

    def create_document(self, seller: Seller, body: dict[str, Any], root: str) -> Response:
        """The createFeedDocument operation."""
        document = self._documents.new(seller, body["contentType"])
        url = self._documents.sign(document, root)
        return answers.as_json({"feedDocumentId": document.document_id, "url": url}, 201)

    def create_feed(self, seller: Seller, body: dict[str, Any]) -> Response:
        """The createFeed operation."""
        if body["feedType"] != FEED_TYPE:
            raise invalid("'feedType' is not one that this simulator processes.")
        marketplace_ids = own_marketplaces(seller, body)
        document_id = body["inputFeedDocumentId"]
        document = self._documents.of(seller, document_id)
        if document is None or document.content is None:
            raise invalid("'inputFeedDocumentId' does not name an uploaded document.")
        feed = self._new_feed(seller, marketplace_ids, document_id)
        return answers.as_json({"feedId": feed.feed_id}, 202)

    def get_feed(self, seller: Seller, feed_id: str) -> Response:
        """The getFeed operation."""
        return answers.as_json(self._render(self._feed(seller, feed_id)))

    def get_feeds(self, seller: Seller, arguments: Mapping[str, str]) -> Response:
        """The getFeeds operation: newest first."""
        if self._pages.is_next(arguments):
            page, token = self._pages.next(seller, arguments)
        else:
            page, token = self._pages.first(seller, self._matching(seller, arguments), arguments)
        return answers.as_json({"feeds": [self._render(self.feeds[key]) for key in page]} | token)

    def _matching(self, seller: Seller, arguments: Mapping[str, str]) -> list[str]:
        if FEED_TYPE not in arguments["feedTypes"].split(","):
            return []
        now = self._world.clock()
        return [
            feed.feed_id
            for feed in reversed(self.feeds.values())
            if feed.seller == seller
            and matches(
                arguments,
                status=feed.status(now),
                marketplace_ids=feed.marketplace_ids,
                created=feed.created,
            )
        ]

    def cancel_feed(self, seller: Seller, feed_id: str) -> Response:
        """The cancelFeed operation: only for feeds in the queue."""
        feed = self._feed(seller, feed_id)
        if feed.status(self._world.clock()) != "IN_QUEUE":
            raise invalid("Only feeds that are IN_QUEUE can be cancelled.")
        feed.fate, feed.starts = "CANCELLED", self._world.clock()
        return Response(status=200)

    def get_document(self, seller: Seller, document_id: str, root: str) -> Response:
        """The getFeedDocument operation."""
        document = self._documents.of(seller, document_id)
        if document is None:
            raise not_found("The feed document was not found.")
        answer = {"feedDocumentId": document_id, "url": self._documents.sign(document, root)}
        if document.compressed:
            answer["compressionAlgorithm"] = "GZIP"
        return answers.as_json(answer)

    # -- work ------------------------------------------------------------------------------

    def process(self) -> None:
        """Process the feeds that are due."""
        now = self._world.clock()
        for feed in self.feeds.values():
            if feed.processed is None and feed.status(now) in {"DONE", "FATAL"}:
                feed.processed = now
                self._process(feed)

    def _process(self, feed: Feed) -> None:
        content = self._documents[feed.document_id].content or b""
        try:
            report = apply_acknowledgements(
                self._world, feed.seller, content, most=feed.messages_done
            )
        except Malformed as problem:
            feed.fate = "FATAL"
            report = Report(feed.seller.seller_id, 1, (Result("0", "5000", str(problem)),))
        feed.report = report
        if feed.fate == "DONE":
            feed.result_document_id = self._store_result(feed.seller, report)

    def _store_result(self, seller: Seller, report: Report) -> str:
        compressed = self._world.settings.compress_feed_results
        content_type = "text/xml; charset=UTF-8"
        document = self._documents.store(
            seller, content_type, report.to_xml(), compressed=compressed
        )
        return document.document_id

    # -- keeping ---------------------------------------------------------------------------

    def _new_feed(self, seller: Seller, marketplace_ids: list[str], document_id: str) -> Feed:
        now, settings = self._world.clock(), self._world.settings
        starts = now + timedelta(seconds=settings.feed_queue_time)
        fate, messages_done = self.fates.popleft() if self.fates else ("DONE", None)
        earlier = [feed.created for feed in self.feeds.values() if feed.seller == seller]
        feed = Feed(
            feed_id=str(50_000_000_000 + len(self.feeds)),
            seller=seller,
            marketplace_ids=marketplace_ids,
            document_id=document_id,
            created=now,
            starts=starts,
            ends=starts + timedelta(seconds=settings.feed_work_time),
            fate=fate,
            messages_done=messages_done,
            too_soon=bool(earlier) and now - earlier[-1] < ADVISED_PAUSE,
        )
        self.feeds[feed.feed_id] = feed
        return feed

    def _feed(self, seller: Seller, feed_id: str) -> Feed:
        feed = self.feeds.get(feed_id)
        if feed is None or feed.seller != seller:
            raise not_found("The feed was not found.")
        return feed

    def _render(self, feed: Feed) -> dict[str, Any]:
        now = self._world.clock()
        status = feed.status(now)
        answer: dict[str, Any] = {
            "feedId": feed.feed_id,
            "feedType": FEED_TYPE,
            "marketplaceIds": feed.marketplace_ids,
            "createdTime": timestamp(feed.created),
            "processingStatus": status,
        }
        if status in {"IN_PROGRESS", "DONE", "FATAL"}:
            answer["processingStartTime"] = timestamp(feed.starts)
        if status in {"DONE", "FATAL"}:
            answer["processingEndTime"] = timestamp(feed.ends)
        if feed.result_document_id:
            answer["resultFeedDocumentId"] = feed.result_document_id
        return answer
