"""Runs commands on a terminal, and types what a person would type."""

import os
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PROMPT = re.compile(r"(?:: |\] |\? )\Z")
_PATIENCE = 120  # seconds


def typed(
    command: Sequence[str | Path], lines: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command, and type a line whenever it waits for one; Ctrl-D where there is no line.

    Returns:
        The exit code, and all that the terminal shows.
    """
    ours, its = os.openpty()
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True
    ) as process:
        os.close(its)
        try:
            shown = _converse(ours, list(lines))
        except BaseException:
            process.kill()
            raise
        finally:
            os.close(ours)
    return process.returncode, shown


def _converse(terminal: int, lines: list[str]) -> str:
    shown, answered = "", 0
    deadline = time.monotonic() + _PATIENCE
    while select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the command has ended
            return shown.replace("\r\n", "\n")
        shown += part.decode()
        if len(shown) > answered and _PROMPT.search(shown):
            line = f"{lines.pop(0)}\n" if lines else "\x04"
            os.write(terminal, line.encode())
            answered = len(shown) + len(line)  # its echo is no prompt
    raise AssertionError(f"It neither ends nor asks:\n{shown}")
