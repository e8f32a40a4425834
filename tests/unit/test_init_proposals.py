"""What is proposed from what Odoo has."""

import pytest

from amazon_bridge.odoo.setup.proposals import about_amazon


@pytest.mark.parametrize(
    ("names", "proposed"),
    [
        ([], "Amazon"),
        (["Sales", "Website"], "Amazon"),
        (["Sales", "Amazon Europe"], "Amazon Europe"),
        (["Amazon Europe", "Amazon"], "Amazon"),
        (["Retail FBA"], "Retail FBA"),
    ],
)
def test_an_existing_record_about_amazon_goes_before_a_new_one(
    names: list[str], proposed: str
) -> None:
    assert about_amazon(names, "Amazon") == proposed
