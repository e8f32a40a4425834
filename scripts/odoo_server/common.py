"""What every part of the provisioning needs: messages, commands, the cache folder and its locks."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

NEWEST = "19"
"""The version of Odoo that is used unless ODOO_TEST_VERSION names another."""


class ProvisioningError(Exception):
    """Why there is no Odoo, and what to do about it."""


def say(message: str) -> None:
    """Tells a person what is going on; standard output is kept for results."""
    print(f"odoo-server: {message}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    problem: str,
    *,
    cwd: Path = Path("/"),
    env: Mapping[str, str] | None = None,
) -> str:
    """Runs a command to its end and returns its standard output.

    Raises:
        ProvisioningError: it failed; says `problem` and the end of what the command printed.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ProvisioningError(f"{problem}: {error.filename} is not installed") from error
    if done.returncode:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise ProvisioningError(f"{problem}:\n{last_words}")
    return done.stdout


def cache_folder() -> Path:
    """Where the downloaded Odoo and its databases are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = os.environ.get("ODOO_TEST_VERSION", NEWEST)
    folder = Path(base) / "amazon-bridge" / ("odoo" if version == NEWEST else f"odoo-{version}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time."""
    with (cache_folder() / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
