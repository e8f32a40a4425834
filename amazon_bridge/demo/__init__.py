"""Demonstration: a real Odoo, a simulated Amazon, and the bridge between them.

The simulated Amazon and the bridge share a clock that can be advanced, because Amazon shows changes
only after two minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from amazon_bridge.demo.parts import PARTS, Stage
from amazon_bridge.demo.shop import Shop
from amazon_bridge.demo.stage import Clock, bridge_between, list_products, removed_on_failure
from amazon_bridge.demo.timeline import Timeline
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.simulator import Simulator, World, generate
from amazon_bridge.terminal import counted

_ORDERS = 40


def run(url: str, database: str, login: str, password: str) -> None:
    """Run the scenario on an Odoo database that may be filled with generated orders.

    Raises:
        BridgeError: Odoo can't be reached, refuses the login, or lacks an app; the database is
            not empty; or a run failed.
    """
    clock, timeline = Clock(), Timeline()
    world = generate(7, _ORDERS, clock=clock)
    world.settings.rate_multiplier = 1000
    list_products(world)
    folder = Path(tempfile.mkdtemp(prefix="amazon-bridge-demo-"))
    odoo = {"url": url, "database": database, "login": login, "password": password}
    with Simulator(world) as amazon, bridge_between(folder, amazon, clock, odoo) as bridge:
        with removed_on_failure(folder):
            shop = _open_shop(odoo, world)
        timeline.say("The shop has entered its products in Odoo, all but one, and their stock.")
        for part in PARTS:
            part(Stage(bridge, shop, amazon, clock, timeline))
    timeline.part("Look around")
    timeline.say("The simulated Amazon has stopped; nothing of the bridge keeps running.")
    _say_where_to_look(timeline, odoo, folder)
    ahead = counted(clock.minutes_ahead, "minute")
    timeline.add(f"        Times can be up to {ahead} ahead: the demo advanced its clock.")


def _open_shop(odoo: dict[str, str], world: World) -> Shop:
    login = odoo["url"], odoo["database"], odoo["login"], odoo["password"]
    shop = Shop(OdooSession.connect(*login), [order.order_id for order in world.orders])
    shop.require_version()
    shop.require_empty(odoo["database"])
    shop.open()
    return shop


def _say_where_to_look(timeline: Timeline, odoo: dict[str, str], folder: Path) -> None:
    program = f"{sys.argv[0]} --config {folder}/bridge.yaml"
    for line in (
        "`sync`, `check` and `run` can no longer reach Amazon.",
        f"Odoo:   {odoo['url']}/web?db={odoo['database']}",
        f"        login {odoo['login']}, password {odoo['password']}",
        "        Sales > Orders > Orders: the sale orders, each with its Amazon order id",
        "        Inventory > Operations > Transfers > Deliveries: the delivery orders",
        "        Invoicing > Accounting > Transactions > Journal Entries: the settlement",
        f"Bridge: {folder}/bridge.yaml is its configuration, bridge.log what it logged",
        f"        {program} status",
        f"        {program} quarantine list",
    ):
        timeline.add(line)
