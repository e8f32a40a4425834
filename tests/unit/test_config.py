"""What the configuration may contain, and how it is read."""

import json
import re
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from ruamel.yaml import YAML

from amazon_bridge.config import Config, example, load, schema
from amazon_bridge.config_file import find
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.marketplaces import MARKETPLACES, Region

ENVIRON = {
    "ODOO_API_KEY": "odoo-key-0123",
    "AMAZON_CLIENT_ID": "amzn1.application-oa2-client.0123",
    "AMAZON_CLIENT_SECRET": "amzn1.oa2-cs.v1.0123",
    "AMAZON_REFRESH_TOKEN": "Atzr|0123",
}
ODOO = "{url: https://erp.example.com, database: prod, login: bridge, password: odoo-pass}"
CREDENTIALS = "{client_id: client-id-1, client_secret: client-secret-1, refresh_token: refresh-1}"


def account(more: str = "", name: str = "acme", marketplaces: str = "[FR]") -> str:
    head = f"name: {name}, seller_id: A3EXAMPLE, marketplaces: {marketplaces}"
    return f"{{{head}, credentials: {CREDENTIALS}{', ' if more else ''}{more}}}"


def read(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    path = folder / "bridge.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {})


def read_accounts(folder: Path, *accounts: str, head: str = "") -> Config:
    return read(folder, f"odoo: {ODOO}\n{head}\naccounts: [{', '.join(accounts)}]\n")


class TestValues:
    def test_the_least_file_gets_the_documented_defaults(self, tmp_path):
        config = read_accounts(tmp_path, account())
        only = config.accounts[0]
        assert config.state == tmp_path / "state/bridge.db"
        assert config.http is not None
        assert (config.http.host, config.http.port) == ("127.0.0.1", 9464)
        assert (config.log.level, config.log.format, config.log.modules) == ("info", None, {})
        assert (config.odoo.protocol, config.odoo.timeout) == ("xmlrpc", 120)
        schedule, notified = only.schedule.model_dump(), only.notify_amazon.model_dump()
        assert schedule["orders"] == schedule["pickings"] == timedelta(minutes=5)
        assert only.tracking_reminder == timedelta(days=2)
        assert notified["shipments"]
        assert notified["cancellations"]
        assert (only.sales_team, only.warehouse, only.start) == ("Amazon", None, None)
        assert (only.unknown_sku, only.cancel_reason) == ("fallback", "NoInventory")
        assert (only.cancellation_brake.orders, only.cancellation_brake.percent) == (20, 20)

    def test_marketplaces_are_found_by_code_and_by_id(self, tmp_path):
        config = read_accounts(tmp_path, account(marketplaces="[fr, UK, A1PA6795UKMFR9]"))
        assert [m.country_code for m in config.accounts[0].marketplaces] == ["FR", "GB", "DE"]
        assert config.accounts[0].region is Region.EUROPE

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("45s", timedelta(seconds=45)),
            ("5m", timedelta(minutes=5)),
            ("1h30m", timedelta(minutes=90)),
            ("2d", timedelta(days=2)),
            ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ],
    )
    def test_intervals(self, tmp_path, written, meant):
        config = read_accounts(tmp_path, account(f"schedule: {{orders: {written}}}"))
        assert config.accounts[0].schedule.model_dump()["orders"] == meant

    def test_a_cron_line_stays_text(self, tmp_path):
        config = read_accounts(tmp_path, account("schedule: {orders: '*/5 6-22 * * mon-fri'}"))
        assert config.accounts[0].schedule.model_dump()["orders"] == "*/5 6-22 * * mon-fri"

    @pytest.mark.parametrize(
        "written", ["2026-11-01T00:00:00Z", "'2026-11-01T01:00:00+01:00'", "2026-11-01 00:00:00Z"]
    )
    def test_a_timestamp_is_read_alike_bare_and_quoted(self, tmp_path, written):
        config = read_accounts(tmp_path, account(f"start: {written}"))
        assert config.accounts[0].start == datetime(2026, 11, 1, tzinfo=UTC)

    def test_null_switches_the_listener_off(self, tmp_path):
        assert read_accounts(tmp_path, account(), head="http: null").http is None

    def test_listens_on_ipv6(self, tmp_path):
        http = read_accounts(tmp_path, account(), head="http: {listen: '[::1]:9464'}").http
        assert http is not None
        assert (http.host, http.port) == ("::1", 9464)

    def test_norway_is_no_boolean(self, tmp_path):
        assert read_accounts(tmp_path, account("company: NO")).accounts[0].company == "NO"

    def test_amazon_on_this_machine_may_be_plain_http(self, tmp_path):
        more = (
            "endpoint: 'http://127.0.0.1:8080/', token_url: 'http://localhost:8080/auth/o2/token'"
        )
        only = read_accounts(tmp_path, account(more)).accounts[0]
        assert only.endpoint == "http://127.0.0.1:8080"
        assert only.token_url == "http://localhost:8080/auth/o2/token"

    def test_odoo_in_the_same_network_may_be_plain_http(self, tmp_path):
        text = f"odoo: {ODOO.replace('https://erp.example.com', 'http://odoo:8069/')}"
        config = read(tmp_path, f"{text}\naccounts: [{account()}]")
        assert config.odoo.url == "http://odoo:8069"

    @pytest.mark.parametrize(("written", "meant"), [("true", True), ("'false'", False)])
    def test_prices_include_tax(self, tmp_path, written, meant):
        only = read_accounts(tmp_path, account(f"prices_include_tax: {written}")).accounts[0]
        assert only.prices_include_tax is meant


