"""Where Odoo runs, and for how long.

A server that a person started stays. One that a test session started ends with the last session
that uses it: every session shares the lock of one file, and whoever can lock it alone is the last.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from odoo_server import addons
from odoo_server.common import ProvisioningError, cache_folder, locked, say
from odoo_server.databases import OdooServer
from odoo_server.docker import DockerOdoo, docker_responds
from odoo_server.local import LocalOdoo

SECONDS_TO_START = 120
TEST_DATABASE_PREFIX = "test_"


class Machine(Protocol):
    """What can run an Odoo, in up to so many processes."""

    processes: int

    def is_installed(self) -> bool: ...
    def install(self) -> None: ...
    def start(self, workers: int) -> str: ...
    def start_another(self) -> str: ...
    def add_modules(self, folder: Path) -> None: ...
    def is_running(self) -> bool: ...
    def log(self) -> str: ...
    def stop(self) -> None: ...
    def destroy(self) -> None: ...


@contextmanager
def in_use(session: int = 0) -> Iterator[OdooServer]:
    """Gives a server for as long as the block runs, and starts it when none runs.

    Args:
        session: number of this test session, of those side by side. They are spread over as many
            processes of Odoo as the machine has use for.

    Raises:
        ProvisioningError: it can't be had; says what a person can do.
    """
    if server := external_server():
        yield server
        return
    with (cache_folder() / "users.lock").open("w") as users:
        with locked("server"):
            first = start(kept=False)
            if _locks_alone(users):
                _drop_leftovers(first)
            server = _process_of(session)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield server
        finally:
            with locked("server"):
                if _locks_alone(users) and not _record().get("kept"):
                    stop()


def external_server() -> OdooServer | None:
    """The server that ODOO_TEST_URL names; we neither start nor stop it."""
    url = os.environ.get("ODOO_TEST_URL")
    if not url:
        return None
    password = os.environ.get("ODOO_TEST_MASTER_PASSWORD", "admin")
    server = OdooServer(url.rstrip("/"), password)
    if not server.responds():
        raise ProvisioningError(f"no Odoo responds at {url}, which ODOO_TEST_URL names")
    return server


def running_server() -> OdooServer | None:
    """The server that ODOO_TEST_URL names, or ours while it runs."""
    if server := external_server():
        return server
    record = _record()
    return OdooServer(record["urls"][0]) if record and _machine().is_running() else None


def start(*, workers: int | None = None, kept: bool) -> OdooServer:
    """Starts our server, or finds it running; the caller holds the lock "server".

    Args:
        workers: Odoo's worker processes; 0 is one process with threads (the default).
        kept: it stays when the sessions that use it are over.
    """
    if server := external_server():
        return server
    record = _record()
    if server := running_server():
        if workers not in (None, record["workers"]):
            raise ProvisioningError(f"it runs with {record['workers']} workers: stop it first")
        _save({**record, "kept": record["kept"] or kept})
        return server
    machine = _machine()
    machine.install()
    machine.stop()  # what an interrupted start may have left
    say("starting Odoo")
    server = OdooServer(machine.start(workers or 0))
    _wait_for_response(server, machine)
    _save({"urls": [server.url], "workers": workers or 0, "kept": kept})
    return server


def _process_of(session: int) -> OdooServer:
    """The process for a test session; the caller holds the lock "server"."""
    machine, record = _machine(), _record()
    urls: list[str] = record["urls"]
    number = session % machine.processes
    while len(urls) <= number:
        urls.append(machine.start_another())
        _wait_for_response(OdooServer(urls[-1]), machine)
        _save(record)
    return OdooServer(urls[number])


def install() -> None:
    """Downloads what a start needs; the caller holds the lock "server"."""
    if not external_server():
        _machine().install()


def is_installed() -> bool:
    """True if a start downloads nothing."""
    return bool(external_server()) or _machine().is_installed()


def add_modules() -> None:
    """Gives our running server the modules of the OCA; one that is not ours must have them."""
    if not external_server():
        _machine().add_modules(addons.folder())


def stop() -> None:
    """Stops our server; the caller holds the lock "server"."""
    _machine().stop()
    _save({})


def destroy() -> None:
    """Stops our server and deletes all that is kept of it; the caller holds the lock "server"."""
    stop()
    _machine().destroy()
    shutil.rmtree(cache_folder())


def _machine() -> Machine:
    if url := os.environ.get("ODOO_TEST_URL"):
        raise ProvisioningError(f"{url}, which ODOO_TEST_URL names, is not ours to manage")
    return DockerOdoo() if docker_responds() else LocalOdoo()


def _wait_for_response(server: OdooServer, machine: Machine) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not server.responds():
        if not machine.is_running():
            raise ProvisioningError(f"Odoo ended at once:\n{machine.log()}")
        if time.monotonic() > deadline:
            machine.stop()
            raise ProvisioningError(f"Odoo does not respond at {server.url}:\n{machine.log()}")
        time.sleep(0.2)


def _drop_leftovers(server: OdooServer) -> None:
    """Drops what killed test sessions have left."""
    for name in server.databases():
        if name.startswith(TEST_DATABASE_PREFIX):
            server.drop(name)


def _locks_alone(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _record() -> dict[str, Any]:
    """What we noted of our server when it started; empty when it was stopped."""
    file = cache_folder() / "server.json"
    record: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return record


def _save(record: dict[str, Any]) -> None:
    (cache_folder() / "server.json").write_text(json.dumps(record))
