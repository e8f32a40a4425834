"""The storage that presigned URLs point to: documents of feeds, their results, and reports."""

from __future__ import annotations

import gzip
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from werkzeug.wrappers import Request, Response

from amazon_bridge.simulator.world import Seller, World

URL_LIFETIME = timedelta(minutes=5)


@dataclass(slots=True)
class Document:
    """A document's contents; None until they are uploaded."""

    document_id: str
    seller_id: str
    content_type: str
    content: bytes | None = None
    compressed: bool = False
    signatures: dict[str, datetime] = field(default_factory=dict, repr=False)
    """Of the URLs handed out, with their expiry."""


class Documents:
    """Keeps documents by id, and signs URLs to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._documents: dict[str, Document] = {}

    def __getitem__(self, document_id: str) -> Document:
        return self._documents[document_id]

    def new(self, seller: Seller, content_type: str) -> Document:
        """An empty document, to be uploaded."""
        document_id = f"amzn1.tortuga.4.eu.{secrets.token_hex(16)}"
        document = Document(document_id, seller.seller_id, content_type)
        self._documents[document_id] = document
        return document

    def store(
        self, seller: Seller, content_type: str, content: bytes, *, compressed: bool
    ) -> Document:
        """A document of Amazon's own, to be downloaded."""
        document = self.new(seller, content_type)
        document.compressed = compressed
        document.content = gzip.compress(content) if compressed else content
        return document

    def of(self, seller: Seller, document_id: str) -> Document | None:
        """The document, if it is the seller's."""
        document = self._documents.get(document_id)
        return document if document and document.seller_id == seller.seller_id else None

    def sign(self, document: Document, root: str) -> str:
        """A URL that lets its holder up- or download the document for five minutes."""
        signature = secrets.token_hex(32)
        document.signatures[signature] = self._world.clock() + URL_LIFETIME
        self._world.issued_secrets.add(signature)
        return f"{root}storage/{document.document_id}?X-Amz-Signature={signature}"

    def upload(self, request: Request, document_id: str) -> Response:
        """Take a document's contents; the content type must be the one that was announced."""
        refusal = self._check_signature(request, document_id)
        if refusal:
            return refusal
        document = self._documents[document_id]
        if request.headers.get("Content-Type") != document.content_type:
            return _storage_error("SignatureDoesNotMatch", "The content type differs.")
        document.content = request.get_data()
        return Response(status=200)

    def download(self, request: Request, document_id: str) -> Response:
        """Hand out a document's contents."""
        refusal = self._check_signature(request, document_id)
        if refusal:
            return refusal
        document = self._documents[document_id]
        if document.content is None:
            return _storage_error("NoSuchKey", "The specified key does not exist.", 404)
        return Response(document.content, content_type=document.content_type)

    def _check_signature(self, request: Request, document_id: str) -> Response | None:
        document = self._documents.get(document_id)
        expiry = (
            document.signatures.get(request.args.get("X-Amz-Signature", "")) if document else None
        )
        if expiry is None:
            return _storage_error("SignatureDoesNotMatch", "The signature does not match.")
        if self._world.clock() >= expiry:
            return _storage_error("AccessDenied", "Request has expired")
        return None


def _storage_error(code: str, message: str, status: int = 403) -> Response:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status=status, content_type="application/xml")
