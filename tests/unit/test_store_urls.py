"""`state` in the configuration: a path, or the URL of a PostgreSQL database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amazon_bridge.config import Config, load
from amazon_bridge.config.reading import read
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.store import PostgresqlStore, postgresql_store

REST = """
odoo: {url: 'https://erp.example.com', database: prod, login: a@example.com, password: key}
accounts:
  - name: acme-eu
    seller_id: A3EXAMPLE
    marketplaces: [FR]
    credentials: {client_id: a, client_secret: b, refresh_token: c}
"""
URL = "postgresql://bridge@db.example.com:5432/bridge?sslmode=verify-full&sslrootcert=/etc/ca.pem"


def configured(folder: Path, state: str, **environ: str) -> Config:
    path = folder / "bridge.yaml"
    path.write_text(f"{state}\n{REST}")
    return load(path, environ)


def refused(folder: Path, state: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        configured(folder, state, **environ)
    (problem,) = error.value.problems
    return problem


def test_a_url_is_kept_as_it_is(tmp_path: Path):
    config = configured(tmp_path, f"state: {URL}")
    assert config.state == PostgresqlStore(URL)
    assert str(config.state) == URL


def test_the_short_scheme_is_the_same(tmp_path: Path):
    assert str(configured(tmp_path, "state: postgres://u@h/db").state) == "postgresql://u@h/db"


def test_a_socket_needs_no_host(tmp_path: Path):
    url = "postgresql://u@/db?host=/run/postgresql"
    assert str(configured(tmp_path, f"state: {url}").state) == url


@pytest.mark.parametrize(
    "state",
    [
        "state: postgresql://u:p%40ss-word@h/db",
        "state: postgresql://u:${DB_PASSWORD}@h/db",
        "{state: postgresql://u@h/db, state_password: p@ss-word}",
        "{state: postgresql://u@h/db, state_password: '${PLAIN}'}",
        "{state: postgresql://u@h/db, state_password: {file: password}}",
    ],
)
def test_a_password_is_never_shown(tmp_path: Path, state: str):
    (tmp_path / "password").write_text("p@ss-word\n")
    lines = state[1:-1].replace(", ", "\n") if state.startswith("{") else state
    config = configured(tmp_path, lines, DB_PASSWORD="p%40ss-word", PLAIN="p@ss-word")
    assert config.state == PostgresqlStore("postgresql://u@h/db", "p@ss-word")
    shown = f"{config} {config!r} {config.state!r} {config.model_dump_json()} {config.digest()}"
    assert "ss-word" not in shown
    assert "p@ss-word" in {secret.get_secret_value() for secret in config.secrets()}


@pytest.mark.parametrize(("password", "is_written"), [("secret", True), ("${P}", False)])
def test_a_password_in_the_file_counts_as_a_secret_there(
    tmp_path: Path, password: str, *, is_written: bool
):
    path = tmp_path / "bridge.yaml"
    elsewhere = re.sub(r"(password|secret|token): \w+", r"\1: '${P}'", REST)
    path.write_text(f"state: postgresql://u:{password}@h/db\n{elsewhere}")
    assert read(path, {"P": "x"})[1].in_the_file is is_written


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret@h/db",
        "postgresql://u:secret@h",
        "postgresql://u:secret@h/",
        "postgresql://u:sec/secret@h/db",
        "postgresql://u:sec@secret@h/db",
        "postgresql://u:sec?secret@h/db",
        "postgresql://u:sec#secret@h/db",
        "postgresql://u:sec%secret@h/db",
        "postgresql://u:sec secret@h/db",
        "postgresql://u:sec:secret@h/db",
        "postgresql://u@h/db#secret",
        "postgresql://u@h/db?password=secret",
        "postgresql://u@h/db?p%61ssword=secret",
        "postgresql://u@h/db?sslmode=require&sslpassword=secret",
    ],
)
def test_a_url_that_is_not_clear_is_refused_without_showing_it(tmp_path: Path, url: str):
    problem = refused(tmp_path, f"state: '{url}'")
    assert problem.startswith("state: ")
    assert "state_password" in problem
    assert "secret" not in problem.replace("a secret among", "")


def test_one_password_is_enough(tmp_path: Path):
    problem = refused(tmp_path, "state: postgresql://u:a@h/db\nstate_password: b")
    assert problem == "state: has a password already: `state_password` is another one"


def test_a_file_has_no_password(tmp_path: Path):
    assert "needs no `state_password`" in refused(tmp_path, "state_password: b")


def test_the_digest_differs_with_the_store(tmp_path: Path):
    digests = {
        configured(tmp_path, state).digest()
        for state in ("", "state: postgresql://u@h/db", "state: postgresql://u:p@h/db")
    }
    assert len(digests) == 3


def test_a_parsed_url_can_be_parsed_again():
    assert postgresql_store(str(postgresql_store("postgres://u:p@h/db"))).url == (
        "postgresql://u@h/db"
    )
