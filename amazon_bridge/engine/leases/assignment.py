"""Which daemon should work for which seller: evenly spread, and with few changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping


def assigned(
    accounts_of: Mapping[str, Mapping[str, Collection[str]]],
    holders: Mapping[str, str | None],
) -> dict[str, str]:
    """Assign each seller to a daemon that can work for it.

    Every daemon computes the same from the same rows. Those can work for a seller that have most
    accounts of it: after an account was added, the daemons that were reloaded. A seller leaves its
    holder only if that has at least two more than another daemon that can work for it.

    Args:
        accounts_of: By daemon that is alive, the accounts of each seller in its configuration.
        holders: By seller, the daemon that holds its lease.

    Returns:
        The daemon by seller; without sellers that no daemon can work for.
    """
    able = _able(accounts_of)
    held = {seller: holders.get(seller) for seller in sorted(able)}
    found = {seller: daemon for seller, daemon in held.items() if daemon in able[seller]}
    load = Counter(dict.fromkeys(accounts_of, 0))
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


def _able(accounts_of: Mapping[str, Mapping[str, Collection[str]]]) -> dict[str, list[str]]:
    """The daemons that can work for each seller."""
    able: dict[str, list[str]] = {}
    for seller in {seller for accounts in accounts_of.values() for seller in accounts}:
        numbers = {d: len(of[seller]) for d, of in sorted(accounts_of.items()) if seller in of}
        most = max(numbers.values())
        able[seller] = [daemon for daemon, number in numbers.items() if number == most]
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
