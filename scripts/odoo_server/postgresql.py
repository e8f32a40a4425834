"""A private PostgreSQL cluster that listens only on a socket in its folder."""

import subprocess
from pathlib import Path

from odoo_server import unprivileged
from odoo_server.common import ProvisioningError, run, say
from odoo_server.debian import newest_postgresql


class Cluster:
    """The cluster in `home`, with the one user odoo; nobody else may enter the folder `sockets`."""

    def __init__(self, home: Path, sockets: Path) -> None:
        programs = newest_postgresql()
        if not programs:
            raise ProvisioningError("PostgreSQL is missing: run `scripts/odoo-server install`")
        self._programs = programs
        self._sockets = sockets
        self._folder = home / f"postgresql-{programs.parent.name}"
        self._home = home

    def start(self) -> None:
        if self.is_running():
            return
        if not (self._folder / ".complete").exists():
            self._initialise()
        log = self._sockets / "postgresql.log"
        self._run("pg_ctl", "-w", "-t", "60", "-l", log, "start")

    def is_running(self) -> bool:
        status = [*self._command("pg_ctl"), "status"]
        return subprocess.run(status, cwd="/", capture_output=True, check=False).returncode == 0

    def stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "-w", "-m", "fast", "stop")

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
