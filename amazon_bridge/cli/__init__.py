"""The command line. Results go to stdout, the log to stderr.

Commands are loaded when they are used, so that ``--help`` stays quick: a module of this package
has the commands' options alone, which completion needs while somebody types; what they do is in a
module named after it (``sync_actions``), or imported when the command runs.
"""

from __future__ import annotations

from pathlib import Path

import click

from amazon_bridge import __version__
from amazon_bridge.cli.commands import Commands

__all__ = ["main"]

_PACKAGE = "amazon_bridge.cli"

_COMMANDS = {
    "anonymise": (
        f"{_PACKAGE}.anonymise:anonymise",
        "Anonymise buyers in Odoo whose data is no longer needed.",
    ),
    "check": (f"{_PACKAGE}.setup:check", "Check Odoo and Amazon, and say how to fix problems."),
    "config": (
        f"{_PACKAGE}.configuration:config",
        "Check the configuration file; print its schema or a sample.",
    ),
    "cursor": (f"{_PACKAGE}.cursor:cursor", "Show or move each account's sync cursor."),
    "demo": (f"{_PACKAGE}.demo:demo", "Fill an Odoo database from a simulated Amazon."),
    "healthcheck": (f"{_PACKAGE}.daemon:healthcheck", "Exit with 0 if the daemon is healthy."),
    "init": (
        f"{_PACKAGE}.init:init",
        "Ask for the settings, try each, and write the configuration.",
    ),
    "late": (
        f"{_PACKAGE}.late:late",
        "List the orders to ship: overdue, due today, at risk, on track.",
    ),
    "order": (f"{_PACKAGE}.order:order", "Show, recover or import an Amazon order."),
    "quarantine": (f"{_PACKAGE}.quarantine:quarantine", "List and retry quarantined items."),
    "run": (f"{_PACKAGE}.daemon:run", "Run all jobs on their schedules: the daemon."),
    "settlements": (
        f"{_PACKAGE}.settlements:settlements",
        "List, show, preview and tie out settlements.",
    ),
    "setup": (f"{_PACKAGE}.setup:setup", "Create in Odoo what the bridge needs."),
    "state": (f"{_PACKAGE}.state:state", "Back up, verify, copy or adopt the state store."),
    "status": (f"{_PACKAGE}.status:status", "Show the state of each account and job."),
    "stock": (f"{_PACKAGE}.stock:stock", "Show how a SKU's quantity is computed."),
    "sync": (f"{_PACKAGE}.sync:sync", "Run one job, or all, now."),
}
"""Entry point and one-line help of each command."""


@click.group(
    cls=Commands,
    entry_points=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file. Default: $AMAZON_BRIDGE_CONFIG, else config/bridge.yaml, else"
    " /etc/amazon-bridge/bridge.yaml.",
)
@click.version_option(__version__, prog_name="amazon-bridge")
@click.pass_context
def main(ctx: click.Context, path: Path | None) -> None:
    """Import Amazon orders into Odoo; report shipments and cancellations to Amazon."""
    ctx.obj = path
