"""``amazon-bridge run``, with runs that follow each other closely."""

import json
import signal
import time
from collections import Counter
from typing import Self

from program import Run
from scenario import ClockedProgram

JOBS = ("orders", "cancellations", "pickings")
PATIENCE = 120.0  # seconds


class RunningDaemon:
    """A program's daemon, beside which other things happen. It is stopped with SIGTERM."""

    def __init__(self, program: ClockedProgram) -> None:
        for account in program.accounts:
            account["schedule"] = dict.fromkeys(JOBS, "1s")
        self.program = program
        self.process = program.begin("run")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        run = Run(("run",), 0, *self.process.communicate())
        self.program.runs.append(run)
        assert "Traceback" not in run.out + run.err
        assert not [each for each in run.events if each["event"] == "internal_error"]

    def wait_for_rounds(self, number: int) -> None:
        """Wait until each job has finished this many more runs."""
        wanted = {job: done + number for job, done in self._rounds().items()}
        deadline = time.monotonic() + PATIENCE
        while any(done < wanted[job] for job, done in self._rounds().items()):
            assert self.process.poll() is None, self.process.logged[-2000:]
            assert time.monotonic() < deadline, self.process.logged[-2000:]
            time.sleep(0.1)

    def _rounds(self) -> dict[str, int]:
        lines = self.process.logged.splitlines(keepends=True)
        finished = [line for line in lines if '"run_finished"' in line and line.endswith("\n")]
        done = Counter(json.loads(line)["job"] for line in finished)
        return {job: done[job] for job in JOBS}
