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
    """All its files are in the cache folder, for use in the next run."""

    def __init__(self) -> None:
        self._home = cache_folder()
        self._version = versions.chosen()
        self._run = self._home / "run"
        self._process = self._home / "process.json"

    def is_installed(self) -> bool:
        return debian.is_installed(self._home, self._version)

    def install(self) -> None:
        if len(bytes(self._run)) > LONGEST_SOCKET_FOLDER:
            raise ProvisioningError(f"{self._run} is too long a path: set XDG_CACHE_HOME")
        debian.install_postgresql()
        debian.install_odoo(self._home, self._version)

    def start(self, workers: int) -> str:
        """Starts PostgreSQL and Odoo, and returns the URL where Odoo will listen."""
        unprivileged.own(self._run, self._home / "data")
        self.add_modules(SERVER_MODULES)
        self._run.chmod(0o700)
        self._cluster.start()
        port, events_port = _free_ports()
        settings = self._run / "odoo.conf"
        settings.write_text(self._settings(port, events_port, workers))
        settings.chmod(0o644)
        odoo = self._spawn("server", "--config", settings)
        self._process.write_text(json.dumps([odoo.pid, _start_time(odoo.pid)]))
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

    def is_running(self) -> bool:
        return self._pid() is not None

    def log(self) -> str:
        """The end of what Odoo has logged."""
        lines = (self._home / "odoo.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def stop(self) -> None:
        """Stops Odoo, in the end by force, and PostgreSQL."""
        if pid := self._pid():
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + SECONDS_TO_STOP
            while self.is_running() and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.is_running():
                os.killpg(pid, signal.SIGKILL)
        self._process.unlink(missing_ok=True)
        if debian.newest_postgresql():
            self._cluster.stop()

    def destroy(self) -> None:
        """Leave all files in the cache folder; there is nothing to clean up."""

    @property
    def _cluster(self) -> Cluster:
        return Cluster(self._home, sockets=self._run)

    def _spawn(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Odoo in a session of its own, holding on to nothing of ours."""
        python, odoo = self._home / "venv/bin/python", self._home / "source/usr/bin/odoo"
        with (self._home / "odoo.log").open("wb") as log:
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

    def _pid(self) -> int | None:
        """Odoo's process id; a process that got the same id later has another start time."""
        if not self._process.exists():
            return None
        pid, started = json.loads(self._process.read_text())
        return int(pid) if started is not None and _start_time(pid) == started else None


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
