"""State stores in PostgreSQL: this process's connection and its locks.

psycopg, an optional dependency, is imported when a store is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.store import PostgresqlStore

if TYPE_CHECKING:
    from amazon_bridge.engine.postgresql.session import Session

CHANNEL = "amazon_bridge"
"""What daemons are notified by: a lease is free, a daemon joined, or a sync is requested."""


def require_driver(store: PostgresqlStore) -> None:
    """Check that psycopg is there, before what needs it is imported.

    Raises:
        ConfigError: psycopg is not installed.
    """
    try:
        import psycopg  # noqa: F401, PLC0415 (optional)
    except ImportError as error:
        raise ConfigError(
            f"The state store {store} needs the package psycopg.",
            "Install the bridge with it: scripts/install FOLDER postgresql.",
        ) from error


def session_of(store: PostgresqlStore) -> Session:
    """Return this process's session of a store; it connects on first use.

    Raises:
        ConfigError: psycopg is not installed.
    """
    require_driver(store)
    from amazon_bridge.engine.postgresql.session import shared  # noqa: PLC0415 (optional)

    return shared(store)
