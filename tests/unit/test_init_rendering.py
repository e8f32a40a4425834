"""What `init` writes: the commented sample with the answers in it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from amazon_bridge.config import AccountConfig, Config, OdooConfig, example, load
from amazon_bridge.config.rendering import in_one_line, render
from amazon_bridge.init.draft import Draft, draft

ODOO = {"url": "https://erp.example.com", "database": "prod", "login": "a@b.example"}
SECRETS = {"client_id": "amzn1.app", "client_secret": "s3cret", "refresh_token": "Atzr|t0ken"}


def odoo(**settings: object) -> OdooConfig:
    return OdooConfig.model_validate({**ODOO, "password": "k3y", **settings})


def account(name: str = "acme-eu", **settings: object) -> AccountConfig:
    basics = {"name": name, "seller_id": "A3EXAMPLE", "marketplaces": ["FR", "DE"]}
    return AccountConfig.model_validate({**basics, "credentials": SECRETS, **settings})


def loaded(folder: Path, made: Draft) -> Config:
    (folder / "secrets").mkdir(exist_ok=True)
    for name, secret in made.secrets.items():
        (folder / "secrets" / name).write_text(f"{secret.get_secret_value()}\n", encoding="utf-8")
    path = folder / "bridge.yaml"
    path.write_text(made.text, encoding="utf-8")
    return load(path, {})


def test_the_file_is_the_sample_with_values_and_loads_as_what_was_answered(tmp_path: Path) -> None:
    settings = {
        "company": "Acme & Co: ${x} #1",
        "warehouse": "LYO",
        "fba_location": "Amazon/FBA",
        "prices_include_tax": True,
        "start": "2026-11-01T00:00:00Z",
        "endpoint": "http://127.0.0.1:8480",
        "token_url": "http://127.0.0.1:8480/auth/o2/token",
    }
    made = draft(odoo(protocol="json2"), [account(**settings)])
    config = loaded(tmp_path, made)
    assert config.accounts == (account(**settings),)
    assert config.odoo == odoo(protocol="json2")
    assert "s3cret" not in made.text + str(made.lines)
    assert "k3y" not in made.text
    assert "Atzr" not in made.text
    assert "    #sales_team: Amazon" in made.text.splitlines()
    assert "Copy this file" not in made.text
    assert YAML(typ="safe").load("\n".join(made.lines)) == YAML(typ="safe").load(made.text)


def test_remarks_stay_where_they_are() -> None:
    made = draft(odoo(), [account()])
    assert "    seller_id: A3EXAMPLE            # Seller Central: Settings," in made.text
    long = draft(odoo(), [account(seller_id="A" * 40)])
    assert f"    seller_id: {'A' * 40}  # Seller Central" in long.text


def test_most_lines_are_those_of_the_sample() -> None:
    made = draft(odoo(), [account(fba_location="Amazon/FBA")])
    ours = set(example().splitlines()) - set(made.text.splitlines())
    assert len(ours) < 15, ours
    assert all(not line.lstrip().startswith("#") or "Copy" in line or "edit it" in line
               for line in ours), ours  # fmt: skip


def test_several_accounts_of_one_application(tmp_path: Path) -> None:
    america = account("acme-us", marketplaces=["US"], credentials={**SECRETS, "refresh_token": "u"})
    made = draft(odoo(), [account(), america])
    assert loaded(tmp_path, made).accounts == (account(), america)
    assert set(made.secrets) == {
        "odoo_api_key",
        "amazon_client_secret",
        "amazon_refresh_token_acme-eu",
        "amazon_refresh_token_acme-us",
    }


def test_accounts_of_two_applications(tmp_path: Path) -> None:
    other = account("other", seller_id="A4", credentials={**SECRETS, "client_id": "b"})
    made = draft(odoo(), [account(), other])
    assert loaded(tmp_path, made).accounts == (account(), other)
    assert "defaults" not in YAML(typ="safe").load(made.text)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_as_it_was_given(
    tmp_path: Path, company: str, warehouse: str, database: str
) -> None:
    settings = {"company": company, "warehouse": warehouse}
    config = loaded(tmp_path, draft(odoo(database=database), [account(**settings)]))
    assert (config.accounts[0].company, config.accounts[0].warehouse) == (company, warehouse)
    assert config.odoo.database == database


@pytest.mark.parametrize("value", ["a\nb", "", "NO", "5", 5, True, None, ["x: y", "{"], {"a": "b"}])
def test_any_value_is_one_line_of_yaml(value: object) -> None:
    line = in_one_line(value)
    assert "\n" not in line
    assert YAML(typ="safe", pure=True).load(f"key: {line}") == {"key": value}


def test_keys_that_the_sample_has_not_are_written_below_their_mapping() -> None:
    text = render(
        {"odoo": {"url": "x", "further": 1}}, [{"name": "a", "schedule": {"later": "5m"}}]
    )
    found = YAML(typ="safe").load(text)
    assert found["odoo"] == {"url": "x", "further": 1}
    assert found["accounts"] == [{"name": "a", "schedule": {"later": "5m"}}]
