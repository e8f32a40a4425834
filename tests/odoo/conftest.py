"""Logins to the test module's Odoo: an administrator, and one with the least rights."""

from collections.abc import Callable
from typing import Any

import pytest
from memory_odoo.server import DATABASE as MEMORY
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.odoo.session import OdooSession

LEAST_PRIVILEGE = (
    "base.group_user",
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "base.group_partner_manager",
)


def connect(database: OdooDatabase, **options: Any) -> OdooSession:
    return OdooSession.connect(**database.access(), **options)


@pytest.fixture(scope="module")
def admin(odoo_database: OdooDatabase) -> OdooSession:
    return connect(odoo_database)


@pytest.fixture(scope="module")
def bridge(odoo_database: OdooDatabase) -> OdooSession:
    return connect(odoo_database.make_user("bridge", LEAST_PRIVILEGE))


@pytest.fixture(scope="module")
def biller(odoo_database: OdooDatabase) -> OdooSession:
    """A login with the least rights and Invoicing; in memory there are no rights."""
    groups = (*LEAST_PRIVILEGE, "account.group_account_invoice")
    is_real = odoo_database.database != MEMORY
    login = odoo_database.make_user("biller", groups) if is_real else odoo_database
    return connect(login).for_company(1)


@pytest.fixture(scope="session")
def make_account() -> Callable[..., AccountConfig]:
    def make(**settings: Any) -> AccountConfig:
        secrets = {"client_id": "id", "client_secret": "secret", "refresh_token": "token"}
        basics = {"name": "acme", "seller_id": "A3EXAMPLE12345", "marketplaces": ["FR", "GB"]}
        return AccountConfig.model_validate({**basics, "credentials": secrets, **settings})

    return make