class TestVariables:
    def test_stand_for_the_environments_values(self, tmp_path):
        text = "'${HEAD}-${MISSING:-x}-${EMPTY:-y}-${HEAD:-z}-$${HEAD}-$HEAD-$$'"
        config = read(
            tmp_path,
            f"odoo: {ODOO}\naccounts: [{account(f'company: {text}')}]",
            {"HEAD": "a${b}", "EMPTY": ""},
        )
        assert config.accounts[0].company == "a${b}-x-y-a${b}-${HEAD}-$HEAD-$$"

    def test_can_stand_for_numbers_and_truth_values(self, tmp_path):
        text = (
            f"odoo: {ODOO[:-1]}, timeout: '${{SECONDS}}'}}\n"
            "accounts: [" + account("notify_amazon: {shipments: '${TELL}'}") + "]"
        )
        config = read(tmp_path, text, {"SECONDS": "7.5", "TELL": "false"})
        assert config.odoo.timeout == 7.5
        assert config.accounts[0].notify_amazon.model_dump()["shipments"] is False


class TestDefaults:
    def test_are_taken_by_accounts_that_do_not_say_otherwise(self, tmp_path):
        head = "defaults: {warehouse: WH, schedule: {orders: 1m, pickings: 2m}, carriers: {A: UPS}}"
        config = read_accounts(
            tmp_path,
            account(),
            account("warehouse: null, schedule: {orders: 3m}, carriers: {B: DHL}", "b", "[US]"),
            head=head,
        )
        one, other = config.accounts
        assert (one.warehouse, other.warehouse) == ("WH", None)
        assert one.schedule.model_dump()["orders"] == timedelta(minutes=1)
        assert other.schedule.model_dump()["orders"] == timedelta(minutes=3)
        assert other.schedule.model_dump()["pickings"] == timedelta(minutes=2)
        assert other.carriers == {"A": "UPS", "B": "DHL"}

    def test_share_the_applications_credentials(self, tmp_path):
        head = (
            "defaults: {credentials: {client_id: id, client_secret: s, refresh_token: {file: x}}}"
        )
        text = "{name: a, seller_id: A1, marketplaces: [US], credentials: {refresh_token: r}}"
        credentials = read_accounts(tmp_path, text, head=head).accounts[0].credentials
        assert credentials.client_id.get_secret_value() == "id"
        assert credentials.refresh_token.get_secret_value() == "r"

    def test_may_be_empty(self, tmp_path):
        assert read_accounts(tmp_path, account(), head="defaults:").accounts[0].name == "acme"


