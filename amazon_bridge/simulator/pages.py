"""Pages of getFeeds and getReports: the first by its parameters, then by ``nextToken`` alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller

PER_PAGE = 10


class Pages:
    """Keeps the rest of each list under its token.

    Args:
        types: The parameter that must be given when there is no token.
    """

    def __init__(self, types: str) -> None:
        self._types = types
        self._rest: dict[tuple[str, str], tuple[Sequence[str], int]] = {}

    def page(
        self, seller: Seller, arguments: Mapping[str, str], find: Callable[[], Sequence[str]]
    ) -> tuple[Sequence[str], dict[str, str]]:
        """One page, and the token of the next one if there are more.

        Args:
            seller: Tokens are valid for one seller.
            arguments: The types, or a ``nextToken`` and nothing else.
            find: Returns the ids of the whole list.

        Raises:
            Refusal: 400.
        """
        if ("nextToken" in arguments) == (self._types in arguments):
            raise invalid(f"Provide either {self._types} or nextToken.")
        if "nextToken" not in arguments:
            return self._cut(seller, find(), int(arguments.get("pageSize", PER_PAGE)))
        rest = self._rest.get((seller.seller_id, arguments["nextToken"]))
        if rest is None or len(arguments) > 1:
            raise invalid("The nextToken is invalid, or other parameters are given with it.")
        return self._cut(seller, *rest)

    def _cut(
        self, seller: Seller, ids: Sequence[str], size: int
    ) -> tuple[Sequence[str], dict[str, str]]:
        page, rest = ids[:size], ids[size:]
        if not rest:
            return page, {}
        token = secrets.token_urlsafe(36)
        self._rest[seller.seller_id, token] = rest, size
        return page, {"nextToken": token}


def matches(
    arguments: Mapping[str, str], *, status: str, marketplace_ids: Sequence[str], created: datetime
) -> bool:
    """True if a feed or report matches the other parameters."""
    places = arguments.get("marketplaceIds")
    since, until = (_instant(arguments, name) for name in ("createdSince", "createdUntil"))
    return (
        status in arguments.get("processingStatuses", status).split(",")
        and (places is None or bool(set(places.split(",")) & set(marketplace_ids)))
        and (since is None or created >= since)
        and (until is None or created <= until)
    )


def _instant(arguments: Mapping[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(arguments[name]) if name in arguments else None
