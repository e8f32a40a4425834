"""Notes are found again by their topics, so these never change."""

from amazon_bridge.engine.errors import ItemError
from amazon_bridge.flows.orders import invoices, reminders
from amazon_bridge.odoo.notes import topic_of


def test_topics_are_those_of_earlier_notes() -> None:
    assert topic_of("refused", "No carrier.") == "refused_381dda6c"
    refused = ItemError("odoo_refused", "No carrier.", "Enter one.")
    assert invoices._note(refused).topic == "not_invoiced_381dda6c3294"
    again = reminders.note("request", "Amazon: asked", "To cancel.", occurrence=2)
    assert again.topic == "request_fbff6f615a36"
