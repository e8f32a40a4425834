"""The step that adds the tables of daemons that share a store."""

from __future__ import annotations

from typing import Any

from amazon_bridge.engine.ledger.new_tables import create

_DAEMONS = """
    CREATE TABLE daemons (
        daemon {key} PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,  -- its process, for people
        configuration TEXT NOT NULL,  -- a digest
        sellers TEXT NOT NULL,  -- the accounts of each that it has: JSON
        began {key} NOT NULL,
        seen {key} NOT NULL
    )
"""
_LEASES = """
    CREATE TABLE leases (
        seller {key} PRIMARY KEY NOT NULL,
        daemon TEXT,  -- its holder; absent while there is none
        number INTEGER NOT NULL DEFAULT 0,
        since {key},
        expires {key},
        rates TEXT,  -- the levels of the seller's token buckets: JSON
        rates_at {key}
    )
"""
_SYNC_REQUESTS = """
    CREATE TABLE sync_requests (
        request {key} PRIMARY KEY NOT NULL,
        account TEXT NOT NULL,
        job TEXT NOT NULL,
        begun {key} NOT NULL,
        daemon TEXT,  -- that runs it; absent before
        counts TEXT  -- the result, by engine.codec
    )
"""


def _create(driver: Any) -> None:
    create(driver, _DAEMONS, _LEASES, _SYNC_REQUESTS)


LEASES = (_create,)
