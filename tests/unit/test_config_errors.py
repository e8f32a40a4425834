"""What a wrong configuration results in: all problems at once, in plain words."""

import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from amazon_bridge.config import Config, load
from amazon_bridge.engine.errors import ConfigError

ODOO = "odoo: {url: https://erp.example.com, database: prod, login: bridge, password: pass}\n"
SCHEDULE = "write a time such as 45s, 5m, 1h30m or 2d, or a cron line such as '0 6 * * mon-fri'"
NAME = "must be lowercase letters, digits, - and _, and begin with a letter or digit"
CODES = (
    "write its id or a country code of AE, AU, BE, BR, CA, DE, EG, ES, FR, GB, IE, IN, IT, JP, MX,"
    " NL, PL, SA, SE, SG, TR, US, ZA"
)
TIME_ZONE = "needs its time zone, such as 2026-11-01T00:00:00Z or 2026-11-01T01:00:00+01:00"
REFERENCE = "write ${NAME} or ${NAME:-default}, and $${ for a literal ${"
CREDENTIALS = "credentials: {client_id: a, client_secret: b, refresh_token: c}"
ACCOUNT = f"name: acme, seller_id: A3EXAMPLE, marketplaces: [FR], {CREDENTIALS}"


def problems(folder: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    path = folder / "bridge.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {})
    assert "bridge.yaml" in caught.value.reason
    return list(caught.value.problems)


def account_problems(folder: Path, more: str) -> list[str]:
    """Problems of a file whose one account has these further keys, without their place's head."""
    found = problems(folder, f"{ODOO}accounts: [{{{ACCOUNT}, {more}}}]")
    return [each.removeprefix("accounts[0].") for each in found]


def test_all_problems_come_at_once_with_their_places(tmp_path):
    text = """
    log: {level: INFO, format: xml, modules: {a: loud}}
    http: {listen: localhost, port: 80}
    odoo: {url: erp.example.com, database: 5, login: '', password: {file: nowhere}, timeout: -1}
    defaults:
      unknown_skuu: fallback
      schedule: {orders: 5}
      credentials: {client_id: "${NOWHERE}", client_secret: ""}
    accounts:
      - {name: A b, seller_id: a1, marketplaces: [FR, XX], start: 2026-11-01}
      - {name: a, seller_id: A1, marketplaces: [FR, US], credentials: {refresh_token: "${x"}}
      - 5
    acounts: []
    """
    expected = f"""
        log.level: must be 'debug', 'info', 'warning', 'error' or 'critical'
        log.format: must be 'json' or 'console'
        log.modules.a: must be 'debug', 'info', 'warning', 'error' or 'critical'
        http.listen: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464
        http.port: is not a known key here
        odoo.url: must be an address such as https://erp.example.com
        odoo.database: must be text (in quotes if it looks like a number)
        odoo.login: must not be empty
        odoo.password: the secret's file {tmp_path}/nowhere can't be read: No such file or directory
        odoo.timeout: must be more than 0
        defaults.unknown_skuu: is not a known key here: did you mean unknown_sku?
        defaults.schedule.orders: {SCHEDULE}
        defaults.credentials.client_id: the environment variable NOWHERE is not set
        defaults.credentials.client_secret: must not be empty
        accounts[0].credentials.refresh_token: is missing
        accounts[0].name: {NAME}
        accounts[0].seller_id: must be uppercase letters and digits, as in Seller Central
        accounts[0].marketplaces[1]: is not an Amazon marketplace: {CODES}
        accounts[0].start: {TIME_ZONE}
        accounts[1].marketplaces: must be of one region: configure an account for each of FR | US
        accounts[1].credentials.refresh_token: {REFERENCE}
        accounts[2]: must be a mapping: `key: value` lines below it
        acounts: is not a known key here: did you mean accounts?
    """
    assert sorted(problems(tmp_path, text)) == sorted(
        line.strip() for line in expected.strip().splitlines()
    )


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("endpoint: http://sp-api.example.com", "must begin with https:// (plain http only to"),
        ("token_url: http://192.168.0.1/token", "must begin with https:// (plain http only to"),
        ("endpoint: ftp://127.0.0.1", "must be an address such as"),
        ("endpoint: 'https://[::1'", "must be an address such as"),
        ("endpoint: https://host:port", "must be an address such as"),
        ("endpoint: https://me:secret@host", "must hold no login"),
        ("prices_include_tax: maybe", "must be 'auto', true or false"),
        ("unknown_sku: skip", "must be 'fallback' or 'quarantine'"),
        ("cancel_reason: Because", "must be 'NoInventory', "),
        ("notify_amazon: {shipments: perhaps}", "must be true or false"),
        ("cancellation_brake: {orders: 1.5}", "must be a whole number"),
        ("cancellation_brake: {percent: 101}", "must be at most 100"),
        ("cancellation_brake: {percent: .nan}", "must be a number"),
        ("cancellation_brake: {orders: -1}", "must be at least 0"),
        ("carriers: {1: UPS}", "must be text"),
        ("carriers: [UPS]", "must be a mapping"),
        ("warehouse: 1", "must be text (in quotes if it looks like a number)"),
        ("tracking_reminder: 0s", "must be longer than nothing"),
        ("tracking_reminder: ''", "must be longer than nothing"),
        ("tracking_reminder: 2 days", "write a time such as"),
        ("tracking_reminder: 99999999999999d", "write a time such as"),
        ("schedule: {orders: '0 6 * *'}", "a cron line has five fields"),
        ("schedule: {orders: '0 6 * * 1-5'}", "write the days of the week by name"),
        ("schedule: {orders: '61 6 * * mon'}", "is not a cron line"),
        ("schedule: {orders: '0 0 31 2 *'}", "this cron line never comes due"),
        ("start: soon", "must be a timestamp such as"),
        ("start: 2026-11-01T00:00:00", "needs its time zone"),
        ("start: 0001-01-01T00:00:00+14:00", "must be a timestamp such as"),
        ("schedule: null", "must be a mapping"),
    ],
)
def test_wrong_values_of_an_account(tmp_path, more, problem):
    [found] = account_problems(tmp_path, more)
    key, message = found.split(": ", 1)
    assert key.startswith(more.split(":")[0])
    assert message.startswith(problem)


