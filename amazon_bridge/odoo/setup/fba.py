"""The stock location of goods at Amazon, and the route from it to customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.session import OdooSession, external
from amazon_bridge.odoo.setup.records import Advice, Archived, Need, Place
from amazon_bridge.odoo.setup.work import (
    INVENTORY_ADMINISTRATOR,
    Work,
    first_id,
    slug,
)

OUTSIDE = "Amazon/FBA"
"""Complete name of a location that Odoo doesn't count as available in a warehouse."""

_LOCATIONS = "Inventory > Configuration > Locations"
_ROUTES = "Inventory > Configuration > Routes"


def ensure_location_and_route(work: Work, place: Place) -> tuple[int | None, int | None]:
    """The ids of the FBA location and of the route from it."""
    name = work.account.fba_location or f"{place.warehouse_code}/Amazon"
    lacked = len(work.missing)
    location_id = _ensure_location(work, name, place)
    if any(each.archived for each in work.missing[lacked:]):
        return None, None  # the route out of it may be whole
    if not location_id and name.startswith(f"{place.warehouse_code}/"):
        work.advice["fba_location"] = _place_outside(name, place)
    return location_id, _ensure_route(work, name, location_id, place)


def _place_outside(name: str, place: Place) -> Advice:
    """Advice on a location that nobody has created yet."""
    return Advice(
        f"The new stock location {name} will be inside the warehouse {place.warehouse_code}: Odoo"
        " will count the goods at Amazon as available there",
        f"Set `fba_location: {OUTSIDE}` before the first goods are there (see docs/stock.md).",
    )


def inside_warehouses(session: OdooSession, company_id: int) -> tuple[str, str, list[int]] | None:
    """The condition for locations in one of a company's warehouses; None if it has none."""
    domain = [("company_id", "=", company_id)]
    rows = session.search_read("stock.warehouse", domain, ["view_location_id"])
    views = [row["view_location_id"][0] for row in rows]
    return ("id", "child_of", views) if views else None


def _ensure_location(work: Work, name: str, place: Place) -> int | None:
    what = f"the stock location {name}"
    parent, _, last = name.rpartition("/")
    how = f"{_LOCATIONS} > New: name {last}, parent {parent}, type Internal Location"
    if parent and "/" not in parent and parent != place.warehouse_code:
        how += f"; create {parent} (type View) before it if there is none"
    return work.ensure(
        Need(
            what,
            how,
            "stock.location",
            INVENTORY_ADMINISTRATOR,
            blocker=lambda: _without_parent(work, parent, place),
        ),
        lambda: _find_location(work, name, place),
        lambda: _make_location(work, name, place),
        lambda: [
            *_archived(work, parent, _named(parent, place), place),
            *_archived(work, name, _location(name, place), place),
        ],
    )


def _without_parent(work: Work, parent: str, place: Place) -> str:
    """What to do if the parent doesn't exist and isn't created with its child."""
    if "/" not in parent:
        return ""
    if work.session.search_read("stock.location", _named(parent, place), ["id"], limit=1):
        return ""
    return f"{_LOCATIONS} > New: create its parent location {parent}; or correct `fba_location`"


def _archived(work: Work, name: str, domain: list[Any], place: Place) -> list[Archived]:
    """The archived location of this name, unless there is another one."""
    if not name or work.session.search_read("stock.location", domain, ["id"], limit=1):
        return []
    ids = work.archived_ids("stock.location", _location_reference(name, place), domain)
    return [Archived(f"the stock location {name}", _LOCATIONS, "stock.location", i) for i in ids]


def _ensure_route(work: Work, name: str, location_id: int | None, place: Place) -> int | None:
    return work.ensure(
        Need(
            f"a route out of {name} to the customers",
            f"{_ROUTES} > New: applicable on sales order lines, with "
            f"one rule: Pull From, from {name} to Partners/Customers, operation type a "
            "separate outgoing one, supply method Take From Stock",
            work.session.capabilities.route_model,
            INVENTORY_ADMINISTRATOR,
        ),
        lambda: find_route(work.session, location_id),
        lambda: _make_route(work, name, location_id, place),
        lambda: _archived_parts(work, name, location_id),
    )


def _location(name: str, place: Place) -> list[Any]:
    return [*_named(name, place), ("usage", "=", "internal")]


def _named(name: str, place: Place) -> list[Any]:
    """Also views, which other locations are in."""
    return [("complete_name", "=", name), ("company_id", "in", [False, place.company_id])]


def _find_location(work: Work, name: str, place: Place) -> int | None:
    domain = _location(name, place)
    found = work.session.search_read("stock.location", domain, ["id"], order="id", limit=1)
    return first_id(found) or work.session.reference(_location_reference(name, place))


