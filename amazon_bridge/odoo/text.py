"""Sanitises text for Odoo."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

LONGEST = 500
"""Characters kept of a name or an address line: more is no name, and floods Odoo's screens."""

_CUT = "…"
"""Ends a text that was cut, so that a reader knows."""


def printable(text: str | None, longest: int = LONGEST) -> str:
    """``whole`` text, cut to ``longest`` characters; one that was cut ends with an ellipsis."""
    kept = whole(text)
    return kept if len(kept) <= longest else f"{kept[: longest - len(_CUT)].rstrip()}{_CUT}"


def whole(text: str | None) -> str:
    """The text without control characters, with single spaces.

    XML 1.0 has no way to send most control characters, and PostgreSQL stores no NUL. The
    invisible characters that change a text's direction go as well: they make a printed
    address lie.
    """
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text or "")
    kept = "".join(c for c in kept if c not in _DIRECTION and unicodedata.category(c) != "Cs")
    return " ".join(kept.split())


_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sendable(value: Any) -> Any:
    """The value without characters that XML can't represent; they occur in buyers' names."""
    if isinstance(value, str):
        return _NOT_IN_XML.sub("", value)
    if isinstance(value, Mapping):
        return {key: sendable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(inner) for inner in value]
    return value
