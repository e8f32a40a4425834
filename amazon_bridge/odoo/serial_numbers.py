"""Serial numbers of shipped goods, as Amazon states them for FBA."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.odoo.session import OdooSession, external
from amazon_bridge.odoo.text import printable

Moves = Sequence[Mapping[str, Any]]


def assign(
    session: OdooSession,
    moves: Moves,
    serial_numbers: Mapping[str, Sequence[str]],
    owners: Mapping[int, str],
) -> None:
    """Enter the serial numbers of moves of tracked products; of all moves or none.

    Args:
        session: the login.
        moves: with ``has_tracking``, ``product_uom_qty``, ``picking_id``, ``product_id``,
            ``company_id`` and ``sale_line_id``.
        serial_numbers: by the external id of the sale order line, without the module.
        owners: the Amazon order id of each transfer, by its database id.

    Raises:
        ItemErrors: For the orders whose serial numbers Amazon doesn't state completely.
    """
    if not moves:
        return
    lines = [move["sale_line_id"][0] for move in moves if move["sale_line_id"]]
    names = session.external_ids("sale.order.line", lines)
    known = {
        move["id"]: list(serial_numbers.get(names.get(_line_id(move), ""), ())) for move in moves
    }
    short = {owners[m["picking_id"][0]] for m in moves if not _is_complete(m, known[m["id"]])}
    if short:
        raise ItemErrors(dict.fromkeys(short, _LOT_NEEDED))
    lots = _lots(session, moves, known)
    picked = ["picked"] if session.capabilities.has_picked else []
    rows = [
        [
            str(move["id"]),
            ",".join(str(lots[move["product_id"][0], number]) for number in known[move["id"]]),
            *("1" for _ in picked),
        ]
        for move in moves
    ]
    session.load("stock.move", [".id", "lot_ids/.id", *picked], rows, overwrite=True)


def _line_id(move: Mapping[str, Any]) -> int:
    return int(move["sale_line_id"][0]) if move["sale_line_id"] else 0


def _is_complete(move: Mapping[str, Any], numbers: Sequence[str]) -> bool:
    """Each unit has its own serial number."""
    is_serial = move["has_tracking"] == "serial"
    return bool(is_serial and len(set(numbers)) == len(numbers) == move["product_uom_qty"])


def _lots(
    session: OdooSession, moves: Moves, known: Mapping[int, Sequence[str]]
) -> dict[tuple[int, str], int]:
    """The ids of serial numbers by product and number; creates those that don't exist."""
    model = str(session.fields_of("stock.move", ["lot_ids"])["lot_ids"]["relation"])
    companies = {
        (move["product_id"][0], number): move["company_id"][0]
        for move in moves
        for number in known[move["id"]]
    }
    domain = [
        ("product_id", "in", sorted({product_id for product_id, _ in companies})),
        ("name", "in", sorted({printable(number) for _, number in companies})),
        ("company_id", "in", [False, *sorted(set(companies.values()))]),
    ]
    rows = session.search_read(model, domain, ["name", "product_id"], order="id desc")
    found = {(row["product_id"][0], row["name"]): row["id"] for row in rows}
    missing = sorted(key for key in companies if (key[0], printable(key[1])) not in found)
    cells = [_lot_cells(*key, companies[key]) for key in missing]
    created = session.load(model, ["id", "name", "product_id/.id", "company_id/.id"], cells)
    found |= {
        (product_id, printable(number)): id_
        for (product_id, number), id_ in zip(missing, created, strict=True)
    }
    return {key: found[key[0], printable(key[1])] for key in companies}


def _lot_cells(product_id: int, number: str, company_id: int) -> list[str]:
    digest = hashlib.sha256(number.encode()).hexdigest()[:12]
    name = external(f"lot_{product_id}_{digest}")
    return [name, printable(number), str(product_id), str(company_id)]


_LOT_NEEDED = ItemError(
    "lot_needed",
    "A product is tracked by lots or serial numbers, and Amazon does not state the serial number of"
    " each unit.",
    "Validate the delivery out of the Amazon location in Odoo with the right lots, then retry.",
)
