"""Subjects of notes by which a new state store recognises what was confirmed to Amazon."""

CONFIRMED = "Amazon: shipment confirmed"
NOTHING_TO_CONFIRM = "Amazon: nothing to tell"
