"""Which daemon should work for which seller: evenly spread, and with few changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping


def assigned(
    sellers_of: Mapping[str, Collection[str]], holders: Mapping[str, str]
) -> dict[str, str]:
    """Assign each seller to a daemon that can work for it.

    Every daemon computes the same from the same rows. A seller leaves its holder only if that has
    at least two more than another daemon that can work for it.

    Args:
        sellers_of: By daemon that is alive, the sellers that are in its configuration.
        holders: By seller, the daemon that holds its lease.

    Returns:
        The daemon by seller; without sellers that no daemon can work for.
    """
    able = _able(sellers_of)
    found = {s: holders[s] for s in sorted(able) if holders.get(s) in able[s]}
    load = Counter(dict.fromkeys(sellers_of, 0))
    load.update(found.values())
    for seller in sorted(able.keys() - found.keys()):
        found[seller] = min(able[seller], key=lambda daemon: (load[daemon], daemon))
        load[found[seller]] += 1
    while move := _move(able, found, load):
        seller, daemon = move
        load[found[seller]] -= 1
        load[daemon] += 1
        found[seller] = daemon
    return found


def _able(sellers_of: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """The daemons that can work for each seller."""
    able: dict[str, list[str]] = {}
    for daemon in sorted(sellers_of):
        for seller in sellers_of[daemon]:
            able.setdefault(seller, []).append(daemon)
    return able


def _move(
    able: Mapping[str, Collection[str]], found: Mapping[str, str], load: Mapping[str, int]
) -> tuple[str, str] | None:
    """A seller, and the daemon that it should go to; None if all are spread evenly."""
    for seller in sorted(found, key=lambda each: (-load[found[each]], each)):
        daemon = min(able[seller], key=lambda each: (load[each], each))
        if load[found[seller]] >= load[daemon] + 2:
            return seller, daemon
    return None
