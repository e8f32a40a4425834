"""Sync runs that another daemon does, requested by the state store that they share."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.runner import Counts

log = structlog.get_logger(__name__)

_PAUSE = 1.0  # seconds between two looks for the result
_PATIENCE = 90.0
"""Seconds in which a daemon must work for the seller: longer than a take-over takes."""


def relayed(
    ledger: Ledger, account: AccountConfig, job: str, sleep: Callable[[float], None]
) -> Counts:
    """Let the daemon run a job that works for the account's seller, and wait for the result.

    Raises:
        AccountError: no daemon does, or the state store is out of reach.
    """
    request = ledger.sync_requests.add(account.name, job)
    log.info("sync_relayed", account=account.name, job=job)
    try:
        return _awaited(ledger, account, request, sleep)
    finally:
        ledger.sync_requests.remove(request)


def _awaited(
    ledger: Ledger, account: AccountConfig, request: str, sleep: Callable[[float], None]
) -> Counts:
    alone_since: float | None = None
    while (progress := ledger.sync_requests.progress(request)).counts is None:
        holding = ledger.holdings.all().get(account.seller_id)
        alone_since = None if holding else alone_since or time.monotonic()
        if alone_since and time.monotonic() > alone_since + _PATIENCE:
            raise AccountError(
                f"No daemon works for the seller {account.seller_id}.",
                "Start one that has the account in its configuration.",
            )
        if holding and progress.daemon not in {None, holding.daemon}:
            ledger.sync_requests.offer_again(request)  # the daemon that ran it has ended
        sleep(_PAUSE)
    return progress.counts
