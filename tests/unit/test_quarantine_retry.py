"""``quarantine retry`` retries what it names, and releases what a brake holds only on purpose."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from clocks import Clock
from configured import write_configuration
from typing_person import TypingPerson

from amazon_bridge.cli import main
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import HELD

REFUSED, MASS_ACTION = "404-0000000-0000001", "404-0000000-0000002"


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """An account with an order that was refused, and a cancellation that a brake holds."""
    path = write_configuration(tmp_path)
    with Ledger(tmp_path / "state/bridge.db", Clock()) as ledger:
        refusal = ItemError("odoo_refused", "no such product", "make one")
        ledger.items.quarantine("acme-eu", "orders", REFUSED, refusal)
        held = ItemError(HELD, "too many at once", "look at them")
        ledger.items.quarantine("acme-eu", "cancellations", MASS_ACTION, held)
    return path


def retry(configuration: Path, *arguments: str) -> tuple[int, str]:
    command = ["--config", str(configuration), "quarantine", "retry", *arguments]
    result = CliRunner().invoke(main, command)
    return result.exit_code, result.output


def left(configuration: Path) -> list[str]:
    with Ledger(configuration.parent / "state/bridge.db", Clock()) as ledger:
        return [entry.key for entry in ledger.items.quarantined()]


@pytest.mark.parametrize(
    ("arguments", "remaining"),
    [
        (["--all"], []),
        (["--all", "--account", "acme-eu"], []),
        (["--all", "--kind", "odoo_refused"], [MASS_ACTION]),
        (["--all", "--kind", "odoo_refused", "--kind", HELD], []),
        (["--all", "--account", "acme-eu", "--kind", HELD], [REFUSED]),
        ([MASS_ACTION], [REFUSED]),
        ([MASS_ACTION, "--account", "acme-eu", "--kind", HELD], [REFUSED]),
    ],
)
def test_what_is_named_is_retried(
    configuration: Path, arguments: list[str], remaining: list[str]
) -> None:
    assert retry(configuration, *arguments)[0] == 0
    assert left(configuration) == remaining


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--all", "--kind", "odo_refused"], 1, "matches. Did you mean odoo_refused?"),
        ([REFUSED, "--kind", HELD], 1, f"{REFUSED} is not in the quarantine with this kind"),
        (["--all", "--account", "acme-us"], 2, "acme-us"),
        ([], 2, "Name one KEY, or --all."),
    ],
)
def test_what_matches_nothing_is_an_error(
    configuration: Path, arguments: list[str], code: int, message: str
) -> None:
    found, output = retry(configuration, *arguments)
    assert (found, message in output) == (code, True), output
    assert len(left(configuration)) == 2


@pytest.mark.parametrize(("answer", "remaining"), [("y", []), ("n", [MASS_ACTION])])
def test_on_a_terminal_all_asks_before_it_releases_what_a_brake_holds(
    configuration: Path, answer: str, remaining: list[str]
) -> None:
    command = ["-m", "amazon_bridge", "--config", str(configuration), "quarantine", "retry"]
    person = TypingPerson(
        [*command, "--all"], folder=configuration.parent, environment=dict(os.environ)
    )
    person.answers("A brake holds 1 of them. Send these to Amazon, too?", answer)
    person.sees("retried in the next run")
    assert person.leaves() == 0
    assert left(configuration) == remaining


@pytest.mark.parametrize("account", [[], ["--account", "acme-eu"]])
def test_a_person_who_keeps_all_of_it_held_gets_no_error(
    configuration: Path, account: list[str]
) -> None:
    retry(configuration, REFUSED)
    command = ["-m", "amazon_bridge", "--config", str(configuration), "quarantine", "retry"]
    person = TypingPerson(
        [*command, "--all", *account], folder=configuration.parent, environment=dict(os.environ)
    )
    person.answers("A brake holds 1 of them. Send these to Amazon, too?", "n")
    person.sees("0 items will be retried")
    assert person.leaves() == 0
    assert left(configuration) == [MASS_ACTION]
