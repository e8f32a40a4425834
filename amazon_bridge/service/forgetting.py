"""What is forgotten, and made anonymous, while the daemon runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from amazon_bridge.app import ODOO
from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import BridgeError, Stopped
from amazon_bridge.service.rounds import Rounds

log = structlog.get_logger(__name__)

TICK = timedelta(hours=1)
_DAY = timedelta(days=1)


class Forgetting:
    """Forgets what the configuration's retention says, and goes on with it after a failure."""

    def __init__(self, rounds: Rounds, clock: Callable[[], datetime]) -> None:
        self._rounds = rounds
        self._clock = clock
        self._forgot_buyers = datetime.min.replace(tzinfo=UTC)

    def forget(self) -> None:
        """The state store's finished items in each call; buyers once a day."""
        try:
            self._rounds.app.forget()
            self._forget_buyers()
        except BridgeError as error:
            log.warning("not_forgotten", reason=str(error))
        except Stopped:
            log.info("forgetting_stopped")
        except Exception as error:  # noqa: BLE001 (a bug of ours costs this call, not all others)
            runner.bug(error)

    def _forget_buyers(self) -> None:
        app, now = self._rounds.app, self._clock()
        after = app.config.retention.buyers
        due = abs(now - self._forgot_buyers) >= _DAY
        if after and due and self._rounds.sides.are_up(ODOO):
            app.forget_buyers(after)
            self._forgot_buyers = now
