"""``state``: back up, verify, copy and adopt the state store."""

from __future__ import annotations

from pathlib import Path

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import load, opened, parse_timestamp, timestamp
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.ledger.verification import verify as verify_store
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.terminal import say


@click.group()
def state() -> None:
    """Back up, verify, copy or adopt the state store."""


@state.command(epilog=examples("state backup /var/backups/bridge.db"))
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def backup(ctx: click.Context, path: Path) -> None:
    """Copy the state store to PATH, consistently, also while the daemon runs.

    A store in PostgreSQL is backed up by PostgreSQL's own programs instead, such as pg_dump.
    """
    store = load(ctx).state
    if isinstance(store, PostgresqlStore):
        raise ConfigError(
            f"The state store {store} is backed up by PostgreSQL's own programs.",
            f"Run: pg_dump --format=custom --file={path} '{store}'. For a copy as an SQLite file:"
            f" amazon-bridge state copy '{store}' {path}.",
        )
    with opened(ctx) as bridge:
        bridge.ledger.back_up(path)
    verify_store(path)
    say(f"{path}: a complete copy of {bridge.config.state}.")


@state.command(epilog=examples("state verify", "state verify /var/backups/bridge.db"))
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_context
def verify(ctx: click.Context, path: Path | None) -> None:
    """Verify the state store, or the backup at PATH, and change nothing."""
    examined = path or load(ctx).state
    say(f"{examined} is intact: {_numbers(verify_store(examined))}.")


@state.command(
    epilog=examples(
        "state copy state/bridge.db postgresql://bridge@db.example.com/bridge",
        "state copy postgresql://bridge@db.example.com/bridge bridge.db",
    )
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.pass_context
def copy(ctx: click.Context, source: str, target: str) -> None:
    """Copy a state store to another one; compare each row.

    FROM and TO are what `state` may be: the path of a file, or a URL of PostgreSQL. A file TO must
    not exist yet, a database must be empty. No daemon may run with either. For a URL that is not
    the configuration's, PostgreSQL's $PGPASSWORD or ~/.pgpass has the password.
    """
    from amazon_bridge.cli.state_actions import copied, store_of  # noqa: PLC0415 (slow)

    configured = load(ctx).state
    stores = [store_of(each, configured) for each in (source, target)]
    rows = copied(*stores)
    say(f"{stores[1]}: a complete copy of {stores[0]}: {_numbers(rows)}.")


def _numbers(rows: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in rows.items())


@state.command(epilog=examples("state adopt", "state adopt --since 2026-11-01T00:00:00Z"))
@click.option(
    "--since",
    metavar="TIMESTAMP",
    help="Process everything since then again, such as 2026-11-01T00:00:00Z. Default: since"
    " each account's beginning.",
)
@click.pass_context
def adopt(ctx: click.Context, since: str | None) -> None:
    """Use the state store for the Odoo database that the configuration names from now on.

    The store refuses any other database than the one it was used with. After this command it
    belongs to the configured one, and everything is processed again, as after `cursor set`.
    """
    from amazon_bridge.cli.status_actions import known_accounts  # noqa: PLC0415 (slow)
    from amazon_bridge.flows.shipments.records import pending_deliveries  # noqa: PLC0415 (slow)

    at = parse_timestamp(since) if since else None
    with opened(ctx) as bridge:
        moments = bridge.adopt(at)
        odoo = bridge.config.odoo
        say(f"{bridge.config.state} now belongs to {odoo.database} at {odoo.url}.")
        for name, moment in moments.items():
            say(f"{name}: everything since {timestamp(moment)} is processed again.")
        for name in known_accounts(bridge):
            for each in pending_deliveries(bridge.ledger, name):
                say(f"{name}: {each.display_key} was pending{_WHETHER_THERE}")


_WHETHER_THERE = (
    " to be confirmed to Amazon. The next run looks for it in this database, and leaves it out if"
    " it is not there."
)
