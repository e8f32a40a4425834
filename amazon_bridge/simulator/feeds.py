"""The Feeds API 2021-06-30."""

from __future__ import annotations

from collections import deque
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
from amazon_bridge.simulator.answers import invalid
from amazon_bridge.simulator.documents import Documents
from amazon_bridge.simulator.processing import Processing, Task
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

    ``fates`` has the outcomes of the next feeds: pairs of a final status (DONE, CANCELLED, FATAL)
    and the number of messages to process (None: all; a FATAL feed may have processed some).
    """

    def __init__(self, world: World, documents: Documents) -> None:
        super().__init__("feed", 50_000_000_000, world, documents)
        self.feeds = self.tasks
        self.fates: deque[tuple[str, int | None]] = deque()

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
        return answers.as_json({"feedId": feed.key}, 202)

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

    def _new_feed(self, seller: Seller, marketplace_ids: list[str], document_id: str) -> Feed:
        settings = self._world.settings
        fate, messages_done = self.fates.popleft() if self.fates else ("DONE", None)
        earlier = [feed.created for feed in self.feeds.values() if feed.seller == seller]
        feed = Feed(
            **self._common(
                seller,
                FEED_TYPE,
                marketplace_ids,
                queue_time=settings.feed_queue_time,
                work_time=settings.feed_work_time,
            ),
            document_id=document_id,
            fate=fate,
            messages_done=messages_done,
            too_soon=bool(earlier) and self._world.clock() - earlier[-1] < ADVISED_PAUSE,
        )
        self.feeds[feed.key] = feed
        return feed

    def _render(self, task: Feed) -> dict[str, Any]:
        answer = super()._render(task)
        if task.result_document_id:
            answer["resultFeedDocumentId"] = task.result_document_id
        return answer
