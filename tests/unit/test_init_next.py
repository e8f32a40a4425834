"""What `init` says at its end."""

from pathlib import Path

import pytest

from amazon_bridge.cli.init_actions import show_next
from amazon_bridge.init.interview import Interview, creatable
from amazon_bridge.odoo.setup import ARCHIVED, Missing

TEAM = Missing("the sales team Amazon", "CRM > New", "")
ARCHIVED_TEAM = Missing("the sales team Amazon", "unarchive it", ARCHIVED, archived=True)
LOCATION = Missing("the stock location Amazon/FBA", "Inventory > New", "the login may not")


def test_shared_filters_are_created_by_setup(capsys: pytest.CaptureFixture[str]) -> None:
    found = Interview(odoo=None, accounts=[], missing=[], filters=7)  # type: ignore[arg-type]
    show_next(Path("config/bridge.yaml"), found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Odoo lacks 7 shared filters, which `setup` creates:"
    assert "  amazon-bridge setup" in lines


def test_setup_creates_and_unarchives() -> None:
    assert creatable([TEAM, LOCATION]) == [TEAM.what]
    assert creatable([ARCHIVED_TEAM]) == [TEAM.what]


@pytest.mark.parametrize(
    ("missing", "commands"),
    [
        ([], ["check", "sync orders --dry-run", "run"]),
        ([TEAM], ["check", "setup", "sync orders --dry-run"]),
        ([TEAM, LOCATION], ["check", "setup --dry-run", "sync orders --dry-run"]),
    ],
)
def test_the_next_three_commands(
    missing: list[Missing], commands: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = Interview(odoo=None, accounts=[], missing=missing)  # type: ignore[arg-type]
    show_next(Path("etc/my bridge.yaml"), found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [f"  amazon-bridge --config 'etc/my bridge.yaml' {c}" for c in commands]
    told = "\n".join(lines[:-3])
    assert all(each.what in told for each in missing)
    assert ("administrator's login" in told) == (LOCATION in missing)
    show_next(Path("config/bridge.yaml"), found)
    assert capsys.readouterr().out.splitlines()[-3] == f"  amazon-bridge {commands[0]}"
