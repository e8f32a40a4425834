"""The operations of the Finances API 2024-06-19.

Sources: Amazon's model, whose descriptions have rules that its schemas don't, and what the modules
``transactions``, ``balances`` and ``summaries`` name. Where no source settles what Amazon does,
``Settings`` has both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from amazon_bridge.simulator.money import balances, summaries, transactions
from amazon_bridge.simulator.money.cursors import Cursors
from amazon_bridge.simulator.money.events import Event
from amazon_bridge.simulator.money.money import Money, home_of
from amazon_bridge.simulator.responses import as_json, invalid
from amazon_bridge.simulator.world import Seller, World

Json = dict[str, Any]
Arguments = Mapping[str, str]


class Finances:
    """Shows sellers their money."""

    def __init__(self, world: World, money: Money) -> None:
        self._world, self._money = world, money
        self._cursors = Cursors()

    def list_transactions(self, seller: Seller, arguments: Arguments) -> Response:
        """The listTransactions operation."""
        transactions.check(seller, arguments, self._world.clock())
        page, token = self._cursors.page(
            seller, arguments, transactions.PER_PAGE, lambda: self._transactions(seller, arguments)
        )
        rendered = [self._rendered(seller, event) for event in page]
        return as_json({"payload": {"transactions": rendered} | token})

    def list_balances(self, seller: Seller, arguments: Arguments) -> Response:
        """The listBalances operation."""
        _check_places(seller, arguments)
        now = self._world.clock()
        as_of = balances.check(arguments, now)
        page, token = self._cursors.page(
            seller,
            arguments,
            balances.PER_PAGE,
            lambda: balances.find(
                self._money.book.ledger,
                seller,
                arguments,
                before=self._money.until(as_of),
                now=now,
            ),
        )
        return as_json({"balances": list(page)} | token)

    def list_summary(self, seller: Seller, arguments: Arguments) -> Response:
        """The listSummary operation."""
        _check_places(seller, arguments)
        summaries.check(arguments)
        page, token = self._cursors.page(
            seller,
            arguments,
            summaries.PER_PAGE,
            lambda: summaries.find(
                self._money.book,
                seller,
                arguments,
                with_reserves=self._world.settings.proceeds_with_reserves,
            ),
        )
        return as_json({"summaries": list(page)} | token)

    def _transactions(self, seller: Seller, arguments: Arguments) -> list[Event]:
        now = self._world.clock()
        latest = now - timedelta(seconds=self._world.settings.transaction_delay)
        shown = (e for e in self._money.book.of_seller(seller.seller_id) if e.posted <= latest)
        groups = {key: each.group_id for key, each in self._money.book.settlements.items()}
        return transactions.matching(shown, groups, arguments, now)

    def _rendered(self, seller: Seller, event: Event) -> Json:
        home = home_of(seller, event.account.currency)
        return transactions.render(event, home, self._identifiers(event))

    def _identifiers(self, event: Event) -> dict[str, str]:
        """The related identifiers by name; some are empty."""
        is_payout = event.kind == "Transfer"
        settlement = self._money.book.settlements.get(event.settlement_id)
        is_named = settlement is not None and (
            settlement.end is not None or self._world.settings.names_open_settlements
        )
        return {
            "ORDER_ID": event.order_id,
            "SHIPMENT_ID": event.shipment_id,
            "REFUND_ID": event.adjustment_id,
            "FINANCIAL_EVENT_GROUP_ID": settlement.group_id if settlement else "",
            "SETTLEMENT_ID": event.settlement_id if is_named and not is_payout else "",
            "DISBURSEMENT_ID": event.key[:20] if is_payout else "",
            "DEFERRED_TRANSACTION_ID": event.releases,
            "RELEASE_TRANSACTION_ID": event.released_by,
        }


def _check_places(seller: Seller, arguments: Arguments) -> None:
    places = arguments.get("marketplaceIds")
    if places is not None and not all(seller.sells_in(place) for place in places.split(",")):
        raise invalid("'marketplaceIds' has a marketplace that the seller is not in.")
