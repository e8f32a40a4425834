"""``stock``: how the quantity of one SKU comes about."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import ITEMS_FAILED, examples
from amazon_bridge.cli.common import account_option, opened
from amazon_bridge.terminal import say


@click.group()
def stock() -> None:
    """Show how a SKU's quantity is computed."""


@stock.command(epilog=examples("stock show MUG-BLUE --account acme-eu"))
@click.argument("sku", metavar="SKU")
@account_option
@click.pass_context
def show(ctx: click.Context, sku: str, account: str | None) -> None:
    """Show Amazon's quantity of a SKU, ours, and each term that it comes from."""
    from amazon_bridge.flows.stock.preview import show_sku  # noqa: PLC0415 (slow)

    with opened(ctx) as bridge:
        contexts = [bridge.context(each, dry_run=True) for each in bridge.accounts(account)]
        listed = [show_sku(context, sku) for context in contexts]
    if not any(listed):
        say(f"Amazon has no listing of {sku}.")
        ctx.exit(ITEMS_FAILED)
