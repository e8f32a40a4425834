"""The subjects of the state store, loaded together when one is opened."""

from __future__ import annotations

from amazon_bridge.engine.ledger.chores import Chores
from amazon_bridge.engine.ledger.continuity import Continuity
from amazon_bridge.engine.ledger.cursors import Cursors
from amazon_bridge.engine.ledger.database import Database
from amazon_bridge.engine.ledger.feeds import Feeds
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

__all__ = [
    "Chores",
    "Continuity",
    "Cursors",
    "Database",
    "Feeds",
    "Items",
    "Lanes",
    "OrderStatistics",
    "Runs",
    "Scans",
    "Skus",
    "Stock",
    "StockCatalogue",
    "StockComparisons",
    "UnitsInFlight",
]
