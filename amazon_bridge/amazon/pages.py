"""Lists that Amazon returns page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from amazon_bridge.engine.errors import Transient

P = TypeVar("P")


def pages(
    fetch: Callable[[str | None], P], next_token: Callable[[P], str | None], *, of: str
) -> Iterator[P]:
    """The pages of a list; each is fetched when it is needed.

    Args:
        fetch: Returns the page of a token; None: the first page.
        next_token: Returns the token that a page has for the next one.
        of: What the list has, for errors.

    Raises:
        Transient: A token repeats: the list would never end.
    """
    token: str | None = None
    used: set[str] = set()
    while True:
        page = fetch(token)
        yield page
        token = next_token(page)
        if token is None:
            return
        if token in used:
            raise repeated(of)
        used.add(token)


def repeated(of: str) -> Transient:
    """The error of a list whose page token repeats."""
    return Transient(f"Amazon repeated a page token of its list of {of}.")
