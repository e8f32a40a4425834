import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from odoo_server.databases import OdooDatabase
from structlog.testing import capture_logs

from amazon_bridge.engine.errors import AccountError, ItemError, ItemErrors, Transient
from amazon_bridge.odoo.loading import LoadError
from amazon_bridge.odoo.session import OdooSession

PARTNER = ["id", "name", "email"]


PROTOCOLS = ["xmlrpc", "jsonrpc", "json2"]


@pytest.fixture(scope="module", params=PROTOCOLS)
def session(odoo_database: OdooDatabase, request: pytest.FixtureRequest) -> OdooSession:
    return OdooSession.connect(**odoo_database.access(request.param))


def patiently(work: Callable[[], Any]) -> Any:
    for _ in range(20):
        try:
            return work()
        except Transient:
            time.sleep(0.05)
    raise AssertionError("never got through")


def test_login_knows_who_and_what(session: OdooSession) -> None:
    assert session.version == (19, 0)
    assert session.uid == 2
    assert session.is_private
    assert session.capabilities.line_taxes == "tax_ids"
    assert session.capabilities.line_routes == "route_ids"
    assert session.capabilities.route_model == "stock.route"
    assert session.capabilities.move_done_quantity == "quantity"
    assert session.capabilities.storable == {"type": "consu", "is_storable": True}
    assert session.capabilities.has_sale_stock
    assert session.capabilities.has_tracking


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"password": "s3cret"}, AccountError, "odoo.password"),
        ({"database": "nowhere"}, AccountError, "odoo.database"),
        ({"url": "{}/nothing/here"}, AccountError, "status 404"),
        ({"url": "http://127.0.0.1:1"}, Transient, "Connection refused"),
        ({"url": "http://odoo.invalid"}, Transient, "odoo.url"),
    ],
)
def test_refused_login_says_what_to_check(
    odoo_database: OdooDatabase,
    protocol: str,
    wrong: dict[str, str],
    error: type[Exception],
    said: str,
) -> None:
    settings = odoo_database.access(protocol) | wrong
    settings["url"] = settings["url"].format(odoo_database.url)
    with pytest.raises(error, match=said) as caught:
        OdooSession.connect(**settings, sleep=lambda _: None)
    assert "s3cret" not in str(caught.value)
    assert not getattr(caught.value, "maybe_done", False)


def test_https_to_a_server_that_speaks_none(odoo_database: OdooDatabase) -> None:
    url = odoo_database.url.replace("http:", "https:")
    with pytest.raises(AccountError, match="TLS"):
        OdooSession.connect(url, odoo_database.database, "admin", "admin")


def test_odoo_refuses(session: OdooSession) -> None:
    with pytest.raises(ItemError, match="Contacts require a name") as caught:
        session.call("res.partner", "create", {"name": False})
    assert caught.value.kind == "odoo_refused"


def test_odoo_fails(session: OdooSession) -> None:
    with pytest.raises(ItemError, match=r"(AttributeError|NotFound): .* does not exist") as caught:
        session.call("res.partner", "no_such_method")
    assert caught.value.kind == "odoo_fault"
    assert "Traceback" not in str(caught.value)
    assert caught.value.__context__ is None


def test_odoo_forbids(bridge: OdooSession) -> None:
    with pytest.raises(AccountError, match="Administrator"):
        bridge.call("stock.location", "create", {"name": "X"})


def test_a_refusal_keeps_what_was_sent_to_itself(session: OdooSession) -> None:
    with pytest.raises(ItemError) as caught:
        session.load("res.partner", ["id", "country_id"], [["amazon_bridge.partner_q", "Quuxland"]])
    assert "Quuxland" not in str(caught.value)
    assert "country_id" in str(caught.value)


def test_a_response_that_xmlrpc_cannot_carry_counts_as_done(admin: OdooSession) -> None:
    order = admin.load(
        "sale.order", ["id", "partner_id/.id"], [["amazon_bridge.sale_order_l", "1"]]
    )
    admin.call("sale.order", "action_confirm", order)
    assert admin.call("sale.order", "action_lock", order) is None
    assert admin.read("sale.order", order, ["locked"])[0]["locked"]


def test_read_leaves_missing_ids_out(session: OdooSession) -> None:
    assert [row["id"] for row in session.read("res.partner", [1, 987654], ["name"])] == [1]
    assert session.read("res.partner", [], ["name"]) == []


def test_search_read(session: OdooSession) -> None:
    domain = [("code", "in", ["FR", "DE"])]
    rows = session.search_read("res.country", domain, ["code"], order="code desc", limit=1)
    assert [row["code"] for row in rows] == ["FR"]


def test_characters_that_no_name_should_have(session: OdooSession) -> None:
    rows = [["amazon_bridge.partner_c", "Zo\x0be\x00 \ud83dM\u00fcller \U0001f600\ufffe", ""]]
    ids = session.load("res.partner", PARTNER, rows, overwrite=True)
    assert session.read("res.partner", ids, ["name"])[0]["name"] == "Zoe Müller 😀"


def test_load_creates_once_and_leaves_what_people_changed(session: OdooSession) -> None:
    rows = [[f"amazon_bridge.partner_{n}", f"Name {n}", ""] for n in (3, 1, 2)]
    ids = session.load("res.partner", PARTNER, rows)
    session.call("res.partner", "write", ids[:1], {"name": "Changed"})
    rows = [[row[0], "Other", ""] for row in rows]
    assert session.load("res.partner", PARTNER, rows) == ids
    names = {row["id"]: row["name"] for row in session.read("res.partner", ids, ["name"])}
    assert [names[i] for i in ids] == ["Changed", "Name 1", "Name 2"]
    assert session.load("res.partner", PARTNER, rows, overwrite=True) == ids
    assert {row["name"] for row in session.read("res.partner", ids, ["name"])} == {"Other"}
    session.load("res.partner", [".id", "name"], [[str(ids[0]), "Name 3"]])
    session.call("res.partner", "unlink", ids)


