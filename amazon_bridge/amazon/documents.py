"""Documents of feeds and reports: uploaded and downloaded through presigned URLs.

Such a URL grants access to the document: none is logged, and none is part of an error.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO

import httpx

from amazon_bridge.amazon.client import Connection, require_safe
from amazon_bridge.amazon.operations import Operation
from amazon_bridge.amazon.payloads import NonEmpty, Payload, Text
from amazon_bridge.engine.errors import Transient

REPORT_IT = "If this persists, please report it."

_CHECK_STORAGE = (
    "If this persists, check that the network and the proxy allow HTTPS to Amazon's storage"
    " (amazonaws.com)."
)

_CHUNK = 2**16
_IN_MEMORY = 2**20
"""Bytes; larger documents go to a temporary file without a name."""


class ProcessingStatus(StrEnum):
    """How far Amazon has processed a feed or a report.

    Of a feed, DONE means that it was read, not that every message in it succeeded. Of a report,
    CANCELLED means that there is no data to report (or that somebody cancelled it).
    """

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FATAL = "FATAL"
    """Aborted; some messages of a feed may have been processed."""

    @property
    def final(self) -> bool:
        return self not in (ProcessingStatus.IN_QUEUE, ProcessingStatus.IN_PROGRESS)


class _Document(Payload):
    url: NonEmpty
    compression_algorithm: Text = None


def upload(http: httpx.Client, url: str, content: bytes, content_type: str) -> None:
    """Upload a feed document; the URL expires after five minutes.

    Args:
        http: The client.
        url: From createFeedDocument.
        content: The document.
        content_type: The same that createFeedDocument was given.

    Raises:
        Transient: It may not have arrived. Start again with a new URL.
    """
    headers = {"Content-Type": content_type}
    for _ in _transfer(http, "PUT", url, "feed document", content=content, headers=headers):
        pass


@contextmanager
def downloaded(
    connection: Connection, operation: Operation, document_id: str, *, what: str, largest: int
) -> Iterator[IO[bytes]]:
    """Download and unpack a document, then open it.

    It is complete before it is read, so that a connection that breaks leaves nothing half done.

    Args:
        connection: The seller's.
        operation: Returns the document's presigned URL, which expires after five minutes.
        document_id: Amazon's.
        what: Its name in errors.
        largest: Bytes, unpacked. A larger document is refused, packed or not.

    Raises:
        ItemError: ``not_found``.
        Transient: It didn't arrive, can't be unpacked, or is too large.
    """
    document = connection.ask(_Document, operation, document_id)
    parts = _transfer(connection.files, "GET", document.url, what)
    with SpooledTemporaryFile(_IN_MEMORY) as file:
        size = 0
        for part in _unpacked(parts, document.compression_algorithm, what):
            size += len(part)
            if size > largest:
                raise Transient(f"The {what} is larger than {largest // 2**20} MB.", REPORT_IT)
            file.write(part)
        file.seek(0)
        yield file


def _transfer(
    http: httpx.Client, method: str, url: str, what: str, **request: object
) -> Iterator[bytes]:
    require_safe(url, f"URL of the {what}")
    try:
        with http.stream(method, url, **request) as response:  # type: ignore[arg-type]
            if not response.is_success:
                status = response.status_code
                reason = f"Amazon's storage refused the {what} (HTTP {status})."
                raise Transient(reason, _CHECK_STORAGE)
            yield from response.iter_bytes(_CHUNK)
    except httpx.HTTPError as error:
        problem = type(error).__name__
        reason = f"The transfer of the {what} failed ({problem})."
        raise Transient(reason, _CHECK_STORAGE) from None


def _unpacked(parts: Iterable[bytes], compression: str | None, what: str) -> Iterator[bytes]:
    if compression is None:
        yield from parts
        return
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for part in parts:
            rest = part
            while rest:
                yield unpacking.decompress(rest, _CHUNK)
                rest = unpacking.unconsumed_tail
        yield unpacking.flush()
    except zlib.error:
        raise _damaged(what) from None
    if not unpacking.eof or unpacking.unused_data:
        raise _damaged(what)


def _damaged(what: str) -> Transient:
    return Transient(f"The {what} can't be unpacked.", REPORT_IT)
