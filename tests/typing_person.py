"""A person at a real terminal: reads what a program shows, and types."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 120.0  # seconds without a sign of life: machines may be busy


class TypingPerson:
    """Runs ``python COMMAND`` on a terminal of its own.

    Attributes:
        screen: All that the terminal has shown.
    """

    def __init__(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.screen = ""
        self._read = 0
        arguments = [sys.executable, *command]
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:  # pragma: no cover (another program)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore Ctrl-C
            os.chdir(folder)
            os.execve(arguments[0], arguments, dict(environment))

    def sees(self, pattern: str) -> None:
        """Wait until the terminal shows this, after what was seen before."""
        deadline = time.monotonic() + _PATIENCE
        while (found := re.search(pattern, self.screen[self._read :])) is None:
            assert time.monotonic() < deadline, f"{pattern!r} is not in {self.screen!r}"
            assert self._show(), f"{pattern!r} is not in {self.screen!r}"
        self._read += found.end()

    def types(self, text: str) -> None:
        os.write(self._terminal, f"{text}\n".encode())

    def ends_input(self) -> None:
        """Press Ctrl-D."""
        os.write(self._terminal, b"\x04")

    def interrupts(self) -> None:
        """Press Ctrl-C."""
        os.write(self._terminal, b"\x03")

    def answers(self, pattern: str, text: str = "") -> None:
        """Wait for a question, and answer it; an empty answer accepts the proposal."""
        self.sees(pattern)
        self.types(text)

    def leaves(self) -> int:
        """Wait for the program's end, and return its exit code."""
        while self._show():
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _show(self) -> bool:
        """Read what is shown next; False if the program has ended."""
        if not select.select([self._terminal], [], [], _PATIENCE)[0]:
            return False
        try:
            shown = os.read(self._terminal, 65536)
        except OSError:  # Linux' way to say that the other end is closed
            return False
        self.screen += shown.decode(errors="replace")
        return bool(shown)