@pytest.mark.parametrize(
    ("defaults", "place", "problem"),
    [
        ("{res.users: {x_a: b}}", "res.users", "must be 'res.partner', 'sale.order' or"),
        ("{sale.order: {X a: b}}", "sale.order.X a", "must be the name of a field in Odoo"),
        ("{sale.order: {x_a: [1]}}", "sale.order.x_a", "must be text"),
        ("{sale.order: {x_a: ''}}", "sale.order.x_a", "must not be empty"),
    ],
)
def test_wrong_values_of_fields_in_odoo(tmp_path, defaults, place, problem):
    odoo = ODOO.replace("pass}", f"pass, defaults: {defaults}}}")
    [found] = problems(tmp_path, f"{odoo}accounts: [{{{ACCOUNT}}}]")
    assert found.startswith(f"odoo.defaults.{place}: {problem}")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://erp.example.com/web", "must be where Odoo begins: leave /web"),
        ("https://erp.example.com/?db=prod", "must hold no login, no ? and no #"),
    ],
)
def test_wrong_addresses_of_odoo(tmp_path, url, problem):
    text = f"{ODOO.replace('https://erp.example.com', repr(url))}accounts: [{{{ACCOUNT}}}]"
    [found] = problems(tmp_path, text)
    assert found.startswith(f"odoo.url: {problem}")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("12345678", "must be text (in quotes if it looks like a number), {file: PATH} or"),
        ("{file: a, credential: b}", "must be text (in quotes"),
        ("{path: a}", "must be text (in quotes"),
        ("{file: empty}", "must not be empty"),
        ("{file: binary}", "the secret's file {folder}/binary is not UTF-8 text"),
        ("{file: .}", "the secret's file {folder} can't be read: Is a directory"),
        ("{credential: odoo}", "$CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit"),
    ],
)
def test_wrong_secrets(tmp_path, password, problem):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    text = f"{ODOO.replace('password: pass', f'password: {password}')}accounts: [{{{ACCOUNT}}}]"
    [found] = problems(tmp_path, text)
    assert found.startswith(f"odoo.password: {problem.replace('{folder}', str(tmp_path))}")