def test_load_shows_the_refused_rows_and_makes_none(session: OdooSession) -> None:
    fields = ["id", "name", "country_id/.id"]
    rows = [["amazon_bridge.partner_10", "Good", "75"], ["amazon_bridge.partner_11", "Bad", "0815"]]
    with pytest.raises(LoadError) as caught:
        session.load("res.partner", fields, rows)
    assert list(caught.value.messages) == [1]
    with pytest.raises(ItemErrors) as by_owner:
        session.load("res.partner", fields, rows, owners=["good", "bad"])
    assert list(by_owner.value.errors) == ["bad"]
    assert "country_id" in by_owner.value.errors["bad"].reason
    assert session.reference("partner_10") is None


def test_load_blames_no_row_for_the_error_of_another(session: OdooSession) -> None:
    rows = [[f"amazon_bridge.partner_{n}", "" if n == 22 else "Name"] for n in (20, 21, 22)]
    with pytest.raises(LoadError) as caught:
        session.load("res.partner", ["id", "name"], rows)
    assert list(caught.value.messages) == [2]


def test_load_shows_the_first_row_of_an_order(session: OdooSession) -> None:
    fields = ["id", "partner_id/.id", "order_line/id", "order_line/name", "order_line/product_id"]
    rows = [
        ["amazon_bridge.sale_order_a", "1", "amazon_bridge.sale_line_a1", "A", ""],
        ["", "", "amazon_bridge.sale_line_a2", "A", ""],
        ["amazon_bridge.sale_order_b", "1", "amazon_bridge.sale_line_b1", "B", ""],
        ["", "", "amazon_bridge.sale_line_b2", "B", "No such product"],
    ]
    with pytest.raises(ItemErrors) as caught:
        session.load("sale.order", fields, rows, owners=["a", "a", "b", "b"])
    assert "b" in caught.value.errors
    assert session.reference("sale_order_a") is None


def test_load_refuses_an_external_id_twice(session: OdooSession) -> None:
    rows = [["amazon_bridge.partner_d", "A", ""]] * 2
    with pytest.raises(AssertionError, match="twice"):
        session.load("res.partner", PARTNER, rows)
    lines = [["amazon_bridge.sale_order_d", "amazon_bridge.line", "x"]] * 2
    lines[1] = ["", *lines[1][1:]]
    with pytest.raises(AssertionError, match="order_line/id"):
        session.load("sale.order", ["id", "order_line/id", "order_line/name"], lines)
    parent = ["id", "name", "parent_id/id"]  # several may refer to one record
    rows = [[f"amazon_bridge.partner_e{n}", "A", "base.main_partner"] for n in range(2)]
    assert len(session.load("res.partner", parent, rows)) == 2


def test_nothing_to_load_is_no_call(admin: OdooSession) -> None:
    before = admin.calls.total()
    assert admin.load("res.partner", PARTNER, []) == []
    assert admin.calls.total() == before


def test_parallel_loads_make_one_record(bridge: OdooSession) -> None:
    rows = [[f"amazon_bridge.partner_par{n}", f"Parallel {n}", ""] for n in range(5)]
    start = threading.Barrier(4)

    def load() -> list[int]:
        start.wait()
        return patiently(lambda: bridge.load("res.partner", PARTNER, rows))

    with ThreadPoolExecutor(4) as pool:
        results = [future.result() for future in [pool.submit(load) for _ in range(4)]]
    assert all(result == results[0] for result in results)
    found = bridge.search_read("res.partner", [("name", "like", "Parallel")], ["id"])
    assert len(found) == 5


def test_a_session_serves_threads_and_counts_every_call(bridge: OdooSession) -> None:
    before = bridge.calls["res.country", "search_count"]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: bridge.call("res.country", "search_count", []), range(40)))
    assert len(set(counts)) == 1
    assert bridge.calls["res.country", "search_count"] == before + 40


def test_external_ids_without_the_right_to_read_them(bridge: OdooSession) -> None:
    ids = bridge.load("res.partner", PARTNER, [["amazon_bridge.partner_ext", "A", ""]])
    assert bridge.external_ids("res.partner", [*ids, 1]) == {ids[0]: "partner_ext"}
    assert bridge.external_ids("res.partner", []) == {}
    assert bridge.reference("partner_ext") == ids[0]
    assert bridge.reference("nobody") is None


def test_company(admin: OdooSession) -> None:
    company = admin.call("res.company", "create", {"name": "Second"})
    admin.call("res.users", "write", [admin.uid], {"company_ids": [(4, company)]})
    other = admin.for_company(company)
    assert other.call("sale.order", "default_get", ["company_id"]) == {"company_id": company}
    assert admin.call("sale.order", "default_get", ["company_id"]) == {"company_id": 1}
    assert other.calls is admin.calls


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_logs_hold_no_arguments(
    odoo_database: OdooDatabase, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    user = odoo_database.make_user(f"hidden_{protocol}", ["base.group_system"])
    access = user.access(protocol)
    caplog.clear()
    with capture_logs() as logs:
        session = OdooSession.connect(**access)
        session.search_read("res.partner", [("name", "=", "Ann Example")], ["name"])
    assert logs[-1].pop("milliseconds") >= 0
    assert logs[-1] == {
        "event": "odoo_call",
        "log_level": "debug",
        "model": "res.partner",
        "method": "search_read",
    }
    assert access["password"] not in caplog.text
    assert "Ann Example" not in caplog.text
    assert access["password"] not in repr(vars(session))
