"""The thread that keeps a daemon's leases."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.engine.item_errors import internal_error
from amazon_bridge.engine.leases.keeper import LeaseKeeper

log = structlog.get_logger(__name__)

RENEWAL = 10.0
"""Seconds between two renewals of leases."""

_LONGEST_END = 5.0
"""Seconds for a renewal in progress when the daemon ends."""

_LOOK = 1.0
"""Seconds after which the thread looks whether it should end."""


class LeaseThread:
    """Keeps leases in a thread of its own, so that no sync run delays a renewal.

    Args:
        keeper: the leases.
        on_change: called when the sellers changed.
        on_renewal: called after each renewal.
    """

    def __init__(
        self, keeper: LeaseKeeper, on_change: Callable[[], None], on_renewal: Callable[[], None]
    ) -> None:
        self.keeper = keeper
        self._on_change, self._on_renewal = on_change, on_renewal
        self._stopping = threading.Event()
        self._is_failing = False
        self._announced: set[str] = set()
        self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)

    def start(self) -> None:
        """Take leases now, and renew them until ``close``."""
        self._thread.start()

    def close(self) -> None:
        """Give all leases back."""
        self._stopping.set()
        self._thread.join(_LONGEST_END)
        if not self._thread.is_alive():  # else they expire by themselves
            self.keeper.close()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            try:
                self._renew()
                self._on_renewal()
                self._note(None)
                self._wait()
            except BridgeError as error:
                self._note(error)
                self._stopping.wait(_LOOK)
            except Exception as error:  # noqa: BLE001 (a bug must not end the renewals)
                internal_error(error)
                self._stopping.wait(RENEWAL)

    def _renew(self) -> None:
        try:
            self.keeper.renew()
        finally:  # a renewal that failed may have found that leases were lost
            sellers = self.keeper.sellers()
            if sellers != self._announced:
                self._announced = sellers
                self._on_change()

    def _wait(self) -> None:
        """Wait for the next renewal, or until another daemon gives a reason for one."""
        for _ in range(round(RENEWAL / _LOOK)):
            if self._stopping.is_set() or self.keeper.wait(_LOOK):
                return

    def _note(self, error: BridgeError | None) -> None:
        """Log that renewals begin to fail, or succeed again."""
        if error and not self._is_failing:
            log.warning("leases_not_renewed", reason=str(error))
        if not error and self._is_failing:
            log.info("leases_renewed")
        self._is_failing = error is not None
