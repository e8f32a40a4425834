"""``demo``: a simulated Amazon and a real Odoo."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples


@click.command(epilog=examples("demo --odoo http://127.0.0.1:8069 --database empty"))
@click.option("--odoo", "url", metavar="URL", required=True, help="A real Odoo to fill.")
@click.option("--database", metavar="NAME", required=True, help="Its database: an empty one.")
@click.option("--login", default="admin", show_default=True, help="An administrator's login.")
@click.option("--password", default="admin", show_default=True, help="Its password.")
def demo(url: str, database: str, login: str, password: str) -> None:
    """Fill an Odoo database from a simulated Amazon.

    Shows everything without an account at Amazon: `make demo` brings the Odoo too.
    """
    from amazon_bridge import demo as story  # noqa: PLC0415 (slow)

    story.run(url, database, login, password)
