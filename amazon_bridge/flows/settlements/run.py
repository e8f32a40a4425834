"""The settlements job: its steps in a sync run."""

from __future__ import annotations

from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows.context import Context


def sync(context: Context, *, dry_run: bool = False) -> Counts:  # noqa: ARG001 (not there yet)
    """Do one sync run."""
    return Counts()
