"""The daemon's HTTP listener: routes, access control, and the server."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from waitress import wasyncore
from waitress.server import create_server
from waitress.trigger import trigger
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    Unauthorized,
    UnsupportedMediaType,
)
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from amazon_bridge.config import HttpConfig
from amazon_bridge.config.addresses import is_loopback
from amazon_bridge.engine.errors import BridgeError, ConfigError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = structlog.get_logger(__name__)

Page = Callable[..., Response]
"""Returns a page; called with the variable parts of its path."""

Act = Callable[[bytes], Response]
"""Handles a posted JSON document."""

_OPEN = "/healthz"
"""No token needed: process monitors seldom have one, and it reveals only yes or no."""

_LONGEST_BODY = 4096
"""Bytes; a sync request takes about a hundred."""

_PATIENCE = 0.5
"""Seconds for pending responses before the listener closes."""

_LOOP_ENDS = 2.0
"""Seconds for the loop to end."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Website:
    """The WSGI application: GET pages and POST actions."""

    def __init__(
        self, pages: dict[str, Page], config: HttpConfig, acts: dict[str, Act] | None = None
    ) -> None:
        self.config = config
        self._pages, self._acts = pages, acts or {}
        rules = [
            *(Rule(path, endpoint=path, methods=["GET"]) for path in self._pages),
            *(Rule(path, endpoint=path, methods=["POST"]) for path in self._acts),
        ]
        self._routes = Map(rules, strict_slashes=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self._respond(Request(environ))
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            path, parts = self._routes.bind_to_environ(request.environ).match()
            if path != _OPEN:
                self._admit(request)
            if request.method == "POST":
                _refuse_browsers(request)
                return self._acts[path](request.get_data())
            return self._pages[path](**parts, **_choice(request, path))
        except HTTPException as refusal:
            return Response.force_type(refusal.get_response())
        except BridgeError as error:  # such as a damaged state store
            return Response(f"{error}\n", 503, content_type="text/plain; charset=utf-8")

    def _admit(self, request: Request) -> None:
        """Require the token; without one configured, require a loopback host name.

        The latter prevents DNS rebinding by web pages.
        """
        token = self.config.token
        if token is None:
            if not is_loopback(urlsplit(f"//{request.host}").hostname):
                raise Forbidden("Set http.token to allow other host names than localhost.")
        elif not _shows(request, token.get_secret_value()):
            raise Unauthorized("http.token is required.", www_authenticate=_challenge())


def _choice(request: Request, path: str) -> dict[str, str]:
    """What the status page is requested with."""
    known = ("account", "reload") if path == "/" else ()
    return {name: request.args[name] for name in known if request.args.get(name)}


def _refuse_browsers(request: Request) -> None:
    """Prevent cross-site request forgery: a browser may know the token.

    A page of another origin cannot send this content type without a preflight (OPTIONS) response,
    which the listener never gives. None of the listener's own pages posts anything.
    """
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with `Content-Type: application/json`.")
    if "Origin" in request.headers:
        raise Forbidden("Requests of web pages are refused.")


def _challenge() -> WWWAuthenticate:
    return WWWAuthenticate("basic", {"realm": "amazon-bridge: any user, the token as password"})


def _shows(request: Request, token: str) -> bool:
    authorization = request.authorization
    given = (authorization.token or authorization.password or "") if authorization else ""
    return hmac.compare_digest(given.encode(), token.encode())


def as_json(value: object, status: int = 200) -> Response:
    """A JSON document."""
    return Response(json.dumps(value, indent=2) + "\n", status, content_type="application/json")


def as_metrics(registry: CollectorRegistry) -> Response:
    """All metrics in Prometheus' text format."""
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Listener:
    """Serves a website until it is closed.

    Raises:
        ConfigError: listening on the address failed.
    """

    def __init__(self, website: Website) -> None:
        config = website.config
        self._sockets: dict[int, Any] = {}
        try:
            self._server = create_server(
                website,
                self._sockets,
                host=config.host,
                port=config.port,
                threads=2,
                ident=None,
                max_request_body_size=_LONGEST_BODY,
            )
        except (OSError, ValueError) as error:  # waitress raises ValueError for an unknown host
            why = (isinstance(error, OSError) and error.strerror) or "unknown host"
            raise ConfigError(
                f"Cannot listen on {config.listen}: {why}.",
                "Set another `http.listen`, or stop the program that uses it.",
            ) from error
        # A name with several addresses makes a server of several sockets.
        several = getattr(self._server, "effective_listen", None)
        self.port = int(several[0][1] if several else self._server.effective_port)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="listener", daemon=True)
        self._thread.start()
        log.info("listening", host=config.host, port=self.port)

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:  # its loop may be waiting at a socket that another thread closes
            if not self._closing:
                raise

    def close(self) -> None:
        """Close all connections, including idle keep-alive ones.

        ``close`` of waitress 3.0 keeps those open, and its threads would continue to write to a
        closed pipe, whose file descriptor may be reused by then.
        """
        self._closing = True
        self._server.task_dispatcher.shutdown(timeout=_PATIENCE)
        # The loop has to close its sockets itself: while it waits, the port stays in use.
        for each in list(self._sockets.values()):
            if isinstance(each, trigger):
                with suppress(OSError):  # the loop has ended and closed it already
                    each.pull_trigger(lambda: wasyncore.close_all(self._sockets))
                break
        self._thread.join(_LOOP_ENDS)
        wasyncore.close_all(self._sockets)
