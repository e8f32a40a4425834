"""The stock location of goods at Amazon, and the route that leads out of it."""

from __future__ import annotations

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo.setup.records import Need, Place
from amazon_bridge.odoo.setup.work import (
    INVENTORY_ADMINISTRATOR,
    Work,
    external,
    first_id,
    slug,
)


def ensure_location_and_route(work: Work, place: Place) -> tuple[int | None, int | None]:
    """The ids of the FBA location and of the route out of it."""
    name = work.account.fba_location or f"{place.warehouse_code}/Amazon"
    parent, _, last = name.rpartition("/")
    location_id = work.ensure(
        Need(
            f"the stock location {name}",
            f"Inventory > Configuration > Locations > New: name {last}, parent {parent}, "
            "type Internal Location",
            "stock.location",
            INVENTORY_ADMINISTRATOR,
        ),
        lambda: _find_location(work, name, place),
        lambda: _make_location(work, name, place),
    )
    route_id = work.ensure(
        Need(
            f"a route out of {name} to the customers",
            "Inventory > Configuration > Routes > New: applicable on sales order lines, with "
            f"one rule: Pull From, from {name} to Partners/Customers, operation type an "
            "outgoing one of its own, supply method Take From Stock",
            work.session.names.route_model,
            INVENTORY_ADMINISTRATOR,
        ),
        lambda: _find_route(work, location_id),
        lambda: _make_route(work, name, location_id, place),
    )
    return location_id, route_id


def _find_location(work: Work, name: str, place: Place) -> int | None:
    domain = [
        ("complete_name", "=", name),
        ("usage", "=", "internal"),
        ("company_id", "in", [False, place.company_id]),
    ]
    found = work.session.search_read("stock.location", domain, ["id"], order="id", limit=1)
    return first_id(found) or work.session.reference(_location_reference(name, place))


def _make_location(work: Work, name: str, place: Place) -> None:
    parent, _, last = name.rpartition("/")
    domain = [("complete_name", "=", parent), ("company_id", "in", [False, place.company_id])]
    parents = work.session.search_read("stock.location", domain, ["id"]) if parent else []
    if parent and not parents:
        raise ItemError("no_parent", f"its parent location {parent} doesn't exist")
    work.session.load(
        "stock.location",
        ["id", "name", "usage", "location_id/.id", "company_id/.id"],
        [
            [
                external(_location_reference(name, place)),
                last,
                "internal",
                str(first_id(parents) or ""),
                str(place.company_id),
            ]
        ],
    )


def _find_route(work: Work, location_id: int | None) -> int | None:
    """The rule decides: a route without it would take FBA goods out of the warehouse."""
    if location_id is None:
        return None
    domain = [
        ("location_src_id", "=", location_id),
        (f"{work.session.names.rule_destination}.usage", "=", "customer"),
        ("action", "=", "pull"),
        ("procure_method", "=", "make_to_stock"),
        ("picking_type_id.code", "=", "outgoing"),
        ("route_id.sale_selectable", "=", True),
        ("route_id.active", "=", True),
    ]
    rules = work.session.search_read("stock.rule", domain, ["route_id"], order="id", limit=1)
    return int(rules[0]["route_id"][0]) if rules else None


def _make_route(work: Work, name: str, location_id: int | None, place: Place) -> None:
    if location_id is None:
        raise ItemError("no_location", f"the location {name} comes first")
    operation_type_id = _make_operation_type(work, name, location_id, place)
    title, company = f"Amazon FBA {name}", str(place.company_id)
    route_id = work.session.load(
        work.session.names.route_model,
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
        f"{work.session.names.rule_destination}/id": "stock.stock_location_customers",
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
