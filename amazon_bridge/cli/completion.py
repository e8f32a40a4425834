"""What the shell completes: names of accounts and quarantined items, without any network.

Only the configuration file and the state store are read. Whatever is wrong with them, nothing is
printed while somebody types: there is just nothing to complete.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

_DEFAULT_STATE = "state/bridge.db"


def account_names(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The accounts of the configuration file."""
    try:
        names = [each["name"] for each in _configuration(ctx)[1]["accounts"]]
    except Exception:  # noqa: BLE001 (see above)
        return []
    return [CompletionItem(name) for name in names if str(name).startswith(incomplete)]


def quarantined_items(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The keys of quarantined items, with their kinds."""
    from amazon_bridge.engine.ledger.file import quarantined  # noqa: PLC0415 (slow)

    try:
        folder, document = _configuration(ctx)
        found = quarantined(folder / document.get("state", _DEFAULT_STATE), incomplete)
    except Exception:  # noqa: BLE001 (see above)
        return []
    return [CompletionItem(key, help=kind) for key, kind in found]


def _configuration(ctx: click.Context) -> tuple[Path, Any]:
    """The folder of the configuration file, and what it holds, valid or not."""
    from amazon_bridge import config  # noqa: PLC0415 (slow)
    from amazon_bridge.config.document import read_document  # noqa: PLC0415 (slow)

    path = config.find(ctx.find_root().params.get("path"), os.environ)
    return path.parent, read_document(path, os.environ, [])