class TestSecrets:
    def test_from_a_file_beside_the_configuration(self, tmp_path):
        (tmp_path / "key").write_text("from-file\n")
        text = ODOO.replace("odoo-pass", "{file: key}")
        config = read(tmp_path, f"odoo: {text}\naccounts: [{account()}]")
        assert config.odoo.password.get_secret_value() == "from-file"

    def test_from_systemd(self, tmp_path):
        folder = tmp_path / "credentials"
        folder.mkdir()
        (folder / "odoo").write_text("from-systemd")
        text = ODOO.replace("odoo-pass", "{credential: odoo}")
        environ = {"CREDENTIALS_DIRECTORY": str(folder)}
        config = read(tmp_path, f"odoo: {text}\naccounts: [{account()}]", environ)
        assert config.odoo.password.get_secret_value() == "from-systemd"

    def test_are_never_shown(self, tmp_path):
        config = read_accounts(tmp_path, account())
        secrets = {secret.get_secret_value() for secret in config.secrets()}
        assert secrets == {"odoo-pass", "client-id-1", "client-secret-1", "refresh-1"}
        shown = f"{config!r}{config}{config.model_dump()}{config.model_dump_json()}"
        assert not [secret for secret in secrets if secret in shown]

    def test_do_not_enter_the_digest(self, tmp_path):
        before = read_accounts(tmp_path, account()).accounts[0].digest()
        other = account().replace("client-secret-1", "client-secret-2")
        assert read_accounts(tmp_path, other).accounts[0].digest() == before
        assert read_accounts(tmp_path, account("warehouse: WH2")).accounts[0].digest() != before


