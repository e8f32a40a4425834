"""State notifications for systemd services of ``Type=notify``: see sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress


def notify(environ: Mapping[str, str] = os.environ, **state: object) -> None:
    """Send systemd a state, such as ``READY=1``; does nothing without systemd."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket, which has no file
        address = f"\0{address[1:]}"
    message = "\n".join(f"{name}={value}" for name, value in state.items())
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.sendto(message.encode(), address)


def notify_reloading() -> None:
    """Report that the configuration is being reloaded; ``READY=1`` ends it."""
    notify(RELOADING=1, MONOTONIC_USEC=time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
