"""What may happen to the bridge and to what it works with: time, losses, backups put back."""

from datetime import datetime, timedelta

from cast import History, Kept
from scene import ACCOUNTS
from structlog.testing import capture_logs


class ToBridge(History):
    def program_wait(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    def program_lose_state_store(self, _: int) -> None:
        self.forgetful = True
        self.bridge.forget()
        for account in self.bridge.program.accounts:
            account["start"] = self.bridge.program.start.isoformat()
        self.cursors.clear()

    def program_set_cursor_back(self, _: int) -> None:
        self._look_again(self.bridge.program.start)
        self.cursors.clear()

    def program_rest(self, _: int = 0) -> None:
        """Long enough for a second look at what Amazon has shown late by now."""
        self.clock.advance(hours=14)
        with capture_logs():
            self.bridge.sync_all(["orders"])

    def program_save(self, _: int) -> None:
        """Dump Odoo's database, and copy the state store."""
        if self.scene.odoo:
            done = (dict(self.notes), set(self.cancelled), set(self.deleted))
            self.kept = Kept(self.scene.odoo.backup(), self.clock(), *done)
        self.saved_state.unlink(missing_ok=True)
        self.bridge.app.ledger.back_up(self.saved_state)

    def program_restore_odoo(self, _: int) -> None:
        """Put the dump back, and go the documented way: `cursor set` to before it."""
        if not (self.kept and self.scene.odoo):
            return
        self.scene.odoo.restore(self.kept.odoo)
        self.warehouse.carrier.cache_clear()
        self.notes, self.cancelled = dict(self.kept.notes), set(self.kept.cancelled)
        self.deleted = set(self.kept.deleted)
        self.loose.update(self.orders)
        self.restored = True
        self.bridge.close()
        self._look_again(self.kept.moment - timedelta(hours=1))
        self._know_cursors()

    def program_restore_state_store(self, _: int) -> None:
        """Put an old copy of the state store back."""
        if self.saved_state.exists():
            self.put_saved_state_back()
            self.forgetful = True
            self._know_cursors()

    def _look_again(self, since: datetime) -> None:
        with capture_logs():
            for account in self.bridge.app.config.accounts:
                self.bridge.app.move_cursor(account, since)

    def _know_cursors(self) -> None:
        known = {name: self.bridge.app.ledger.cursors.get(name) for name in ACCOUNTS}
        self.cursors = {name: at for name, at in known.items() if at}
