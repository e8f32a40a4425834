"""How much is tried, and what it came to."""

import os
from collections import Counter

SCALE = float(os.environ.get("AMAZON_BRIDGE_PROOF_SCALE", "0"))
"""0, the default: a little of everything; 1: all that ``make crash`` does."""

ODOO = "real" if SCALE else "in memory"
"""For proofs whose few default tries an Odoo in memory is enough for."""

SEED = int(os.environ.get("AMAZON_BRIDGE_PROOF_SEED", "1"))

FIGURES: Counter[str] = Counter()
"""For the summary at the end of the test run."""


def scaled(little: int, everything: int) -> int:
    return max(little, round(SCALE * everything))
