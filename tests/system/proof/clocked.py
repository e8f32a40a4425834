"""The program as it is, but for its clock, which is put forward, and its pauses, cut short.

What lies half an hour apart for the bridge follows at once in a test. Odoo's clock stays as it
is, so the bridge looks back further there and tolerates a larger difference.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from two_clocks import FAR, SETTINGS

from amazon_bridge.app import App
from amazon_bridge.cli import main
from amazon_bridge.service import daemon

SHIFT = timedelta(seconds=float(os.environ.get("PROOF_SHIFT", "0")))
HASTE = float(os.environ.get("PROOF_HASTE", "1"))


def shifted() -> datetime:
    return datetime.now(UTC) + SHIFT


def shifted_app(*args: Any, **options: Any) -> App:
    """For the daemon, whose scheduler keeps the real clock: only its runs use the shifted one."""
    return App(*args, **{**options, "clock": shifted})


def hurried(seconds: float) -> None:
    time.sleep(seconds / HASTE)


defaults = App.__init__.__kwdefaults__
assert defaults is not None
defaults.update(clock=shifted, sleep=hurried)
daemon.App = shifted_app  # type: ignore[assignment,misc] # a class before

for module, name in SETTINGS:
    setattr(module, name, FAR)

if __name__ == "__main__":
    main(prog_name="amazon-bridge")
