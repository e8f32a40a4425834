"""Verifies state stores of both kinds."""

from __future__ import annotations

from pathlib import Path

from amazon_bridge.engine.ledger import file
from amazon_bridge.engine.postgresql import require_driver
from amazon_bridge.engine.store import Store


def verify(store: Store) -> dict[str, int]:
    """Check the integrity of a state store or of a backup, without changing it.

    Returns:
        The number of rows by table.

    Raises:
        ConfigError: there is none, it is damaged, it is not ours, or it is newer than we are.
        Transient: another process keeps it busy.
        AccountError: the database can't be reached, or refuses the login.
    """
    if isinstance(store, Path):
        return file.verify(store)
    require_driver(store)
    from amazon_bridge.engine.ledger import postgresql_schema  # noqa: PLC0415 (optional)

    return postgresql_schema.verify(store)


def check_exists(store: Store) -> None:
    """Check that there is a state store, without creating it.

    Raises:
        ConfigError: there is none.
        AccountError: the database can't be reached, or refuses the login.
    """
    if isinstance(store, Path):
        exists = store.exists()
    else:
        require_driver(store)
        from amazon_bridge.engine.ledger import postgresql_schema  # noqa: PLC0415 (optional)

        exists = postgresql_schema.exists(store)
    if not exists:
        raise file.no_store(store)
