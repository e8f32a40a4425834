"""All jobs, in the order in which ``sync all`` runs them. The only place that knows them all.

To add one: docs/architecture.md, "Add a job".
"""

from __future__ import annotations

from collections.abc import Iterator

from amazon_bridge.flows.cancellations import CANCELLATIONS
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.flows.settlements import SETTLEMENTS
from amazon_bridge.flows.shipments import SHIPMENTS
from amazon_bridge.flows.stock import STOCK
from amazon_bridge.job import Job

JOBS: tuple[Job, ...] = (
    ORDERS,
    CANCELLATIONS,
    SHIPMENTS,
    STOCK,
    SETTLEMENTS,
)

NAMES = tuple(job.name for job in JOBS)


def named(name: str) -> Job:
    """The job of this name."""
    return next(job for job in JOBS if job.name == name)


def stored_names() -> Iterator[str]:
    """The names under which the state store keeps items of all jobs."""
    for job in JOBS:
        yield job.name
        yield from job.also_stores
