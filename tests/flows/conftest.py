"""An account that works in the test module's Odoo."""

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from desk import Clock, Desk, MakeDesk
from memory_odoo import MemoryApp, MemoryDatabase, MemoryOdoo
from odoo_server.databases import OdooDatabase

from amazon_bridge.app import App
from amazon_bridge.config import Config


@pytest.fixture
def make_desk(odoo_database: OdooDatabase, tmp_path: Path) -> MakeDesk:
    """An account with these settings, which works as the administrator or another login."""
    numbers = itertools.count()

    def make(odoo: OdooDatabase = odoo_database, **settings: Any) -> Desk:
        settings.setdefault("state", tmp_path / f"{next(numbers)}.db")
        clock = settings.pop("clock", None)
        return Desk(odoo_database, App(configuration(odoo, **settings), **_clock(clock)))

    return make


@pytest.fixture
def make_memory_desk(tmp_path: Path) -> MakeDesk:
    """The same in an in-memory Odoo of the test's own."""
    odoo = MemoryDatabase(server=MemoryOdoo())

    def make(**settings: Any) -> Desk:
        settings.setdefault("state", tmp_path / "memory.db")
        clock = settings.pop("clock", None)
        app = InMemoryApp(odoo.server, configuration(odoo, **settings), **_clock(clock))
        return Desk(odoo, app)

    return make


@pytest.fixture
def clock() -> Clock:
    return Clock()


class InMemoryApp(MemoryApp):
    def __init__(self, server: MemoryOdoo, *args: Any, **kwargs: Any) -> None:
        self.server = server
        super().__init__(*args, **kwargs)


def configuration(
    odoo: OdooDatabase,
    *,
    state: Path,
    marketplaces: str = "FR DE",
    others: Iterable[dict[str, Any]] = (),
    **settings: Any,
) -> Config:
    """An account with these settings, in this Odoo, and others that differ from it in theirs."""
    secrets = {"client_id": "id", "client_secret": "secret", "refresh_token": "token"}
    account = {
        "name": "acme",
        "seller_id": "A3EXAMPLE12345",
        "marketplaces": marketplaces.split(),
        "credentials": secrets,
        **settings,
    }
    return Config.model_validate(
        {
            "state": state,
            "odoo": odoo.access(),
            "accounts": [account, *(account | other for other in others)],
        }
    )


def _clock(clock: Callable[[], datetime] | None) -> dict[str, Any]:
    return {"clock": clock} if clock else {}
