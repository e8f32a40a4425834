"""Deliveries: validates those from Amazon's location, and annotates the others."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from amazon_bridge.engine.errors import ItemError, ItemErrors
from amazon_bridge.odoo import trees
from amazon_bridge.odoo.references import transfers_of
from amazon_bridge.odoo.responses import Row
from amazon_bridge.odoo.sales import CLOSED, Delivery
from amazon_bridge.odoo.serial_numbers import assign
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.text import whole

_QUIET = {"skip_backorder": True, "skip_sms": True}
"""Without these, ``button_validate`` may return a wizard instead of validating."""


def deliver(
    session: OdooSession, owners: Mapping[int, str], serial_numbers: Mapping[str, Sequence[str]]
) -> None:
    """Validate transfers with their whole demand; all or none of them.

    Args:
        session: the login.
        owners: the Amazon order id of each transfer, by its database id.
        serial_numbers: of the units that left, by the external id of the sale order line.

    Raises:
        ItemErrors: goods of these orders are tracked, and their serial numbers aren't known; or
            Odoo left their transfers open.
        ItemError: Odoo asks a question or refuses, for at least one of them.
    """
    if not owners:
        return
    moves, mailed = _read(session, sorted(owners))
    tracked = [move for move in moves if move["has_tracking"] != "none"]
    assign(session, tracked, serial_numbers, owners)
    _fill(session, [move for move in moves if move not in tracked])
    with _unaddressed(session, mailed):
        _validate(session, sorted(owners))
    _refuse_open(session, owners)


_MOVE = ["product_uom_qty", "has_tracking"]
_OF_MOVE = ["picking_id", "product_id", "company_id", "sale_line_id"]
_MAILS = "stock_move_email_validation"
"""The company's setting *Email Confirmation*."""


def _read(session: OdooSession, ids: Sequence[int]) -> tuple[list[Row], dict[int, int]]:
    """The open moves of transfers, and the contacts that Odoo would mail to, by transfer."""
    domain = [("picking_id", "in", ids), ("state", "not in", sorted(CLOSED))]
    if not session.capabilities.reads_trees:
        moves = session.search_read("stock.move", domain, [*_MOVE, *_OF_MOVE], order="id")
        return moves, _mailed(session, ids)
    transfer = {"partner_id": None, "company_id": {_MAILS: None}}
    tree = {**dict.fromkeys([*_MOVE, *_OF_MOVE]), "picking_id": transfer}
    rows = trees.search(session, "stock.move", domain, tree)
    transfers = {row["picking_id"]["id"]: row["picking_id"] for row in rows}
    mailed = {id_: t["partner_id"] for id_, t in transfers.items() if t["company_id"][_MAILS]}
    return [_as_read(row) for row in rows], {id_: who for id_, who in mailed.items() if who}


def _as_read(row: Row) -> Row:
    """A move of a tree with its references as ``read`` has them."""
    transfer_id = row["picking_id"]["id"]
    references = {name: row[name] and [row[name]] for name in _OF_MOVE}
    return {**row, **references, "picking_id": [transfer_id]}


def _mailed(session: OdooSession, ids: Sequence[int]) -> dict[int, int]:
    mails = (f"company_id.{_MAILS}", "=", True)
    domain = [("id", "in", ids), mails, ("partner_id", "!=", False)]
    rows = session.search_read("stock.picking", domain, ["partner_id"])
    return {row["id"]: row["partner_id"][0] for row in rows}


def _fill(session: OdooSession, moves: Sequence[Mapping[str, Any]]) -> None:
    """Enter the quantities that moves demand."""
    picked = ["picked"] if session.capabilities.has_picked else []
    rows = [[str(m["id"]), str(m["product_uom_qty"]), *("1" for _ in picked)] for m in moves]
    fields = [".id", session.capabilities.move_done_quantity, *picked]
    session.load("stock.move", fields, rows, overwrite=True)


def _validate(session: OdooSession, ids: Sequence[int]) -> None:
    response = session.call("stock.picking", "button_validate", list(ids), context=_QUIET)
    if response is not True:
        question = response.get("res_model", "") if isinstance(response, dict) else ""
        raise ItemError(
            "odoo_asks",
            f"Odoo asks a question ({question}) before it validates the delivery.",
            "Validate the delivery in Odoo, then retry.",
        )


