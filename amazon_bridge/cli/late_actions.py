"""What ``late`` does: it lists the orders to ship."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click
from rich.table import Table

from amazon_bridge.app import App
from amazon_bridge.cli.commands import OUT_OF_REACH
from amazon_bridge.cli.common import opened, timestamp
from amazon_bridge.cli.hyperlinks import hyperlinked
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.flows.links import Links
from amazon_bridge.flows.ship_by.decide import OrderToShip, counts, risk_of
from amazon_bridge.flows.ship_by.find import Deliveries, orders_to_ship, read_deliveries
from amazon_bridge.flows.ship_by.show import as_json as orders_as_json
from amazon_bridge.flows.ship_by.show import odoo_url
from amazon_bridge.marketplaces import country_of
from amazon_bridge.tables import console
from amazon_bridge.terminal import plain, say


def late(ctx: click.Context, account: str | None, *, as_json: bool) -> None:
    """List the orders to ship, as the command `late` says."""
    with opened(ctx) as bridge:
        deliveries, problem = _deliveries(bridge)
        ledger, accounts = bridge.ledger, bridge.config.accounts
        found = {
            each.name: orders_to_ship(ledger, accounts, each, deliveries)
            for each in bridge.accounts(account)
        }
        _show_json(bridge, found) if as_json else _show(bridge, found)
    if problem:
        say(f"amazon-bridge: Odoo could not be read. {problem}", err=True)
        say("The list is from the state store alone, without what Odoo knows.", err=True)
        ctx.exit(OUT_OF_REACH)


def _deliveries(bridge: App) -> tuple[Deliveries | None, BridgeError | None]:
    try:
        return read_deliveries(bridge.odoo, bridge.clock), None
    except BridgeError as error:
        return None, error


def _show_json(bridge: App, found: Mapping[str, Sequence[OrderToShip]]) -> None:
    now, links = bridge.clock(), Links(bridge.config, bridge.ledger)
    accounts = {name: orders_as_json(orders, now, links) for name, orders in found.items()}
    click.echo(json.dumps({"as_of": timestamp(now), "accounts": accounts}))


def _show(bridge: App, found: Mapping[str, Sequence[OrderToShip]]) -> None:
    now, links = bridge.clock(), Links(bridge.config, bridge.ledger)
    orders = [order for of in found.values() for order in of]
    if not orders:
        say("No order is to be shipped.")
        return
    table = Table("risk", "ship by (UTC)", "account")
    table.add_column("order", no_wrap=True)
    table.add_column("delivery in Odoo")
    for order in sorted(orders, key=lambda each: (each.ship_by, each.order_id)):
        country = f", {country_of(order.marketplace_id)}" if order.marketplace_id else ""
        order_url = links.amazon(order.account, order.order_id, order.marketplace_id)
        table.add_row(
            risk_of(order, now).replace("_", " "),
            f"{order.ship_by:%Y-%m-%d %H:%M}",
            plain(f"{order.account}{country}"),
            hyperlinked(order.order_id, order_url),
            hyperlinked(order.note, odoo_url(order, links)),
        )
    console().print(table)
    numbers = ", ".join(f"{n} {risk.replace('_', ' ')}" for risk, n in counts(orders, now).items())
    say(f"{numbers}.")
