"""The files of `init`: both or nothing, over nothing, and for the owner only."""

import itertools
import os
import signal
import stat
import sys
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr
from test_init_rendering import account, odoo

from amazon_bridge.config import load
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.init import files
from amazon_bridge.init.draft import Draft, draft


@pytest.fixture
def made() -> Draft:
    return draft(odoo(), [account()])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "amazon-bridge" / "bridge.yaml"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_is_written_for_the_owner_only(path: Path, made: Draft) -> None:
    before = os.umask(0)
    try:
        files.write(path, made)
    finally:
        os.umask(before)
    assert load(path, {}).accounts == (account(),)
    secrets = path.parent / "secrets"
    assert mode(secrets) == 0o700
    assert {mode(each) for each in (path, *secrets.iterdir())} == {0o600}
    assert sorted(each.name for each in path.parent.iterdir()) == ["bridge.yaml", "secrets"]
    assert {mode(each) for each in (path.parent, path.parents[1])} == {0o755}


def test_an_empty_folder_for_secrets_is_used(path: Path, made: Draft) -> None:
    (path.parent / "secrets").mkdir(parents=True, mode=0o755)
    files.write(path, made)
    assert mode(path.parent / "secrets") == 0o700


@pytest.mark.parametrize("there", ["file", "link to nothing", "secret", "file in place of folder"])
def test_nothing_is_written_over_what_exists(path: Path, made: Draft, there: str) -> None:
    path.parent.mkdir(parents=True)
    secrets = path.parent / "secrets"
    if there == "file":
        path.write_text("mine")
    elif there == "link to nothing":
        path.symlink_to("nowhere")
    elif there == "secret":
        secrets.mkdir()
        (secrets / "odoo_api_key").write_text("mine")
    else:
        secrets.write_text("mine")
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(ConfigError, match="exists already"):
        files.ensure_free(path)
    with pytest.raises(ConfigError, match="exists already"):
        files.write(path, made)
    assert sorted(path.parent.rglob("*")) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["open", "mkdir", "link", "rename"])
def test_a_failure_leaves_nothing(
    path: Path, made: Draft, call: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises((ConfigError, KeyboardInterrupt)):
        files.write(path, made)
    monkeypatch.undo()
    assert not (path.parents[1]).exists()


def test_who_comes_first_wins(path: Path, made: Draft) -> None:
    """Another process writes both after the check."""
    with files._folder(path.parent), files._stage(path.parent) as stage:
        files._fill(stage, path.name, draft(odoo(database="other"), [account()]))
        files.write(path, made)
        before = path.read_text()
        with pytest.raises(OSError, match="Directory not empty"):
            files._move(stage, path)
        path.with_name("secrets").rename(path.with_name("elsewhere"))
        with pytest.raises(FileExistsError):
            files._move(stage, path)
    assert path.read_text() == before
    assert not path.with_name("secrets").exists()


def test_what_would_not_load_is_not_written(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has \d problems"):
        files.write(path, Draft("odoo: {}", [], {"a": SecretStr("b")}))
    assert not path.parent.exists()


def test_a_folder_that_nobody_may_create(made: Draft) -> None:
    with pytest.raises(ConfigError, match="can't be written"):
        files.write(Path("/proc/bridge/bridge.yaml"), made)


CALLS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "tempfile.mkdtemp"}


def killed_at(number: int, path: Path, made: Draft) -> bool:
    """Write in another process that is killed (SIGKILL) before its n-th call for the folder."""
    left = itertools.count(number, -1)

    def kill(event: str, arguments: tuple[object, ...]) -> None:
        if event in CALLS and str(path.parent) in str(arguments) and not next(left):
            os.kill(os.getpid(), signal.SIGKILL)

    process = os.fork()
    if not process:
        try:
            sys.addaudithook(kill)
            files.write(path, made)
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_a_killed_run_leaves_nothing_behind_for_long(tmp_path: Path, made: Draft) -> None:
    """The next one removes what it left, and writes; or says what is there."""
    refused = []
    for number in itertools.count():
        path = tmp_path / str(number) / "bridge.yaml"
        killed = killed_at(number, path, made)
        files.remove_leftovers(path.parent)
        assert not list(path.parent.glob(".*"))
        try:
            files.write(path, made)
        except ConfigError as error:
            refused.append(str(error))
        left = sorted(each.name for each in path.parent.iterdir())
        assert left == ["bridge.yaml", "secrets"] or "secrets exists already" in refused[-1]
        if not killed:
            break
    assert number > 5
    assert all("exists already" in each for each in refused)


def test_leftovers_of_a_run_in_progress_stay(path: Path) -> None:
    other = Thread(target=files.remove_leftovers, args=[path.parent])
    with files._folder(path.parent), files._alone(path.parent), files._stage(path.parent) as stage:
        other.start()
        other.join(0.2)
        assert other.is_alive()
        assert stage.is_dir()
    other.join()