@pytest.mark.parametrize(
    ("name", "problem"), [("odoo", "No such file or directory"), ("../odoo", "can't hold a slash")]
)
def test_wrong_credentials_of_systemd(tmp_path, name, problem):
    password = f"password: {{credential: {name}}}"
    text = f"{ODOO.replace('password: pass', password)}accounts: [{{{ACCOUNT}}}]"
    [found] = problems(tmp_path, text, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found.startswith("odoo.password: ")
    assert problem in found


class TestAccountsTogether:
    def test_names_are_unique(self, tmp_path):
        other = ACCOUNT.replace("[FR]", "[DE]")
        assert problems(tmp_path, f"{ODOO}accounts: [{{{ACCOUNT}}}, {{{other}}}]") == [
            "accounts[1].name: is used at accounts[0].name already: each account has its own name"
        ]

    def test_a_marketplace_of_a_seller_belongs_to_one_account(self, tmp_path):
        other = ACCOUNT.replace("[FR]", "[DE, A13V1IB3VIYZZH]").replace("acme", "other")
        [found] = problems(tmp_path, f"{ODOO}accounts: [{{{ACCOUNT}}}, {{{other}}}]")
        place, owner = "accounts[1].marketplaces[1]", "accounts[0].marketplaces[0]"
        rule = "a seller's marketplace belongs to one account"
        assert found == f"{place}: is used at {owner} already: {rule}"

    def test_another_seller_may_have_the_same_marketplace(self, tmp_path):
        other = ACCOUNT.replace("A3EXAMPLE", "A4EXAMPLE").replace("acme", "other")
        path = tmp_path / "bridge.yaml"
        path.write_text(f"{ODOO}accounts: [{{{ACCOUNT}}}, {{{other}}}]")
        assert len(load(path, {}).accounts) == 2

    def test_one_account_names_a_marketplace_once(self, tmp_path):
        [found] = problems(tmp_path, f"{ODOO}accounts: [{{{ACCOUNT.replace('[FR]', '[GB, UK]')}}}]")
        assert found.startswith("accounts[0].marketplaces[1]: is used at")

    def test_there_is_at_least_one(self, tmp_path):
        assert problems(tmp_path, f"{ODOO}accounts: []") == ["accounts: needs at least one entry"]

    def test_each_has_a_marketplace(self, tmp_path):
        found = problems(tmp_path, f"{ODOO}accounts: [{{{ACCOUNT.replace('[FR]', '[]')}}}]")
        assert found == ["accounts[0].marketplaces: needs at least one entry"]

    def test_a_wrong_default_is_reported_once(self, tmp_path):
        other = ACCOUNT.replace("[FR]", "[DE]").replace("acme", "other")
        text = f"{ODOO}defaults: {{warehouse: 1}}\naccounts: [{{{ACCOUNT}}}, {{{other}}}]"
        [found] = problems(tmp_path, text)
        assert found.startswith("defaults.warehouse: must be text")

    def test_defaults_are_a_mapping(self, tmp_path):
        [found] = problems(tmp_path, f"{ODOO}defaults: [1]\naccounts: [{{{ACCOUNT}}}]")
        assert found.startswith("defaults: must be a mapping")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file: must be a mapping"),
        ("- 1", "the file: must be a mapping"),
        ("a: 1\nodoo: {}\na: s3cret", "line 3, column 1: the key a occurs twice"),
        ("a: [1\nb: 2", "line 2, column 2: expected ',' or ']', but got ':'"),
        ("a: *s3cret", "line 1, column 4: found undefined alias (put a value with special"),
        ("a: !s3cret", "line 1, column 4: could not determine a constructor for the tag (put"),
        ("a: @s3cret", "line 1, column 4: found character '@' that cannot start any token (put"),
        ("a: {b: ${C}}", "line 1, column 9: expected ',' or '}', but got '{' (put a value with"),
        ("a: &a [*a]", "it is nested too deeply"),
        ("a: !!int s3cret", "it holds something that can't be read as YAML"),
        ("a: 1\nb: \0", "line 2, column 4: a character that YAML doesn't allow"),
        ("--- 1\n--- 2", "line 2, column 1: but found another document"),
    ],
)
def test_wrong_yaml(tmp_path, text, problem):
    found = problems(tmp_path, text)
    assert found[0].startswith(problem)
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "can't be read: No such file or directory"), (b"a: \xff", "is not UTF-8 text")],
)
def test_unreadable_files(tmp_path, content, reason):
    path = tmp_path / "bridge.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{path} {reason}"):
        load(path, {})


