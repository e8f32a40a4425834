"""Names that people translated, on a real Odoo whose login works in French."""

from collections.abc import Iterator
from typing import Any

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.check import examine_odoo as examine
from amazon_bridge.odoo.naming import Name, read_names, search_by_name
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Inspection, Setup, inspect, prepare

FRENCH = "fr_FR"


@pytest.fixture(scope="module", autouse=True)
def french(odoo_database: OdooDatabase) -> None:
    """French is installed, as a person does it."""
    rpc = odoo_database.rpc
    languages = rpc("res.lang", "search", [("code", "=", FRENCH)], context={"active_test": False})
    wizard = rpc("base.language.install", "create", {"lang_ids": [(6, 0, languages)]})
    rpc("base.language.install", "lang_install", [wizard])


@pytest.fixture
def speaks(odoo_database: OdooDatabase) -> Iterator[None]:
    """The login's language is French."""
    odoo_database.rpc("res.users", "write", [2], {"lang": FRENCH})
    yield
    odoo_database.rpc("res.users", "write", [2], {"lang": "en_US"})


def connect(database: OdooDatabase) -> OdooSession:
    return OdooSession.connect(**database.access())


@pytest.fixture
def tag(odoo_database: OdooDatabase) -> Iterator[int]:
    """A tag that people see as *Rupture*, and whose source is *OutOfStock*."""
    id_ = odoo_database.rpc("crm.tag", "create", {"name": "OutOfStock"})
    french = {"lang": FRENCH}
    odoo_database.rpc("crm.tag", "write", [id_], {"name": "Rupture"}, context=french)
    yield id_
    odoo_database.rpc("crm.tag", "unlink", [id_])


@pytest.mark.usefixtures("speaks")
def test_the_login_sees_the_translation(odoo_database: OdooDatabase, tag: int) -> None:
    session = connect(odoo_database)
    assert session.language == FRENCH
    assert read_names(session, "crm.tag", [tag]) == {tag: Name("Rupture", "OutOfStock")}
    for name, language in (("Rupture", FRENCH), ("OutOfStock", "en_US")):
        rows, found_in = search_by_name(session, "crm.tag", name, [], ["id"])
        assert ([row["id"] for row in rows], found_in) == ([tag], language)
    assert search_by_name(session, "crm.tag", "Nothing", [], ["id"])[0] == []


@pytest.mark.usefixtures("speaks")
def test_messages_stay_in_english(odoo_database: OdooDatabase) -> None:
    """They are parsed."""
    session = connect(odoo_database)
    assert session.in_users_language() is not session
    assert session.reference("no_such_thing") is None


def test_an_english_login_sees_the_source_in_one_call(
    odoo_database: OdooDatabase, tag: int
) -> None:
    session = connect(odoo_database)
    assert session.language == "en_US"
    assert session.in_users_language() is session
    before = session.calls.total()
    assert read_names(session, "crm.tag", [tag]) == {tag: Name("OutOfStock", "OutOfStock")}
    assert session.calls.total() == before + 1


TRANSLATED = {
    "crm.team": ("Amazon Team", "Équipe Amazon"),
    "account.fiscal.position": ("Abroad", "À l'étranger"),
    "account.tax": ("Collected by Amazon", "Perçue par Amazon"),
    "account.journal": ("Amazon Payments", "Paiements Amazon"),
}
"""Source and translation of a name of each kind that the configuration may hold."""


def account_naming(position: int, make_account: Any) -> AccountConfig:
    names = {model: both[position] for model, both in TRANSLATED.items()}
    return make_account(
        sales_team=names["crm.team"],
        fiscal_position=names["account.fiscal.position"],
        facilitator_tax=names["account.tax"],
        invoicing={"mode": "on_delivery", "payment_journal": names["account.journal"]},
    )


@pytest.fixture(scope="module")
def prepared(odoo_database: OdooDatabase, make_account: Any) -> Setup:
    """What an account with English names works with, whose names people translated then."""
    rpc = odoo_database.rpc
    values = {"name": TRANSLATED["account.fiscal.position"][0]}
    rpc("account.fiscal.position", "create", values)
    setup = prepare(connect(odoo_database), account_naming(0, make_account))
    ids = {
        "crm.team": setup.sales_team_id,
        "account.fiscal.position": setup.fiscal_position_id,
        "account.tax": setup.facilitator_tax_id,
        "account.journal": setup.payment_journal_id,
        "product.product": setup.products.sale,
        "product.pricelist": setup.pricelists["EUR"],
        "stock.route": setup.fba_route_id,
    }
    for model, id_ in ids.items():
        name = TRANSLATED.get(model, ("", f"En français: {model}"))[1]
        rpc(model, "write", [id_], {"name": name}, context={"lang": FRENCH})
    return setup


@pytest.mark.usefixtures("speaks")
def test_the_configuration_names_what_the_login_sees(
    odoo_database: OdooDatabase, prepared: Setup, make_account: Any
) -> None:
    session = connect(odoo_database)
    account = account_naming(1, make_account)
    assert inspect(session, account) == Inspection(prepared, (), ())
    assert prepare(session, account) == prepared


@pytest.mark.usefixtures("speaks")
def test_english_names_are_found_still_and_advised_against(
    odoo_database: OdooDatabase, prepared: Setup, make_account: Any
) -> None:
    session = connect(odoo_database)
    account = account_naming(0, make_account)
    found = inspect(session, account)
    assert (found.setup, found.missing) == (prepared, ())
    assert len(found.advice) == len(TRANSLATED)
    advice = [f for f in examine(session, account) if "under another name" in f.what]
    assert len(advice) == len(TRANSLATED)
    assert all(finding.ok and finding.remedy for finding in advice)
    for english, _ in TRANSLATED.values():
        assert any(f"{english} is its name in en_US" in finding.what for finding in advice)


def test_an_english_login_does_not_see_the_translation(
    odoo_database: OdooDatabase, prepared: Setup, make_account: Any
) -> None:
    session = connect(odoo_database)
    assert inspect(session, account_naming(0, make_account)) == Inspection(prepared, (), ())
    missing = inspect(session, account_naming(1, make_account)).missing
    assert len(missing) == len(TRANSLATED)
