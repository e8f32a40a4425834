from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from amazon_bridge.engine.errors import AccountError, ConfigError
from amazon_bridge.engine.lock import held

HOLDER = """
import sys, time
from pathlib import Path
from amazon_bridge.engine.lock import held
with held(Path(sys.argv[1]), "acme", "orders"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bridge.db"


@pytest.fixture
def holder(state: Path):
    command = [sys.executable, "-c", HOLDER, str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_learns_who_holds_it(state: Path, holder: subprocess.Popen[str]):
    with pytest.raises(AccountError, match=rf"orders of account acme .* {holder.pid}\."):
        held(state, "acme", "orders").__enter__()


def test_other_jobs_and_accounts_are_free(state: Path, holder: subprocess.Popen[str]):
    with held(state, "acme", "pickings"), held(state, "beta", "orders"):
        assert holder.poll() is None


def test_the_lock_dies_with_its_process(state: Path, holder: subprocess.Popen[str]):
    holder.kill()
    holder.wait()
    with held(state, "acme", "orders"):
        pass


def test_the_file_names_its_holder_and_nobody_before(state: Path):
    file = state.parent / "bridge.db.locks" / "acme.orders.lock"
    file.parent.mkdir(parents=True)
    file.write_text("1234567890123")
    with held(state, "acme", "orders"):
        assert file.read_text() == str(os.getpid())


def test_waiting_for_the_holder(state: Path, holder: subprocess.Popen[str]):
    threading.Timer(0.3, holder.kill).start()
    with held(state, "acme", "orders", wait=30):
        assert holder.wait() < 0


def test_two_threads_of_one_process_exclude_each_other(state: Path):
    with held(state, "acme", "orders"), pytest.raises(AccountError, match=str(os.getpid())):
        held(state, "acme", "orders", wait=0.15).__enter__()
    with held(state, "acme", "orders"):
        pass  # free again


def test_the_lock_is_let_go_after_a_failure(state: Path):
    with pytest.raises(RuntimeError), held(state, "acme", "orders"):
        raise RuntimeError
    with held(state, "acme", "orders"):
        pass


def test_only_the_owner_may_read_it(state: Path):
    old = os.umask(0)
    try:
        with held(state, "acme", "orders"):
            folder = state.parent / "bridge.db.locks"
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_IMODE((folder / "acme.orders.lock").stat().st_mode) == 0o600
    finally:
        os.umask(old)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "bridge.db.locks").write_text("in the way")
    with pytest.raises(ConfigError, match=r"acme\.orders\.lock can't be written"):
        held(tmp_path / "bridge.db", "acme", "orders").__enter__()
