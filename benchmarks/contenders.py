"""What the bridge is compared with: a plain script, and the floor.

Both know all values in advance: they make again in a copy of the database what the bridge has made.

- The *floor* makes a page of orders with the fewest calls and checks nothing: no external ids, no
  totals, no read-back. Nothing over the external API can be much faster.
- The *plain script* is correct as long as nothing interrupts it: it handles one order at a time,
  looks before it creates, and reads back what it did.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odoo_server.databases import OdooDatabase

Row = dict[str, Any]
PAGE = 100

_PARTNER = [
    *("name", "email", "vat", "is_company", "type", "comment", "street", "street2", "zip", "city"),
    *("state_id", "country_id", "phone", "parent_id"),
]
_CONTACTS = ["partner_id", "partner_invoice_id", "partner_shipping_id"]
_ORDER = [
    *("client_order_ref", "origin", "date_order", "commitment_date", "note", "warehouse_id"),
    *("team_id", "user_id", "pricelist_id", "fiscal_position_id", *_CONTACTS),
]
_LINE = [
    *("product_id", "name", "product_uom_qty", "price_unit", "discount", "display_type"),
    *("tax_ids", "route_ids"),
]
_QUIET = {"context": {"skip_backorder": True, "skip_sms": True}}


@dataclass(frozen=True)
class Known:
    """An order with all values that are needed to make it in Odoo."""

    values: Row
    lines: Sequence[Row]
    is_delivered: bool
    note: str
    """Of its delivery."""
    total: float


@dataclass(frozen=True)
class Everything:
    """What the bridge has made."""

    orders: Sequence[Known]
    partners: Mapping[int, Row]

    def pages(self) -> Iterator[Sequence[Known]]:
        for start in range(0, len(self.orders), PAGE):
            yield self.orders[start : start + PAGE]


class Counted:
    """A plain client of a database that counts its calls."""

    def __init__(self, database: OdooDatabase) -> None:
        self._database = database
        self.calls = 0

    def __call__(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self._database.rpc(model, method, *args, **kwargs)


def last_partner(database: OdooDatabase) -> int:
    """The newest contact, before anything is imported."""
    ids = database.rpc("res.partner", "search", [], context={"active_test": False})
    return max(map(int, ids))


def read(database: OdooDatabase, last: int) -> Everything:
    """Read what the bridge has made since a contact was the newest one."""
    rpc = database.rpc
    partners = rpc("res.partner", "search_read", [("id", ">", last)], _PARTNER)
    fields = [*_ORDER, "amount_total"]
    orders = rpc("sale.order", "search_read", [("state", "=", "sale")], fields, order="id")
    lines = rpc("sale.order.line", "search_read", [], [*_LINE, "order_id"], order="id")
    transfers = rpc("stock.picking", "search_read", [], ["sale_id", "state", "note"])
    of_order, transfer_of = defaultdict(list), {t["sale_id"][0]: t for t in transfers}
    for line in lines:
        of_order[line["order_id"][0]].append(_written(line, _LINE))
    known = [_known(o, of_order[o["id"]], transfer_of[o["id"]]) for o in orders]
    return Everything(known, {row["id"]: _written(row, _PARTNER) for row in partners})


def _known(order: Row, lines: list[Row], transfer: Row) -> Known:
    return Known(
        values=_written(order, _ORDER),
        lines=lines,
        is_delivered=transfer["state"] == "done",
        note=transfer["note"] or "",
        total=order["amount_total"],
    )


def _written(row: Row, fields: Iterable[str]) -> Row:
    """The values as ``create`` takes them."""
    return {n: _value(n, row[n]) for n in fields if row[n] is not False or n == "is_company"}


def _value(name: str, value: Any) -> Any:
    if name.endswith("_ids"):
        return [(6, 0, value)]
    return value[0] if isinstance(value, list) else value


def _order_values(order: Known, partners: Mapping[int, int]) -> Row:
    contacts = {name: order.values[name] for name in _CONTACTS}
    return {
        **order.values,
        **{name: partners.get(id_, id_) for name, id_ in contacts.items()},
        "order_line": [(0, 0, line) for line in order.lines],
    }


# The floor


def floor(database: OdooDatabase, known: Everything) -> int:
    """Make everything with the fewest calls. Returns their number."""
    rpc = Counted(database)
    partners: dict[int, int] = {}
    for page in known.pages():
        contacts = {order.values[name] for order in page for name in _CONTACTS}
        parents = {known.partners.get(id_, {}).get("parent_id") for id_ in contacts}
        _create_partners(rpc, known, (contacts | parents) - partners.keys(), partners)
        ids = rpc("sale.order", "create", [_order_values(order, partners) for order in page])
        rpc("sale.order", "action_confirm", ids)
        dates = [[str(i), o.values["date_order"]] for i, o in zip(ids, page, strict=True)]
        rpc("sale.order", "load", [".id", "date_order"], dates)
        _finish_transfers(rpc, dict(zip(ids, page, strict=True)))
    return rpc.calls


def _create_partners(
    rpc: Counted, known: Everything, requested: Iterable[int], partners: dict[int, int]
) -> None:
    """Customers first, then the contacts below them."""
    new = sorted(set(requested) & known.partners.keys())
    for is_below in (False, True):
        ids = [id_ for id_ in new if ("parent_id" in known.partners[id_]) == is_below]
        rows = [_partner_values(known.partners[id_], partners) for id_ in ids]
        if rows:
            partners |= zip(ids, rpc("res.partner", "create", rows), strict=True)


def _partner_values(values: Row, partners: Mapping[int, int]) -> Row:
    above = values.get("parent_id")
    return {**values, "parent_id": partners[above]} if above else values


def _finish_transfers(rpc: Counted, page: Mapping[int, Known]) -> None:
    domain = [("sale_id", "in", list(page))]
    transfers = rpc("stock.picking", "search_read", domain, ["sale_id"])
    orders = {row["id"]: page[row["sale_id"][0]] for row in transfers}
    notes = [[str(id_), order.note] for id_, order in orders.items() if order.note]
    rpc("stock.picking", "load", [".id", "note"], notes)
    done = [id_ for id_, order in orders.items() if order.is_delivered]
    _fill(rpc, done)
    rpc("stock.picking", "button_validate", done, **_QUIET)


def _fill(rpc: Counted, transfers: Sequence[int]) -> None:
    moves = rpc("stock.move", "search_read", [("picking_id", "in", transfers)], ["product_uom_qty"])
    by_quantity: dict[float, list[int]] = defaultdict(list)
    for move in moves:
        by_quantity[move["product_uom_qty"]].append(move["id"])
    for quantity, ids in by_quantity.items():
        rpc("stock.move", "write", ids, {"quantity": quantity, "picked": True})


# The plain script


def plain(database: OdooDatabase, known: Everything) -> int:
    """Make everything, one order at a time. Returns the number of calls."""
    rpc = Counted(database)
    partners: dict[int, int] = {}
    for order in known.orders:
        _one(rpc, known, order, partners)
    return rpc.calls


def _one(rpc: Counted, known: Everything, order: Known, partners: dict[int, int]) -> None:
    reference = order.values["client_order_ref"]
    assert not rpc("sale.order", "search", [("client_order_ref", "=", reference)])
    for id_ in (order.values[name] for name in _CONTACTS):
        _find_partner(rpc, known, id_, partners)
    for line in order.lines:
        if "product_id" in line:
            assert rpc("product.product", "search", [("id", "=", line["product_id"])])
    transfers = _make_order(rpc, order, _order_values(order, partners))
    if order.note:
        rpc("stock.picking", "write", transfers, {"note": order.note})
    if order.is_delivered:
        _deliver(rpc, transfers)


def _make_order(rpc: Counted, order: Known, values: Row) -> list[int]:
    """Make and confirm a sale order. Returns its transfers."""
    reference = order.values["client_order_ref"]
    id_ = rpc("sale.order", "create", values)
    (row,) = rpc("sale.order", "read", [id_], ["amount_total"])
    assert row["amount_total"] == order.total, f"{reference}: {row['amount_total']}"
    rpc("sale.order", "action_confirm", [id_])
    rpc("sale.order", "write", [id_], {"date_order": order.values["date_order"]})
    (row,) = rpc("sale.order", "read", [id_], ["state", "picking_ids"])
    assert row["state"] == "sale", reference
    transfers: list[int] = row["picking_ids"]
    return transfers


def _find_partner(rpc: Counted, known: Everything, id_: int, partners: dict[int, int]) -> None:
    if id_ in partners or id_ not in known.partners:
        return
    if above := known.partners[id_].get("parent_id"):
        _find_partner(rpc, known, above, partners)
    values = _partner_values(known.partners[id_], partners)
    same = [(n, "=", values.get(n, False)) for n in ("name", "email", "parent_id", "street")]
    found = rpc("res.partner", "search", same, limit=1)
    partners[id_] = int(found[0] if found else rpc("res.partner", "create", values))


def _deliver(rpc: Counted, transfers: Sequence[int]) -> None:
    _fill(rpc, transfers)
    rpc("stock.picking", "button_validate", transfers, **_QUIET)
    states = rpc("stock.picking", "read", transfers, ["state"])
    assert {row["state"] for row in states} == {"done"}
