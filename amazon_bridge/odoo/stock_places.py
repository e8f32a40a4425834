"""The stock locations whose goods an account may sell as merchant-fulfilled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from amazon_bridge.engine.errors import AccountError
from amazon_bridge.odoo.paging import plain_rows
from amazon_bridge.odoo.session import OdooSession

_LOCATION = "stock.location"


@dataclass(frozen=True, slots=True)
class StockPlaces:
    """Locations with their children, without those of FBA.

    The context keys ``location`` and ``warehouse`` of Odoo's own quantities can't leave out a
    child, and would count the goods at Amazon.
    """

    location_ids: tuple[int, ...]
    fba_location_ids: tuple[int, ...]
    """Of all accounts, as far as they exist."""
    company_id: int

    def within(self, field: str) -> list[Any]:
        """The condition that a many2one names one of these locations."""
        inside = ["&", (field, "child_of", list(self.location_ids)), _is_internal(field)]
        if not self.fba_location_ids:
            return inside
        return ["&", *inside, "!", (field, "child_of", list(self.fba_location_ids))]


def _is_internal(field: str) -> Any:
    return (f"{field}.usage", "=", "internal")


def find_places(
    session: OdooSession,
    names: Sequence[str],
    *,
    warehouse_id: int,
    fba_location_ids: Collection[int],
    company_id: int,
) -> StockPlaces:
    """Find the locations of these complete names; without names, the warehouse's stock location.

    Args:
        session: a login.
        names: complete names.
        warehouse_id: of the account.
        fba_location_ids: from ``fba_locations``.
        company_id: of the account.

    Raises:
        AccountError: There is no such location, or it holds goods at Amazon.
    """
    ids = locations(session, names, warehouse_id=warehouse_id, company_id=company_id)
    fba_ids = sorted(fba_location_ids)
    below_fba = [("id", "in", ids), ("id", "child_of", fba_ids)]
    if fba_ids and session.search_read(_LOCATION, below_fba, ["complete_name"]):
        raise AccountError(
            "`stock.locations` names the location of goods at Amazon (FBA), whose quantity must"
            " never be sent as the merchant's.",
            "Name other locations.",
        )
    return StockPlaces(tuple(ids), tuple(fba_ids), company_id)


def locations(
    session: OdooSession, names: Sequence[str], *, warehouse_id: int, company_id: int
) -> list[int]:
    """The ids of these locations; without names, of the warehouse's stock location.

    Raises:
        AccountError: There is no such location.
    """
    return _named(session, names, company_id) if names else [_stock(session, warehouse_id)]


def with_children(session: OdooSession, ids: Collection[int]) -> frozenset[int]:
    """The ids of locations and of all locations within them."""
    below = [("id", "child_of", sorted(ids))]
    return frozenset(row["id"] for row in plain_rows(session, _LOCATION, below, ["id"]))


def fba_locations(session: OdooSession, own_id: int, names: Collection[str]) -> set[int]:
    """Find the locations of goods at Amazon of all accounts.

    Args:
        session: a login.
        own_id: the account's own; 0 if there is none yet.
        names: complete names that the configuration has. Without one, an account's location is
            named Amazon, in its warehouse.
    """
    codes = [row["code"] for row in session.search_read("stock.warehouse", [], ["code"])]
    named = sorted({*names, *(f"{code}/Amazon" for code in codes)})
    rows = session.search_read(_LOCATION, [("complete_name", "in", named)], ["id"])
    return {row["id"] for row in rows} | ({own_id} if own_id else set())


def _stock(session: OdooSession, warehouse_id: int) -> int:
    (row,) = session.read("stock.warehouse", [warehouse_id], ["lot_stock_id"])
    return int(row["lot_stock_id"][0])


def _named(session: OdooSession, names: Sequence[str], company_id: int) -> list[int]:
    """The ids of locations; more than one may have a name."""
    found: dict[str, list[int]] = {name: [] for name in names}
    domain = [("complete_name", "in", sorted(found)), ("company_id", "in", [False, company_id])]
    for row in session.search_read(_LOCATION, domain, ["complete_name"], order="id"):
        found[row["complete_name"]].append(row["id"])
    missing = " and no ".join(name for name, ids in found.items() if not ids)
    if missing:
        raise AccountError(
            f"Odoo has no stock location {missing}, which `stock.locations` names.",
            "Write complete names, such as WH/Stock (Inventory > Configuration > Locations).",
        )
    return [id_ for ids in found.values() for id_ in ids]
