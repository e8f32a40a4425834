"""The Feeds API 2021-06-30, and the storage that its presigned URLs point to."""

from __future__ import annotations

import gzip
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from amazon_bridge.simulator import answers
from amazon_bridge.simulator.acknowledgements import (
    Malformed,
    Report,
    Result,
    apply_acknowledgements,
)
from amazon_bridge.simulator.answers import invalid, not_found
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.world import Seller, World

FEED_TYPE = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
URL_LIFETIME = timedelta(minutes=5)
ADVISED_PAUSE = timedelta(minutes=20)
PER_PAGE = 10


@dataclass(slots=True)
class Document:
    """A feed's or a result's contents."""

    document_id: str
    seller_id: str
    content_type: str
    content: bytes | None = None
    compressed: bool = False
    signatures: dict[str, datetime] = field(default_factory=dict, repr=False)
    """Of the URLs given out, with the moment when each expires."""


@dataclass(slots=True)
class Feed:
    """A feed. ``worked`` is the moment when its messages were applied."""

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
    worked: datetime | None = None
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
    """Keeps feeds and works them when their time has come.

    ``fates`` tells what becomes of the next feeds: pairs of a final status (DONE, CANCELLED,
    FATAL) and how many of its messages are worked (None: all; a FATAL feed may have done some).
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.feeds: dict[str, Feed] = {}
        self.documents: dict[str, Document] = {}
        self.fates: deque[tuple[str, int | None]] = deque()
        self._pages: dict[tuple[str, str], tuple[list[str], int]] = {}

    # -- operations ------------------------------------------------------------------------

    def create_document(self, seller: Seller, body: dict[str, Any], root: str) -> Response:
        """The createFeedDocument operation."""
        document = self._new_document(seller, body["contentType"])
        answer = {"feedDocumentId": document.document_id, "url": self._sign(document, root)}
        return answers.as_json(answer, 201)

    def create_feed(self, seller: Seller, body: dict[str, Any]) -> Response:
        """The createFeed operation."""
        if body["feedType"] != FEED_TYPE:
            raise invalid("'feedType' is not one that this simulator processes.")
        marketplace_ids = _marketplace_ids(seller, body)
        document_id = body["inputFeedDocumentId"]
        document = self._document(seller, document_id)
        if document is None or document.content is None:
            raise invalid("'inputFeedDocumentId' does not name an uploaded document.")
        feed = self._new_feed(seller, marketplace_ids, document_id)
        return answers.as_json({"feedId": feed.feed_id}, 202)

    def get_feed(self, seller: Seller, feed_id: str) -> Response:
        """The getFeed operation."""
        return answers.as_json(self._render(self._feed(seller, feed_id)))

    def get_feeds(self, seller: Seller, arguments: Mapping[str, str]) -> Response:
        """The getFeeds operation: newest first.

        Amazon's model wants ``feedTypes``, or a ``nextToken`` and nothing else.
        """
        if ("nextToken" in arguments) == ("feedTypes" in arguments):
            raise invalid("Provide either feedTypes or nextToken.")
        if "nextToken" in arguments:
            return self._page(seller, arguments["nextToken"], len(arguments))
        now = self._world.clock()
        mine = [
            feed.feed_id
            for feed in reversed(self.feeds.values())
            if feed.seller == seller and _is_wanted(feed, arguments, now)
        ]
        return self._answer(mine, int(arguments.get("pageSize", PER_PAGE)))

    def _page(self, seller: Seller, token: str, parameters: int) -> Response:
        page = self._pages.get((seller.seller_id, token))
        if page is None or parameters > 1:
            raise invalid("The nextToken is invalid, or other parameters are given with it.")
        return self._answer(*page)

    def _answer(self, feed_ids: list[str], size: int) -> Response:
        shown, rest = feed_ids[:size], feed_ids[size:]
        body: dict[str, Any] = {"feeds": [self._render(self.feeds[key]) for key in shown]}
        if rest:
            body["nextToken"] = secrets.token_urlsafe(36)
            seller_id = self.feeds[rest[0]].seller.seller_id
            self._pages[seller_id, body["nextToken"]] = rest, size
        return answers.as_json(body)

    def cancel_feed(self, seller: Seller, feed_id: str) -> Response:
        """cancelFeed: only what still waits in the queue."""
        feed = self._feed(seller, feed_id)
        if feed.status(self._world.clock()) != "IN_QUEUE":
            raise invalid("Only feeds that are IN_QUEUE can be cancelled.")
        feed.fate, feed.starts = "CANCELLED", self._world.clock()
        return Response(status=200)

    def get_document(self, seller: Seller, document_id: str, root: str) -> Response:
        """The getFeedDocument operation."""
        document = self._document(seller, document_id)
        if document is None:
            raise not_found("The feed document was not found.")
        answer = {"feedDocumentId": document_id, "url": self._sign(document, root)}
        if document.compressed:
            answer["compressionAlgorithm"] = "GZIP"
        return answers.as_json(answer)

    # -- storage ---------------------------------------------------------------------------

    def upload(self, request: Request, document_id: str) -> Response:
        """Take a document's contents; the content type must be the one that was announced."""
        refusal = self._check_signature(request, document_id)
        if refusal:
            return refusal
        document = self.documents[document_id]
        if request.headers.get("Content-Type") != document.content_type:
            return _storage_error("SignatureDoesNotMatch", "The content type differs.")
        document.content = request.get_data()
        return Response(status=200)

    def download(self, request: Request, document_id: str) -> Response:
        """Hand out a document's contents."""
        refusal = self._check_signature(request, document_id)
        if refusal:
            return refusal
        document = self.documents[document_id]
        if document.content is None:
            return _storage_error("NoSuchKey", "The specified key does not exist.", 404)
        return Response(document.content, content_type=document.content_type)

    def _check_signature(self, request: Request, document_id: str) -> Response | None:
        document = self.documents.get(document_id)
        expiry = (
            document.signatures.get(request.args.get("X-Amz-Signature", "")) if document else None
        )
        if expiry is None:
            return _storage_error("SignatureDoesNotMatch", "The signature does not match.")
        if self._world.clock() >= expiry:
            return _storage_error("AccessDenied", "Request has expired")
        return None

    def _sign(self, document: Document, root: str) -> str:
        signature = secrets.token_hex(32)
        document.signatures[signature] = self._world.clock() + URL_LIFETIME
        self._world.issued_secrets.add(signature)
        return f"{root}storage/{document.document_id}?X-Amz-Signature={signature}"

    # -- work ------------------------------------------------------------------------------

    def work(self) -> None:
        """Work the feeds whose time has come."""
        now = self._world.clock()
        for feed in self.feeds.values():
            if feed.worked is None and feed.status(now) in {"DONE", "FATAL"}:
                feed.worked = now
                self._work(feed)

    def _work(self, feed: Feed) -> None:
        content = self.documents[feed.document_id].content or b""
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
        document = self._new_document(seller, "text/xml; charset=UTF-8")
        content = report.to_xml()
        document.compressed = self._world.settings.compress_feed_results
        document.content = gzip.compress(content) if document.compressed else content
        return document.document_id

    # -- keeping ---------------------------------------------------------------------------

    def _new_document(self, seller: Seller, content_type: str) -> Document:
        document_id = f"amzn1.tortuga.4.eu.{secrets.token_hex(16)}"
        document = Document(document_id, seller.seller_id, content_type)
        self.documents[document_id] = document
        return document

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

    def _document(self, seller: Seller, document_id: str) -> Document | None:
        document = self.documents.get(document_id)
        return document if document and document.seller_id == seller.seller_id else None

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


def _is_wanted(feed: Feed, arguments: Mapping[str, str], now: datetime) -> bool:
    places = arguments.get("marketplaceIds")
    since, until = (_instant(arguments, name) for name in ("createdSince", "createdUntil"))
    return (
        FEED_TYPE in arguments["feedTypes"].split(",")
        and feed.status(now) in arguments.get("processingStatuses", feed.status(now)).split(",")
        and (places is None or bool(set(places.split(",")) & set(feed.marketplace_ids)))
        and (since is None or feed.created >= since)
        and (until is None or feed.created <= until)
    )


def _instant(arguments: Mapping[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(arguments[name]) if name in arguments else None


def _marketplace_ids(seller: Seller, body: dict[str, Any]) -> list[str]:
    marketplace_ids: list[str] = body["marketplaceIds"]
    if not all(seller.sells_in(marketplace) for marketplace in marketplace_ids):
        raise invalid("'marketplaceIds' has a marketplace that the seller is not in.")
    return marketplace_ids


def _storage_error(code: str, message: str, status: int = 403) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status=status, content_type="application/xml")
