"""``init``: a configuration from answers, tried against Odoo and Amazon as they are given."""

import stat
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from answering import Answers, account_of, answers_of, init, run, secrets_of
from click.testing import CliRunner, Result
from odoo_server.databases import OdooDatabase
from program import ENVIRONMENT, SettledWorld
from shop import Shop
from typing_person import TypingPerson

from amazon_bridge.cli import main
from amazon_bridge.config import load
from amazon_bridge.simulator import Seller, Simulator

pytestmark = pytest.mark.odoo("in memory")


@pytest.fixture
def answers(odoo_database: OdooDatabase, simulator: Simulator, seller: Seller) -> Answers:
    return answers_of(odoo_database, simulator, seller)


def test_a_file_of_answers_becomes_a_configuration_that_works(
    tmp_path: Path, answers: Answers, world: SettledWorld, shop: Shop
) -> None:
    world.place_order("FR")
    answers["accounts"][0]["start"] = world.orders[0].created.isoformat()
    done = init(tmp_path, answers)
    assert done.code == 0, done
    assert "Odoo 19.0 Community responds." in done.out
    assert "    FR  amazon.fr (EUR)\n" in done.out
    assert "  OK      Amazon: the seller sells in DE (amazon.de).\n" in done.out
    assert "the stock location Amazon/FBA" in done.out
    assert "Missing in Odoo" not in done.out
    assert done.out.splitlines()[-3:] == [
        "  amazon-bridge setup",
        "  amazon-bridge check",
        "  amazon-bridge sync orders --dry-run",
    ]
    config = load(tmp_path / "config/bridge.yaml", {})
    (account,) = config.accounts
    assert [each.country_code for each in account.marketplaces] == ["FR", "DE", "GB"]
    assert (account.name, account.fba_location) == ("my-company-eu", "Amazon/FBA")
    secrets = tmp_path / "config/secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in secrets.iterdir()} == {0o600}
    assert run(tmp_path, "config", "validate").code == 0
    dry = run(tmp_path, "sync", "orders", "--dry-run", "--json")
    assert dry.counts("my-company-eu") == {"seen": 1, "created": 1}


def test_what_exists_stays_and_nothing_is_asked(tmp_path: Path, answers: Answers) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/bridge.yaml").write_text("mine")
    answers["odoo"]["url"] = "http://127.0.0.1:9"
    done = init(tmp_path, answers)
    assert done.code == 2
    assert "config/bridge.yaml exists already; `init` writes over no file." in done.err
    assert (done.out, (tmp_path / "config/bridge.yaml").read_text()) == ("", "mine")


def test_a_dry_run_shows_the_files_and_writes_none(tmp_path: Path, answers: Answers) -> None:
    done = init(tmp_path, answers, "--dry-run")
    assert done.code == 0
    assert "      password: {file: secrets/odoo_api_key}\n" in f"  {done.out}".replace("\n", "\n  ")
    assert "Nothing was written: this was a dry run." in done.out
    assert [each.name for each in tmp_path.iterdir()] == ["answers.yaml"]


def change(*keys: str | int, to: Any) -> Callable[[Answers], None]:
    def changed(answers: Answers) -> None:
        inner: Any = answers
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = to

    return changed


CREDENTIALS = ("accounts", 0, "credentials")


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (change("odoo", "url", to="http://127.0.0.1:9"), 3, "Odoo can't be reached"),
        (change("odoo", "protocol", to="json2"), 3, "an API key"),
        (change("odoo", "database", to="other"), 3, "Odoo has no database of the configured name"),
        (change("odoo", "password", to="wr0ng"), 3, "Odoo doesn't accept the login"),
        (change("odoo", "pasword", to="wr0ng"), 2, "did you mean password?"),
        (change(*CREDENTIALS, "client_secret", to="wr0ng"), 3, "Correct client_id and client_secr"),
        (change(*CREDENTIALS, "refresh_token", to="wr0ng"), 3, "Authorise the application again"),
        (change("accounts", 0, "marketplaces", to=["FR", "IT"]), 2, "in FR, DE, GB, and not in IT"),
        (change("accounts", 0, "company", to="My Compani"), 2, "Did you mean My Company?"),
        (change("accounts", 0, "warehouse", to="W"), 2, "Did you mean WH? There is: WH."),
    ],
)
def test_what_does_not_work_is_refused_and_nothing_written(
    tmp_path: Path,
    answers: Answers,
    wrong: Callable[[Answers], None],
    code: int,
    message: str,
) -> None:
    wrong(answers)
    done = init(tmp_path, answers)
    assert (done.code, message in done.err) == (code, True), done
    assert "wr0ng" not in done.out + done.err
    assert [each.name for each in tmp_path.iterdir()] == ["answers.yaml"]


def test_two_accounts(tmp_path: Path, answers: Answers, world: SettledWorld, shop: Shop) -> None:
    other = world.add_seller("A1SIMULATEDUS", ["US"])
    answers["accounts"].append(account_of(other))
    done = init(tmp_path, answers)
    assert done.code == 0, done
    config = load(tmp_path / "config/bridge.yaml", {})
    assert [each.name for each in config.accounts] == ["my-company-eu", "my-company-na"]
    answers["accounts"][1]["name"] = "my-company-eu"
    done = init(tmp_path, answers, "--config", "other/bridge.yaml")
    assert (done.code, "Another account is named my-company-eu" in done.err) == (2, True)


def test_without_a_terminal_a_file_is_needed(tmp_path: Path) -> None:
    done = run(tmp_path, "init")
    assert done.code == 2
    assert "There is no terminal to ask on. Write the answers into a file" in done.err


