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

from amazon_bridge import config_file

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
        state = os.path.expandvars(document.get("state", _DEFAULT_STATE))
        found = quarantined(folder / state, incomplete)
    except Exception:  # noqa: BLE001 (see above)
        return []
    return [CompletionItem(key, help=kind) for key, kind in found]


def _configuration(ctx: click.Context) -> tuple[Path, Any]:
    """The folder of the configuration file, and what it holds, valid or not."""
    from ruamel.yaml import YAML  # noqa: PLC0415 (slow)

    path = config_file.find(ctx.find_root().params.get("path"), os.environ)
    return path.parent, YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