@contextmanager
def _unaddressed(session: OdooSession, partners: Mapping[int, int]) -> Iterator[None]:
    """Remove the customer from transfers during validation if Odoo would mail them.

    With *Email Confirmation*, ``button_validate`` mails to the transfer's contact and followers,
    whatever the context says; but Amazon has informed the buyer already. Until Odoo 18 the contact
    becomes a follower when it is written. If the process is killed meanwhile, ``address`` restores
    the contacts.

    Args:
        session: the login.
        partners: the contacts that Odoo would mail to, by transfer.
    """
    _address(session, dict.fromkeys(partners, ""), partners)
    try:
        yield
    finally:
        address(session, partners)


def address(session: OdooSession, partners: Mapping[int, int]) -> None:
    """Set the contacts of transfers, by database id."""
    _address(session, {id_: str(partner) for id_, partner in partners.items()}, partners)


def _address(
    session: OdooSession, contacts: Mapping[int, str], followers: Mapping[int, int]
) -> None:
    """Set the contacts of transfers, and keep them from becoming followers."""
    if not contacts:
        return
    rows = [[str(id_), contact] for id_, contact in sorted(contacts.items())]
    session.load("stock.picking", [".id", "partner_id/.id"], rows, overwrite=True)
    partner_ids = sorted(set(followers.values()))
    session.call("stock.picking", "message_unsubscribe", sorted(contacts), partner_ids)


def _refuse_open(session: OdooSession, owners: Mapping[int, str]) -> None:
    """Raise ItemErrors for transfers that are still open although Odoo reported success."""
    open_ = [("id", "in", sorted(owners)), ("state", "!=", "done")]
    rows = session.search_read("stock.picking", open_, ["name"])
    errors = {owners[row["id"]]: _not_delivered(row["name"]) for row in rows}
    if errors:
        raise ItemErrors(errors)


def _not_delivered(name: str) -> ItemError:
    return ItemError(
        "not_delivered",
        f"Odoo did not validate the transfer {name}, and does not say why.",
        "Validate it in Odoo, then retry.",
    )


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line in the note of a delivery, for those who pack and label."""

    label: str
    text: str


GIFT_MESSAGE = "Gift message"
DELIVERY_INSTRUCTIONS = "Delivery instructions"
"""Labels of lines that hold a buyer's personal data."""


def note_instructions(
    session: OdooSession,
    instructions: Mapping[Delivery, Sequence[Instruction]],
    *,
    late: Collection[Delivery] = (),
) -> None:
    """Write instructions into the notes of deliveries.

    Args:
        session: the login.
        instructions: by delivery. An existing note belongs to people and stays unchanged.
        late: deliveries to whose notes the lines with new labels are added.
    """
    cells = [
        [str(delivery.id), _note(delivery, lines)]
        for delivery, lines in instructions.items()
        if not delivery.note or delivery in late
    ]
    session.load("stock.picking", [".id", "note"], cells, overwrite=True)


def _note(delivery: Delivery, instructions: Sequence[Instruction]) -> str:
    lines = [
        f"{each.label}: {html.escape(whole(each.text))}"
        for each in instructions
        if f"{each.label}: " not in delivery.note
    ]
    return "<br/>".join([delivery.note, *lines] if delivery.note else lines)


_PERSONAL = re.compile(f"({GIFT_MESSAGE}|{DELIVERY_INSTRUCTIONS}): [^<]*")


def erase_instructions(session: OdooSession, sale_order_ids: Sequence[int]) -> None:
    """Erase personal data from the notes of these orders' deliveries."""
    labels = [("note", "ilike", f"{label}: ") for label in (GIFT_MESSAGE, DELIVERY_INSTRUCTIONS)]
    domain = [*transfers_of(session, sale_order_ids), "|", *labels]
    rows = session.search_read("stock.picking", domain, ["note"])
    cells = [[str(row["id"]), _PERSONAL.sub("", row["note"])] for row in rows]
    session.load("stock.picking", [".id", "note"], cells, overwrite=True)
