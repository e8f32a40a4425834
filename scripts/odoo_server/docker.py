"""Odoo and PostgreSQL in containers, where a Docker engine responds."""

import shutil
import subprocess
from pathlib import Path

from odoo_server.common import ProvisioningError, run, say
from odoo_server.versions import chosen

VERSION = chosen().number
ODOO, POSTGRES = f"amazon-bridge-odoo-{VERSION}", f"amazon-bridge-postgres-{VERSION}"
ODOO_IMAGE, POSTGRES_IMAGE = f"odoo:{VERSION}", "postgres:15"


def docker_responds() -> bool:
    """Whether there is a Docker engine; its client alone is not enough."""
    if not shutil.which("docker"):
        return False
    try:
        info = subprocess.run(["docker", "info"], capture_output=True, timeout=15, check=False)
    except subprocess.TimeoutExpired:
        return False
    return info.returncode == 0


class DockerOdoo:
    """Both containers are thrown away at the stop; their data stay in named volumes."""

    processes = 1

    def is_installed(self) -> bool:
        return not self._missing_images()

    def install(self) -> None:
        for image in self._missing_images():
            say(f"fetching the image {image}")
            _docker("pull", "--quiet", image)

    def start(self, workers: int) -> str:
        """Starts the containers and returns the server's URL."""
        if ODOO not in _docker("network", "ls", "--format={{.Name}}").split():
            _docker("network", "create", ODOO)
        _docker("run", *_POSTGRES_OPTIONS, POSTGRES_IMAGE, "-c", "fsync=off")
        _docker("run", *_ODOO_OPTIONS, ODOO_IMAGE, f"--workers={workers}", "--max-cron-threads=0")
        return f"http://{_docker('port', ODOO, '8069').split()[0]}"

    def start_another(self) -> str:
        """Refuses: a container runs one process."""
        raise ProvisioningError(f"{ODOO} can't run another process of Odoo")

    def add_modules(self, folder: Path) -> None:
        """Copies modules to the folder that the image keeps for them."""
        _docker("cp", f"{folder}/.", f"{ODOO}:/mnt/extra-addons")

    def _missing_images(self) -> list[str]:
        images = (ODOO_IMAGE, POSTGRES_IMAGE)
        return [image for image in images if not _docker("image", "ls", "--quiet", image)]

    def is_running(self) -> bool:
        return ODOO in _docker("ps", "--format={{.Names}}").split()

    def log(self) -> str:
        return _docker("logs", "--tail=15", ODOO)

    def stop(self) -> None:
        for container in (ODOO, POSTGRES):
            if container in _docker("ps", "--all", "--format={{.Names}}").split():
                _docker("rm", "--force", container)

    def destroy(self) -> None:
        """Deletes the data of stopped containers."""
        _docker("volume", "rm", "--force", ODOO, POSTGRES)


_POSTGRES_OPTIONS = (
    *("--detach", f"--name={POSTGRES}", f"--network={ODOO}"),
    *("--env=POSTGRES_USER=odoo", "--env=POSTGRES_PASSWORD=odoo", "--env=POSTGRES_DB=postgres"),
    f"--volume={POSTGRES}:/var/lib/postgresql/data",
)
_ODOO_OPTIONS = (
    *("--detach", f"--name={ODOO}", f"--network={ODOO}", "--publish=127.0.0.1::8069"),
    *(f"--env=HOST={POSTGRES}", "--env=USER=odoo", "--env=PASSWORD=odoo"),
    f"--volume={ODOO}:/var/lib/odoo",
)


def _docker(*arguments: str) -> str:
    return run(["docker", *arguments], f"docker {arguments[0]} failed")
