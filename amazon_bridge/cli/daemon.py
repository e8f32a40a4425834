"""``run`` and ``healthcheck``: the daemon."""

from __future__ import annotations

import click

from amazon_bridge.cli.commands import examples
from amazon_bridge.cli.common import load
from amazon_bridge.terminal import say


@click.command(epilog=examples("run", "--config /etc/amazon-bridge/bridge.yaml run"))
@click.pass_context
def run(ctx: click.Context) -> None:
    """Run all jobs on their schedules: the daemon.

    Stops on SIGTERM or Ctrl-C. SIGHUP reloads the configuration; SIGUSR1 runs all jobs now.
    """
    from amazon_bridge.service import daemon  # noqa: PLC0415 (`healthcheck` needs none of it)

    daemon.run(lambda: load(ctx))


@click.command(epilog=examples("healthcheck"))
@click.pass_context
def healthcheck(ctx: click.Context) -> None:
    """Exit with 0 if the daemon is healthy.

    Else print the problems of this configuration's daemon, and exit with 1.
    """
    from amazon_bridge.service import healthcheck  # noqa: PLC0415 (`run` needs none of it)

    problems = healthcheck.problems(load(ctx))
    for problem in problems:
        say(problem)
    ctx.exit(1 if problems else 0)
