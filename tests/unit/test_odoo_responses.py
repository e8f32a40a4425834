"""Odoo's responses are validated before they are used."""

from typing import Any

import pytest

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.odoo import responses

FIELDS = ["name", "partner_id", "tag_ids", "tax_id", "product_uom", "res_id", "amount"]
ROW = {
    "id": 7,
    "name": "S00007",
    "partner_id": [3, "Somebody"],
    "tag_ids": [1, 2],
    "tax_id": [5],  # on Odoo 14
    "product_uom": [1, "Units"],
    "res_id": 12,
    "amount": 1.5,
}


@pytest.mark.parametrize("change", [{}, {"partner_id": False, "name": False, "tag_ids": []}])
def test_records_are_understood(change: dict[str, Any]) -> None:
    row = ROW | change
    assert responses.rows("sale.order", [row], FIELDS) == [row]


@pytest.mark.parametrize(
    ("response", "why"),
    [
        *(
            (each, "expected records of sale.order")
            for each in (None, False, "", {}, [None], [[7]])
        ),
        ([{}], "a record of sale.order without an id"),
        ([ROW | {"id": True}], "a record of sale.order without an id"),
        ([{"id": 7}], "sale.order without the field name"),
        ([ROW | {"name": None}], "the field name of sale.order has a value of another type"),
        ([ROW | {"amount": {"EUR": 1}}], "the field amount"),
        ([ROW | {"partner_id": 3}], "the field partner_id"),
        ([ROW | {"partner_id": []}], "the field partner_id"),
        ([ROW | {"partner_id": [None, "Somebody"]}], "the field partner_id"),
        ([ROW | {"tag_ids": False}], "the field tag_ids"),
        ([ROW | {"tag_ids": ["1"]}], "the field tag_ids"),
    ],
)
def test_something_else_is_named(response: Any, why: str) -> None:
    with pytest.raises(ItemError, match=f"Unexpected response from Odoo: .*{why}") as caught:
        responses.rows("sale.order", response, FIELDS)
    assert caught.value.kind == "odoo_answer"


def test_external_ids() -> None:
    rows = [{"id": 7, "xmlids": [{"xmlid": "amazon_bridge.x", "noupdate": True}]}]
    assert responses.metadata("sale.order", rows) == rows
    for entries in (None, "x", [{}], [{"xmlid": False}]):
        with pytest.raises(ItemError, match="without external ids"):
            responses.metadata("sale.order", [{"id": 7, "xmlids": entries}])
    with pytest.raises(ItemError, match="without external ids"):
        responses.metadata("sale.order", [{"id": 7}])


def test_external_ids_of_odoo_15() -> None:
    rows = [{"id": 7, "xmlid": "amazon_bridge.x"}, {"id": 8, "xmlid": False}]
    found = responses.metadata("sale.order", rows)
    assert [row["xmlids"] for row in found] == [[{"xmlid": "amazon_bridge.x"}], []]
    with pytest.raises(ItemError, match="without external ids"):
        responses.metadata("sale.order", [{"id": 7, "xmlid": 3}])


def test_what_was_loaded() -> None:
    message = {"type": "error", "message": "No."}
    assert responses.loaded("x", {"ids": [1, 2], "messages": []}) == ([1, 2], [])
    assert responses.loaded("x", {"ids": False, "messages": [message]}) == ([], [message])
    for response in (None, False, [1], {"ids": "1"}, {"ids": [None]}, {"messages": ["No."]}):
        with pytest.raises(ItemError, match="expected the ids of loaded x"):
            responses.loaded("x", response)


def test_a_reference() -> None:
    assert responses.reference("x", ["res.partner", 7]) == 7
    assert responses.reference("x", ["res.partner", False]) is None
    for response in (None, False, 7, [], ["res.partner"], ["res.partner", "7"]):
        with pytest.raises(ItemError, match="expected the record of the external id x"):
            responses.reference("x", response)


def test_fields() -> None:
    assert responses.fields("x", {"name": {"type": "char"}}) == {"name": {"type": "char"}}
    for response in (None, [], {"name": None}):
        with pytest.raises(ItemError, match="expected the fields of x"):
            responses.fields("x", response)
