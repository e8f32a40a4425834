"""A few of the proofs of ``test_proof_settlements`` on a real Odoo."""

from pathlib import Path

import pytest
from odoo_server.databases import OdooDatabase
from test_proof_settlement_reading import turned
from test_proof_settlements import (
    check_spoiled,
    test_a_document_that_comes_four_times_is_booked_once,
    test_killed_after_any_call,
    test_random_settlements_are_booked_to_the_cent,
    test_two_bridges_at_once_book_once,
)

__all__ = [
    "test_a_document_that_comes_four_times_is_booked_once",
    "test_killed_after_any_call",
    "test_random_settlements_are_booked_to_the_cent",
    "test_two_bridges_at_once_book_once",
]
pytestmark = pytest.mark.slow


def test_a_spoiled_document_books_nothing(tmp_path: Path, odoo_database: OdooDatabase) -> None:
    check_spoiled(tmp_path, odoo_database, turned)
