"""The steps of a sync run: one that fails keeps the others from being done only if Odoo is down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, RateLimited, Transient
from amazon_bridge.flows.context import Context


class SyncRun(Protocol):
    """A sync run in progress."""

    context: Context
    counts: Counts


def attempt(run: SyncRun, step: Callable[[], object]) -> bool:
    """Do a step of a run, and note its error; after an earlier error only if Odoo is up.

    Returns:
        Whether it was done to its end.
    """
    try:
        if run.counts.error:
            run.context.odoo.ping()
        step()
    except (AccountError, Transient) as error:
        run.counts.note_error(error)
    except RateLimited as limit:
        run.counts.note_rate_limit(limit)
    else:
        return True
    return False
