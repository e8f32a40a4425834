"""Says what the demonstration downloads, and asks where a person can be asked."""

import os
import sys
from pathlib import Path

from odoo_server import machine
from odoo_server.common import cache_folder, say

DOWNLOADS = "about 400 MB"
"""Odoo, what its web client shows, their Python packages, and the bridge's developer tools."""

TAKES = "1.3 GB"


def given() -> bool:
    """True if Odoo may be downloaded: it is here, YES is set, or a person agrees.

    Without a terminal nobody can be asked: what it downloads is printed, and it may.
    """
    if machine.is_installed() or os.environ.get("YES"):
        return True
    say(f"Odoo is not on this machine yet. This downloads {DOWNLOADS} and takes {TAKES} of disk,")
    say(f"in {cache_folder()} and {Path.cwd()}; `make clean` and")
    say("`scripts/odoo-server destroy` delete them. YES=1 goes on without asking.")
    return _agrees() if sys.stdin.isatty() else True


def _agrees() -> bool:
    print("Go on? [Y/n] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()  # empty at the end of the input (Ctrl-D)
    return answer.strip().lower() in {"", "y", "yes"} and answer != ""
