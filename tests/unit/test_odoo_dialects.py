"""The tests' calls in Odoo 19's words, as an older version gets them."""

from typing import Any

import pytest
from odoo_server.dialects import IN_PART, Dialect

VERSIONS = (14, 15, 16, 17, 18, 19)


class Recorder:
    """Stands for an Odoo: records what it is called with, and returns what it was given."""

    def __init__(self, **results: Any) -> None:
        """Take results by method."""
        self.results = results
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *call: Any) -> Any:
        self.calls.append(call)
        return self.results.get(call[1])


def called(version: int, model: str, method: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """The one call that an Odoo of this version gets."""
    odoo = Recorder(read=[], search_read=[])
    Dialect(version, odoo).rpc(model, method, list(args), kwargs)
    (call,) = odoo.calls
    return call


def result(version: int, rows: list[dict[str, Any]], model: str, *names: str) -> Any:
    """What somebody reads in Odoo 19's words, of rows in the version's own."""
    odoo = Recorder(search_read=rows)
    return Dialect(version, odoo).rpc(model, "search_read", [[], list(names)], {})


@pytest.mark.parametrize(
    ("model", "older"),
    [
        ("stock.lot", ["stock.production.lot"] * 2 + ["stock.lot"] * 4),
        ("stock.route", ["stock.location.route"] * 2 + ["stock.route"] * 4),
        ("stock.reference", ["procurement.group"] * 5 + ["stock.reference"]),
        ("sale.order", ["sale.order"] * 6),
    ],
)
def test_models(model: str, older: list[str]) -> None:
    assert [called(version, model, "search", [])[0] for version in VERSIONS] == older


@pytest.mark.parametrize(
    ("model", "field", "older"),
    [
        ("res.users", "group_ids", ["groups_id"] * 5 + ["group_ids"]),
        ("sale.order.line", "tax_ids", ["tax_id"] * 5 + ["tax_ids"]),
        ("account.tax", "price_include_override", ["price_include"] * 4 + [""] * 2),
        ("stock.move", "quantity", ["quantity_done"] * 3 + ["quantity"] * 3),
        ("stock.move.line", "quantity", ["qty_done"] * 3 + ["quantity"] * 3),
        ("stock.picking", "move_ids", ["move_lines"] * 2 + ["move_ids"] * 4),
        ("product.product", "is_storable", ["type"] + ["detailed_type"] * 3 + ["is_storable"] * 2),
        (
            "stock.picking",
            "move_ids.sale_line_id.tax_ids",
            ["move_lines.sale_line_id.tax_id"] * 2
            + ["move_ids.sale_line_id.tax_id"] * 3
            + ["move_ids.sale_line_id.tax_ids"],
        ),
    ],
)
def test_fields(model: str, field: str, older: list[str]) -> None:
    expected = [name or field for name in older]
    assert [Dialect(version, Recorder()).field(model, field) for version in VERSIONS] == expected


def test_fields_of_another_model_keep_their_names() -> None:
    assert Dialect(14, Recorder()).field("account.move.line", "tax_ids") == "tax_ids"


def test_methods() -> None:
    reversing = ("account.move.reversal", "refund_moves", [7])
    assert [called(version, *reversing)[1] for version in VERSIONS] == [
        *["reverse_moves"] * 3,
        *["refund_moves"] * 3,
    ]
    returning = ("stock.return.picking", "action_create_returns", [7])
    assert [called(version, *returning)[1] for version in (17, 18)] == [
        "create_returns",
        "action_create_returns",
    ]


def test_odoo_19_is_called_as_it_is_written() -> None:
    values = {"is_storable": True, "order_line": [(0, 0, {"tax_ids": [(6, 0, [1])]})]}
    call = called(19, "sale.order", "create", values, context={"lang": "fr_FR"})
    assert call == ("sale.order", "create", [values], {"context": {"lang": "fr_FR"}})


def test_conditions_have_older_names_and_values() -> None:
    domain = ["|", ("is_storable", "=", True), ("name", "=", "Mug")]
    (translated,) = called(16, "product.product", "search", domain)[2]
    assert translated == ["|", ("detailed_type", "=", "product"), ("name", "=", "Mug")]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (14, {"type": "product"}),
        (17, {"detailed_type": "product"}),
        (18, {"is_storable": True}),
    ],
)
def test_a_storable_product(version: int, expected: dict[str, Any]) -> None:
    assert called(version, "product.product", "create", {"is_storable": True})[2] == [expected]
    many = called(version, "product.product", "create", [{"is_storable": True}])[2]
    assert many == [[expected]]


