"""A bad connection to Odoo: against a server whose responses the test defines."""

import json
import os
import resource
import socket
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from amazon_bridge.engine.errors import AccountError, BridgeError, ItemError, TooLarge, Transient
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.transport import Address

Responder = Callable[["Handler"], None]


PATHS = {
    "xmlrpc": "/erp/xmlrpc/2/object",
    "jsonrpc": "/erp/jsonrpc",
    "json2": "/erp/json/2/res.partner/ping",
}


class Handler(BaseHTTPRequestHandler):
    """Logs anybody in, in each protocol; handles other calls by its server's ``respond``."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    LOGIN: ClassVar[dict[str, Any]] = {
        "version": {"server_version": "saas~19.2+e"},
        "login": 7,
        "/erp/web/version": {"version": "saas~19.2+e"},
        "/erp/json/2/res.users/context_get": {"uid": 7},
        "/erp/json/2/res.users/search_read": [{"id": 7}],
    }

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        what = self._requested()
        if what in self.LOGIN:
            self.say(self.LOGIN[what])
        else:
            self.server.paths.append(self.path)
            self.server.respond(self)

    do_GET = do_POST  # noqa: N815 - the library's name

    def _requested(self) -> str:
        if "xmlrpc" in self.path:
            return str(xmlrpc.client.loads(self.body)[1])
        return json.loads(self.body)["params"]["method"] if "jsonrpc" in self.path else self.path

    def say(self, value: Any) -> None:
        if "xmlrpc" in self.path:
            self.send(200, xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True))
        elif "jsonrpc" in self.path:
            self.send(200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}))
        else:
            self.send(200, json.dumps(value))

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
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def connect(server: Server, protocol: str, password: str = "s3cret") -> OdooSession:
    url = f"http://127.0.0.1:{server.server_port}/erp/"
    return OdooSession.connect(
        url, "db", "login", password, protocol=protocol, timeout=0.5, sleep=lambda _: None
    )


@pytest.fixture(params=PATHS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def session(server: Server, protocol: str) -> OdooSession:
    return connect(server, protocol)


def ping(session: OdooSession) -> Any:
    return session.call("res.partner", "ping")


def test_path_prefix_and_version_of_odoo_online(
    server: Server, session: OdooSession, protocol: str
) -> None:
    assert session.version == (19, 2)
    assert ping(session) == "pong"
    assert server.paths == [PATHS[protocol]]


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


def test_a_connection_with_a_large_descriptor_is_kept(server: Server, session: OdooSession) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with ExitStack() as files:
        files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1024):
            files.enter_context(Path(os.devnull).open())
        before = len(server.connections)
        with ThreadPoolExecutor(1) as other:
            assert list(other.map(lambda _: ping(session), range(3))) == ["pong"] * 3
        assert len(server.connections) == before + 1


def test_a_host_whose_name_begins_like_a_loopback_address_is_not_private(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **options: look_up(None, *more, **options)
    )
    found = {
        host: OdooSession.connect(
            f"http://{host}:{server.server_port}/erp", "db", "login", "s3cret"
        ).is_private
        for host in ("127.0.0.1", "127.erp.example.com")
    }
    assert found == {"127.0.0.1": True, "127.erp.example.com": False}


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
        (413, TooLarge, False),
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


NO_JSON = (
    *("<html><p>Down for maintenance<br></html>", "", "<a></a>"),
    "<methodResponse><params></params></methodResponse>",
    "<methodResponse><params><param><value><int>many</int></value></param></params></methodResponse>",
    "<methodResponse><fault><value><struct></struct></value></fault></methodResponse>",
    "<methodResponse><fault><value><string>no</string></value></fault></methodResponse>",
)
NO_RESPONSE = ('{"jsonrpc": "2.0", "error": "down"}', '{"error": {}}', '"down"')
"""JSON that is no response of JSON-RPC. All JSON can be one of JSON-2."""


@pytest.mark.parametrize("page", NO_JSON)
def test_a_maintenance_page(server: Server, session: OdooSession, page: str) -> None:
    check_maintenance(server, session, page)


@pytest.mark.parametrize("protocol", ["xmlrpc", "jsonrpc"], indirect=True)
@pytest.mark.parametrize("page", NO_RESPONSE)
def test_a_maintenance_page_in_json(server: Server, session: OdooSession, page: str) -> None:
    check_maintenance(server, session, page)


def check_maintenance(server: Server, session: OdooSession, page: str) -> None:
    """Such a page is a momentary failure with an unknown outcome; the next response counts."""
    server.respond = lambda handler: handler.send(200, page)
    with pytest.raises(Transient, match="maintenance") as caught:
        ping(session)
    assert caught.value.maybe_done
    server.respond = lambda handler: handler.say("pong")
    assert ping(session) == "pong"


def refuse(status: int, name: str, message: str) -> Responder:
    """An error as JSON-2 sends it."""
    body = {"name": name, "message": message, "arguments": [message], "context": {}}
    text = json.dumps({**body, "debug": f"Traceback: Ann Example, {name}"})
    return lambda handler: handler.send(status, text)


@pytest.mark.parametrize(
    ("refusal", "error", "said"),
    [
        ((422, "odoo.exceptions.UserError", "No."), ItemError, "Odoo refused: No."),
        ((422, "odoo.exceptions.ValidationError", "No."), ItemError, "Odoo refused: No."),
        ((404, "odoo.exceptions.MissingError", "Gone."), ItemError, "Odoo refused: Gone."),
        ((403, "odoo.exceptions.AccessError", "Not you."), AccountError, "denies access"),
        ((403, "odoo.exceptions.AccessDenied", ""), AccountError, "doesn't accept"),
        ((401, "werkzeug.exceptions.Unauthorized", "Invalid apikey"), AccountError, "API key"),
        ((404, "werkzeug.exceptions.NotFound", "the model 'a.b' does not exist"), ItemError, "a.b"),
        ((500, "builtins.KeyError", "'x'"), ItemError, "Odoo failed: builtins.KeyError"),
        (
            (500, "psycopg2.errors.SerializationFailure", "could not serialize access"),
            Transient,
            "busy",
        ),
    ],
)
def test_errors_of_json2(
    server: Server, refusal: tuple[int, str, str], error: type[BridgeError], said: str
) -> None:
    session = connect(server, "json2")
    server.respond = refuse(*refusal)
    with pytest.raises(error, match=said) as caught:
        ping(session)
    text = f"{caught.value} {caught.value.remedy}"
    assert "Traceback" not in text
    assert "Ann" not in text
    assert not getattr(caught.value, "maybe_done", False)
    assert caught.value.__context__ is None


def test_json_of_a_proxy_is_no_error_of_odoo(server: Server) -> None:
    session = connect(server, "json2")
    server.respond = lambda handler: handler.send(503, '{"name": "gateway", "message": "Ann"}')
    with pytest.raises(Transient, match="503") as caught:
        ping(session)
    assert caught.value.maybe_done
    assert "Ann" not in str(caught.value)


def test_json2_names_the_arguments_and_sends_key_and_database_as_headers(server: Server) -> None:
    session, sent = connect(server, "json2"), []

    def respond(handler: Handler) -> None:
        sent.append((handler.path, json.loads(handler.body)))
        assert handler.headers["Authorization"] == "bearer s3cret"
        assert handler.headers["X-Odoo-Database"] == "db"
        handler.say([3])

    server.respond = respond
    context = {"lang": "en_US", "tz": "UTC"}
    assert session.call("res.partner", "create", {"name": "A"}) == 3
    assert session.call("res.partner", "create", [{"name": "A"}]) == [3]
    session.call("res.partner", "write", [1], {"name": None}, context={"a": 1})
    session.call("res.partner", "search_count", [("name", "=", False)])
    assert sent == [
        ("/erp/json/2/res.partner/create", {"vals_list": {"name": "A"}, "context": context}),
        ("/erp/json/2/res.partner/create", {"vals_list": [{"name": "A"}], "context": context}),
        (
            "/erp/json/2/res.partner/write",
            {"ids": [1], "vals": {"name": None}, "context": {**context, "a": 1}},
        ),
        (
            "/erp/json/2/res.partner/search_count",
            {"domain": [["name", "=", False]], "context": context},
        ),
    ]
    with pytest.raises(AssertionError, match="without a name"):
        session.call("res.partner", "action_new", [1], "x")


def test_none_is_a_result(server: Server, session: OdooSession) -> None:
    server.respond = lambda handler: handler.say(None)
    assert ping(session) is None


@pytest.mark.parametrize(
    ("responses", "said", "remedy"),
    [
        ({"/erp/web/version": None}, "has no JSON-2 API", "xmlrpc"),
        ({"/erp/web/version": {"version": "18.0"}}, "Odoo 18.0 has no JSON-2 API", "xmlrpc"),
        ({"/erp/json/2/res.users/context_get": None}, "no database", "odoo.database"),
        ({"/erp/json/2/res.users/search_read": []}, "another user than odoo.login", "odoo.login"),
    ],
)
def test_refused_logins_of_json2(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    responses: dict[str, Any],
    said: str,
    remedy: str,
) -> None:
    known = {
        path: said for path, said in Handler.LOGIN.items() if responses.get(path, 0) is not None
    }
    monkeypatch.setattr(
        Handler, "LOGIN", known | {k: v for k, v in responses.items() if v is not None}
    )
    server.respond = lambda handler: handler.send(404, "<html>Not Found</html>")
    with pytest.raises(AccountError, match=said) as caught:
        connect(server, "json2")
    assert remedy in caught.value.remedy
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("password", ["s3cret\n", "s3crét", "s3cret€"])
def test_a_password_that_no_header_can_hold_is_refused_unquoted(
    server: Server, password: str
) -> None:
    with pytest.raises(AccountError, match="doesn't accept the login") as caught:
        connect(server, "json2", password)
    assert "must be an API key" in caught.value.remedy
    assert "s3cr" not in f"{caught.value} {caught.value.__context__}"
    assert server.paths == []


@pytest.mark.parametrize("response", [{"uid": "7"}, {}, [], "logged in", None], ids=str)
def test_an_unreadable_response_to_the_login(
    server: Server, monkeypatch: pytest.MonkeyPatch, response: Any, protocol: str
) -> None:
    path = "/erp/json/2/res.users/context_get"
    login = response if protocol == "json2" else response or "7"
    monkeypatch.setattr(Handler, "LOGIN", {**Handler.LOGIN, "login": login, path: response})
    with pytest.raises(Transient, match="maintenance"):
        connect(server, protocol)


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
