"""Sync runs that another daemon does, requested by the state store that they share."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Holding

log = structlog.get_logger(__name__)

_PAUSE = 1.0  # seconds between two looks for the result
_PATIENCE = 90.0
"""Seconds in which a daemon must accept it: longer than a take-over takes."""


def relayed(
    ledger: Ledger, account: AccountConfig, job: str, sleep: Callable[[float], None]
) -> Counts:
    """Let the daemon run a job that works for the account's seller, and wait for the result.

    Raises:
        AccountError: no daemon does, or does not accept it, or the state store is out of reach.
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
    waits_since = time.monotonic()
    while True:
        progress = ledger.sync_requests.progress(request)
        if progress is None:
            raise AccountError("The request was deleted from the state store.", "Sync again.")
        if progress.counts is not None:
            return progress.counts
        holding = ledger.holdings.all().get(account.seller_id)
        if progress.daemon:
            waits_since = time.monotonic()
            if holding and holding.daemon != progress.daemon:  # the one that ran it has ended
                ledger.sync_requests.offer_again(request, progress.daemon)
        elif time.monotonic() > waits_since + _PATIENCE:
            raise _not_accepted(account, holding)
        sleep(_PAUSE)


def _not_accepted(account: AccountConfig, holding: Holding | None) -> AccountError:
    if holding is None:
        return AccountError(
            f"No daemon works for the seller {account.seller_id}.",
            "Start one that has the account in its configuration.",
        )
    return AccountError(
        f"Process {holding.name}, which works for the seller {account.seller_id}, does not accept"
        f" a sync of {account.name}.",
        "Reload it (SIGHUP), so that it has the account, and look at its log.",
    )
