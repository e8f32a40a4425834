"""searchListingsItems: its filters, its sequence and its pages.

Source: Amazon's model "listingsItems_2021-08-01", also what it states in its descriptions only, and
its reference page, which allows one marketplace in a request.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from amazon_bridge.simulator.inventory import Listing
from amazon_bridge.simulator.responses import invalid
from amazon_bridge.simulator.world import Seller

MOST_RESULTS = 1000
"""Pages reach no further."""
_PER_PAGE = 10
_FAMILIES = ("variationParentSku", "packageHierarchySku")

Arguments = Mapping[str, str]


def check_filters(arguments: Arguments) -> None:
    """Check what the model's schemas don't say.

    Raises:
        Refusal: 400.
    """
    if "," in arguments["marketplaceIds"]:
        raise invalid("'marketplaceIds' must have one value.")
    if ("identifiers" in arguments) != ("identifiersType" in arguments):
        raise invalid("Provide identifiers and identifiersType together.")
    if arguments.get("identifiersType", "SKU") not in {"SKU", "ASIN"}:
        raise invalid("This simulator knows SKUs and ASINs only.")
    if sum(name in arguments for name in ("identifiers", *_FAMILIES)) > 1:
        raise invalid(f"Provide one of identifiers, {' and '.join(_FAMILIES)}.")


def matches(listing: Listing, arguments: Arguments) -> bool:
    """True if a listing matches all filters. No listing is part of a family."""
    statuses, status = _list(arguments, "withStatus"), set(listing.status)
    severities = {issue["severity"] for issue in listing.issues}
    return (
        not any(name in arguments for name in _FAMILIES)
        and ("identifiers" not in arguments or _is_named(listing, arguments))
        and ("withStatus" not in arguments or bool(statuses & status))
        and not _list(arguments, "withoutStatus") & status
        and (
            "withIssueSeverity" not in arguments
            or bool(_list(arguments, "withIssueSeverity") & severities)
        )
        and _is_between(listing.created, arguments, "created")
        and _is_between(listing.updated, arguments, "lastUpdated")
    )


def in_sequence(listings: Sequence[Listing], arguments: Arguments) -> list[Listing]:
    """The listings in the requested sequence; by default those that changed last come first."""
    keys: dict[str, Callable[[Listing], object]] = {
        "sku": lambda listing: listing.sku,
        "createdDate": lambda listing: (listing.created, listing.sku),
        "lastUpdatedDate": lambda listing: (listing.updated, listing.sku),
    }
    key: Callable[[Listing], object] = keys[arguments.get("sortBy", "lastUpdatedDate")]
    descending = arguments.get("sortOrder", "DESC") == "DESC"
    return sorted(listings, key=key, reverse=descending)  # type: ignore[arg-type]


class ListingPages:
    """Keeps where the next page begins, under its token."""

    def __init__(self) -> None:
        self._begins: dict[tuple[str, str], tuple[dict[str, str], int]] = {}

    def cut(
        self, seller: Seller, arguments: Arguments, found: Sequence[Listing]
    ) -> tuple[Sequence[Listing], dict[str, str]]:
        """One page, and the token of the next one if there are more.

        Raises:
            Refusal: 400; the token is not the seller's, or the other parameters differ.
        """
        begin = self._begin(seller, arguments)
        size = int(arguments.get("pageSize", _PER_PAGE))
        if size < 1:
            raise invalid("'pageSize' must be at least 1.")
        page = found[begin : begin + size]
        end = begin + len(page)
        if end >= min(len(found), MOST_RESULTS):
            return page, {}
        token = secrets.token_urlsafe(24)
        self._begins[seller.seller_id, token] = _without_token(arguments), end
        return page, {"nextToken": token}

    def _begin(self, seller: Seller, arguments: Arguments) -> int:
        if "pageToken" not in arguments:
            return 0
        key = seller.seller_id, arguments["pageToken"]
        query, begin = self._begins.get(key, ({}, 0))
        if query != _without_token(arguments):
            raise invalid("The pageToken is invalid, or the other parameters differ.")
        return begin


def _without_token(arguments: Arguments) -> dict[str, str]:
    return {name: value for name, value in arguments.items() if name != "pageToken"}


def _list(arguments: Arguments, name: str) -> set[str]:
    return set(arguments[name].split(",")) if name in arguments else set()


def _is_named(listing: Listing, arguments: Arguments) -> bool:
    own = listing.sku if arguments["identifiersType"] == "SKU" else listing.asin
    return own in _list(arguments, "identifiers")


def _is_between(moment: datetime, arguments: Arguments, name: str) -> bool:
    after, before = (arguments.get(f"{name}{end}") for end in ("After", "Before"))
    return (after is None or moment >= datetime.fromisoformat(after)) and (
        before is None or moment <= datetime.fromisoformat(before)
    )
