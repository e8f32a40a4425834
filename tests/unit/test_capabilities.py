"""The names that a version of Odoo uses, and what the documentation says decides them."""

import re
from pathlib import Path
from typing import Any

import pytest

import amazon_bridge.odoo
from amazon_bridge.odoo.capabilities import REQUESTED, Capabilities, look_up

PAGE = Path(__file__).parents[2] / "docs/odoo-versions.md"
FIELDS = {f"{model}.{name}" for model, names in REQUESTED.items() for name in names}

IN_14: dict[str, dict[str, Any]] = {
    "sale.order": {"warehouse_id": {}, "sale_order_template_id": {}},
    "sale.order.line": {
        "price_unit": {"digits": (16, 2)},
        "route_id": {"relation": "stock.location.route"},
    },
    "stock.picking": {"carrier_tracking_ref": {}},
}


def of(fields: dict[str, dict[str, Any]], version: tuple[int, int]) -> Capabilities:
    def fields_of(model: str, names: tuple[str, ...]) -> dict[str, Any]:
        return {
            name: fields.get(model, {})[name] for name in names if name in fields.get(model, {})
        }

    return look_up(fields_of, version)


def documented() -> list[list[str]]:
    """The cells of the table of what is looked up at login."""
    rows = [line.strip("|").split("|") for line in looked_up()[0].splitlines()]
    return [[cell.strip() for cell in row] for row in rows if len(row) == 6][2:]


def looked_up() -> list[str]:
    """What is looked up at login; what is decided by versions elsewhere; and by fields."""
    _, _, section = PAGE.read_text().partition("## What is looked up at login")
    return re.split("These are decided elsewhere|And these by fields", section.split("\n## ")[0])


def modules_with(pattern: str) -> set[str]:
    """The modules of ``amazon_bridge.odoo`` with such a line, except ``capabilities.py``."""
    folder = Path(amazon_bridge.odoo.__file__).parent
    texts = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    found = {name for name, text in texts.items() if re.search(pattern, text)}
    return found - {"capabilities.py"}


def test_every_field_that_is_looked_up_is_documented_and_no_other() -> None:
    deciding = {name for row in documented() for name in re.findall(r"`([^`]+)`", row[1])}
    assert {name for name in deciding if "." in name} == FIELDS


def test_every_capability_is_documented() -> None:
    named = {name for row in documented() for name in re.findall(r"`([^`]+)`", row[5])}
    assert named == set(Capabilities.__dataclass_fields__)


def test_every_other_decision_is_documented() -> None:
    _, by_version, by_field = looked_up()
    compared = modules_with(r"version\S* (?:>=|<) [(_A-Z]")
    assert set(re.findall(r"`([a-z0-9_/]+\.py)`", by_version)) == compared
    asked = modules_with(r"\.fields_of\(|_ATTRIBUTES\)") | {"drop_shipping.py"}
    asked -= {"session.py"}  # it has the method
    assert set(re.findall(r"`([a-z0-9_/]+\.py)`", by_field)) == asked


def test_odoo_14() -> None:
    names = of(IN_14, (14, 0))
    assert (names.order_locked, names.line_taxes, names.line_unit) == (
        None,
        "tax_id",
        "product_uom",
    )
    assert (names.line_routes, names.route_model) == ("route_id", "stock.location.route")
    assert (names.move_done_quantity, names.has_picked) == ("quantity_done", False)
    assert names.storable == {"type": "product"}
    assert names.price_digits == 2
    assert names.has_tracking


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ((16, 0), set()),
        ((16, 4), set()),
        ((17, 0), {"reads_trees"}),
        ((18, 3), {"reads_trees"}),
        ((19, 0), {"reads_trees", "writes_trees"}),
        ((19, 1), {"reads_trees", "writes_trees"}),
    ],
)
def test_methods_are_known_by_version_whatever_fields_there_are(
    version: tuple[int, int], known: set[str]
) -> None:
    everything = {model: {name: {} for name in names} for model, names in REQUESTED.items()}
    for fields in (IN_14, everything):
        names = of(fields, version)
        assert {name for name in ("reads_trees", "writes_trees") if getattr(names, name)} == known
