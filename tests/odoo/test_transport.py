"""A bad connection to Odoo: against a server whose responses the test defines."""

import socket
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from amazon_bridge.engine.errors import AccountError, BridgeError, ItemError, Transient
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.transport import Address

Responder = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Logs anybody in; handles other calls by its server's ``respond``."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _, method = xmlrpc.client.loads(body)
        if method == "version":
            self.say({"server_version": "saas~18.2+e"})
        elif method == "login":
            self.say(7)
        else:
            self.server.paths.append(self.path)
            self.server.respond(self)

    def say(self, value: Any) -> None:
        self.send(200, xmlrpc.client.dumps((value,), methodresponse=True))

    def send(self, status: int, body: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Stay quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.respond: Responder = lambda handler: handler.say("pong")
        self.paths: list[str] = []
        self.connections: list[socket.socket] = []


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def session(server: Server) -> OdooSession:
    url = f"http://127.0.0.1:{server.server_port}/erp/"
    return OdooSession.connect(url, "db", "login", "password", timeout=0.5)


def ping(session: OdooSession) -> Any:
    return session.call("res.partner", "ping")


def test_path_prefix_and_version_of_odoo_online(server: Server, session: OdooSession) -> None:
    assert session.version == (18, 2)
    assert ping(session) == "pong"
    assert server.paths == ["/erp/xmlrpc/2/object"]


def test_one_connection_a_thread_is_kept(server: Server, session: OdooSession) -> None:
    ping(session)
    before = len(server.connections)
    for _ in range(3):
        ping(session)
    assert len(server.connections) == before
    thread = threading.Thread(target=ping, args=[session])
    thread.start()
    thread.join()
    assert len(server.connections) == before + 1


def test_a_connection_closed_meanwhile_is_opened_anew(server: Server, session: OdooSession) -> None:
    ping(session)
    for connection in server.connections:
        connection.shutdown(socket.SHUT_RDWR)
    assert ping(session) == "pong"
    assert len(server.paths) == 2


def hang_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def stay_silent(handler: Handler) -> None:
    threading.Event().wait(1)


@pytest.mark.parametrize("respond", [hang_up, stay_silent])
def test_no_response_may_mean_done_and_is_never_repeated(
    server: Server, session: OdooSession, respond: Responder
) -> None:
    ping(session)
    server.respond = respond
    with pytest.raises(Transient) as caught:
        ping(session)
    assert caught.value.maybe_done
    assert len(server.paths) == 2


@pytest.mark.parametrize(
    ("status", "error", "maybe_done"),
    [
        (502, Transient, True),
        (503, Transient, True),
        (504, Transient, True),
        (429, Transient, False),
        (413, ItemError, False),
        (403, AccountError, False),
        (404, AccountError, False),
        (301, AccountError, False),
    ],
)
def test_status(
    server: Server,
    session: OdooSession,
    status: int,
    error: type[BridgeError],
    maybe_done: bool,  # noqa: FBT001
) -> None:
    server.respond = lambda handler: handler.send(status, "<html>no</html>", Retry_After="17")
    with pytest.raises(error, match=str(status)) as caught:
        ping(session)
    assert getattr(caught.value, "maybe_done", False) == maybe_done
    if isinstance(caught.value, Transient):
        assert caught.value.retry_after == 17
    server.respond = lambda handler: handler.say("pong")
    assert ping(session) == "pong"


NO_XMLRPC = (
    "<methodResponse><params></params></methodResponse>",
    "<methodResponse><params><param><value><int>many</int></value></param></params></methodResponse>",
    "<methodResponse><fault><value><struct></struct></value></fault></methodResponse>",
    "<methodResponse><fault><value><string>no</string></value></fault></methodResponse>",
)


@pytest.mark.parametrize(
    "page", ["<html><p>Down for maintenance<br></html>", "", "<a></a>", *NO_XMLRPC]
)
def test_a_maintenance_page(server: Server, session: OdooSession, page: str) -> None:
    server.respond = lambda handler: handler.send(200, page)
    with pytest.raises(Transient, match="maintenance") as caught:
        ping(session)
    assert caught.value.maybe_done
    server.respond = lambda handler: handler.say("pong")
    assert ping(session) == "pong"


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://erp.example.com", "https://erp.example.com:443"),
        ("http://erp.example.com/", "http://erp.example.com:80"),
        ("http://[::1]:8069/odoo/", "http://[::1]:8069/odoo"),
    ],
)
def test_address(url: str, root: str) -> None:
    assert Address.parse(url).root == root
