"""What feeds and reports have in common: Amazon processes them later, keeps and lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from werkzeug.wrappers import Response

from amazon_bridge.simulator import responses
from amazon_bridge.simulator.documents import Documents
from amazon_bridge.simulator.pages import Pages, matches
from amazon_bridge.simulator.rendering import timestamp
from amazon_bridge.simulator.responses import invalid, not_found
from amazon_bridge.simulator.world import Seller, World

RETENTION = timedelta(days=90)
RoleCheck = Callable[[Iterable[str]], None]
"""Raises a refusal if the application has none of the roles."""


@dataclass(slots=True, kw_only=True)
class Task:
    """A feed or a report.

    ``fate`` is its final status: DONE, FATAL, or CANCELLED, which it gets without processing.
    """

    key: str
    type: str
    seller: Seller
    marketplace_ids: list[str]
    created: datetime
    starts: datetime
    ends: datetime
    fate: str = "DONE"

    def status(self, now: datetime) -> str:
        if now < self.starts:
            return "IN_QUEUE"
        if self.fate == "CANCELLED":
            return "CANCELLED"
        return "IN_PROGRESS" if now < self.ends else self.outcome

    @property
    def outcome(self) -> str:
        """The status after processing."""
        return self.fate


T = TypeVar("T", bound=Task)


class Processing(Generic[T]):
    """Keeps the feeds, or the reports, of all sellers.

    Args:
        noun: ``feed`` or ``report``: Amazon's field names begin with it.
        first_key: The first id.
        world: Has the clock.
        documents: Has their documents.
        types: The types that are processed, and the roles that each needs.
        check_roles: Refuses types whose roles the application lacks.
    """

    def __init__(
        self,
        noun: str,
        first_key: int,
        world: World,
        documents: Documents,
        *,
        types: Mapping[str, Iterable[str]],
        check_roles: RoleCheck,
    ) -> None:
        self.tasks: dict[str, T] = {}
        self.newest_first = True
        """The sequence of lists, of which Amazon's models say nothing."""
        self._noun, self._first_key = noun, first_key
        self._world, self._documents = world, documents
        self._types, self._check_roles = types, check_roles
        self._pages = Pages(f"{noun}Types")

    def get(self, seller: Seller, key: str) -> Response:
        """The operations getFeed and getReport."""
        return responses.as_json(self._render(self._find(seller, key)))

    def search(self, seller: Seller, arguments: Mapping[str, str]) -> Response:
        """The operations getFeeds and getReports."""
        for type_ in arguments.get(f"{self._noun}Types", "").split(","):
            self._check_roles(self._types.get(type_, ()))
        page, token = self._pages.page(seller, arguments, lambda: self._matching(seller, arguments))
        tasks = [self._render(self.tasks[key]) for key in page]
        return responses.as_json({f"{self._noun}s": tasks} | token)

    def cancel(self, seller: Seller, key: str) -> Response:
        """The operations cancelFeed and cancelReport: only in the queue."""
        task = self._find(seller, key)
        if task.status(self._world.clock()) != "IN_QUEUE":
            raise invalid(f"Only {self._noun}s that are IN_QUEUE can be cancelled.")
        task.fate, task.starts = "CANCELLED", self._world.clock()
        return Response(status=200)

    def get_document(self, seller: Seller, document_id: str, root: str) -> Response:
        """The operations getFeedDocument and getReportDocument."""
        document = self._documents.of(seller, document_id)
        if document is None:
            raise not_found(f"The {self._noun} document was not found.")
        url = self._documents.sign(document, root)
        response = {f"{self._noun}DocumentId": document_id, "url": url}
        if document.compressed:
            response["compressionAlgorithm"] = "GZIP"
        return responses.as_json(response)

    def _common(
        self,
        seller: Seller,
        type_: str,
        marketplace_ids: list[str],
        *,
        queue_time: float,
        work_time: float,
    ) -> dict[str, Any]:
        """The fields of a new task; times are in seconds."""
        now = self._world.clock()
        starts = now + timedelta(seconds=queue_time)
        return {
            "key": str(self._first_key + len(self.tasks)),
            "type": type_,
            "seller": seller,
            "marketplace_ids": marketplace_ids,
            "created": now,
            "starts": starts,
            "ends": starts + timedelta(seconds=work_time),
        }

    def _find(self, seller: Seller, key: str) -> T:
        task = self.tasks.get(key)
        if task is None or not self._is_visible(task, seller):
            raise not_found(f"The {self._noun} was not found.")
        self._check_roles(self._types[task.type])
        return task

    def _require_type(self, type_: str) -> None:
        """Check a type: it is one that is processed here, and the application may use it."""
        if type_ not in self._types:
            raise invalid(f"'{self._noun}Type' is not one that this simulator processes.")
        self._check_roles(self._types[type_])

    def _is_visible(self, task: T, seller: Seller) -> bool:
        return task.seller == seller and task.created >= self._world.clock() - RETENTION

    def _matching(self, seller: Seller, arguments: Mapping[str, str]) -> list[str]:
        types = arguments[f"{self._noun}Types"].split(",")
        now = self._world.clock()
        tasks = list(self.tasks.values())
        return [
            task.key
            for task in (reversed(tasks) if self.newest_first else tasks)
            if task.type in types
            and self._is_visible(task, seller)
            and matches(
                arguments,
                status=task.status(now),
                marketplace_ids=task.marketplace_ids,
                created=task.created,
            )
        ]

    def _render(self, task: T) -> dict[str, Any]:
        status = task.status(self._world.clock())
        response: dict[str, Any] = {
            f"{self._noun}Id": task.key,
            f"{self._noun}Type": task.type,
            "createdTime": timestamp(task.created),
            "processingStatus": status,
        }
        if task.marketplace_ids:
            response["marketplaceIds"] = task.marketplace_ids
        if status in {"IN_PROGRESS", "DONE", "FATAL"}:
            response["processingStartTime"] = timestamp(task.starts)
        if status in {"DONE", "FATAL"}:
            response["processingEndTime"] = timestamp(task.ends)
        return response
