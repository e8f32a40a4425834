"""What Amazon writes of countries and states is found among Odoo's own."""

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo.geography import Geography, read_geography
from amazon_bridge.odoo.session import OdooSession


@pytest.fixture(scope="module")
def geography(bridge: OdooSession) -> Geography:
    return read_geography(bridge)


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
