"""docs/commands.md has the help of every command, as the program prints it."""

import command_reference


def test_the_command_reference_is_current() -> None:
    current = command_reference.page() == command_reference.PAGE.read_text(encoding="utf-8")
    assert current, (
        "a command's help has changed: run .venv/bin/python scripts/command_reference.py"
    )
