"""The money of the simulated sellers: events, ledger, settlements, and the Finances API."""

from amazon_bridge.simulator.money.events import Account, Event, Row
from amazon_bridge.simulator.money.expectations import Expected
from amazon_bridge.simulator.money.finances import Finances
from amazon_bridge.simulator.money.forms import FileForm
from amazon_bridge.simulator.money.ledger import Balances
from amazon_bridge.simulator.money.money import Money
from amazon_bridge.simulator.money.random_ledger import random_ledger
from amazon_bridge.simulator.money.settlements import Settlement

__all__ = [
    "Account",
    "Balances",
    "Event",
    "Expected",
    "FileForm",
    "Finances",
    "Money",
    "Row",
    "Settlement",
    "random_ledger",
]
