"""A second Odoo for the databases of the first, and the troubles of its PostgreSQL.

It may be restarted, and cut off from PostgreSQL, without harm to other tests.
"""

import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from odoo_server import debian, unprivileged
from odoo_server.databases import OdooServer
from odoo_server.local import LocalOdoo

SOCKET = ".s.PGSQL.5432"
SECONDS_TO_START = 120


class Relay:
    """A proxy between an Odoo and PostgreSQL; can be cut."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._path, self._target = folder / SOCKET, target / SOCKET
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []

    def mend(self) -> None:
        """Let connections through."""
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._path.chmod(0o777)
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Break all connections and refuse new ones, as a PostgreSQL that was stopped does."""
        listener, self._listener = self._listener, None
        if listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._target))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class SecondOdoo(LocalOdoo):
    """Runs on this machine, with the first one's programs, files and PostgreSQL cluster."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets = self._run
        self._run = Path(tempfile.mkdtemp(prefix="odoo"))
        self._started = self._run / "processes.json"
        self.relay = Relay(self._run, self.sockets)
        self.sign = self._home / "data/second_server"
        """Tells test_speed that the first server is not alone."""
        self.port = 0

    def __enter__(self) -> Self:
        unprivileged.own(self._run)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.relay.mend()
        self.sign.touch()
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.relay.cut()
        self.sign.unlink()
        shutil.rmtree(self._run)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> None:
        settings = self._run / "odoo.conf"
        settings.write_text(self._settings(self.port, 0, 0))
        settings.chmod(0o644)
        python, odoo = self._home / "venv/bin/python", self._home / "source/usr/bin/odoo"
        with (self._run / "odoo.log").open("ab") as log:
            self.server = subprocess.Popen(
                [*unprivileged.prefix(self._home, python), python, odoo, "server", "-c", settings],
                cwd="/",
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not OdooServer(self.url).responds():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def kill(self) -> None:
        self.server.kill()
        self.server.wait()

    # What can go wrong

    def lose_postgresql(self, seconds: float) -> None:
        self.relay.cut()
        time.sleep(seconds)
        self.relay.mend()

    def restart(self, seconds: float) -> None:
        self.kill()
        time.sleep(seconds)
        self.begin()


class Contender:
    """Somebody else who works in the database, and gets in the way of Odoo's transactions.

    What is updated keeps its value; but PostgreSQL lets only one of two who update a row.
    """

    def __init__(self, sockets: Path, database: str, chance: random.Random) -> None:
        psql = debian.newest_postgresql()
        assert psql
        self._psql = [psql / "psql", "-qX", "-h", sockets, "-U", "odoo", "-d", database]
        self._chance = chance
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._contend)
        self.blows = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _contend(self) -> None:
        while not self._over.wait(self._chance.uniform(0.05, 0.4)):
            blow = self._chance.choice(BLOWS)
            command = [*self._psql, "-c", blow]
            subprocess.run(command, cwd="/", check=False, capture_output=True, timeout=60)
            self.blows += 1


_SOME = "(SELECT id FROM {0} ORDER BY id DESC LIMIT 12)"
_OTHERS = "datname = current_database() AND pid <> pg_backend_pid()"
BLOWS = (
    *(
        f"BEGIN; UPDATE {table} SET write_date = write_date WHERE id IN {_SOME.format(table)};"
        " SELECT pg_sleep(0.2); COMMIT"
        for table in ("sale_order", "sale_order_line", "stock_picking", "stock_move", "res_partner")
    ),
    "BEGIN; UPDATE ir_sequence SET number_next = number_next; SELECT pg_sleep(0.2); COMMIT",
    "BEGIN; LOCK TABLE sale_order IN EXCLUSIVE MODE; SELECT pg_sleep(0.5); COMMIT",
    "BEGIN; LOCK TABLE stock_move IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.3); COMMIT",
    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OTHERS}",
)
