from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from werkzeug.wrappers import Response

from amazon_bridge.config import HttpConfig
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.service.web import Listener, Website


def damaged() -> Response:
    raise ConfigError("The state store is damaged.", "Move it away.")


@contextmanager
def listening(**settings: object) -> Iterator[httpx.Client]:
    config = HttpConfig.model_validate({"listen": "127.0.0.1:0", **settings})
    pages = {"/": lambda: Response("page"), "/healthz": lambda: Response("ok"), "/db": damaged}
    listener = Listener(Website(pages, config))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client:
            yield client
    finally:
        listener.close()


def test_what_it_has_and_what_it_has_not():
    with listening() as client:
        assert (client.get("/").status_code, client.get("/").text) == (200, "page")
        assert client.get("/nothing").status_code == 404
        assert client.post("/").status_code == 405
        assert client.get("/db").status_code == 503
        assert client.get("/db").text == "The state store is damaged. Move it away.\n"


@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing"])
def test_every_response_forbids_browsers_what_it_doesnt_need(path: str):
    with listening() as client:
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_a_token_opens_it_as_bearer_or_as_password_and_nothing_else_does():
    with listening(token="right-token") as client:
        assert client.get("/").status_code == 401
        assert client.get("/").headers["www-authenticate"].startswith("Basic realm=")
        for wrong in ("wrong", "right-toke", "right-token2", "-", "é"):
            assert client.get("/", auth=("any", wrong)).status_code == 401
            bearer = {"authorization": f"Bearer {wrong}".encode()}
            assert client.get("/", headers=bearer).status_code == 401
        assert client.get("/", auth=("any", "right-token")).text == "page"
        assert client.get("/", headers={"authorization": "Bearer right-token"}).text == "page"
        assert client.get("/healthz").text == "ok"  # a watcher needs no token


def test_a_web_page_from_elsewhere_cant_look_at_it_through_its_own_name():
    with listening() as client:
        for host in ("evil.example.com", "evil.example.com:9464", "192.0.2.7"):
            assert client.get("/", headers={"host": host}).status_code == 403
        for host in ("localhost", "localhost:9464", "127.0.0.1", "[::1]:9464", "[::1]"):
            assert client.get("/", headers={"host": host}).status_code == 200


def test_it_closes_without_a_word(recwarn: pytest.WarningsRecorder):
    for _ in range(20):
        with listening() as client:
            client.get("/")
    assert [str(each.message) for each in recwarn] == []


def test_it_closes_connections_that_are_kept_open_too():
    listener = Listener(Website({"/": lambda: Response("page")}, HttpConfig(listen="127.0.0.1:0")))
    with httpx.Client(base_url=f"http://127.0.0.1:{listener.port}", trust_env=False) as client:
        assert client.get("/").text == "page"
        listener.close()
        with pytest.raises(httpx.TransportError):
            client.get("/")


def test_it_listens_under_a_name_too():
    listener = Listener(Website({"/": lambda: Response("page")}, HttpConfig(listen="localhost:0")))
    try:
        assert httpx.get(f"http://localhost:{listener.port}/", trust_env=False).text == "page"
    finally:
        listener.close()


def test_its_port_is_free_as_soon_as_it_is_closed():
    """For the listener of a new configuration: other addresses, the same port."""
    listener = Listener(Website({"/": lambda: Response("page")}, HttpConfig(listen="127.0.0.1:0")))
    port = listener.port
    with httpx.Client(trust_env=False) as client:
        client.get(f"http://127.0.0.1:{port}/")
        for host in ("0.0.0.0", "127.0.0.1", "localhost"):
            listener.close()
            config = HttpConfig.model_validate({"listen": f"{host}:{port}", "token": "x" * 16})
            listener = Listener(Website({"/": lambda: Response("page")}, config))
    listener.close()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "127.0.0.l", "x" * 70])
def test_a_host_that_nobody_knows_is_named(host: str):
    config = HttpConfig.model_validate({"listen": f"{host}:0", "token": "x" * 16})
    with pytest.raises(ConfigError, match=host):
        Listener(Website({}, config))


def test_an_address_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=address):
            Listener(Website({}, HttpConfig(listen=address)))
