"""The provisioning itself, on the Odoo it provides."""

import os
import subprocess
import xmlrpc.client
from dataclasses import replace
from pathlib import Path

import pytest
from odoo_server.common import ProvisioningError
from odoo_server.databases import MODULES, OdooDatabase, OdooServer

COMMAND = Path(__file__).parents[1] / "scripts/odoo-server"
LEAST_PRIVILEGE = [
    "sales_team.group_sale_salesman_all_leads",
    "stock.group_stock_user",
    "base.group_partner_manager",
]


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(
        [COMMAND, *arguments], env=env, capture_output=True, text=True, check=False
    )


def test_a_database_has_the_modules_and_a_us_company(odoo_database: OdooDatabase) -> None:
    installed = [("state", "=", "installed"), ("name", "in", MODULES)]
    assert odoo_database.rpc("ir.module.module", "search_count", installed) == len(MODULES)
    (company,) = odoo_database.rpc("res.company", "search_read", [], ["country_id"])
    assert company["country_id"][1] == "United States"
    sales = [("type", "=", "sale")]
    assert odoo_database.rpc("account.journal", "search_count", sales), "it can't invoice"


def test_a_user_has_no_more_rights_than_asked_for(odoo_database: OdooDatabase) -> None:
    user = odoo_database.make_user("amazon", LEAST_PRIVILEGE)
    partner = user.rpc("res.partner", "create", {"name": "Made by the user"})
    assert odoo_database.rpc("res.partner", "read", [partner], ["name"])[0]["name"]
    with pytest.raises(xmlrpc.client.Fault, match="not allowed to create"):
        user.rpc("stock.location", "create", {"name": "Amazon"})


def test_a_wrong_password_is_said(odoo_database: OdooDatabase) -> None:
    stranger = OdooDatabase(odoo_database.url, odoo_database.database, "admin", "wrong")
    with pytest.raises(ProvisioningError, match="can't sign in"):
        stranger.rpc("res.partner", "search_count", [])


def test_no_database_replaces_another(odoo_server: OdooServer, odoo_database: OdooDatabase) -> None:
    with pytest.raises(ProvisioningError, match="already exists"):
        odoo_server.create(odoo_database.database)
    with pytest.raises(ProvisioningError, match="not a name"):
        odoo_server.create("no;name")


def test_a_database_shows_nothing_of_one_that_was_dropped(odoo_server: OdooServer) -> None:
    """Although Odoo keeps what it has loaded for the first."""
    name = f"test_dropped_{os.getpid()}"
    for field in (None, "x_further", "x_another", None):
        database = odoo_server.create(name)
        user = {"name": "Anna", "login": "anna", "password": "secret"}
        assert database.rpc("res.users", "search_count", [("login", "=", "anna")]) == 0
        shown = database.rpc("res.partner", "fields_get", [], ["type"])
        assert not {"x_further", "x_another"} & shown.keys()
        assert database.rpc("ir.config_parameter", "get_param", "test.dropped") is False
        database.rpc("res.users", "create", user)
        assert replace(database, login="anna", password="secret")._uid
        database.rpc("ir.config_parameter", "set_param", "test.dropped", name)
        if field:
            model = database.reference("base.model_res_partner")
            values = {"name": field, "field_description": field, "ttype": "char"}
            database.rpc("ir.model.fields", "create", {**values, "model_id": model})
            assert field in database.rpc("res.partner", "fields_get", [], ["type"])
        odoo_server.drop(name)


def test_commands_work_on_the_server_that_the_environment_names(odoo_server: OdooServer) -> None:
    external = {"ODOO_TEST_URL": odoo_server.url}
    name = f"test_command_{os.getpid()}"
    assert command("createdb", name, **external).returncode == 0
    assert name in command("status", **external).stdout
    assert command("dropdb", name, **external).returncode == 0
    assert name not in command("status", **external).stdout
    refused = command("stop", **external)
    assert refused.returncode == 1
    assert "not ours" in refused.stderr
    assert odoo_server.responds()


def test_a_server_that_does_not_respond_is_said() -> None:
    done = command("createdb", "anything", ODOO_TEST_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "no Odoo responds at http://127.0.0.1:1" in done.stderr
