"""Where a state store is: the path of an SQLite file, or a PostgreSQL database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

_ENCODED = r"(?:[^:@/?#%\s]|%[0-9A-Fa-f]{2})*"
_HOST = r"[^@/?#\s]*"
_URL = re.compile(
    rf"postgres(?:ql)?://(?P<user>{_ENCODED})(?::(?P<password>{_ENCODED}))?(?P<at>@)(?P<rest>.*)"
    r"|postgres(?:ql)?://(?P<all>.*)",
)
_REST = re.compile(rf"(?P<host>{_HOST})/(?P<database>{_ENCODED})(?:\?(?P<options>[^@?#\s]*))?")
_SECRET_OPTION = re.compile(r"(^|&)\w*(password|secret|(client|server)_key)\w*=", re.IGNORECASE)
_HELP = (
    "write postgresql://USER@HOST:PORT/DATABASE, with special characters percent-encoded"
    " (%40 for @), and the password as `state_password`"
)


@dataclass(frozen=True, slots=True)
class PostgresqlStore:
    """A state store in PostgreSQL. As text it is its URL without the password."""

    url: str
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.url


Store: TypeAlias = Path | PostgresqlStore


def is_url(text: str) -> bool:
    """True if a text is no path, but a URL of any kind."""
    return "://" in text


def postgresql_store(text: str) -> PostgresqlStore:
    """Parse a ``postgresql://`` URL, as libpq takes it. No message shows any part of it.

    Raises:
        ValueError: it is none, names no database, or can't be separated from its password.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(f"must be a path or a URL of PostgreSQL: {_HELP}")
    rest = _REST.fullmatch(match["rest"] if match["at"] else match["all"])
    if rest is None or not rest["database"]:
        raise ValueError(f"is not a URL of a PostgreSQL database: {_HELP}")
    if _SECRET_OPTION.search(unquote(rest["options"] or "")):
        raise ValueError("can't have a secret among its parameters: use `state_password`")
    user = f"{match['user']}@" if match["at"] else ""
    password = match["password"]
    return PostgresqlStore(f"postgresql://{user}{rest[0]}", unquote(password) if password else None)
