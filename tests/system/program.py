"""The bridge as its users run it: a program with a configuration, between two servers."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from forks import Fork
from odoo_server.databases import TRANSPORT, OdooDatabase

import amazon_bridge
from amazon_bridge.simulator import Order, Seller, Simulator, World

REPOSITORY = Path(amazon_bridge.__file__).parents[1]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if "AMAZON" not in name},
    "PYTHONPATH": str(REPOSITORY),
}


class SettledWorld(World):
    """Its events are three minutes old: searchOrders shows nothing newer."""

    def store(self, order: Order, *, delay: timedelta = timedelta(0)) -> Order:
        latest = self.clock() - timedelta(minutes=3)
        created, updated = min(order.created, latest), min(order.last_updated, latest)
        return super().store(replace(order, created=created, last_updated=updated), delay=delay)


@dataclass(frozen=True)
class Run:
    """What one run of the program left."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]

    def counts(self, account: str = "acme", job: str = "orders") -> dict[str, Any]:
        """The counts of ``sync --json``, without the zeros."""
        counts = self.json["accounts"][account][job]
        return {name: value for name, value in counts.items() if value}


class Program:
    """A configuration in its own folder, and the program that is run with it."""

    made: ClassVar[list["Program"]] = []
    """All of them, for checks of what they have left behind."""

    def __init__(self, folder: Path, odoo: OdooDatabase, simulator: Simulator) -> None:
        self.made.append(self)
        self.folder, self.odoo, self.simulator = folder, odoo, simulator
        self.odoo_url = odoo.url
        self.odoo_timeout = 120.0
        self.odoo_settings: dict[str, Any] = {}
        self.protocol = TRANSPORT
        self.amazon_url = simulator.url
        self.log_level = "info"
        self.start = datetime.now(UTC) - timedelta(hours=12)
        self.accounts: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.runs: list[Run] = []
        self._synced = 0.0
        self.command = ["-m", "amazon_bridge"]

    @property
    def environment(self) -> Mapping[str, str]:
        return ENVIRONMENT

    @property
    def state(self) -> Path:
        return self.folder / "bridge.db"

    def add_account(self, seller: Seller, name: str = "acme", **settings: Any) -> None:
        account = {
            "name": name,
            "seller_id": seller.seller_id,
            "marketplaces": list(seller.countries),
            "credentials": {
                "client_id": seller.client_id,
                "client_secret": seller.client_secret,
                "refresh_token": seller.refresh_token,
            },
            "start": self.start.isoformat(),
        }
        self.accounts.append(account | settings)

    def configure(self) -> Path:
        """Write the configuration; JSON is YAML."""
        amazon = {"endpoint": self.amazon_url, "token_url": f"{self.amazon_url}/auth/o2/token"}
        configuration = {
            "state": str(self.state),
            "log": {"level": self.log_level, "format": "json"},
            "http": None,
            "odoo": {
                **self.odoo.access(self.protocol),
                "url": self.odoo_url,
                "timeout": self.odoo_timeout,
                **self.odoo_settings,
            },
            "accounts": [account | amazon for account in self.accounts],
            **self.settings,
        }
        path = self.folder / "bridge.yaml"
        written = path.with_suffix(".new")
        written.write_text(json.dumps(configuration), "utf-8")
        return written.replace(path)  # at once: another process may be reading it

    def begin(self, *arguments: str) -> Fork:
        """Start the program and don't wait for its end."""
        command = [*self.command, "--config", str(self.configure()), *arguments]
        return Fork(command, folder=self.folder, environment=self.environment)

    def run(self, *arguments: str) -> Run:
        out, err = (process := self.begin(*arguments)).communicate(timeout=180)
        run = Run(arguments, process.returncode, out, err)
        self.runs.append(run)
        assert "Traceback" not in out + err, out + err
        return run

    def sync(self, *options: str, code: int = 0) -> Run:
        """A sync run of the orders, a second after the last one: windows have whole seconds."""
        time.sleep(max(0.0, self._synced + 1 - time.monotonic()))
        run = self.run("sync", "orders", "--json", *options)
        self._synced = time.monotonic()
        assert run.code == code, run
        return run

    def quarantine(self) -> dict[str, dict[str, Any]]:
        """What is quarantined, by its key."""
        entries = self.run("quarantine", "list", "--json").json
        return {entry["key"]: entry for entry in entries}

    def forget(self) -> None:
        """Lose the state store."""
        for file in self.folder.glob("bridge.db*"):
            if file.is_file():
                file.unlink()


MakeProgram = Callable[..., Program]
