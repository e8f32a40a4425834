"""The subjects of notes by which a new state store recognises what Amazon knows."""

TOLD = "Amazon: shipment confirmed"
NOTHING_TOLD = "Amazon: nothing to tell"
