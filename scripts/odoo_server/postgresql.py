"""A private PostgreSQL cluster that listens only on a socket in its folder.

While it runs, its files are in memory if there is room: a database of Odoo has 3,000 of them, and
on a disk a copy takes a second of CPU time.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from odoo_server import unprivileged
from odoo_server.common import ProvisioningError, run, say
from odoo_server.debian import newest_postgresql

MEMORY = Path("/dev/shm")
ROOM = 3 << 30  # bytes: what it takes with ten databases, twice
RUNNING = (
    *("-c", "jit=off"),  # Odoo's queries are short
    *("-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "max_wal_size=256MB"),
)


class Cluster:
    """The cluster in `home`, with the one user odoo; nobody else may enter the folder `sockets`."""

    def __init__(self, home: Path, sockets: Path) -> None:
        programs = newest_postgresql()
        if not programs:
            raise ProvisioningError("PostgreSQL is missing: run `scripts/odoo-server install`")
        self._programs = programs
        self._sockets = sockets
        self._kept = home / f"postgresql-{programs.parent.name}"
        name = hashlib.sha256(bytes(self._kept)).hexdigest()[:8]
        self._in_memory = MEMORY / f"amazon-bridge-{name}"
        self._home = home

    def start(self) -> None:
        if self.is_running():
            return
        if not (self._kept / ".complete").exists():
            self._initialise()
        if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
            _copy(self._kept, self._in_memory)
        log = self._sockets / "postgresql.log"
        self._run("pg_ctl", "-w", "-t", "60", "-l", log, "-o", " ".join(RUNNING), "start")

    def is_running(self) -> bool:
        status = [*self._command("pg_ctl"), "status"]
        return subprocess.run(status, cwd="/", capture_output=True, check=False).returncode == 0

    def stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "-w", "-m", "fast", "stop")
        if self._in_memory.exists():
            _copy(self._in_memory, self._kept)
            shutil.rmtree(self._in_memory)

    @property
    def _folder(self) -> Path:
        return self._in_memory if self._in_memory.exists() else self._kept

    def _initialise(self) -> None:
        say("making a PostgreSQL cluster")
        unprivileged.own(self._folder)
        self._run("initdb", "-U", "odoo", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with (self._folder / "postgresql.conf").open("a") as settings:
            # Test data only: no network, and nothing waits for the disk.
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{self._sockets}'\n"
                "unix_socket_permissions = 0700\nport = 5432\n"
                "max_connections = 150\nshared_buffers = 256MB\n"
                "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
            )
        (self._folder / ".complete").touch()

    def _run(self, program: str, *arguments: str | Path) -> None:
        run([*self._command(program), *arguments], f"PostgreSQL's {program} failed")

    def _command(self, program: str) -> list[str | Path]:
        as_user = unprivileged.prefix(self._home)
        return [*as_user, self._programs / program, "-D", self._folder]


def _copy(source: Path, target: Path) -> None:
    """Replace a folder by a copy of another, all at once."""
    new = target.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    run(["cp", "-a", source, new], "PostgreSQL's files can't be copied")
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)