# A person answers


class Keyboard(BytesIO):
    """Lines typed at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(tmp_path: Path, simulator: Simulator) -> Callable[..., Result]:
    path = str(tmp_path / "bridge.yaml")
    urls = ["--endpoint", simulator.url, "--token-url", simulator.token_url]

    def invoke(lines: Sequence[str], *options: str) -> Result:
        arguments = ["init", "--config", path, *urls, *options]
        keyboard = Keyboard("".join(f"{line}\n" for line in lines).encode())
        return CliRunner().invoke(main, arguments, input=keyboard)

    return invoke


def odoo_lines(answers: Answers) -> list[str]:
    return [answers["odoo"][name] for name in ("url", "database", "login", "password")]


def amazon_lines(answers: Answers) -> list[str]:
    (account,) = answers["accounts"]
    names = ("client_id", "client_secret", "refresh_token")
    return [account["seller_id"], *(account["credentials"][name] for name in names)]


GO_ON = "n"  # what the in-memory Odoo hasn't is a problem to look at


def test_proposals_are_accepted_with_enter(
    tmp_path: Path, typed: Callable[..., Result], answers: Answers, shop: Shop
) -> None:
    lines = [*odoo_lines(answers), GO_ON, *amazon_lines(answers), *[""] * 6, GO_ON, "n", "y"]
    done = typed(lines)
    assert done.exit_code == 0, done.output
    assert "Written: " in done.output
    (account,) = load(tmp_path / "bridge.yaml", {}).accounts
    assert account.name == "my-company-eu"
    assert account.start is None
    assert not any(secret in done.output for secret in secrets_of(answers))


def test_wrong_answers_are_asked_for_again(
    tmp_path: Path, typed: Callable[..., Result], answers: Answers, shop: Shop
) -> None:
    url, database, login, password = odoo_lines(answers)
    seller_id, client_id, client_secret, refresh_token = amazon_lines(answers)
    lines = [
        *("erp", "http://127.0.0.1:9", url),
        *(database, login, "wr0ng", "", "", password, GO_ON),
        *(seller_id.lower(), seller_id, client_id, client_secret, "wr0ng"),
        *("", "", "", refresh_token),
        *("DEU", "FR IT", "FR, DE"),
        *("", "", "perhaps", "false", "Acme EU", "acme", "yesterday", "2026-11-01T00:00:00Z"),
        *(GO_ON, "n", "y"),
    ]
    done = typed(lines)
    assert done.exit_code == 0, done.output
    for message in (
        "Odoo's address: must be an address such as https://erp.example.com.",
        "Odoo can't be reached: Connection refused.",
        "Odoo doesn't accept the login or its password.",
        "Seller id: must be of capital letters and digits",
        "Login with Amazon gave no access token",
        "Marketplaces: is no Amazon marketplace: did you mean DE?",
        "The seller takes part in FR, DE, GB, and not in IT",
        "Amazon's prices include tax: must be 'auto', true or false.",
        "Name of this account: must be of small letters",
        "Import orders changed since: must be a timestamp",
    ):
        assert message in done.output, done.output
    assert "wr0ng" not in done.output
    (account,) = load(tmp_path / "bridge.yaml", {}).accounts
    assert account.name == "acme"
    assert account.prices_include_tax is False
    assert [each.country_code for each in account.marketplaces] == ["FR", "DE"]


@pytest.mark.parametrize("ending", [["n"], []], ids=["declined", "ended"])
def test_an_interrupted_run_writes_nothing(
    tmp_path: Path, typed: Callable[..., Result], answers: Answers, shop: Shop, ending: list[str]
) -> None:
    head = [*odoo_lines(answers), GO_ON, *amazon_lines(answers), *[""] * 6, GO_ON, "n"]
    done = typed([*head, *ending])
    assert done.exit_code == 1
    assert "Nothing was written." in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_is_wrong_usage(typed: Callable[..., Result], answers: Answers) -> None:
    lines = [*odoo_lines(answers), GO_ON, *amazon_lines(answers)]
    done = typed(lines, "--endpoint", "http://far.example.com")
    assert done.exit_code == 2
    assert "Invalid value for --endpoint: must begin with https://" in done.output


def test_on_a_real_terminal_no_secret_is_shown(
    tmp_path: Path, answers: Answers, simulator: Simulator, shop: Shop
) -> None:
    urls = ["--endpoint", simulator.url, "--token-url", simulator.token_url]
    command = ["-m", "amazon_bridge", "init", *urls]
    person = TypingPerson(command, folder=tmp_path, environment=ENVIRONMENT)
    url, database, login, password = odoo_lines(answers)
    seller_id, client_id, client_secret, refresh_token = amazon_lines(answers)
    person.answers("Odoo's address", url)
    person.answers("Database", database)
    person.answers("Login", login)
    person.answers("API key", password)
    person.answers("examine it again", GO_ON)
    person.answers("Seller id", seller_id)
    person.answers("Client identifier", client_id)
    person.answers("Client secret", client_secret)
    person.answers("Refresh token", refresh_token)
    for question in ("Marketplaces.*FR, DE, GB", "Sales team", "Stock location", "auto", "Name"):
        person.answers(f"{question}.*: $")
    person.answers("changed since", "")
    person.answers("examine it again", GO_ON)
    person.answers("Another account", "")
    person.answers("Write these files", "")
    person.sees("amazon-bridge sync orders --dry-run")
    assert person.leaves() == 0
    assert client_secret not in person.screen
    assert refresh_token not in person.screen
    assert load(tmp_path / "config/bridge.yaml", {}).accounts[0].seller_id == seller_id
