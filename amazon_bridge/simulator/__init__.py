"""A small, honest Amazon: the part of the Selling Partner API that the bridge speaks.

It follows Amazon's models and documented rules and knows nothing of the bridge, so that the
two can disagree. For tests and the demo; it must never face a network.
"""

from amazon_bridge.simulator.backend import Received
from amazon_bridge.simulator.buyers import buy, buy_one
from amazon_bridge.simulator.catalogue import CATALOGUE, PRODUCTS, Product
from amazon_bridge.simulator.clock import ManualClock, system_clock
from amazon_bridge.simulator.generator import SELLERS, generate, list_catalogue, populate
from amazon_bridge.simulator.inventory import Inventory, Listing, Violation
from amazon_bridge.simulator.lines import Line
from amazon_bridge.simulator.markets import MARKETS, Market
from amazon_bridge.simulator.money import Expected, FileForm, Money, Settlement, random_ledger
from amazon_bridge.simulator.orders import ABSENT, Address, Buyer, Item, Order, Package
from amazon_bridge.simulator.server import Simulator
from amazon_bridge.simulator.settings import Settings
from amazon_bridge.simulator.world import Mail, Seller, World

__all__ = [
    "ABSENT",
    "CATALOGUE",
    "MARKETS",
    "PRODUCTS",
    "SELLERS",
    "Address",
    "Buyer",
    "Expected",
    "FileForm",
    "Inventory",
    "Item",
    "Line",
    "Listing",
    "Mail",
    "ManualClock",
    "Market",
    "Money",
    "Order",
    "Package",
    "Product",
    "Received",
    "Seller",
    "Settings",
    "Settlement",
    "Simulator",
    "Violation",
    "World",
    "buy",
    "buy_one",
    "generate",
    "list_catalogue",
    "populate",
    "random_ledger",
    "system_clock",
]
