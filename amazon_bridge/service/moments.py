"""Moments on the status page."""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

from amazon_bridge.terminal import timestamp


def ago(at: datetime, now: datetime) -> Markup:
    """Rough age of a moment, with the exact time as its tooltip."""
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(
        exactly(at), _roughly(now - at)
    )


def _roughly(age: timedelta) -> str:
    seconds = age.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            return f"{seconds // length:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def exactly(at: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return timestamp(at).replace("T", " ")
