"""The ``nextToken`` of the Finances API: it wants the same arguments as the call that made it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller

T = TypeVar("T")
_TOKEN = "nextToken"  # noqa: S105 - a parameter's name


class Cursors:
    """Keeps the rest of each list under its token, with the arguments it was made for."""

    def __init__(self) -> None:
        self._rest: dict[str, tuple[str, dict[str, str], Sequence[object]]] = {}

    def page(
        self,
        seller: Seller,
        arguments: Mapping[str, str],
        size: int,
        find: Callable[[], Sequence[T]],
    ) -> tuple[Sequence[T], dict[str, str]]:
        """One page, and the token of the next one if there are more.

        Args:
            seller: Tokens are valid for one seller.
            arguments: Of the request.
            size: Of a page.
            find: Returns the whole list.

        Raises:
            Refusal: 400.
        """
        others = {name: value for name, value in arguments.items() if name != _TOKEN}
        found = self._found(seller, others, arguments[_TOKEN]) if _TOKEN in arguments else find()
        page, rest = found[:size], found[size:]
        if not rest:
            return page, {}
        token = secrets.token_urlsafe(36)
        self._rest[token] = seller.seller_id, others, rest
        return page, {_TOKEN: token}

    def _found(self, seller: Seller, arguments: dict[str, str], token: str) -> Sequence[T]:
        seller_id, before, rest = self._rest.get(token, ("", {}, ()))
        if seller_id != seller.seller_id or before != arguments:
            raise invalid("The nextToken is invalid, or the other parameters differ.")
        return rest  # type: ignore[return-value]  # as found by the first call