class TestFind:
    def test_the_command_line_comes_first(self, tmp_path):
        assert find(tmp_path / "a", {"AMAZON_BRIDGE_CONFIG": "b"}) == tmp_path / "a"

    def test_then_the_environment(self):
        assert find(None, {"AMAZON_BRIDGE_CONFIG": "b"}) == Path("b")

    def test_then_the_usual_place(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "config").mkdir()
        (tmp_path / "config/bridge.yaml").touch()
        assert find(None, {"AMAZON_BRIDGE_CONFIG": ""}) == Path("config/bridge.yaml")

    def test_none_anywhere(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("amazon_bridge.config_file.SEARCHED", (Path("config/bridge.yaml"),) * 2)
        with pytest.raises(ConfigError, match=re.escape(f"{tmp_path}/config/bridge.yaml")):
            find(None, {})


def test_the_state_store_does_not_depend_on_where_the_command_is_started(tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    read_accounts(tmp_path / "etc", account())
    monkeypatch.chdir(tmp_path)
    assert load(Path("etc/bridge.yaml"), {}).state == tmp_path / "etc/state/bridge.db"


def test_an_account_is_found_by_its_name(tmp_path):
    config = read_accounts(tmp_path, account(), account(name="other", marketplaces="[US]"))
    assert config.account("other").name == "other"
    with pytest.raises(ConfigError, match=r"no account 'third'.* acme, other"):
        config.account("third")


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_every_interval_is_the_sum_of_its_parts(d, h, m, s):
    text = "".join(f"{n}{unit}" for n, unit in ((d, "d"), (h, "h"), (m, "m"), (s, "s")) if n)
    credentials = dict.fromkeys(("client_id", "client_secret", "refresh_token"), "x")
    given = {"name": "a", "seller_id": "A", "marketplaces": ["US"], "credentials": credentials}
    odoo = {"url": "https://o", "database": "d", "login": "l", "password": SecretStr("p")}
    config = Config.model_validate(
        {"odoo": odoo, "accounts": [{**given, "tracking_reminder": text}]}
    )
    expected = timedelta(days=d, hours=h, minutes=m, seconds=s)
    assert config.accounts[0].tracking_reminder == expected


@pytest.mark.parametrize("known", MARKETPLACES, ids=lambda m: m.country_code)
def test_every_marketplace_can_be_configured(tmp_path, known):
    config = read_accounts(tmp_path, account(marketplaces=f"[{known.country_code}]"))
    assert config.accounts[0].marketplaces == (known,)


# The sample, the schema and the documentation say the same

REPOSITORY = Path(__file__).parents[2]


def uncommented(text: str) -> str:
    """The sample with every optional key switched on."""
    return re.sub(r"^( *)#(?=\w)", r"\1", text, flags=re.MULTILINE)


def places(found: dict, section: dict, above: str = "") -> set[str]:
    """The dotted names of all keys in a JSON schema."""
    names = set()
    for key, value in section.get("properties", {}).items():
        names.add(f"{above}{key}")
        items = value.get("items", value)
        references = [each.get("$ref") for each in (items, *items.get("anyOf", ()))]
        for reference in filter(None, references):
            below = above if key in {"accounts", "defaults"} else f"{above}{key}."
            names |= places(found, found["$defs"][reference.rpartition("/")[2]], below)
    return names


def names_in(value: object, above: str = "") -> set[str]:
    """The dotted names of all keys in a document."""
    if isinstance(value, list):
        return {name for each in value for name in names_in(each, above)}
    names = set()
    for key, below in value.items() if isinstance(value, dict) else ():
        names.add(f"{above}{key}")
        names |= names_in(below, above if key in {"accounts", "defaults"} else f"{above}{key}.")
    return names


class TestSample:
    def test_loads_with_the_variables_that_it_names(self, tmp_path):
        config = read(tmp_path, example(), ENVIRON)
        assert config.odoo.password.get_secret_value() == "odoo-key-0123"
        assert config.accounts[0].name == "acme-eu"

    def test_is_the_one_in_the_config_folder(self):
        assert (REPOSITORY / "config/bridge.example.yaml").read_text() == example()

    def test_is_inside_of_the_package(self):
        assert (resources.files("amazon_bridge.config") / "bridge.example.yaml").is_file()

    def test_shows_every_key(self):
        shown = names_in(YAML(typ="safe", pure=True).load(uncommented(example())))
        assert shown == places(schema(), schema())

    def test_shows_the_true_defaults(self, tmp_path):
        plain = read(tmp_path, example(), ENVIRON).model_dump(mode="json")
        full = read(tmp_path, uncommented(example()), ENVIRON).model_dump(mode="json")
        assert full == plain


class TestSchema:
    def test_is_a_schema_that_the_sample_fits(self):
        jsonschema.Draft202012Validator.check_schema(schema())
        for text in (example(), uncommented(example())):
            document = YAML(typ="safe", pure=True).load(text)
            plain = json.loads(json.dumps(document, default=lambda value: value.isoformat()))
            jsonschema.validate(plain, schema())

    def test_describes_every_key(self):
        sections = [schema(), *schema()["$defs"].values()]
        keys = [each for section in sections for each in section["properties"].values()]
        assert keys
        assert all(each.get("description") for each in keys)

    def test_refuses_unknown_keys(self):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"odoo": {}, "accounts": [{"name": "a"}], "x": 1}, schema())


def test_the_documentation_names_every_key():
    text = (REPOSITORY / "docs/configuration.md").read_text()
    missing = [name for name in places(schema(), schema()) if f"`{name}`" not in text]
    assert not missing


def test_the_documentations_example_loads(tmp_path):
    text = (REPOSITORY / "docs/configuration.md").read_text()
    [_, block] = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    for name in re.findall(r"credential: (\w+)", block):
        (tmp_path / name).write_text(name)
    config = read(tmp_path, block, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert [each.name for each in config.accounts] == ["acme-eu", "acme-us"]
    assert config.accounts[1].credentials.client_id.get_secret_value() == "amazon_client_id"
