"""``python -m amazon_bridge.simulator``: the simulated Amazon in a terminal."""

from __future__ import annotations

import contextlib

import click

from amazon_bridge.simulator.generator import generate, list_catalogue
from amazon_bridge.simulator.server import Simulator
from amazon_bridge.simulator.world import Seller


@click.command(help=__doc__)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8480, show_default=True, help="0: any free one.")
@click.option("--orders", default=60, show_default=True, help="How many orders to make up.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same orders.")
@click.option(
    "--rate-multiplier",
    default=1.0,
    show_default=True,
    help="1: Amazon's rate limits; 1000: as good as none.",
)
def main(host: str, port: int, orders: int, seed: int, rate_multiplier: float) -> None:
    """Serve made-up orders and listings until interrupted."""
    world = generate(seed, orders)
    list_catalogue(world)
    world.settings.rate_multiplier = rate_multiplier
    simulator = Simulator(world, host=host, port=port)
    click.echo(f"# The simulated Amazon listens on {simulator.url}; Ctrl-C ends it.")
    click.echo("# Accounts for the bridge's configuration:\naccounts:")
    for seller in world.sellers.values():
        click.echo(_account(seller, simulator))
    with contextlib.suppress(KeyboardInterrupt):
        simulator.serve_forever()


def _account(seller: Seller, simulator: Simulator) -> str:
    return f"""\
  - name: {seller.seller_id.lower()}
    seller_id: {seller.seller_id}
    marketplaces: [{", ".join(seller.countries)}]
    credentials:
      client_id: {seller.client_id}
      client_secret: {seller.client_secret}
      refresh_token: {seller.refresh_token}
    endpoint: {simulator.url}
    token_url: {simulator.token_url}
    start: {min(o.created for o in simulator.world.orders).isoformat()}"""


if __name__ == "__main__":
    main()
