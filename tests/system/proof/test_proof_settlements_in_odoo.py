"""Those of the proofs of ``test_proof_settlements`` that depend on Odoo, on a real one."""

import pytest
from test_proof_settlements import (
    test_killed_after_any_call,
    test_random_settlements_are_booked_to_the_cent,
    test_two_bridges_at_once_book_once,
)

__all__ = [
    "test_killed_after_any_call",
    "test_random_settlements_are_booked_to_the_cent",
    "test_two_bridges_at_once_book_once",
]
pytestmark = pytest.mark.slow
