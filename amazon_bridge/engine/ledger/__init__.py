"""The state store: what each account's jobs have seen, done and quarantined.

An SQLite file, or a PostgreSQL database.

Correctness does not depend on it: without it, or with an old copy of it, nothing is done
twice. It holds keys, fingerprints and reasons, and never a buyer's data.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Self

from amazon_bridge.engine.store import Store


class Ledger:
    """An open state store, by subject. All threads share one; processes may share the store.

    All methods of the subjects raise ``Transient`` if another process keeps the store busy,
    ``ConfigError`` if it is damaged or this user may not write to it, ``StorageError`` if the
    disk is full or the database is out of reach.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Open the store; create it, a file with its folder, if it does not exist.

        Raises:
            ConfigError: it can't be opened, is damaged, is not ours, or is newer than we are.
            AccountError: the database refuses the login, or can't be reached.
        """
        # SQLAlchemy is loaded when a store is opened: other commands do without it.
        from amazon_bridge.engine.ledger import subjects  # noqa: PLC0415

        self.store = store
        self._database = subjects.open_database(store, clock)
        self.items = subjects.Items(self._database)
        self.cursors = subjects.Cursors(self._database)
        self.lanes = subjects.Lanes(self._database)
        self.runs = subjects.Runs(self._database)
        self.statistics = subjects.OrderStatistics(self._database)
        self.scans = subjects.Scans(self._database)
        self.feeds = subjects.Feeds(self._database)
        self.skus = subjects.Skus(self._database)
        self.in_flight = subjects.UnitsInFlight(self._database)
        self.stock = subjects.Stock(self._database)
        self.stock_catalogue = subjects.StockCatalogue(self._database)
        self.stock_comparisons = subjects.StockComparisons(self._database)
        self.continuity = subjects.Continuity(self._database)
        self.alerts = subjects.Alerts(self._database)
        self.chores = subjects.Chores(self._database)
        self.holdings = subjects.Holdings(self._database)
        self.sync_requests = subjects.SyncRequests(self._database)

    @property
    def is_shared(self) -> bool:
        """Whether several daemons may use it."""
        return self._database.is_shared

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._database.close()

    def back_up(self, target: Path) -> None:
        """Copy the store as it is at one moment to an SQLite file, while others work with it.

        Raises:
            ConfigError: the target exists already, or can't be written.
        """
        self._database.back_up(target)
