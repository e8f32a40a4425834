"""``init``: a configuration from answers, tried against Odoo and Amazon as they are given."""

import socket
import stat
from collections.abc import Callable, Iterator, Sequence
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
    assert "records and 7 shared filters, which `setup` creates:" in done.out
    assert "Odoo has no stock location Amazon/FBA: `setup` creates it." in done.out
    assert "Amazon does not confirm the seller id" in done.out
    assert "Missing in Odoo" not in done.out
    assert done.out.splitlines()[-3:] == [
        "  amazon-bridge check",
        "  amazon-bridge setup",
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
    assert "  Next: `amazon-bridge setup` creates " in run(tmp_path, "check").out
    dry = run(tmp_path, "sync", "orders", "--dry-run", "--json")
    assert dry.counts("my-company-eu") == {"seen": 1, "created": 1}


def test_what_exists_stays_and_nothing_is_asked(tmp_path: Path, answers: Answers) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/bridge.yaml").write_text("mine")
    answers["odoo"]["url"] = "http://127.0.0.1:9"
    done = init(tmp_path, answers)
    assert done.code == 2
    assert "config/bridge.yaml exists already, and `init` does not overwrite it." in done.err
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
        (
            change("accounts", 0, "marketplaces", to=["FR", "IT"]),
            2,
            "does not sell in IT. Available: FR",
        ),
        (change("accounts", 0, "marketplaces", to=["FR", "XX"]), 2, "[1]: is not an Amazon market"),
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


def test_a_location_whose_parent_is_missing_is_for_a_person(
    tmp_path: Path, answers: Answers
) -> None:
    answers["accounts"][0]["fba_location"] = "WH/Nope/Deep"
    done = init(tmp_path, answers)
    assert "Missing in Odoo: the stock location WH/Nope/Deep" in done.out, done
    assert "create its parent location WH/Nope; or correct `fba_location`" in done.out


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


def test_without_a_configuration_init_is_recommended(tmp_path: Path) -> None:
    done = run(tmp_path, "config", "validate")
    assert (done.code, "Write one with: amazon-bridge init." in done.err) == (2, True), done


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
    lines = [*odoo_lines(answers), GO_ON, *amazon_lines(answers), *[""] * 6, "n", "y"]
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
        *("FR, XX", "DEU", "FR IT", "FR, DE"),
        *("", "", "perhaps", "false", "Acme EU", "acme", "yesterday", "2026-11-01T00:00:00Z"),
        *("n", "y"),
    ]
    done = typed(lines)
    assert done.exit_code == 0, done.output
    for message in (
        "Odoo's address: must be an address such as https://erp.example.com.",
        "Odoo can't be reached: Connection refused.",
        "Odoo doesn't accept the login or its password.",
        'Check "Login", "API key" and "Database"',
        "Seller id: must be uppercase letters and digits",
        "Login with Amazon gave no access token",
        "Marketplaces: XX is not an Amazon marketplace: write its id",
        "Marketplaces: DEU is not an Amazon marketplace: did you mean DE?",
        "The seller does not sell in IT. Available: FR, DE, GB.",
        "Amazon's prices include tax: must be 'auto', true or false.",
        "Name of this account: must be lowercase letters",
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
    head = [*odoo_lines(answers), GO_ON, *amazon_lines(answers), *[""] * 6, "n"]
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
    person.answers("Another account", "")
    person.answers("Write these files", "")
    person.sees("amazon-bridge sync orders --dry-run")
    assert person.leaves() == 0
    assert client_secret not in person.screen
    assert refresh_token not in person.screen
    assert load(tmp_path / "config/bridge.yaml", {}).accounts[0].seller_id == seller_id


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """Accepts connections and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def person_connecting_to(server: socket.socket, folder: Path) -> TypingPerson:
    person = TypingPerson(["-m", "amazon_bridge", "init"], folder=folder, environment=ENVIRONMENT)
    person.answers("Odoo's address", f"http://127.0.0.1:{server.getsockname()[1]}")
    person.sees("Connecting to Odoo")
    return person


def test_what_is_typed_during_an_examination_is_no_answer(
    tmp_path: Path, silent_server: socket.socket
) -> None:
    person = person_connecting_to(silent_server, tmp_path)
    person.types("typed meanwhile")
    person.sees("typed meanwhile")
    silent_server.close()  # resets the waiting connection, and refuses others
    person.sees("Odoo's address")
    person.interrupts()
    person.sees("Nothing was written.")
    assert person.leaves() == 1
    assert "must be an address" not in person.screen


def test_an_interrupted_examination_writes_nothing(
    tmp_path: Path, silent_server: socket.socket
) -> None:
    person = person_connecting_to(silent_server, tmp_path)
    person.interrupts()
    person.sees("Nothing was written.")
    assert person.leaves() == 1
    assert list(tmp_path.iterdir()) == []
