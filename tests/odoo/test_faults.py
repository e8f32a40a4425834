import time
import xmlrpc.client

import odoorpc.error
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.errors import AccountError, BridgeError, ItemError, Transient
from amazon_bridge.odoo.faults import explain
from amazon_bridge.odoo.loading import LoadError, loaded_ids
from amazon_bridge.odoo.personal import HIDDEN, of_buyers, without_personal_data
from amazon_bridge.odoo.postgresql import is_momentary

FRAMES = (
    "Traceback (most recent call last):\n"
    '  File "/odoo/service/model.py", line 10, in dispatch\n'
    "    res = execute('Ann Example')\n"
    "          ^^^^^^^^^^^^^^^^^^^^^^\n"
)


def crash(last: str) -> tuple[BridgeError | None, BridgeError | None]:
    """The same crash as XML-RPC and as JSON-RPC tell it."""
    name, _, message = last.partition(": ")
    info = {"code": 200, "data": {"name": name, "message": message, "debug": FRAMES + last}}
    return (
        explain(xmlrpc.client.Fault(1, FRAMES + last + "\n")),
        explain(odoorpc.error.RPCError(message, info)),
    )


@pytest.mark.parametrize(
    "last",
    [
        "psycopg2.errors.SerializationFailure: could not serialize access due to concurrent update",
        "psycopg2.errors.DeadlockDetected: deadlock detected\nDETAIL:  Process 1 waits",
        "psycopg2.errors.LockNotAvailable: could not obtain lock on row",
        "psycopg2.OperationalError: server closed the connection unexpectedly",
        "psycopg2.pool.PoolError: The Connection Pool Is Full",
    ],
)
def test_a_busy_database_is_tried_again(last: str) -> None:
    for error in crash(last):
        assert isinstance(error, Transient)


def test_two_makers_of_one_external_id_are_a_moment() -> None:
    text = 'It breaks the unique constraint "ir_model_data_module_name_uniq_index"'
    assert isinstance(explain(xmlrpc.client.Fault(2, text)), Transient)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("warning -- UserError", "No."),
        ([1, 2], "odd"),
        (2, None),
        (1, 42),
        (1, ""),
        (77, "x" * 9999),
    ],
)
def test_a_fault_that_no_odoo_knows(code: object, text: object) -> None:
    fault = xmlrpc.client.Fault(code, text)  # type: ignore[arg-type]  # as they may come
    error = explain(fault)
    assert isinstance(error, ItemError)
    assert len(error.reason) < 600


@pytest.mark.parametrize(
    "message",
    [
        'database "prod" does not exist',
        "la base de données « prod » n'existe pas",
        "la base de données «\u00a0prod\u00a0» n'existe pas",
        "Datenbank »prod« existiert nicht",
        'データベース"prod"は存在しません',
    ],
)
def test_a_missing_database_is_not(message: str) -> None:
    last = f"psycopg2.OperationalError: connection failed: FATAL:  {message}"
    for error in crash(last):
        assert isinstance(error, AccountError)


def test_what_odoo_refuses_comes_with_a_remedy() -> None:
    error = explain(xmlrpc.client.Fault(2, "The serial number has already been assigned."))
    assert isinstance(error, ItemError)
    assert error.kind == "odoo_refused"
    assert "Correct in Odoo" in error.remedy
    assert "amazon-bridge quarantine retry" in error.remedy
    assert "Correct in Odoo" in LoadError({}, "No.").remedy


def test_a_crash_shows_its_class_and_nothing_of_anybody() -> None:
    last = (
        'psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint "a_b"\n'
        "DETAIL:  Key (name)=(Ann Example) already exists."
    )
    for error in crash(last):
        assert isinstance(error, ItemError)
        assert error.kind == "odoo_fault"
        assert "UniqueViolation" in error.reason
        assert "Ann" not in str(error)


@pytest.mark.parametrize(
    "last",
    [
        "TypeError: cannot marshal None unless allow_none is enabled",
        "TypeError: cannot marshal <class 'odoo.tools.misc.frozendict'> objects",
        "TypeError: dictionary key must be string",
    ],
)
def test_an_unreadable_response_is_no_error(last: str) -> None:
    assert explain(xmlrpc.client.Fault(1, FRAMES + last)) is None


