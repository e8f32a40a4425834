"""The listener: health, metrics and the status page. It can be looked at, and changes nothing."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from waitress.server import create_server
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, HTTPException, Unauthorized
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from amazon_bridge.config import HttpConfig
from amazon_bridge.config.values import is_loopback
from amazon_bridge.engine.errors import BridgeError, ConfigError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = structlog.get_logger(__name__)

Answer = Callable[[], Response]

_OPEN = "/healthz"
"""Who watches over processes seldom has a token, and learns nothing here but yes or no."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Website:
    """The WSGI application."""

    def __init__(self, pages: dict[str, Answer], config: HttpConfig) -> None:
        self.config = config
        self._pages = pages
        self._routes = Map(
            [Rule(path, endpoint=path, methods=["GET"]) for path in pages], strict_slashes=False
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(Request(environ))
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            path, _ = self._routes.bind_to_environ(request.environ).match()
            if path != _OPEN:
                self._admit(request)
            return self._pages[path]()
        except HTTPException as refusal:
            return Response.force_type(refusal.get_response())
        except BridgeError as error:  # such as a damaged state store
            return Response(f"{error}\n", 503, content_type="text/plain; charset=utf-8")

    def _admit(self, request: Request) -> None:
        """Let in who shows the token; without one, who calls this machine by its own name.

        The latter keeps out web pages from elsewhere that had their name lead to this machine.
        """
        token = self.config.token
        if token is None:
            if not is_loopback(urlsplit(f"//{request.host}").hostname):
                raise Forbidden("Set http.token, to be asked under another name than localhost.")
        elif not _shows(request, token.get_secret_value()):
            raise Unauthorized("Show http.token.", www_authenticate=_challenge())


def _challenge() -> WWWAuthenticate:
    return WWWAuthenticate("basic", {"realm": "amazon-bridge: any user, the token as password"})


def _shows(request: Request, token: str) -> bool:
    shown = request.authorization
    given = (shown.token or shown.password or "") if shown else ""
    return hmac.compare_digest(given.encode(), token.encode())


def as_json(value: object, *, ok: bool) -> Response:
    """A JSON document; status 503 when all is not well."""
    body = json.dumps(value, indent=2) + "\n"
    return Response(body, 200 if ok else 503, content_type="application/json")


def as_metrics(registry: CollectorRegistry) -> Response:
    """What Prometheus reads."""
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Listener:
    """A website on a port of this machine, until it is closed.

    Raises:
        ConfigError: the address can't be listened on.
    """

    def __init__(self, website: Website) -> None:
        config = website.config
        try:
            self._server = create_server(
                website, host=config.host, port=config.port, threads=2, ident=None
            )
        except OSError as error:
            raise ConfigError(
                f"The address {config.listen} can't be listened on: {error.strerror}.",
                "Name another one as `http.listen`, or end the program that has it.",
            ) from error
        # A name that stands for several addresses makes a server of several sockets.
        several = getattr(self._server, "effective_listen", None)
        self.port = int(several[0][1] if several else self._server.effective_port)
        self._closing = False
        threading.Thread(target=self._serve, name="listener", daemon=True).start()
        log.info("listening", host=config.host, port=self.port)

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:  # its loop may be waiting at a socket that another thread closes
            if not self._closing:
                raise

    def close(self) -> None:
        self._closing = True
        self._server.close()