def test_a_product_that_is_not_stored() -> None:
    values = {"is_storable": False}
    assert called(16, "product.product", "create", values)[2] == [{"detailed_type": "consu"}]


def test_the_values_of_nested_records() -> None:
    values = {"order_line": [(0, 0, {"tax_ids": [(6, 0, [4])]}), (2, 8)], "locked": True}
    _, _, (ids, written), _ = called(16, "sale.order", "write", [7], values)
    assert ids == [7]
    assert written == {"order_line": [(0, 0, {"tax_id": [(6, 0, [4])]}), (2, 8)]}


def test_rows_come_back_with_the_names_that_were_requested() -> None:
    rows = [{"id": 1, "quantity_done": 2.0}]
    assert result(16, rows, "stock.move", "quantity", "picked") == [
        {"id": 1, "quantity": 2.0, "picked": True}
    ]


def test_a_lock_that_is_a_state() -> None:
    rows = [{"id": 1, "state": "done"}, {"id": 2, "state": "sale"}]
    assert result(16, rows, "sale.order", "state", "locked") == [
        {"id": 1, "state": "sale", "locked": True},
        {"id": 2, "state": "sale", "locked": False},
    ]
    of_17 = [{"id": 1, "state": "sale", "locked": True}]
    assert result(17, of_17, "sale.order", "state", "locked") == of_17


def test_quantities_on_hand() -> None:
    *_, kwargs = called(19, "stock.quant", "create", {"quantity": 1}, context={"lang": "fr_FR"})
    assert kwargs == {"context": {"inventory_mode": True, "lang": "fr_FR"}}
    odoo = Recorder()
    Dialect(14, odoo).rpc("stock.quant", "action_apply_inventory", [[1]], {})
    assert odoo.calls == []
    assert called(15, "stock.quant", "action_apply_inventory", [1])[1] == "action_apply_inventory"


def test_a_delivery_is_validated_with_what_is_reserved_until_16() -> None:
    move = {"id": 5, "reserved_availability": 3.0, "picking_id": [1, "OUT"]}

    class Transfers(Recorder):
        def __call__(self, *call: Any) -> Any:
            super().__call__(*call)
            if call[:2] == ("stock.move", "search_read"):
                return [{**move, "quantity_done": 0.0}]
            if call[:2] == ("stock.picking", "search_read"):
                return [{"id": 2, "state": "confirmed"}]
            return True

    odoo = Transfers()
    assert Dialect(16, odoo).rpc("stock.picking", "button_validate", [[1]], {}) is True
    made = [call for call in odoo.calls if call[1] != "search_read"]
    assert made == [
        ("stock.move", "write", [[5], {"quantity_done": 3.0}], {}),
        ("stock.picking", "button_validate", [[1]], {"context": {"skip_immediate": True}}),
        ("stock.picking", "action_assign", [[2]], {}),
    ]
    assert called(17, "stock.picking", "button_validate", [1])[2:] == ([[1]], {})


def test_what_somebody_has_entered_is_kept() -> None:
    moves = [
        {"id": 5, "reserved_availability": 3.0, "quantity_done": 1.0, "picking_id": [1, "OUT"]},
        {"id": 6, "reserved_availability": 2.0, "quantity_done": 0.0, "picking_id": [1, "OUT"]},
    ]

    class Begun(Recorder):
        def __call__(self, *call: Any) -> Any:
            super().__call__(*call)
            return moves if call[:2] == ("stock.move", "search_read") else []

    odoo = Begun()
    Dialect(16, odoo).rpc("stock.picking", "button_validate", [[1]], {})
    assert not [call for call in odoo.calls if call[1] == "write"]


def test_returns_and_credit_notes_until_16() -> None:
    moves = [
        {"id": 5, "product_id": [8, "Mug"], "product_uom_qty": 2.0, "location_id": [3, "Stock"]}
    ]
    odoo = Recorder(search_read=moves)
    Dialect(16, odoo).rpc("stock.return.picking", "create", [{"picking_id": 1}], {})
    line = {"product_id": 8, "quantity": 2.0, "move_id": 5}
    assert odoo.calls[-1][2] == [
        {"picking_id": 1, "location_id": 3, "product_return_moves": [(0, 0, line)]}
    ]
    for context, method in (({}, "cancel"), ({IN_PART: True}, "refund")):
        reversal = ("account.move.reversal", "create", {"journal_id": 1})
        assert called(16, *reversal, context=context)[2] == [
            {"journal_id": 1, "refund_method": method}
        ]
        assert called(17, *reversal, context=context)[2] == [{"journal_id": 1}]