def test_no_error_shows_a_secret_not_even_in_its_traceback(tmp_path):
    path = tmp_path / "bridge.yaml"
    path.write_text(
        "odoo: {url: 'https://me:s3cret@host', database: [s3cret], password: [s3cret], x: s3cret}\n"
        "accounts: [{credentials: {client_id: {a: s3cret}, refresh_token: '${s3cret'}}, s3cret]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value.problems)
    assert "s3cret" not in shown
    assert caught.value.__context__ is None


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates()
)
KEYS = st.sampled_from(
    [
        *("accounts", "odoo", "log", "http", "state", "defaults", "name", "marketplaces"),
        *("schedule", "orders", "carriers", "credentials", "client_id", "file", "start", "url"),
        *("timeout", "listen", "seller_id", "modules", "tracking_reminder"),
    ]
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS | SCALARS, below, max_size=5),
    max_leaves=20,
)


@pytest.mark.slow
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("accounts", "odoo", "log", "http", "state", "defaults"), DOCUMENTS),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_document_is_a_configuration_or_a_list_of_problems(tmp_path, document):
    path = tmp_path / "bridge.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(document, file)
    assert_loaded_or_explained(path)


@given(st.text(alphabet="ab:-[]{}!&*#|>'\"%@`\n\t ,?<=.$1\0é\ud800"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_configuration_or_a_list_of_problems(tmp_path, text):
    path = tmp_path / "bridge.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    assert_loaded_or_explained(path)


def assert_loaded_or_explained(path: Path) -> None:
    try:
        assert isinstance(load(path, {}), Config)
    except ConfigError as error:
        said = " ".join((error.reason, *error.problems))
        assert "pydantic" not in said
        assert "Input should" not in said
        assert "not a valid value" not in said


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("http: {listen: '0.0.0.0:9464'}", "http: needs a token, because others than this"),
        ("http: {listen: '[::]:9464'}", "http: needs a token, because others than this"),
        ("retention: {finished: 6d}", "retention.finished: must be at least 7d"),
        ("alerts: {after_failures: 0}", "alerts.after_failures: must be at least 1"),
        ("alerts: {ping: http://example.com/x}", "alerts.ping: must begin with https://"),
    ],
)
def test_what_would_be_unsafe_or_senseless_is_refused(tmp_path, wrong, problem):
    text = f"{ODOO}{wrong}\naccounts: [{{{ACCOUNT}}}]"
    assert [line for line in problems(tmp_path, text) if line.startswith(problem)]
