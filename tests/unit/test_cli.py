"""The command line loads what a command needs, and no more."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from amazon_bridge.cli import main
from amazon_bridge.cli.commands import Commands

HEAVY = (
    *("sp_api", "httpx", "pydantic", "structlog", "rich", "ruamel", "yaml", "jsonschema"),
    *("werkzeug", "waitress", "prometheus_client", "apscheduler", "apprise", "odoorpc"),
    *("sqlalchemy", "tenacity"),
)
WEB = ("werkzeug", "waitress", "prometheus_client", "apprise", "jsonschema")


def imported_by(code: str) -> set[str]:
    """The top-level modules that a new interpreter has after some code."""
    report = "import sys; print('\\n'.join(sys.modules), file=sys.__stderr__)"
    run = subprocess.run(
        [sys.executable, "-c", f"import atexit\natexit.register(lambda: exec({report!r}))\n{code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {name.partition(".")[0] for name in run.stderr.splitlines()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["config", "example"]])
def test_what_needs_no_configuration_loads_no_library_but_click(arguments: list[str]) -> None:
    loaded = imported_by(f"from amazon_bridge.cli import main\nmain({arguments!r})")
    assert loaded & {*HEAVY} == set()
    assert "click" in loaded


def test_sync_loads_nothing_of_the_daemons_listener() -> None:
    loaded = imported_by("import amazon_bridge.cli.sync_actions")
    assert loaded & {*WEB} == set()
    assert "sp_api" in loaded


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yesterday", "must be a timestamp such as"),
        ("2026-11-01", "needs its time zone"),
        ("2026-11-01T00:00:00", "needs its time zone"),
        ("0001-01-01T00:00:00+14:00", "must be a timestamp such as"),
        ("9999-12-31T23:59:59-12:00", "must be a timestamp such as"),
        ("0001-01-01T00:00:00Z", "must not be before 2000"),
    ],
)
def test_a_wrong_timestamp_is_wrong_usage(text: str, problem: str) -> None:
    result = CliRunner().invoke(main, ["cursor", "set", "acme", text])
    assert result.exit_code == 2
    assert problem in " ".join(result.output.split())


def commands() -> Commands:
    assert isinstance(main, Commands)
    return main


@pytest.mark.parametrize("name", sorted(commands().entry_points))
def test_the_help_of_all_commands_is_that_of_each(name: str) -> None:
    command = commands().get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.help is not None
    assert command.help.split("\n\n")[0].replace("\n", " ") == commands().entry_points[name][1]


def test_an_unknown_command_is_no_command() -> None:
    assert commands().get_command(click.Context(main), "synchronise") is None
