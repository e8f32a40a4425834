"""The daemon as a separate process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from forks import Fork

ACCOUNT = """
  - name: {name}
    seller_id: {seller.seller_id}
    marketplaces: [{countries}]
    credentials:
      client_id: {seller.client_id}
      client_secret: {seller.client_secret}
      refresh_token: {seller.refresh_token}
    endpoint: {amazon}
    token_url: {amazon}/auth/o2/token
    start: {start}
    schedule: {{orders: {every}, cancellations: {every}, pickings: {every}}}
"""


def needs(tool: object, name: str) -> pytest.MarkDecorator:
    """Skip a test without its tool; in CI it fails, so that it isn't left out unnoticed."""
    return pytest.mark.skipif(
        tool is None and "CI" not in os.environ, reason=f"there is no {name} here"
    )


STOPS_WITHIN = 25
"""Seconds, on a busy machine: less than Odoo's time-out, which no stop may wait for."""


def an_hour_ago() -> str:
    return (datetime.now(UTC) - timedelta(hours=1)).isoformat()


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it didn't come true in time"
        time.sleep(0.1)
    return found


class RunningDaemon:
    """``amazon-bridge run`` in a folder with its configuration; a free port is taken."""

    def __init__(self, folder: Path, odoo: Mapping[str, Any], accounts: str) -> None:
        self.folder = folder
        self.config = folder / "bridge.yaml"
        self.odoo, self.accounts = {"timeout": 30, **odoo}, accounts
        self.environ: dict[str, str] = {}
        self.http = "{listen: 127.0.0.1:0}"
        self.process: subprocess.Popen[bytes] | Fork | None = None

    def write(self, more: str = "") -> None:
        self.config.write_text(
            "state: bridge.db\n"
            f"http: {self.http}\n"
            f"odoo: {json.dumps(self.odoo)}\n"
            f"{more}\naccounts:{self.accounts}"
        )

    def start(self) -> None:
        starts = len(self.events_named("daemon_started")) + 1
        # Through a pipe, so that no limit on the size of the daemon's files cuts the log off.
        with (self.folder / "log").open("ab") as log:
            self._logger = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
        assert self._logger.stdin
        with self._logger.stdin as stderr:
            self.process = self._begin(stderr)
            self.wait_for_event("daemon_started", number=starts)

    def _begin(self, stderr: IO[bytes]) -> subprocess.Popen[bytes] | Fork:
        command = ["-m", "amazon_bridge", "--config", str(self.config), "run"]
        environ = self.environ or os.environ
        if "LD_PRELOAD" in environ:
            return subprocess.Popen([sys.executable, *command], stderr=stderr, env=environ)
        pipe = f"/proc/{self._logger.pid}/fd/0"
        return Fork(command, folder=Path.cwd(), environment=environ, err=pipe)

    def signal(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; returns the exit code and the seconds it took."""
        assert self.process
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        code, seconds = self.process.wait(120), time.monotonic() - begun
        self._logger.wait(120)
        return code, seconds

    @property
    def events(self) -> list[dict[str, Any]]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def events_named(self, event: str, **fields: object) -> list[dict[str, Any]]:
        wanted = {"event": event, **fields}
        return [each for each in self.events if wanted.items() <= each.items()]

    def wait_for_event(self, event: str, number: int = 1, **fields: object) -> dict[str, Any]:
        def enough() -> list[dict[str, Any]]:
            assert self.process is None or self.process.poll() is None, self.events[-3:]
            found = self.events_named(event, **fields)
            return found if len(found) >= number else []

        found: list[dict[str, Any]] = wait_for(enough)
        return found[number - 1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.events_named('listening')[-1]['port']}"

    def program(self, *arguments: str) -> Fork:
        """Another process with the daemon's configuration, which knows where it listens."""
        copy = self.folder / "beside.yaml"
        address = self.url.rpartition("/")[2]
        copy.write_text(self.config.read_text().replace("127.0.0.1:0", address))
        command = ["-m", "amazon_bridge", "--config", str(copy), *arguments]
        return Fork(command, folder=Path.cwd(), environment=os.environ)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=30, **options)
