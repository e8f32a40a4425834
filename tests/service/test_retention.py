"""Retention in the daemon: what failed is tried again, and keeps nothing else from being done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from filled import Clock, idle_runner
from structlog.testing import capture_logs

from amazon_bridge.app import App
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.retention import TICK, RetentionTask

ANONYMISING = "retention: {buyers: 30d}\n"


@contextmanager
def without_deletion(folder: Path) -> Iterator[None]:
    """Let the state store refuse to delete items."""
    with closing(sqlite3.connect(folder / "state" / "bridge.db")) as store:
        store.execute(
            "CREATE TRIGGER kept BEFORE DELETE ON items BEGIN SELECT RAISE(ABORT, 'kept'); END"
        )
        yield
        store.execute("DROP TRIGGER kept")


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[tuple[JobRunner, Clock]]:
    """An item was finished long ago; Odoo can't be reached."""
    runner, clock = idle_runner(tmp_path, ANONYMISING)
    runner.app.close()
    runner.app = App(runner.app.config, clock=clock, sleep=lambda _: None)
    items = runner.app.ledger.items
    items.file("acme-eu", "orders", [Seen("403-1", "f")])
    items.settle("acme-eu", "orders", "403-1", "f", State.DONE)
    clock.now += timedelta(days=100)
    yield runner, clock
    runner.app.close()


def test_a_deletion_that_failed_is_tried_again_and_holds_up_nothing_else(
    tmp_path: Path, idle: tuple[JobRunner, Clock]
):
    runner, clock = idle
    retention = RetentionTask(runner)
    with without_deletion(tmp_path), capture_logs() as logs:
        retention.apply_retention()
    assert [each["event"] for each in logs if each["log_level"] in {"error", "warning"}] == [
        "internal_error",
        "retention_failed",  # of the anonymisation: Odoo can't be reached
    ]
    clock.now += TICK
    with capture_logs() as logs:
        retention.apply_retention()
    assert [each["items"] for each in logs if each["event"] == "items_deleted"] == [1]
