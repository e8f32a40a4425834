"""What the demonstration is played with: the simulated Amazon, and the bridge in front of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from amazon_bridge import config, log
from amazon_bridge.app import App
from amazon_bridge.config import Config
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.simulator import MARKETS, Simulator, World

FBA = "MUG-RED"
"""A listing that Amazon fulfils, although the shop has the product, too."""

_LISTED = ("MUG-BLUE", "TEAPOT-08", "KETTLE-17")


class Clock:
    """The real time, advanced when the scenario needs it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, minutes: float) -> None:
        self._ahead += timedelta(minutes=minutes)

    @property
    def minutes_ahead(self) -> int:
        return round(self._ahead / timedelta(minutes=1))


@contextmanager
def bridge_between(
    folder: Path, amazon: Simulator, clock: Clock, odoo: dict[str, str]
) -> Iterator[App]:
    """The bridge, configured in a folder; its log goes to a file there."""
    loaded = configuration(folder, amazon, odoo)
    with (folder / "bridge.log").open("w", encoding="utf-8") as stream:
        log.configure("info", "json", stream=stream)
        log.hide(loaded.secrets())
        bridge = App(loaded, clock=clock)
        try:
            with _explained(folder):
                yield bridge
        finally:
            bridge.close()
            log.configure()  # to stderr again: the file is closed


@contextmanager
def removed_on_failure(folder: Path) -> Iterator[None]:
    """Delete the folder if the demonstration can't begin: it holds nothing but passwords."""
    try:
        yield
    except (BridgeError, KeyboardInterrupt):
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an unexpected exception into an error: its traceback goes to the log in the folder."""
    try:
        yield
    except BridgeError:
        raise
    except Exception as error:
        structlog.get_logger(__name__).critical("internal_error", exc_info=True)
        raise BridgeError(
            f"Internal error ({type(error).__name__}): the demo ends here.",
            f"Please report the `internal_error` log event in {folder / 'bridge.log'}.",
        ) from error


def configuration(folder: Path, amazon: Simulator, odoo: dict[str, str]) -> Config:
    """Write the configuration file that a person would write, and load it."""
    file = {
        "state": str(folder / "bridge.db"),
        "odoo": odoo,
        "defaults": {"endpoint": amazon.url, "token_url": amazon.token_url},
        "accounts": [_account(name, amazon.world) for name in amazon.world.sellers],
    }
    path = folder / "bridge.yaml"
    path.touch(0o600)  # it holds passwords
    path.write_text(json.dumps(file, indent=2), encoding="utf-8")  # JSON is YAML
    return config.load(path, {})


def _account(seller_id: str, world: World) -> dict[str, Any]:
    seller = world.sellers[seller_id]
    return {
        "name": f"demo-{'-'.join(seller.countries)}".lower(),
        "seller_id": seller_id,
        "marketplaces": list(seller.countries),
        "credentials": {
            "client_id": seller.client_id,
            "client_secret": seller.client_secret,
            "refresh_token": seller.refresh_token,
        },
        "start": min(order.created for order in world.orders).isoformat(),
        "fba_location": "Amazon/FBA",
        "unknown_sku": "quarantine",
        "stock": {"push": True, "raise_after": "1s", "buffer": 5},
        "invoicing": {"payment_journal": "Amazon Payments"},
        "settlements": {"mode": "post"},
    }


def list_products(world: World) -> None:
    """List a few products on Amazon, with quantities that nobody has updated for long."""
    world.settings.shared_quantities = True
    for seller in world.sellers.values():
        for country in seller.countries:
            for sku in _LISTED:
                world.listings.add(seller.seller_id, sku, country, {"DEFAULT": 7})
            world.listings.add(
                seller.seller_id, FBA, country, {MARKETS[country].amazon_channel: 30}
            )


def quantities(world: World) -> dict[tuple[str, str], int | None]:
    """The merchant's quantities, by SKU and the first country of a seller."""
    firsts = {seller.countries[0] for seller in world.sellers.values()}
    return {
        (each.sku, each.market.country): each.quantity
        for each in world.listings
        if each.market.country in firsts
    }
