"""Take the pictures of the documentation with headless Chromium: `make pictures`.

Usage: pictures.py FOLDER ODOO DATABASE

The sale orders are those of `make demo` in that database; the status page is the tests' shop.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from amazon_bridge.config import HttpConfig
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.service import page
from amazon_bridge.service.web import Listener, Website

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_PATIENCE = 120  # seconds; Odoo builds its web client's assets at the first request


class Browser:
    """A tab of Chromium, driven over the pipe of its DevTools protocol."""

    def __init__(self, reading: int, writing: int) -> None:
        self._answers = os.fdopen(reading, "rb")
        self._requests = os.fdopen(writing, "wb", buffering=0)
        self._numbers = itertools.count(1)
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": params}
        if self._session:
            request["sessionId"] = self._session
        self._requests.write(json.dumps(request).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            pass  # an event
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium has ended.")
            message += byte
        answer: dict[str, Any] = json.loads(message)
        return answer

    def size(
        self, width: int, height: int, *, phone: bool = False, dark: bool | None = None
    ) -> None:
        """Set the size of the window; a phone's has finer pixels and, by default, a dark page."""
        scale = 2 if phone else 1
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {
            "name": "prefers-color-scheme",
            "value": "dark" if (phone if dark is None else dark) else "light",
        }
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def cookie(self, url: str, name: str, value: str) -> None:
        self._call("Network.setCookie", url=url, name=name, value=value)

    def show(self, url: str, until: str) -> None:
        """Load a page, and wait for an element (a CSS selector)."""
        self._call("Page.navigate", url=url)
        self.wait(f"document.querySelector({json.dumps(until)})")

    def wait(self, condition: str) -> None:
        """Wait until a condition (JavaScript) holds, and what is drawn after it."""
        deadline = time.monotonic() + _PATIENCE
        while not self.evaluate(f"!!({condition})"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"It never becomes true: {condition}")
            time.sleep(0.2)
        time.sleep(1)

    def click(self, selector: str) -> None:
        if not self.evaluate(f"document.querySelector({json.dumps(selector)})?.click() !== null"):
            raise RuntimeError(f"There is no {selector}.")
        time.sleep(1)

    def evaluate(self, script: str) -> Any:
        """Run a script in the page, and return its value."""
        return self._call("Runtime.evaluate", expression=script)["result"].get("value")

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save what the window shows; or the whole page, however long it is."""
        if whole:
            height = self.evaluate("document.documentElement.scrollHeight")
            width = self.evaluate("document.documentElement.clientWidth")
            clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            taken = self._call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        else:
            taken = self._call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(taken["data"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium with a new profile."""
    reads_here, writes_there = os.pipe()
    reads_there, writes_here = os.pipe()

    def plug() -> None:  # Chromium reads from descriptor 3, and writes to 4
        first, second = os.dup(reads_there), os.dup(writes_there)
        os.dup2(first, 3)
        os.dup2(second, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [str(CHROMIUM), *_OPTIONS, f"--user-data-dir={profile}"],
            preexec_fn=plug,  # noqa: PLW1509  no threads here
            pass_fds=(3, 4),
            stderr=subprocess.DEVNULL,
        )
        os.close(reads_there)
        os.close(writes_there)
        try:
            yield Browser(reads_here, writes_here)
        finally:
            process.terminate()
            process.wait()


def status_page(tab: Browser, url: str, folder: Path) -> None:
    """Take the status page at ``url``, on a desktop and on a phone."""
    tab.size(1100, 1430)
    tab.show(url, "footer")
    tab.picture(folder / "status-page.png")
    tab.size(390, 844, phone=True)
    tab.show(url, "footer")
    tab.picture(folder / "status-page-phone.png")


@contextmanager
def made_up_shop() -> Iterator[str]:
    """Serve the status page of the tests' shop: three accounts, one of them in trouble."""
    sys.path.insert(0, str(ROOT / "tests" / "service"))
    import filled  # noqa: PLC0415  only there

    filled.CLAIMED = ItemError(
        "unknown_sku",
        "No product that can be sold has the internal reference 'MUG-GREEN-XL'.",
        "Correct the product in Odoo, then retry.",
    )
    with tempfile.TemporaryDirectory() as folder:
        runner = filled.busy_runner(Path(folder))
        website = Website(
            {"/": lambda **chosen: page.show(runner, filled.NOW, **chosen)},
            HttpConfig(listen="127.0.0.1:0"),
        )
        listener = Listener(website)
        try:
            yield f"http://127.0.0.1:{listener.port}/"
        finally:
            listener.close()


def sale_orders(tab: Browser, url: str, database: str, folder: Path) -> None:
    """Take Odoo's list of sale orders."""
    login = {"db": database, "login": "admin", "password": "admin"}
    with httpx.Client(base_url=url, timeout=_PATIENCE) as odoo:
        odoo.post("/web/session/authenticate", json={"params": login}).raise_for_status()
        tab.cookie(url, "session_id", odoo.cookies["session_id"])
    tab.size(1400, 560)
    address = f"{url}/odoo/action-sale.action_orders?view_type=list"
    tab.show(address, ".o_data_row")
    tab.click(".o_optional_columns_dropdown button")
    for name in ("user_id", "invoice_status", "client_order_ref", "delivery_status"):
        tab.click(f'.o-dropdown-item input[name="{name}"]')
    tab.show(address, ".o_data_row")  # again, which fits the columns' widths
    tab.click('th[data-name="name"]')
    tab.wait("!document.querySelector('.o_loading_indicator')")
    tab.evaluate("document.activeElement.blur()")
    tab.picture(folder / "odoo-sale-orders.png")


if __name__ == "__main__":
    folder, odoo, database = sys.argv[1:]
    with browser() as tab, made_up_shop() as address:
        status_page(tab, address, Path(folder))
        sale_orders(tab, odoo, database, Path(folder))
