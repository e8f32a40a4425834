"""A web server that takes alerts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response


class Receiver:
    """Takes what is posted to it; may be out of order."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.status = 200
        self.is_open = threading.Event()
        """It does not respond before it is set."""
        self.is_open.set()
        self._server = make_server("127.0.0.1", 0, Request.application(self._take), threaded=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _take(self, request: Request) -> Response:
        self.got.append((request.path, request.get_data(as_text=True)))
        self.is_open.wait(60)
        return Response("OK", self.status)

    def stop(self) -> None:
        self._server.shutdown()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that is stopped at the end."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.stop()
