"""What the state store has of listings."""

from clocks import Clock

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.model import Listing


def test_a_listing_without_a_quantity_is_not_unclear_when_it_is_to_be_read_again(
    ledger: Ledger, clock: Clock
):
    listings = [Listing("MUG", "FR", ("DEFAULT",), None), Listing("POT", "FR", ("DEFAULT",), 5)]
    ledger.stock_catalogue.file("acme", "FR", listings, clock())
    ledger.stock.read_back_soon("acme", ["MUG", "POT"], ["FR"])
    assert ledger.stock.unclear("acme") == set()
    assert ledger.stock.sent_before("acme", clock(), 9) == ["POT"]
    ledger.stock.note_sent("acme", "MUG", ["FR"], None)
    ledger.stock.read_back_soon("acme", ["MUG"], ["FR"])
    assert ledger.stock.sent_before("acme", clock(), 9) == ["MUG", "POT"]
