"""Where the bridge compares its clock with Odoo's, which no test can put forward."""

from datetime import timedelta

from amazon_bridge.engine import scan
from amazon_bridge.flows import scanning
from amazon_bridge.flows.orders import importing

FAR = timedelta(days=3650)
SETTINGS = (
    (scan, "OVERLAP"),
    (scan, "LATE"),
    (scan, "CLOCKS_DIFFER"),
    (scanning, "_OVERLAP"),
    (importing, "_CLOCKS_DIFFER"),
)
"""Set to ``FAR``, the difference is nothing: each run reads all changes, and processes them again.

``test_proof_memory_histories`` has one clock for all, and the values as they are.
"""
