"""Notes and activities in a real Odoo, with texts that look like markup."""

from datetime import date

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo import notes
from amazon_bridge.odoo.notes import Note
from amazon_bridge.odoo.session import OdooSession

HOSTILE = '<img src=x onerror="alert(1)"> & [/web] "Ann" <b>'
SHOWN = "&lt;img src=x onerror="
DAY = date(2026, 11, 28)


@pytest.fixture
def sale_order(odoo_database: OdooDatabase, bridge: OdooSession) -> int:
    partner = odoo_database.rpc("res.partner", "create", {"name": "Ada Testwell"})
    order: int = odoo_database.rpc("sale.order", "create", {"partner_id": partner})
    return order


def test_what_comes_from_outside_is_never_markup(
    odoo_database: OdooDatabase, bridge: OdooSession, sale_order: int
) -> None:
    record = (notes.SALE_ORDER, sale_order)
    note = Note("hostile", HOSTILE, HOSTILE)
    notes.remind(bridge, {record: note}, today=DAY, user_id=None)
    about = [("model", "=", "sale.order"), ("res_id", "=", sale_order)]
    domain = [*about, ("subject", "!=", False)]
    rpc = odoo_database.rpc
    [message] = rpc("mail.message", "search_read", domain, ["subject", "body"])
    assert message["subject"] == HOSTILE  # a plain text, which Odoo escapes where it shows it
    assert SHOWN in message["body"]
    assert "<img" not in message["body"]
    domain = [("res_model", "=", "sale.order"), ("res_id", "=", sale_order)]
    [activity] = rpc("mail.activity", "search_read", domain, ["summary", "note"])
    assert activity["summary"] == HOSTILE
    assert SHOWN in activity["note"]
    notes.close_reminders(bridge, "sale.order", [sale_order], ["hostile"], HOSTILE)
    done = rpc("mail.message", "search_read", about, ["body"], order="id desc", limit=1)
    assert done[0]["body"].count(SHOWN) == 3  # the summary, the note, and the feedback
    assert "<img" not in done[0]["body"]
