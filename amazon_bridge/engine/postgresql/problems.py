"""PostgreSQL's errors as errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from sqlalchemy.exc import StatementError

from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    StorageError,
    Transient,
)
from amazon_bridge.engine.store import PostgresqlStore

_GOES_ON = "the bridge goes on by itself"
_REACH = "Check that PostgreSQL runs and can be reached"
_LASTING = re.compile(r"database .* does not exist|invalid|unrecognized|not a valid")
"""In messages of what does not end by itself."""
_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
_DAMAGED = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.DataCorrupted,
    errors.IndexCorrupted,
)
_NO_ROOM = (errors.DiskFull, errors.IoError, errors.OutOfMemory, errors.TooManyConnections)
_LOST = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.IdleInTransactionSessionTimeout,  # as after this process was frozen
)
_UNWRITABLE = (
    (_NO_ROOM, "can't be written", "Make room on the server"),
    (errors.ReadOnlySqlTransaction, "can't be written", "Name the primary server in `state`"),
    (_LOST, "is out of reach", _REACH),
)


@contextmanager
def explained(store: PostgresqlStore) -> Iterator[None]:
    """Turn errors of PostgreSQL and its driver into errors that say what to do.

    Raises:
        StorageError: it can't be reached or written now, or its disk is full.
        ConfigError: the store is damaged, or this role may not write to it.
        Transient: another process keeps it busy.
    """
    try:
        yield
    except StatementError as error:
        if not isinstance(error.orig, psycopg.Error):
            raise (error.orig or error) from None
        raise (_explanation(store, error.orig) or error.orig) from None
    except psycopg.Error as error:
        explanation = _explanation(store, error)
        if explanation is None:
            raise
        raise explanation from error


def _explanation(store: PostgresqlStore, error: psycopg.Error) -> BridgeError | None:
    what = one_line(error)
    if isinstance(error, _BUSY):
        return Transient(f"The state store {store} is kept busy by another process: {what}.")
    if isinstance(error, _DAMAGED):
        return damaged(store, what)
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(
            f"The state store {store} can't be used: {what}.",
            "Give the role a database of its own: CREATE DATABASE ... OWNER ...;",
        )
    for kinds, verb, remedy in _UNWRITABLE:
        if isinstance(error, kinds):
            return StorageError(
                f"The state store {store} {verb}: {what}.", f"{remedy}; {_GOES_ON}."
            )
    return None


def refusal(store: PostgresqlStore, error: psycopg.OperationalError) -> BridgeError:
    """Why no connection could be made."""
    connection = error.pgconn
    what = one_line(error)
    if connection is not None and connection.needs_password:
        return AccountError(
            f"The state store {store} needs a password: {what}.", "Set `state_password`."
        )
    if "authentication failed" in what:
        return AccountError(
            f"The state store {store} refuses the login: {what}.",
            "Check the role in `state` and `state_password`.",
        )
    if _LASTING.search(what):
        return invalid(store, error)
    return StorageError(
        f"The state store {store} is out of reach: {what}.", f"{_REACH}; {_GOES_ON}."
    )


def invalid(store: PostgresqlStore, error: psycopg.Error) -> ConfigError:
    """What `state` names is wrong."""
    return ConfigError(
        f"The state store {store} can't be opened: {one_line(error)}.",
        "Correct `state`, or create the database that it names.",
    )


def damaged(store: PostgresqlStore, what: str) -> ConfigError:
    """The store's tables are not as they should be."""
    return ConfigError(
        f"The state store {store} is damaged: {what}.",
        "Stop the bridge, and restore a backup, or let it start with an empty database: what"
        " exists in Odoo is recognised, so nothing is done twice. Then set the cursors to a"
        " moment before the damage (amazon-bridge cursor set).",
    )


def one_line(error: psycopg.Error) -> str:
    """The server's message, without statements and values."""
    text = error.diag.message_primary or str(error)
    return " ".join(text.split()).rstrip(".")
