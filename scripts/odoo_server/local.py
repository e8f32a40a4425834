"""Odoo from Debian's package, run on this machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from odoo_server import debian, unprivileged, versions
from odoo_server.common import ProvisioningError, cache_folder
from odoo_server.postgresql import Cluster

SECONDS_TO_STOP = 20
SERVER_MODULES = Path(__file__).parents[1] / "odoo_modules"
LONGEST_SOCKET_FOLDER = 90  # bytes; the whole path of a Unix socket has at most 107


class LocalOdoo:
    """All its files are in the cache folder, for use in the next run.

    Several processes share PostgreSQL and the files: Python's lock would keep the threads of one
    on a single core. A database belongs to the process that has made it.
    """

    processes = min(os.cpu_count() or 1, 4)

    def __init__(self) -> None:
        self._home = cache_folder()
        self._version = versions.chosen()
        self._run = self._home / "run"
        self._started = self._home / "processes.json"

    def is_installed(self) -> bool:
        return debian.is_installed(self._home, self._version)

    def install(self) -> None:
        if len(bytes(self._run)) > LONGEST_SOCKET_FOLDER:
            raise ProvisioningError(f"{self._run} is too long a path: set XDG_CACHE_HOME")
        debian.install_postgresql()
        debian.install_odoo(self._home, self._version)

    def start(self, workers: int) -> str:
        """Starts PostgreSQL and the first process; returns the URL where it will listen."""
        unprivileged.own(self._run, self._home / "data")
        self.add_modules(SERVER_MODULES)
        self._run.chmod(0o700)
        self._cluster.start()
        self._log.unlink(missing_ok=True)
        return self.start_another(workers)

    def start_another(self, workers: int = 0) -> str:
        """Starts one more process; returns the URL where it will listen."""
        port, events_port = _free_ports()
        settings = self._run / f"odoo-{port}.conf"
        settings.write_text(self._settings(port, events_port, workers))
        settings.chmod(0o644)
        odoo = self._spawn("server", "--config", settings)
        processes = [*self._processes(), (odoo.pid, _start_time(odoo.pid))]
        self._started.write_text(json.dumps(processes))
        return f"http://127.0.0.1:{port}"

    def add_modules(self, folder: Path) -> None:
        """Copies modules to where Odoo itself would keep those that a person adds."""
        place = self._home / f"data/addons/{self._version.number}.0"
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)  # Odoo makes it read-only
        for module in folder.iterdir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(module, place / module.name, ignore=ignored, dirs_exist_ok=True)
        unprivileged.own(place.parent, place)

    def process_ids(self) -> list[int]:
        """Those of the processes that run."""
        return [pid for pid, _ in self._running()]

    def is_running(self) -> bool:
        """Whether all processes that were started still run."""
        processes = self._processes()
        return bool(processes) and processes == self._running()

    def log(self) -> str:
        """The end of what Odoo has logged."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def stop(self) -> None:
        """Stops Odoo, in the end by force, and PostgreSQL."""
        for pid, _ in self._running():
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP
        while self._running() and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid, _ in self._running():
            os.killpg(pid, signal.SIGKILL)
        self._started.unlink(missing_ok=True)
        for settings in self._run.glob("odoo-*.conf"):
            settings.unlink()
        if debian.newest_postgresql():
            self._cluster.stop()

    def destroy(self) -> None:
        """Leave all files in the cache folder; there is nothing to clean up."""

    @property
    def _log(self) -> Path:
        return self._home / "odoo.log"

    @property
    def _cluster(self) -> Cluster:
        return Cluster(self._home, sockets=self._run)

    def _spawn(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Odoo in a session of its own, holding on to nothing of ours."""
        python, odoo = self._home / "venv/bin/python", self._home / "source/usr/bin/odoo"
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*unprivileged.prefix(self._home, python), python, odoo, *arguments],
                cwd="/",
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        """Ours; but Odoo is compiled once, not at every start."""
        ours = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}
        marked = {"AMAZON_BRIDGE_TEST_SERVER": "1"}  # or else test_speed refuses to be imported
        return {**ours, **marked, "HOME": str(self._run), "LC_ALL": "C.UTF-8"}

    def _settings(self, port: int, events_port: int, workers: int) -> str:
        return f"""\
[options]
db_host = {self._run}
db_port = 5432
db_user = odoo
data_dir = {self._home}/data
addons_path = {self._home}/source/usr/lib/python3/dist-packages/odoo/addons
http_interface = 127.0.0.1
http_port = {port}
{self._version.events_port} = {events_port}
workers = {workers}
server_wide_modules = {self._version.server_wide}
max_cron_threads = 0
limit_time_cpu = 600
limit_time_real = 900
limit_memory_soft = {4 << 30}
limit_memory_hard = {6 << 30}
log_handler = :INFO,werkzeug:WARNING,odoo.addons.rpc:ERROR
"""

    def _processes(self) -> list[tuple[int, str | None]]:
        """Ids and start times of the processes that were started."""
        if not self._started.exists():
            return []
        return [(pid, since) for pid, since in json.loads(self._started.read_text())]

    def _running(self) -> list[tuple[int, str | None]]:
        """Those that run; a process that got the same id later has another start time."""
        return [
            (pid, since) for pid, since in self._processes() if since and _start_time(pid) == since
        ]


def _start_time(pid: int) -> str | None:
    """When a process started, in the kernel's ticks; None when it has ended."""
    try:
        state, *others = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else others[18]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
