"""The program in separate processes, forked from one that has already imported it.

Importing it takes most of a second of CPU time, and the tests run it a thousand times. What runs
is the program's own entry point, with the command line, environment and output of a new process;
it can be killed like any other. How it starts without a fork is tested elsewhere.
"""

import os
import random
import runpy
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import connection, forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import TimeoutExpired
from tempfile import NamedTemporaryFile
from threading import Lock

_SERVER = get_context("forkserver")
_SERVER.set_forkserver_preload(["preloaded"])


@cache
def _start_server() -> None:
    """Start the server that forks with our path, which Python 3.11 does not hand on in time."""
    given = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    forkserver.ensure_running()
    del os.environ["PYTHONPATH"]
    if given is not None:
        os.environ["PYTHONPATH"] = given


class Fork:
    """As much of ``subprocess.Popen`` as the tests need, with text output."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        err: str | None = None,
    ) -> None:
        """Run ``python COMMAND`` in a folder.

        Args:
            command: Begins with ``-m MODULE`` or a script.
            folder: The working directory.
            environment: All of its environment.
            err: Path that is opened for standard error in place of a file that ``communicate``
                reads.
        """
        self._out, self._err = NamedTemporaryFile("r"), NamedTemporaryFile("r")  # noqa: SIM115
        self._process = ForkServerProcess(
            target=_run,
            args=(list(command), folder, dict(environment), self._out.name, err or self._err.name),
        )
        self._lock = Lock()  # a process reports its exit code once, to any thread
        _start_server()
        self._process.start()

    @property
    def returncode(self) -> int | None:
        with self._lock:
            return self._process.exitcode

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        return self.returncode

    @property
    def logged(self) -> str:
        """Standard error so far."""
        return Path(self._err.name).read_text()

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        connection.wait([self._process.sentinel], timeout)
        if (code := self.returncode) is None:
            raise TimeoutExpired("amazon-bridge", timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.wait(timeout)
        with self._out as out, self._err as err:
            return out.read(), err.read()


def _run(command: list[str], folder: Path, environment: dict[str, str], out: str, err: str) -> None:
    assert "preloaded" in sys.modules  # or else the test takes some times as long
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    for number, target in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(target, os.O_RDWR), number)
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        sys.path.insert(0, str(Path(command[0]).parent))
        runpy.run_path(command[0], run_name="__main__")