@pytest.mark.parametrize(
    ("code", "name", "error"),
    [
        (2, "UserError", ItemError),
        (2, "ValidationError", ItemError),
        (3, "AccessDenied", AccountError),
        (4, "AccessError", AccountError),
    ],
)
def test_both_protocols_agree(code: int, name: str, error: type[BridgeError]) -> None:
    info = {"data": {"name": f"odoo.exceptions.{name}", "message": "No."}}
    by_xmlrpc = explain(xmlrpc.client.Fault(code, "No."))
    by_jsonrpc = explain(odoorpc.error.RPCError("No.", info))
    assert isinstance(by_xmlrpc, error)
    assert isinstance(by_jsonrpc, error)
    assert str(by_xmlrpc) == str(by_jsonrpc)


@pytest.mark.parametrize(
    ("text", "sent", "clean"),
    [
        ("Ann Example owes 5.", [["Ann Example"]], "… owes 5."),
        ("Contact the administrator, admin!", ["admin"], "Contact the administrator, …!"),
        ("'Ann' doesn't exist", [], "'…' doesn't exist"),
        (
            "Record “Ann” isn't «Bob» nor \u2018Cid\u2019",
            [],
            "Record “…” isn't «…» nor \u2018…\u2019",
        ),
        (
            "Field 'partner_id' of 'res.partner'",
            ["partner_id"],
            "Field 'partner_id' of 'res.partner'",
        ),
        ("No 'amazon_bridge.sale_order_1'", [], "No 'amazon_bridge.sale_order_1'"),
        ("mail to ann@example.com, now", [], "mail to … now"),
        ("date '2026-11-01 10:00:00'", ["2026-11-01 10:00:00"], "date '2026-11-01 10:00:00'"),
        ("Order 111-2222222-3333333", ["111-2222222-3333333"], "Order 111-2222222-3333333"),
        ("No VAT FR12345 in FR", [{"vat": "FR12345", "country": "FR"}], "No VAT … in FR"),
        ("two\n\n  lines", [], "two lines"),
        ("Kunde „Ann“ oder »Bob« oder ‚Cid‘", [], "Kunde „…“ oder »…« oder ‚…‘"),  # noqa: RUF001
        ("Le client « Ann » n'a pas de TVA", [], "Le client «…» n'a pas de TVA"),
        ("顧客「花子」または『太郎』", [], "顧客「…」または『…』"),
        ("Kunden ”Ann” saknas", [], "Kunden ”…” saknas"),
        ("Ça existe.\nDÉTAIL : La clé (name)=(Ann) existe", [], "Ça existe."),
        ("It exists.\n\nDetail: Key (name)=(Ann) already exists.", [], "It exists."),
        ("Existe.\nDETALLE:  Ya existe la llave (name)=(Ann).", [], "Existe."),
        (
            'No rule has been found to replenish "[MON] 24" Monitor" in "Partners/Customers".',
            ["Ann Example"],
            'No rule has been found to replenish "[MON] 24" Monitor" in "Partners/Customers".',
        ),
        (
            'The quantity done for the product "[MUG] Mug" isn\'t right for "Ann".',
            [],
            'The quantity done for the product "[MUG] Mug" isn\'t right for "…".',
        ),
        ("Locations: 'WH/Stock', of 'Ann'", [], "Locations: 'WH/Stock', of '…'"),
        ("'WH/OUT/00012' is open", [], "'WH/OUT/00012' is open"),
        ("Contact 'Ann' has no product 'Ann'", ["Ann"], "Contact '…' has no product '…'"),
        (
            "The VAT number [DE12345] for partner [Ann Example] does not seem to be valid",
            [],
            "The VAT number […] for partner […] does not seem to be valid",
        ),
        ("Mug [MUG]: 2 units missing", [], "Mug [MUG]: 2 units missing"),
        ("x" * 501, [], "x" * 499 + "…"),
    ],
)
def test_texts_without_personal_data(text: str, sent: list[object], clean: str) -> None:
    assert without_personal_data(text, sent) == clean


ORDER_FIELDS = ["id", "note", "order_line/name", "order_line/display_type"]


@pytest.mark.parametrize(
    "text", ["N" * 300_000, " " * 300_000, "«" * 300_000, "'a" * 150_000, "a." * 150_000 + "@"]
)
def test_a_long_message_takes_no_time(text: str) -> None:
    begun = time.process_time()
    assert len(without_personal_data(text)) <= 500
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("length", range(4_950, 5_010))
def test_a_long_message_shows_no_half_of_what_it_quotes(length: int) -> None:
    for about in ('"Ann Example"', "ann@example.com", "customer [Ann Example]", "'Ann Example'"):
        clean = without_personal_data(f"Refused.{' ' * length}{about}, so\n{'.' * 5_000}")
        assert "Ann" not in clean
        assert "ann" not in clean


