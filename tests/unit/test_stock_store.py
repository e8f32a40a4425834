"""What the state store has of listings."""

from datetime import timedelta

from clocks import Clock

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.stock_records import Comparison, SkuState
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


def test_what_is_gone_for_long_is_forgotten_of_the_named_accounts(ledger: Ledger, clock: Clock):
    listings = [Listing("MUG", "FR", ("DEFAULT",), 3), Listing("POT", "FR", ("DEFAULT",), 5)]
    for account in ("acme", "other", "left"):
        ledger.stock_catalogue.file(account, "FR", listings, clock())
        compared = [Comparison(sku, SkuState.EQUAL, parts=(7,)) for sku in ("MUG", "POT")]
        ledger.stock.note_comparisons(account, compared)
    for account in ("acme", "left"):
        ledger.stock.note_gone(account, "MUG", "FR")
    ledger.stock.forget(["acme", "other"], clock() - timedelta(days=1))
    assert set(ledger.stock.known("acme", ["MUG", "POT"])) == {"MUG", "POT"}
    clock.now += timedelta(days=2)
    ledger.stock.forget(["acme", "other"], clock() - timedelta(days=1))
    assert set(ledger.stock.known("acme", ["MUG", "POT"])) == {"POT"}
    assert ledger.stock.counts("acme") == {SkuState.EQUAL: 1}
    assert ledger.stock.of_products("acme", [7]) == {"POT"}
    for account in ("other", "left"):
        assert set(ledger.stock.known(account, ["MUG", "POT"])) == {"MUG", "POT"}
        assert ledger.stock.of_products(account, [7]) == {"MUG", "POT"}
