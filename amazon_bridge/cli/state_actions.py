"""What ``state copy`` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import click

from amazon_bridge.app import utc_now
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, ConfigError, Locked
from amazon_bridge.engine.ledger.copying import copy
from amazon_bridge.engine.ledger.subjects import open_database
from amazon_bridge.engine.ledger.verification import check_exists
from amazon_bridge.engine.store import PostgresqlStore, Store, is_url, postgresql_store


def store_of(text: str, configured: Store) -> Store:
    """Return the store that a command's argument names.

    The configured store's password is used if it is the same one.
    """
    if not is_url(text):
        return Path(text)
    try:
        store = postgresql_store(text)
    except ValueError as error:
        raise click.BadParameter(f"FROM and TO: {error}") from None
    if isinstance(configured, PostgresqlStore) and store == replace(configured, password=None):
        return configured
    return store


def copied(source: Store, target: Store) -> dict[str, int]:
    """Copy a state store; returns the number of rows by table.

    Raises:
        ConfigError: there is no source, it is the target, or the target is used already.
        AccountError: a daemon runs with one of them, or a database can't be reached.
    """
    if source == target:
        raise ConfigError("FROM and TO are the same state store.", "Name another one.")
    check_exists(source)
    if isinstance(target, Path) and target.exists():
        raise ConfigError(
            f"The state store {target} exists already.", "Name a file that does not exist yet."
        )
    with ExitStack() as stack:
        for store in (source, target):
            stack.enter_context(_without_daemon(store))
        with _complete_or_removed(target):
            return _copied(source, target)


def _copied(source: Store, target: Store) -> dict[str, int]:
    with ExitStack() as stack:
        databases = [open_database(store, utc_now) for store in (source, target)]
        for database in databases:
            stack.enter_context(closing(database))
        return copy(*databases)


@contextmanager
def _complete_or_removed(target: Store) -> Iterator[None]:
    """Leave no new file that looks like a complete state store."""
    try:
        yield
    except BaseException:
        if isinstance(target, Path):
            target.unlink(missing_ok=True)
        raise


def _without_daemon(store: Store) -> ExitStack:
    """Keep daemons from running with a store."""
    held = ExitStack()
    try:
        held.enter_context(lock.held(store, *lock.DAEMON))
    except Locked as error:
        raise AccountError(
            f"A daemon runs with the state store {store} (process {error.holder}).",
            "Stop it, and copy again.",
        ) from None
    return held
