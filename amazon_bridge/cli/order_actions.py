"""What the commands of ``order`` do."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import ITEMS_FAILED
from amazon_bridge.cli.common import exit_code, opened, timestamp
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.orders import ORDERS
from amazon_bridge.flows.pending import explained
from amazon_bridge.model import is_order_id
from amazon_bridge.terminal import say


def show(ctx: click.Context, order_id: str) -> None:
    """Show what the bridge knows about an order."""
    with opened(ctx) as bridge:
        entries = bridge.ledger.items.of_order(order_id)
    if not entries:
        _ensure_order_id(order_id)
        say(f"The bridge does not know {order_id}. To fetch it from Amazon:")
        say(f"  amazon-bridge order recover ACCOUNT {order_id}")
        ctx.exit(ITEMS_FAILED)
    for entry in entries:
        _show(entry)


def _ensure_order_id(order_id: str) -> None:
    if not is_order_id(order_id):
        raise click.UsageError(
            f"{order_id!r} is not an Amazon order id: these have 3, 7 and 7 digits, such as"
            " 404-1234567-1234567."
        )


def _show(entry: Entry) -> None:
    say(f"{entry.display_key} ({entry.account}, {entry.job}): {entry.state.replace('_', ' ')}")
    say(f"  first seen {timestamp(entry.first_seen)}, last seen {timestamp(entry.last_seen)}")
    if entry.last_tried:
        say(f"  last tried {timestamp(entry.last_tried)}")
    if entry.kind:
        say(f"  {entry.kind}: {entry.reason} {entry.remedy or ''}")
    elif entry.state is State.PENDING and (reason := explained(entry).reason):
        say(f"  {reason}")


def recover(ctx: click.Context, account: str, order_id: str) -> None:
    """Fetch an order from Amazon by its ID and import it now, whatever the cursor says."""
    with opened(ctx) as bridge:
        found = bridge.config.account(account)
        _ensure_order_id(order_id)
        counts = bridge.recover(found, order_id)
        for entry in bridge.ledger.items.of_order(order_id):
            _show(entry)
            if entry.job == ORDERS.name and entry.state is State.LEFT_OUT:
                say(_WHY_LEFT_OUT)
    ctx.exit(exit_code([counts]))


_WHY_LEFT_OUT = (
    "  Not imported on purpose: it is of another channel, Amazon has not shipped it yet (FBA), or"
    " it was shipped (FBM) or cancelled before the bridge first saw it."
)


def import_order(ctx: click.Context, account: str, order_id: str, *, as_is: bool) -> None:
    """Import a quarantined order that can't be understood, at the total that Amazon states."""
    if not as_is:
        raise click.UsageError(f"To import it as usual: order recover {account} {order_id}")
    with opened(ctx) as bridge:
        found = bridge.config.account(account)
        _ensure_order_id(order_id)
        counts = bridge.import_as_is(found, order_id)
        for entry in bridge.ledger.items.with_key(order_id):
            _show(entry)
    ctx.exit(exit_code([counts]))
