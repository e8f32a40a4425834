"""What a history is played on: a seller on Amazon, an Odoo, and a bridge that can be killed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from bridge import Bridge, ShiftedClock
from program import Program, SettledWorld
from shop import Shop
from warehouse import Warehouse

from amazon_bridge import config
from amazon_bridge.amazon.operations import LIMITS
from amazon_bridge.app import App
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.simulator import ManualClock, Seller, Simulator

JOBS = ("orders", "cancellations", "pickings")

ACCOUNTS = {"acme": ["FR", "DE"], "isles": ["GB"]}
"""One seller under two names, each with its own marketplaces."""

CARRIER, FRENCH_TEAM = "DHL", "La boutique"

Clock = ShiftedClock | ManualClock
Jobs = Sequence[str]


class Backups(Protocol):
    """A database that can be dumped and put back."""

    def backup(self) -> Any: ...

    def restore(self, backup: Any, /) -> None: ...


class Killed(BaseException):
    """Ends a sync run as a kill does: nothing is cleaned up."""


class MortalBridge(Bridge):
    """A bridge that is killed after ``calls_left`` more calls."""

    calls_left: int | None = None

    def __init__(self, program: Program, clock: Any, make_app: Callable[..., App] = App) -> None:
        super().__init__(program, clock)
        self.make_app = make_app

    @property
    def app(self) -> App:
        if self._app is None:
            loaded = config.load(self.program.configure(), {})
            limits = {name: replace(limit, rate=1000) for name, limit in LIMITS.items()}
            self._app = self.make_app(
                loaded,
                clock=self.clock,
                sleep=lambda _: None,
                throttle=Throttle(limits),
                watch=self._count,
            )
        return self._app

    def _count(self, *_: object) -> None:
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left == 0:
                self.calls_left = None
                raise Killed

    def sync_all(self, jobs: Jobs = JOBS) -> None:
        """Do a sync run of each account and job; an error fails the test."""
        self.clock.advance(minutes=3)
        for account in self.app.config.accounts:
            for job in jobs:
                counts = self.sync(job, account=account.name)
                assert "error" not in counts, counts


class Scene:
    """What one history plays on: a seller without any orders, a bridge without any memory."""

    def __init__(
        self,
        *,
        world: SettledWorld,
        simulator: Simulator,
        shop: Shop,
        clock: Clock,
        folder: Path,
        make_app: Callable[..., App] = App,
        odoo: Backups | None = None,
        french: bool = False,
    ) -> None:
        """``odoo`` can be put back from a backup; without one there are no rules, either."""
        self.odoo, self.french = odoo, french
        self.world, self.simulator, self.shop, self.clock = world, simulator, shop, clock
        self.warehouse = Warehouse(shop)
        folder.mkdir()
        self.program = Program(folder, shop.database, simulator)
        self.program.start = clock()
        if french:
            self._speak_french()
        self.seller = self._register(folder.name)
        self.bridge = MortalBridge(self.program, clock, make_app)

    def _register(self, name: str) -> Seller:
        countries = [country for each in ACCOUNTS.values() for country in each]
        seller = self.world.add_seller(f"A1HISTORY{name}", countries)
        for account, marketplaces in ACCOUNTS.items():
            team = {"sales_team": FRENCH_TEAM} if self.french else {}
            self.program.add_account(seller, account, marketplaces=marketplaces, **team)
        return seller

    def _speak_french(self) -> None:
        """The login reads French names: of the sales team, and of the carrier."""
        rpc, in_french = self.shop.rpc, {"lang": "fr_FR"}
        language = rpc("res.lang", "search", [("code", "=", "fr_FR"), ("active", "=", False)])
        rpc("res.lang", "write", language, {"active": True})
        rpc("res.users", "write", rpc("res.users", "search", [("login", "=", "admin")]), in_french)
        team = rpc("crm.team", "create", {"name": "The shop"})
        rpc("crm.team", "write", [team], {"name": FRENCH_TEAM}, context=in_french)
        carrier = self.warehouse.carrier(CARRIER)
        rpc("delivery.carrier", "write", [carrier], {"name": "Parcels"})
        rpc("delivery.carrier", "write", [carrier], {"name": CARRIER}, context=in_french)


class Stage(Protocol):
    """Where histories are played: it has a scene for each of them."""

    name: str

    def open(self) -> Scene: ...

    def close(self, scene: Scene) -> None: ...
