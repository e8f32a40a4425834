"""The orders to ship, for the status page, the metrics and the alerts of the daemon."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

import structlog

from amazon_bridge.app import ODOO
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import BridgeError, Stopped
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.flows.ship_by.decide import OrderToShip
from amazon_bridge.flows.ship_by.find import orders_to_ship, read_deliveries
from amazon_bridge.service.job_runner import JobRunner

log = structlog.get_logger(__name__)

TICK = timedelta(minutes=10)
"""Interval between readings of Odoo's open delivery orders."""


class DeliveriesTask:
    """Reads Odoo's open delivery orders now and then; those read last stay in use meanwhile."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def read_deliveries(self) -> None:
        """Read the open delivery orders; postponed while Odoo is down."""
        runner = self._runner
        if not runner.availability.are_up(ODOO) or not self._is_needed():
            return
        try:
            with suppress(Stopped):
                runner.deliveries = read_deliveries(runner.app.odoo, runner.clock)
        except BridgeError as error:
            log.warning("deliveries_not_read", reason=str(error))
        except Exception as error:  # noqa: BLE001  a bug here must affect no sync run
            internal_error(error)

    def _is_needed(self) -> bool:
        """False while nothing is to be shipped: a quiet shop costs Odoo nothing.

        The first reading also finds orders of stores without ship-by dates (older versions).
        """
        due, accounts = self._runner.app.ledger.items.due, self._runner.app.config.accounts
        is_first = self._runner.deliveries is None
        return is_first or any(due(account.name, ORDERS.name) for account in accounts)


def orders(runner: JobRunner, account: AccountConfig) -> list[OrderToShip]:
    """What an account has to ship, the most urgent first."""
    app = runner.app
    return orders_to_ship(app.ledger, app.config.accounts, account, runner.deliveries)


def all_orders(runner: JobRunner, accounts: Iterable[AccountConfig]) -> list[OrderToShip]:
    """What several accounts have to ship, the most urgent first."""
    found = [order for account in accounts for order in orders(runner, account)]
    return sorted(found, key=lambda order: (order.ship_by, order.order_id))
