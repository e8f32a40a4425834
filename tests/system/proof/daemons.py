"""``amazon-bridge run``, with runs that follow each other closely."""

import json
import threading
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
        self.process = program.begin_daemon()
        self._lines: list[str] = []
        self._reading = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._reading.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        assert self.process.wait(30) == 0
        self._reading.join()
        out = self.process.stdout.read() if self.process.stdout else ""
        run = Run(("run",), self.process.returncode, out, "".join(self._lines))
        self.program.runs.append(run)
        assert "Traceback" not in run.out + run.err
        assert not [each for each in run.events if each["event"] == "internal_error"]

    def _read(self) -> None:
        assert self.process.stderr
        self._lines.extend(self.process.stderr)

    def wait_for_rounds(self, number: int) -> None:
        """Wait until each job has finished this many more runs."""
        wanted = {job: done + number for job, done in self._rounds().items()}
        deadline = time.monotonic() + PATIENCE
        while any(done < wanted[job] for job, done in self._rounds().items()):
            assert self.process.poll() is None, self._lines[-5:]
            assert time.monotonic() < deadline, self._lines[-5:]
            time.sleep(0.1)

    def _rounds(self) -> dict[str, int]:
        events = [json.loads(line) for line in list(self._lines) if '"run_finished"' in line]
        done = Counter(event["job"] for event in events)
        return {job: done[job] for job in JOBS}
