"""``init``: write a configuration, with answers that are tried at once."""

from __future__ import annotations

from pathlib import Path

import click

from amazon_bridge.cli.commands import examples


@click.command(
    epilog=examples(
        "init",
        "init --config /etc/amazon-bridge/bridge.yaml",
        "init --answers answers.yaml --dry-run",
    )
)
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write. Default: $AMAZON_BRIDGE_CONFIG, else config/bridge.yaml.",
)
@click.option(
    "--answers",
    "answers_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the answers from this YAML file: no terminal is needed.",
)
@click.option("--endpoint", metavar="URL", help="SP-API base URL of a simulator.")
@click.option("--token-url", metavar="URL", help="Token URL of that simulator.")
@click.option("--dry-run", is_flag=True, help="Ask and try; show the files, and write none.")
@click.pass_context
def init(
    ctx: click.Context,
    path: Path | None,
    answers_file: Path | None,
    endpoint: str | None,
    token_url: str | None,
    *,
    dry_run: bool,
) -> None:
    """Ask for the settings, try each, and write the configuration.

    No existing file is overwritten, and nothing is written until all questions are answered.
    """
    from amazon_bridge.cli import init_actions  # noqa: PLC0415 (slow)

    init_actions.init(ctx, path, answers_file, endpoint, token_url, dry_run=dry_run)
