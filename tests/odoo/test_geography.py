"""What Amazon writes of countries and states is found among Odoo's own."""

from collections.abc import Collection, Mapping

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo.geography import Geography, geography_of
from amazon_bridge.odoo.session import OdooSession


@pytest.fixture(scope="module")
def geography(bridge: OdooSession) -> Geography:
    return geography_of(lambda: bridge)


@pytest.mark.parametrize(
    ("code", "country"), [("US", "us"), ("us ", "us"), ("GB", "uk"), ("UK", "uk"), ("JP", "jp")]
)
def test_countries(
    geography: Geography, odoo_database: OdooDatabase, code: str, country: str
) -> None:
    assert geography.country_id(code) == odoo_database.reference(f"base.{country}")


@pytest.mark.parametrize(
    ("country", "state", "reference"),
    [
        ("US", "TX", "state_us_44"),
        ("US", "texas", "state_us_44"),
        ("US", " T.X. ", "state_us_44"),
        ("JP", "東京都", "state_jp_jp-13"),
        ("JP", "13", "state_jp_jp-13"),
        ("JP", "JP-13", "state_jp_jp-13"),
    ],
)
def test_states(
    geography: Geography, odoo_database: OdooDatabase, country: str, state: str, reference: str
) -> None:
    found = geography.state_id(geography.country_id(country), state)
    assert found == odoo_database.reference(f"base.{reference}")


def test_what_odoo_has_not(geography: Geography) -> None:
    assert geography.country_id("XX") is None
    assert geography.country_id(None) is None
    usa = geography.country_id("US")
    assert geography.state_id(usa, "Tokyo") is None
    assert geography.state_id(usa, None) is None
    assert geography.state_id(usa, "") is None
    assert geography.state_id(None, "TX") is None


def test_the_states_of_several_countries_are_read_in_one_call() -> None:
    read: list[Collection[int]] = []

    def states(country_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
        read.append(country_ids)
        return {(each, "x"): -each for each in country_ids}

    geography = Geography(lambda: {"US": 1, "JP": 2, "FR": 3}, states)
    geography.read_states(["US", "JP", None, "XX"])
    assert [geography.state_id(each, "X") for each in (1, 2, 1)] == [-1, -2, -1]
    assert read == [{1, 2}]
    assert geography.state_id(3, "x") == -3
    assert read == [{1, 2}, {3}]
