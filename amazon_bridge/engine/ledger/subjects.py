"""The subjects of the state store, loaded together when one is opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from amazon_bridge.engine.ledger.alerts import Alerts
from amazon_bridge.engine.ledger.chores import Chores
from amazon_bridge.engine.ledger.continuity import Continuity
from amazon_bridge.engine.ledger.cursors import Cursors
from amazon_bridge.engine.ledger.database import Database, SqliteDatabase
from amazon_bridge.engine.ledger.feeds import Feeds
from amazon_bridge.engine.ledger.holdings import Holdings
from amazon_bridge.engine.ledger.in_flight import UnitsInFlight
from amazon_bridge.engine.ledger.items import Items
from amazon_bridge.engine.ledger.lanes import Lanes
from amazon_bridge.engine.ledger.runs import Runs
from amazon_bridge.engine.ledger.scans import Scans
from amazon_bridge.engine.ledger.skus import Skus
from amazon_bridge.engine.ledger.statistics import OrderStatistics
from amazon_bridge.engine.ledger.stock import Stock
from amazon_bridge.engine.ledger.stock_catalogue import StockCatalogue
from amazon_bridge.engine.ledger.stock_progress import StockComparisons
from amazon_bridge.engine.ledger.sync_requests import SyncRequests
from amazon_bridge.engine.postgresql import require_driver
from amazon_bridge.engine.store import Store

__all__ = [
    "Alerts",
    "Chores",
    "Continuity",
    "Cursors",
    "Feeds",
    "Holdings",
    "Items",
    "Lanes",
    "OrderStatistics",
    "Runs",
    "Scans",
    "Skus",
    "Stock",
    "StockCatalogue",
    "StockComparisons",
    "SyncRequests",
    "UnitsInFlight",
    "open_database",
]


def open_database(store: Store, clock: Callable[[], datetime]) -> Database:
    """Open a state store; create it if it does not exist."""
    if isinstance(store, Path):
        return SqliteDatabase(store, clock)
    require_driver(store)
    from amazon_bridge.engine.ledger.postgresql import PostgresqlDatabase  # noqa: PLC0415 (optional)

    return PostgresqlDatabase(store, clock)