def test_what_is_sent_of_buyers() -> None:
    rows = [
        ["amazon_bridge.sale_order_1", "PO of Ann", "[MUG] A fine mug", ""],
        ["", "", "Gift message: love, Ann", "line_note"],
    ]
    sent = of_buyers("sale.order", "load", (ORDER_FIELDS, rows))
    text = "[MUG] A fine mug, PO of Ann, Gift message: love, Ann"
    assert without_personal_data(text, sent) == "[MUG] A fine mug, …, …"
    partner = of_buyers("res.partner", "write", ([1], {"name": "Ann Example"}))
    assert without_personal_data("Ann Example", partner) == "…"
    assert without_personal_data("Ann Example", of_buyers("x.new", "y", ["Ann Example"])) == "…"
    location = of_buyers("stock.location", "search_read", [[("complete_name", "=", "WH/Amazon")]])
    assert without_personal_data("WH/Amazon is archived", location) == "WH/Amazon is archived"


@pytest.mark.parametrize("value", ["0171 1234567", "75002", "anna.meier", "DE.123"])
def test_a_buyers_data_is_left_out_whatever_it_looks_like(value: str) -> None:
    text = f"Impossible number {value} of {value}, please."
    rows = (["id", "name", "vat"], [["amazon_bridge.partner_1", "Ann", value]])
    for method, arguments in [
        ("load", rows),
        ("write", ([7], {"phone": value, "lang": "fr_FR"})),
        ("search_read", ([("parent_id", "=", False), ("zip", "in", [value])], ["name"])),
    ]:
        sent = of_buyers("res.partner", method, arguments)
        assert without_personal_data(text, sent) == "Impossible number … of …, please."
        ours = "Record 7 of 'res.partner', amazon_bridge.partner_1"
        assert without_personal_data(ours, sent) == ours
    rows = (ORDER_FIELDS, [["", "", value, "line_note"]])
    assert without_personal_data(value, of_buyers("sale.order", "load", rows)) == HIDDEN


NAMES = st.text(
    st.characters(categories=["Lu", "Ll", "Lo"], exclude_characters="…"), min_size=3, max_size=20
)


@given(st.lists(NAMES, min_size=1, max_size=5), st.sampled_from(["{}", "Is {} here?", "x: '{}'."]))
def test_nothing_that_was_sent_comes_back(names: list[str], pattern: str) -> None:
    text = " ".join(pattern.format(name) for name in names)
    clean = without_personal_data(text, [names])
    words = set(clean.replace("?", " ").split())
    assert HIDDEN in clean
    assert not words & (set(names) - {"here", "Is"})


@pytest.mark.parametrize(
    "text",
    [
        "could not serialize access due to concurrent update",
        "n'a pas pu sérialiser un accès à cause d'une mise à jour en parallèle",
        "konnte Zugriff nicht serialisieren wegen gleichzeitiger Aktualisierung",
        "更新が同時に行われたためアクセスの直列化ができませんでした",
        "interblocage (deadlock) détecté",
        "Verklemmung (Deadlock) entdeckt",
        "デッドロックを検出しました",
        "n'a pas pu obtenir un verrou sur la relation « sale_order »",
        "konnte Sperre für Zeile in Relation »sale_order« nicht setzen",
        'リレーション"sale_order"の行ロックを取得できませんでした',
        "serializzazione dell'accesso fallita a causa di modifiche concorrenti",
        "no se pudo serializar el acceso debido a un update concurrente",
        "kunde inte serialisera åtkomst på grund av samtidig uppdatering",
    ],
)
def test_a_conflict_is_momentary_in_the_database_servers_language(text: str) -> None:
    """As BaseModel.load passes it on, without the exception's name."""
    assert is_momentary(text)
    message = {"type": "error", "message": text, "rows": {"from": 0, "to": 0}}
    response = {"ids": False, "messages": [message]}
    with pytest.raises(Transient):
        loaded_ids("sale.order", ["id"], [["a.b"]], response)


@pytest.mark.parametrize(
    "text",
    ["A partner is required", "Le client est obligatoire", "Kunde fehlt", "顧客は必須です"],
)
def test_what_is_refused_is_not_momentary(text: str) -> None:
    assert not is_momentary(text)
    error = explain(xmlrpc.client.Fault(2, text))
    assert isinstance(error, ItemError)
    assert text in error.reason
