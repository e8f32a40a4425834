"""Deletion and anonymisation of old data while the daemon runs."""

from __future__ import annotations

from datetime import timedelta

import structlog

from amazon_bridge.app import ODOO
from amazon_bridge.engine.errors import Stopped
from amazon_bridge.service.job_runner import JobRunner

log = structlog.get_logger(__name__)

TICK = timedelta(minutes=10)
"""Interval between checks; the state store knows what is due."""


class RetentionTask:
    """Applies the configured retention while Odoo is up."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def apply_retention(self) -> None:
        """Do what is due; postponed while Odoo is down."""
        if not self._runner.availability.are_up(ODOO):
            return
        try:
            self._runner.app.housekeeping.run_due()
        except Stopped:
            log.info("retention_stopped")
