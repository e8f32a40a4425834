"""The file of answers for `init`."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amazon_bridge.config.answers import AccountAnswers, Answers, read_answers
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.init import questions as q
from amazon_bridge.init.file_answers import FileAnswers
from amazon_bridge.init.in_odoo import proposed_name
from amazon_bridge.marketplaces import Region

ODOO = "odoo: {url: 'https://erp.example.com', database: d, login: l, password: {file: key}}\n"
CREDENTIALS = "credentials: {client_id: a, client_secret: '${SECRET}', refresh_token: t0ken}"
ACCOUNT = f"seller_id: A3EXAMPLE, {CREDENTIALS}"


def read(folder: Path, text: str) -> Answers:
    (folder / "key").write_text("k3y\n")
    path = folder / "answers.yaml"
    path.write_text(text)
    return read_answers(path, {"SECRET": "s3cret"})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    assert "file of answers" in caught.value.reason
    assert "and defaults (keys of all accounts)" in caught.value.remedy
    assert "t0ken" not in str(caught.value.problems)
    return list(caught.value.problems)


def test_secrets_come_from_files_and_variables(tmp_path: Path) -> None:
    found = read(tmp_path, f"{ODOO}accounts: [{{{ACCOUNT}}}]")
    assert found.odoo.password.get_secret_value() == "k3y"
    assert found.accounts[0].credentials.client_secret.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(found)


def test_defaults_are_those_of_all_accounts(tmp_path: Path) -> None:
    text = f"{ODOO}defaults: {{{CREDENTIALS}}}\naccounts: [{{seller_id: A1}}, {{seller_id: A2}}]"
    found = read(tmp_path, text)
    assert [each.credentials.client_id.get_secret_value() for each in found.accounts] == ["a", "a"]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("sellerid: A1", "sellerid: is not a known key here: did you mean seller_id?"),
        ("marketplace: [FR]", "did you mean marketplaces?"),
        ("unknown_sku: quarantine", "unknown_sku: is not a known key here"),
        ("marketplaces: [DEU]", "did you mean DE? Write its id or a country code"),
        ("marketplaces: [FR, US]", "must be of one region"),
        ("name: Acme EU", "must be lowercase letters"),
        ("start: yesterday", "must be a timestamp such as"),
        ("prices_include_tax: perhaps", "must be 'auto', true or false"),
    ],
)
def test_wrong_answers(tmp_path: Path, more: str, problem: str) -> None:
    [found] = problems(tmp_path, f"{ODOO}accounts: [{{{ACCOUNT}, {more}}}]")
    assert found.startswith("accounts[0].")
    assert problem in found


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = "odo: {}\nodoo: {password: '${NOWHERE}', url: x}\naccounts: [{seller_id: a}, 5]"
    assert sorted(problems(tmp_path, text)) == [
        "accounts[0].credentials: is missing",
        "accounts[0].seller_id: must be uppercase letters and digits, as in Seller Central",
        "accounts[1]: must be a mapping: `key: value` lines below it",
        "odo: is not a known key here: did you mean odoo?",
        "odoo.database: is missing",
        "odoo.login: is missing",
        "odoo.password: the environment variable NOWHERE is not set",
        "odoo.url: must be an address such as https://erp.example.com",
    ]


def test_the_documentations_example_is_a_file_of_answers(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
    example, _ = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    path = tmp_path / "answers.yaml"
    path.write_text(example.replace("/run/secrets/odoo_api_key", "key"))
    (tmp_path / "key").write_text("k3y")
    variables = {"AMAZON_CLIENT_SECRET": "s3cret", "AMAZON_REFRESH_TOKEN": "t0ken"}
    assert read_answers(path, variables).accounts[0].seller_id == "A3EXAMPLE"
    assert all(f"`{key}`" in text for key in AccountAnswers.model_fields)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"file of answers .* can't be read: No such file"):
        read_answers(tmp_path / "answers.yaml", {})


def answers(folder: Path, more: str = "") -> FileAnswers:
    return FileAnswers(read(folder, f"{ODOO}accounts: [{{{ACCOUNT}{more}}}]"), lambda _: True)


def test_what_a_file_leaves_out_is_answered_by_the_proposal(tmp_path: Path) -> None:
    found = answers(tmp_path, ", sales_team: Shop, start: 2026-11-01T00:00:00Z")
    assert found.value(q.SALES_TEAM, "Amazon") == "Shop"
    assert found.value(q.FBA_LOCATION, "Amazon/FBA") == "Amazon/FBA"
    assert found.value(q.TAX, "auto") == "auto"
    assert found.value(q.START) == datetime(2026, 11, 1, tzinfo=UTC)
    assert [each.country_code for each in found.value(q.MARKETPLACES, "FR, GB")] == ["FR", "GB"]
    assert found.choice(q.WAREHOUSE, {"WH": "", "LYO": ""}, "WH") == "WH"
    assert found.value(q.ENDPOINT) is None
    assert not found.next_account()


def test_what_odoo_lacks_is_answered_with_the_closest(tmp_path: Path) -> None:
    found = answers(tmp_path, ", warehouse: LY")
    with pytest.raises(ConfigError) as caught:
        found.choice(q.WAREHOUSE, {"WH": "", "LYO": ""}, "WH")
    assert str(caught.value) == (
        "accounts[0].warehouse: Odoo has no 'LY'. Did you mean LYO? There is: WH, LYO."
    )


@pytest.mark.parametrize(
    ("company", "taken", "name"),
    [
        ("My Company (Paris)", [], "my-company-paris-eu"),
        ("Ünïcode", [], "n-code-eu"),
        ("株式会社", [], "eu"),
        ("Acme", ["acme-eu", "acme-eu-2"], "acme-eu-3"),
    ],
)
def test_proposed_names(company: str, taken: list[str], name: str) -> None:
    assert proposed_name(company, Region.EUROPE, taken) == name
