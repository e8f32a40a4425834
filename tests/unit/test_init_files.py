"""The files of `init`: both or nothing, over nothing, and for the owner only."""

import os
import stat
from pathlib import Path

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
@pytest.mark.parametrize("call", ["_fill", "_write", "link", "rename"])
def test_a_failure_leaves_nothing(
    path: Path, made: Draft, call: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    if call.startswith("_"):
        monkeypatch.setattr(files, call, fail)
    elif call == "rename":
        monkeypatch.setattr(Path, "rename", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises((ConfigError, KeyboardInterrupt)):
        files.write(path, made)
    monkeypatch.undo()
    assert not (path.parents[1]).exists()


def test_who_comes_first_wins(path: Path, made: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes both after the check."""
    files.write(path, made)
    monkeypatch.setattr(files, "ensure_free", lambda _: None)
    before = path.read_text()
    with pytest.raises(ConfigError, match="can't be written: Directory not empty"):
        files.write(path, draft(odoo(database="other"), [account()]))
    assert path.read_text() == before
    path.with_name("secrets").rename(path.with_name("elsewhere"))
    with pytest.raises(ConfigError, match="can't be written: File exists"):
        files.write(path, draft(odoo(database="other"), [account()]))
    assert path.read_text() == before
    assert not path.with_name("secrets").exists()


def test_what_would_not_load_is_not_written(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has \d problems"):
        files.write(path, Draft("odoo: {}", [], {"a": SecretStr("b")}))
    assert not path.parent.exists()


def test_a_folder_that_nobody_may_create(made: Draft) -> None:
    with pytest.raises(ConfigError, match="can't be written"):
        files.write(Path("/proc/bridge/bridge.yaml"), made)
