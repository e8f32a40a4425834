"""Errors name what was probably meant."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from clocks import Clock
from configured import write_configuration
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.cli import main
from amazon_bridge.closest import closest, did_you_mean
from amazon_bridge.config import load
from amazon_bridge.engine.errors import ConfigError, ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.marketplaces import MARKETPLACES, closest_marketplace


@pytest.mark.parametrize(
    ("name", "meant"),
    [("order", "orders"), ("Picking", "pickings"), ("cancelations", "cancellations"), ("zz", None)],
)
def test_the_closest_of_a_few_names(name: str, meant: str | None) -> None:
    known = ["orders", "pickings", "cancellations"]
    assert closest(name, known) == meant
    assert did_you_mean(name, known) == (f" Did you mean {meant}?" if meant else "")


@given(st.text(), st.lists(st.text(min_size=1)))
def test_the_closest_name_is_a_known_one(name: str, known: list[str]) -> None:
    assert closest(name, known) in {None, *known}
    assert closest(name, [name, *known]) is not None or not name.casefold()


@pytest.mark.parametrize(
    ("text", "code"),
    [("DEU", "DE"), ("fra", "FR"), ("UKK", "GB"), ("amazon.co.jp", "JP"), ("A1PA6795UKMFR", "DE")],
)
def test_the_closest_marketplace(text: str, code: str) -> None:
    found = closest_marketplace(text)
    assert found is not None
    assert found.country_code == code


def test_no_marketplace_is_like_a_word() -> None:
    assert closest_marketplace("everywhere in the world") is None
    assert all(closest_marketplace(each.country_code) == each for each in MARKETPLACES)


def output(folder: Path, *arguments: str) -> str:
    path = write_configuration(folder)
    result = CliRunner().invoke(main, ["--config", str(path), *arguments])
    assert result.exit_code in {1, 2}, result.output
    return " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        (["stauts"], "No such command 'stauts'. Did you mean status?"),
        (["zzz"], "No such command 'zzz'."),
        (["sync", "picking"], "Did you mean pickings?"),
        (["sync", "all", "--account", "acme-ue"], "Did you mean acme-eu?"),
        (["cursor", "set", "acme", "2026-11-01T00:00:00Z"], "Did you mean acme-eu?"),
        (["order", "recover", "ACME-EU", "1"], "Did you mean acme-eu? The file has: acme-eu."),
    ],
)
def test_commands_name_what_was_meant(tmp_path: Path, arguments: list[str], question: str) -> None:
    assert question in output(tmp_path, *arguments)


def test_an_account_unlike_all_others_is_answered_with_their_names(tmp_path: Path) -> None:
    config = load(write_configuration(tmp_path), {})
    with pytest.raises(ConfigError, match=r"no account 'zz'\. The file has: acme-eu\."):
        config.account("zz")


@pytest.mark.parametrize(
    ("wrong", "question"),
    [
        ("warehouse: WH", "warehouse: is not a known key here: did you mean accounts[].warehouse?"),
        ("marketplace: [FR]", "did you mean accounts[].marketplaces?"),
        ("default: {}", "default: is not a known key here: did you mean defaults?"),
        ("log: {levle: info}", "log.levle: is not a known key here: did you mean level?"),
        ("log: {listen: 1}", "log.listen: is not a known key here: did you mean http.listen?"),
        ("log: {zzz: 1}", "log.zzz: is not a known key here"),
    ],
)
def test_a_wrong_key_is_answered_with_the_closest_one_here_or_elsewhere(
    tmp_path: Path, wrong: str, question: str
) -> None:
    path = write_configuration(tmp_path, wrong)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    (problem,) = caught.value.problems
    assert problem.endswith(question)


def test_the_groups_suggestions_leave_options_to_click() -> None:
    assert isinstance(main, click.Group)
    result = CliRunner().invoke(main, ["--confg", "x"])
    assert "--config" in result.output


def test_the_quarantine_names_the_closest_item(tmp_path: Path) -> None:
    path = write_configuration(tmp_path)
    with Ledger(tmp_path / "state/bridge.db", Clock()) as ledger:
        refusal = ItemError("unknown_sku", "no product", "make one")
        ledger.items.quarantine("acme-eu", "orders", "404-1234567-7654321", refusal)
    arguments = ["quarantine", "retry", "404-1234567-765432"]
    result = CliRunner().invoke(main, ["--config", str(path), *arguments])
    assert result.exit_code == 1
    assert "is not in the quarantine. Did you mean 404-1234567-7654321?" in result.output
