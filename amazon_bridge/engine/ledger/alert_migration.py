"""The step that adds the table of what people were alerted about."""

from __future__ import annotations

from typing import Any

from amazon_bridge.engine.ledger.new_tables import create

_ALERTS = """
    CREATE TABLE alerts (
        account {key} NOT NULL REFERENCES accounts (name),
        kind {key} NOT NULL,
        job {key} NOT NULL,  -- empty if it is no job's
        key {key} NOT NULL,  -- of an item, or empty
        since {key} NOT NULL,
        PRIMARY KEY (account, kind, job, key)
    )
"""


def _create(driver: Any) -> None:
    create(driver, _ALERTS)


ALERTS = (_create,)
