"""An account that works in the test module's Odoo."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, MakeDesk
from odoo_server.databases import OdooDatabase

from amazon_bridge.app import App
from amazon_bridge.config import Config


@pytest.fixture
def make_desk(odoo_database: OdooDatabase, tmp_path: Path) -> MakeDesk:
    """An account with these settings, which works as the administrator or another login."""
    desks = []

    def make(
        odoo: OdooDatabase = odoo_database,
        marketplaces: str = "FR DE",
        state: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **settings: Any,
    ) -> Desk:
        secrets = {"client_id": "id", "client_secret": "secret", "refresh_token": "token"}
        account = {
            "name": "acme",
            "seller_id": "A3EXAMPLE12345",
            "marketplaces": marketplaces.split(),
            "credentials": secrets,
            **settings,
        }
        side = {"url": odoo.url, "database": odoo.database, "login": odoo.login}
        config = Config.model_validate(
            {
                "state": state or tmp_path / f"{len(desks)}.db",
                "odoo": {**side, "password": odoo.password},
                "accounts": [account],
            }
        )
        desks.append(Desk(odoo_database, App(config, clock=clock)))
        return desks[-1]

    return make
