"""What is forgotten, and made anonymous, while the daemon runs."""

from __future__ import annotations

from datetime import timedelta

import structlog

from amazon_bridge.app import ODOO
from amazon_bridge.engine.errors import Stopped
from amazon_bridge.service.rounds import Rounds

log = structlog.get_logger(__name__)

TICK = timedelta(minutes=10)


class Forgetting:
    """Does the chores of the state store, which knows when they are due."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds

    def forget(self) -> None:
        """Do what is due; while Odoo is down, that waits."""
        if not self._rounds.sides.are_up(ODOO):
            return
        try:
            self._rounds.app.do_chores()
        except Stopped:
            log.info("retention_stopped")
