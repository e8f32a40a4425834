"""What a process is called at the database: on its connections, and as a daemon."""

from __future__ import annotations

import os
import re
import secrets
import socket

_NAME = re.compile(r"amazon-bridge (?P<host>.*):(?P<pid>\d+) (?P<id>\w+)")
_LONGEST_HOST = 30
"""Characters; PostgreSQL cuts a name off at 63 bytes."""


class _Process:
    """Its id is its own, also among those with the same host name and number in containers."""

    id: str

    def renew(self) -> None:
        self.id = secrets.token_hex(4)


_this = _Process()
_this.renew()
os.register_at_fork(after_in_child=_this.renew)


def process_id() -> str:
    """The id of this process, which no other one has."""
    return _this.id


def application_name() -> str:
    """The name of this process's connections."""
    return f"amazon-bridge {_host()}:{os.getpid()} {_this.id}"


def is_of_this_machine(shown: str) -> bool:
    """Whether a process is one of this machine, by how messages name it."""
    return shown.endswith(f" on {_host()}")


def _host() -> str:
    return socket.gethostname()[:_LONGEST_HOST]


def shown(application_name: str) -> str:
    """A process as messages name it."""
    match = _NAME.fullmatch(application_name)
    return f"{match['pid']} on {match['host']}" if match else "(unknown)"
