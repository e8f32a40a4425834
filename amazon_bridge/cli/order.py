"""``order``: show, recover or import one Amazon order."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import account_argument


@click.group()
def order() -> None:
    """Show, recover or import an Amazon order."""


@order.command(epilog=examples("order show 404-1234567-1234567"))
@click.argument("order_id", metavar="ID")
@click.pass_context
def show(ctx: click.Context, order_id: str) -> None:
    """Show what the bridge knows about an order."""
    from amazon_bridge.cli import order_actions  # noqa: PLC0415 (slow)

    order_actions.show(ctx, order_id)


@order.command(epilog=examples("order recover acme-eu 404-1234567-1234567"))
@account_argument
@click.argument("order_id", metavar="ID")
@click.pass_context
def recover(ctx: click.Context, account: str, order_id: str) -> None:
    """Fetch an order from Amazon by its ID and import it now, whatever the cursor says."""
    from amazon_bridge.cli import order_actions  # noqa: PLC0415 (slow)

    order_actions.recover(ctx, account, order_id)


@order.command("import", epilog=examples("order import acme-eu 404-1234567-1234567 --as-is"))
@account_argument
@click.argument("order_id", metavar="ID")
@click.option("--as-is", is_flag=True, help="Required: take the total that Amazon states.")
@click.pass_context
def import_(ctx: click.Context, account: str, order_id: str, *, as_is: bool) -> None:
    """Import a quarantined order at the total that Amazon states.

    For an order whose figures contradict each other. An activity on its sale order reminds people
    to check the amounts.
    """
    from amazon_bridge.cli import order_actions  # noqa: PLC0415 (slow)

    order_actions.import_order(ctx, account, order_id, as_is=as_is)
