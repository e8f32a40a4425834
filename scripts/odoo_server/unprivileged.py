"""The user who runs the servers: PostgreSQL refuses to be root."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from odoo_server.common import ProvisioningError

USER = "postgres"  # made by Debian's package of PostgreSQL


def own(*folders: Path) -> None:
    """Makes folders in which the servers' user may write."""
    for folder in folders:
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)


def prefix(*needed: Path) -> list[str | Path]:
    """The prefix of a command that runs it as the servers' user; empty unless we are root.

    Where that user can't reach the `needed` paths (root's home is often closed), it is given the
    one capability to read past folder permissions.

    Raises:
        ProvisioningError: they stay out of reach all the same.
    """
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(USER)
    plain: list[str | Path] = [
        "setpriv",
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
    ]
    reading = [*plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    reading += ["--securebits=+no_setuid_fixup"]  # else access(2) would not count the capability
    for candidate in (plain, reading):
        if all(_succeeds([*candidate, "test", "-x", path]) for path in needed):
            return candidate
    paths = " and ".join(map(str, needed))
    raise ProvisioningError(
        f"user {USER} can't enter {paths}: set XDG_CACHE_HOME to another folder"
    )


def _succeeds(command: list[str | Path]) -> bool:
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0
