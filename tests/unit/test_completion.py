"""What the shell completes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from clocks import Clock
from configured import write_configuration

from amazon_bridge.cli import main
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger

DOCUMENT = Path(__file__).parents[2] / "docs/commands.md"
VARIABLE = "_AMAZON_BRIDGE_COMPLETE"


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    return write_configuration(tmp_path)


def completed(*arguments: str, start: str = "") -> list[str]:
    found = ShellComplete(main, {}, "amazon-bridge", VARIABLE).get_completions([*arguments], start)
    return [item.value for item in found]


def test_commands_and_jobs() -> None:
    assert completed(start="s") == ["settlements", "setup", "state", "status", "stock", "sync"]
    assert completed("quarantine") == ["list", "retry"]
    assert completed("sync", start="pick") == ["pickings"]
    assert "all" in completed("sync")


@pytest.mark.parametrize(
    "arguments",
    [
        ("sync", "orders", "--account"),
        ("check", "--account"),
        ("cursor", "set"),
        ("order", "recover"),
        ("order", "import"),
    ],
)
def test_accounts(configuration: Path, arguments: tuple[str, ...]) -> None:
    head = ("--config", str(configuration))
    assert completed(*head, *arguments) == ["acme-eu"]
    assert completed(*head, *arguments, start="acme-e") == ["acme-eu"]
    assert completed(*head, *arguments, start="x") == []


def test_accounts_of_a_file_with_mistakes(tmp_path: Path) -> None:
    path = write_configuration(tmp_path, "odoo: {password: '${NOWHERE}'}")
    assert completed("--config", str(path), "check", "--account") == ["acme-eu"]


TYPING = """
import sys
from click.shell_completion import ShellComplete
from amazon_bridge.cli import main

def complete(*arguments):
    return ShellComplete(main, {}, "amazon-bridge", "").get_completions([*arguments], "")

for name in main.entry_points:
    for further in complete(name):
        complete(name, further.value)
    complete(name, "--account")
print(*sorted(each for each in sys.argv[1:] if each in sys.modules))
"""
"""Completes each command, its subcommands and accounts; prints what was imported for it."""


def test_nothing_slow_is_imported_while_somebody_types(configuration: Path) -> None:
    slow = ("app", "config", "amazon", "odoo", "service", "demo", "simulator")
    modules = [*(f"amazon_bridge.{name}" for name in slow), "pydantic", "rich", "sqlalchemy"]
    environment = {**os.environ, "AMAZON_BRIDGE_CONFIG": str(configuration)}
    done = subprocess.run(
        [sys.executable, "-c", TYPING, *modules],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_the_environments_configuration(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZON_BRIDGE_CONFIG", str(configuration))
    assert completed("check", "--account") == ["acme-eu"]


def test_quarantined_items(configuration: Path) -> None:
    with Ledger(configuration.parent / "state/bridge.db", Clock()) as ledger:
        for key in ("404-1", "404-2", "405-1", "40%"):
            refusal = ItemError("unknown_sku", "no product", "make one")
            ledger.items.quarantine("acme-eu", "orders", key, refusal)
        retry = ("--config", str(configuration), "quarantine", "retry")
        assert completed(*retry) == ["40%", "404-1", "404-2", "405-1"]
        assert completed(*retry, start="404") == ["404-1", "404-2"]
        assert completed(*retry, start="4'") == []


@pytest.mark.parametrize("content", ["", "accounts: 5", "accounts: [{}]", "a: [", "state: [1]"])
def test_nothing_of_a_file_that_cannot_be_read(
    tmp_path: Path, content: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_text(content)
    for given in (path, tmp_path / "other.yaml"):
        assert completed("--config", str(given), "check", "--account") == []
        assert completed("--config", str(given), "quarantine", "retry") == []
    assert list(tmp_path.iterdir()) == [path]
    assert capfd.readouterr() == ("", "")


def documented(shell: str) -> str:
    """What the documentation tells people to put into a shell's start-up file."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"^# {shell}: .*\n(.*)$", text, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_documented_lines_make_a_script(shell: str) -> None:
    line = documented(shell)
    assert f"{VARIABLE}={shell}_source amazon-bridge" in line
    environment = {**os.environ, VARIABLE: f"{shell}_source"}
    program = Path(sys.executable).with_name("amazon-bridge")
    done = subprocess.run([program], env=environment, check=True, capture_output=True, text=True)
    assert f"{VARIABLE}={shell}_complete" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_with_the_documented_line(configuration: Path) -> None:
    program = Path(sys.executable).with_name("amazon-bridge")
    script = f"""
        amazon-bridge() {{ "{program}" "$@"; }}
        {documented("bash")}
        COMP_WORDS=(amazon-bridge sync orders --account ac) COMP_CWORD=4
        _amazon_bridge_completion amazon-bridge
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {
        **os.environ,
        "AMAZON_BRIDGE_CONFIG": str(configuration),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "acme-eu\n", done.stderr
