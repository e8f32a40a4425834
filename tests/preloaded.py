"""Imports what any command of the program may use, and reads what it reads once in a process."""

import gc
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from amazon_bridge.amazon import client
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.flows.jobs import JOBS

for name in ("configuration", "cursor", "daemon", "order", "setup", "state", "status", "sync"):
    import_module(f"amazon_bridge.cli.{name}")
ON_DEMAND = ("amazon_bridge.service.daemon", "amazon_bridge.service.cluster")
for module in (*ON_DEMAND, *(job.run.split(":")[0] for job in JOBS)):
    import_module(module)
with httpx.Client(verify=client._trusted_authorities()):
    """It imports more when it is first created."""
with TemporaryDirectory() as folder, Ledger(Path(folder) / "bridge.db", partial(datetime.now, UTC)):
    """As above."""
gc.collect()
gc.freeze()  # or else each child looks at all of it again, and copies it
