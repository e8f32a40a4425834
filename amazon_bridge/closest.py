"""Which known name somebody meant by an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.6
"""How alike two names are, of 1, for one to be a slip of the other."""


def closest(name: str, known: Iterable[str], *, alike: float = _ALIKE) -> str | None:
    """The known name that is most like this one, whatever the case; None if none is."""
    by_folded = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=alike)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that names the closest known name, after a blank; empty if none is alike."""
    found = closest(name, known)
    return f" Did you mean {found}?" if found else ""