def _make_location(work: Work, name: str, place: Place) -> None:
    parent, _, last = name.rpartition("/")
    domain = _named(parent, place)
    parents = work.session.search_read("stock.location", domain, ["id"]) if parent else []
    parent_id = first_id(parents)
    if parent and not parent_id:
        parent_id = _load_location(work, place, parent, (parent, "view", None))
    _load_location(work, place, name, (last, "internal", parent_id))


def _load_location(work: Work, place: Place, name: str, record: tuple[str, str, int | None]) -> int:
    """Create a location of this complete name: its own name, its usage and its parent."""
    last, usage, parent_id = record
    reference = external(_location_reference(name, place))
    row = [reference, last, usage, str(parent_id or ""), str(place.company_id)]
    fields = ["id", "name", "usage", "location_id/.id", "company_id/.id"]
    (id_,) = work.session.load("stock.location", fields, [row])
    return id_


def find_route(session: OdooSession, location_id: int | None) -> int | None:
    """The route from the location to the customers.

    The rule decides: a route without it would take FBA goods out of the warehouse.
    """
    if location_id is None:
        return None
    domain = [
        *_leads_out(session, location_id),
        ("location_src_id.active", "=", True),
        ("picking_type_id.active", "=", True),
        ("route_id.active", "=", True),
    ]
    rules = session.search_read("stock.rule", domain, ["route_id"], order="id", limit=1)
    return int(rules[0]["route_id"][0]) if rules else None


def _leads_out(session: OdooSession, location_id: int) -> list[Any]:
    return [
        ("location_src_id", "=", location_id),
        (f"{session.capabilities.rule_destination}.usage", "=", "customer"),
        ("action", "=", "pull"),
        ("procure_method", "=", "make_to_stock"),
        ("picking_type_id.code", "=", "outgoing"),
        ("route_id.sale_selectable", "=", True),
    ]


def _archived_parts(work: Work, name: str, location_id: int | None) -> list[Archived]:
    """The archived records of the first suitable route: itself, its rule, its operation type.

    Odoo archives the rules with their route.
    """
    if location_id is None:
        return []
    domain = [*_leads_out(work.session, location_id), ("active", "in", [True, False])]
    context = {"active_test": False}
    fields = ["route_id", "picking_type_id"]
    rules = work.session.search_read(
        "stock.rule", domain, fields, order="id", limit=1, context=context
    )
    parts = [part for rule in rules for part in _parts(work, name, rule)]
    return [each for each in parts if work.archived_ids(each.model, "", [("id", "=", each.id)])]


def _parts(work: Work, name: str, rule: Mapping[str, Any]) -> list[Archived]:
    out = f"out of {name} to the customers"
    types = "Inventory > Configuration > Operations Types"
    rules = "Inventory > Configuration > Rules"
    route_model = work.session.capabilities.route_model
    return [
        Archived(f"the route {out}", _ROUTES, route_model, rule["route_id"][0]),
        Archived(
            f"the operation type {out}", types, "stock.picking.type", rule["picking_type_id"][0]
        ),
        Archived(f"the rule {out}", rules, "stock.rule", rule["id"]),
    ]


def _make_route(work: Work, name: str, location_id: int | None, place: Place) -> None:
    if location_id is None:
        raise ItemError("no_location", f"the location {name} comes first", "")
    operation_type_id = _make_operation_type(work, name, location_id, place)
    title, company = f"Amazon FBA {name}", str(place.company_id)
    route_id = work.session.load(
        work.session.capabilities.route_model,
        ["id", "name", "sale_selectable", "product_selectable", "company_id/.id"],
        [[external(f"route_{location_id}"), title, "1", "0", company]],
    )[0]
    rule = {
        "id": external(f"rule_{location_id}"),
        "name": title,
        "route_id/.id": str(route_id),
        "action": "pull",
        "procure_method": "make_to_stock",
        "location_src_id/.id": str(location_id),
        f"{work.session.capabilities.rule_destination}/id": "stock.stock_location_customers",
        "picking_type_id/.id": str(operation_type_id),
        "company_id/.id": company,
    }
    work.session.load("stock.rule", list(rule), [list(rule.values())])


def _make_operation_type(work: Work, name: str, location_id: int, place: Place) -> int:
    values = {
        "id": external(f"operation_type_{location_id}"),
        "name": f"Amazon FBA {name}",
        "code": "outgoing",
        # Part of the names of its transfers, which are unique in a company.
        "sequence_code": f"FBA{location_id}",
        "default_location_src_id/.id": str(location_id),
        "default_location_dest_id/id": "stock.stock_location_customers",
        "warehouse_id/.id": str(place.warehouse_id),
        "company_id/.id": str(place.company_id),
    }
    return work.session.load("stock.picking.type", list(values), [list(values.values())])[0]


def _location_reference(name: str, place: Place) -> str:
    return f"location_{place.company_id}_{slug(name)}"
