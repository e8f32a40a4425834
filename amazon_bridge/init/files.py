"""Writes a configuration and its secrets: both or nothing. Nothing is overwritten."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from amazon_bridge import config
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.init.draft import SECRETS, Draft

_PREFIX = ".amazon-bridge-init-"


def ensure_free(path: Path) -> None:
    """Check that nothing is where the files are to be.

    Raises:
        ConfigError: Something is.
    """
    secrets = path.parent / SECRETS
    if os.path.lexists(path):
        raise ConfigError(
            f"{path} exists already, and `init` does not overwrite it.",
            "Name another one with --config, or move this one away.",
        )
    if os.path.lexists(secrets) and not _is_empty_folder(secrets):
        raise ConfigError(
            f"{secrets} exists already, and `init` would write the secrets there.",
            "Choose another folder for the configuration, or move this one away.",
        )


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs have left in a folder: secrets that nothing uses."""
    if folder.is_dir():
        with suppress(OSError), _alone(folder):
            _remove_stages(folder)


def _remove_stages(folder: Path) -> None:
    for stage in folder.glob(f"{_PREFIX}*"):
        if stage.is_dir() and not stage.is_symlink():
            shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, as far as its file system has locks."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_empty_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    except OSError:
        return False


def write(path: Path, draft: Draft) -> None:
    """Write the configuration file, and the secrets into a folder beside it, for the owner only.

    Everything is written and validated in a temporary folder first.

    Raises:
        ConfigError: Something is there, or the folder can't be written.
    """
    ensure_free(path)
    try:
        with _folder(path.parent), _alone(path.parent), _stage(path.parent) as stage:
            _fill(stage, path.name, draft)
            config.load(stage / path.name, {})
            _move(stage, path)
    except OSError as error:
        raise ConfigError(
            f"{path} and {path.parent / SECRETS} can't be written: {error.strerror}.",
            "Nothing was written.",
        ) from None


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Create a folder, which only the owner may write to; remove it if what follows fails."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        for each in reversed(missing):
            each.mkdir(mode=0o755, exist_ok=True)
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):
                each.rmdir()
        raise


@contextmanager
def _stage(folder: Path) -> Iterator[Path]:
    """A temporary folder in the same file system, for the owner only."""
    stage = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _fill(stage: Path, name: str, draft: Draft) -> None:
    (stage / SECRETS).mkdir(mode=0o700)
    for file, secret in draft.secrets.items():
        _write(stage / SECRETS / file, secret.get_secret_value() + "\n")
    _write(stage / name, draft.text)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _move(stage: Path, path: Path) -> None:
    """Move both to their places. The configuration comes last: where it is, all of it is."""
    secrets = path.parent / SECRETS
    (stage / SECRETS).rename(secrets)  # in the place of an empty folder, never of another one
    try:
        os.link(stage / path.name, path)  # unlike a move, never in the place of a file
    except BaseException:
        shutil.rmtree(secrets)
        raise
