"""Every command shows examples that are commands; the help of all is quick."""

import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from amazon_bridge.cli import main

_QUICK = 0.3
"""Seconds of CPU time."""


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


def command_of(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


def parsed(arguments: list[str]) -> tuple[str, ...]:
    """The command that these arguments are of; their values are checked, and nothing is done."""
    command: click.Command = main
    path: list[str] = []
    ctx = command.make_context("amazon-bridge", arguments)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(ctx, [*ctx._protected_args, *ctx.args])
        assert name is not None
        assert found is not None
        path.append(name)
        command, ctx = found, found.make_context(name, rest, parent=ctx)
    return tuple(path)


@pytest.mark.parametrize("path", list(leaves(main)), ids=" ".join)
def test_every_command_has_examples_of_itself(path: tuple[str, ...]) -> None:
    lines = (command_of(path).epilog or "").splitlines()
    assert lines[:2] == ["\b", "Examples:"], "@click.command(epilog=examples(...)) is missing"
    examples = [line.partition(" > ")[0] for line in lines[2:]]
    assert examples
    for example in examples:
        program, *arguments = shlex.split(example)
        assert program == "amazon-bridge"
        assert parsed(arguments) == path


def test_the_help_of_all_commands_takes_little_cpu_time() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "amazon_bridge", "--help"], check=True, stdout=-3)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < _QUICK
