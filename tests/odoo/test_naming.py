"""Names that people translated, on a real Odoo whose login works in French."""

from collections.abc import Iterator

import pytest
from odoo_server.databases import OdooDatabase

from amazon_bridge.odoo.naming import Name, read_names, search_by_name
from amazon_bridge.odoo.session import OdooSession

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
    """The login works in French meanwhile."""
    odoo_database.rpc("res.users", "write", [2], {"lang": FRENCH})
    yield
    odoo_database.rpc("res.users", "write", [2], {"lang": "en_US"})


def connect(database: OdooDatabase) -> OdooSession:
    return OdooSession.connect(database.url, database.database, "admin", "admin")


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
