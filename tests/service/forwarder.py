"""A TCP forwarder that can be taken away and given back: a side that is down."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit


class Forwarder:
    """Forwards a port of this machine to a server's; begins up."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname, parts.port
        self._begin()

    def _begin(self) -> None:
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        self._listener = _listening(0)
        self._port = self._listener.getsockname()[1]
        self._serve(self._listener)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def take_away(self) -> None:
        """Refuse connections, and break those that there are."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def give_back(self) -> None:
        self._listener = _listening(self._port)
        self._serve(self._listener)

    def cut(self) -> None:
        """Keep what is sent, in both directions, as a network that is cut: nobody is told."""
        self._flowing.clear()

    def mend(self) -> None:
        """Let it flow again."""
        self._flowing.set()

    def fall_silent(self) -> socket.socket:
        """After ``take_away``: listen again without a response; the caller may accept."""
        self._listener = _listening(self._port)
        self._listener.settimeout(60)
        return self._listener

    def _serve(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                self._flowing.wait()
                far = self._connected()
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _connected(self) -> socket.socket:
        return socket.create_connection(self._target)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


class SocketForwarder(Forwarder):
    """Forwards a port of this machine to a server's socket in the file system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin()

    @property
    def port(self) -> int:
        return int(self._port)

    def _connected(self) -> socket.socket:
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(self._path))
        return far


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener
