"""Errors of items that failed for a reason that the remote did not name, or by a bug."""

from __future__ import annotations

import traceback

import structlog

from amazon_bridge.engine.errors import BridgeError, ItemError, Transient

log = structlog.get_logger(__name__)


def keeps_failing(error: Transient) -> ItemError:
    """The error of an item that fails whenever it is retried, although the remote is up."""
    return ItemError(
        "keeps_failing",
        f"Every attempt failed, although other calls succeed: {error.reason}",
        error.remedy
        or "Look into Odoo's log, or Seller Central. Then: amazon-bridge quarantine retry.",
    )


ACCESS_REFUSED = "access_refused"
"""Kind of the error of an item that is refused as an account would be, while others succeed."""


def access_refused(error: BridgeError) -> ItemError:
    """The error of an item that is refused although the login is accepted."""
    return ItemError(
        ACCESS_REFUSED,
        f"Refused, although the login is accepted: {error.reason}",
        f"{error.remedy} Then: amazon-bridge quarantine retry.".strip(),
    )


def internal_error(error: Exception, items: int = 0) -> ItemError:
    """Log an unexpected exception, and return it as an ``ItemError``.

    The exception's message is left out: it may hold a buyer's data.
    """
    log.error("internal_error", error=type(error).__name__, items=items, traceback=_frames(error))
    return ItemError(
        "internal_error",
        f"Internal error ({type(error).__name__}).",
        "Report the log event `internal_error`. After an update: amazon-bridge quarantine retry.",
    )


def _frames(error: BaseException) -> str:
    """The traceback with its causes: types and lines of code, neither messages nor locals."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{_frames(cause)}\n" if cause else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{frames}{type(error).__name__}"
