"""Sync requests that daemons find in the state store that they share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from configured import write_configuration
from postgresql_server import Server
from test_leases import Daemon, Time

from amazon_bridge.config import AccountConfig, load
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.service import relay
from amazon_bridge.service.relay import relayed

pytestmark = pytest.mark.postgresql

SELLER = "A3EXAMPLE"


@pytest.fixture
def store(postgresql_server: Server) -> Iterator[PostgresqlStore]:
    with postgresql_server.common_store() as empty:
        yield empty


@pytest.fixture
def opened(store: PostgresqlStore) -> Iterator[Ledger]:
    with Ledger(store, lambda: datetime.now(UTC)) as one:
        yield one


@pytest.fixture
def daemons(store: PostgresqlStore) -> Iterator[list[Daemon]]:
    """The first one works for the seller."""
    time = Time()
    time.now = datetime.now(UTC)  # what is alive is judged by the server's clock
    found = [Daemon(name, store, time) for name in ("aaaa", "bbbb")]
    for each in found:
        each.sellers = (SELLER,)
        each.renew()
    yield found
    for each in found:
        each.keeper._disconnect()


@pytest.fixture
def account(tmp_path: Path) -> AccountConfig:
    return load(write_configuration(tmp_path), {}).accounts[0]


def test_the_daemon_that_accepts_a_request_writes_its_result(opened: Ledger):
    requests = opened.sync_requests
    request = requests.add("acme-eu", "orders")
    assert requests.accept(["other"], "aaaa") == []
    assert [each.request for each in requests.accept(["acme-eu"], "aaaa")] == [request]
    assert requests.accept(["acme-eu"], "bbbb") == [], "it is taken"
    requests.finish(request, "bbbb", Counts(error="late"))
    requests.offer_again(request, "bbbb")
    assert requests.progress(request) == ("aaaa", None), "another daemon changes nothing"
    requests.finish(request, "aaaa", Counts(created=3))
    assert requests.progress(request) == ("aaaa", Counts(created=3))
    requests.remove(request)
    assert requests.progress(request) is None


def test_whoever_waits_gets_the_result(
    opened: Ledger, daemons: list[Daemon], account: AccountConfig
):
    def work(_: float) -> None:
        for each in opened.sync_requests.accept(["acme-eu"], "aaaa"):
            opened.sync_requests.finish(each.request, "aaaa", Counts(created=1))

    assert relayed(opened, account, "orders", work).created == 1


def test_a_request_of_a_daemon_that_ended_is_offered_to_the_next_one(
    opened: Ledger, daemons: list[Daemon], account: AccountConfig
):
    one, other = daemons

    def work(_: float) -> None:
        if one.keeper.sellers() and opened.sync_requests.accept(["acme-eu"], "aaaa"):
            one.keeper.close()
            other.renew()
        elif found := opened.sync_requests.accept(["acme-eu"], "bbbb"):
            opened.sync_requests.finish(found[0].request, "bbbb", Counts(created=2))

    assert relayed(opened, account, "orders", work).created == 2


@pytest.mark.parametrize("is_held", [True, False])
def test_a_request_that_no_daemon_accepts_is_given_up(
    opened: Ledger,
    daemons: list[Daemon],
    account: AccountConfig,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_held: bool,
):
    """As one for an account that the daemon of its seller does not have."""
    monkeypatch.setattr(relay, "_PATIENCE", 0.0)
    if not is_held:
        for each in daemons:
            each.keeper.close()
    message = "does not accept a sync of acme-eu" if is_held else "No daemon works for"
    with pytest.raises(AccountError, match=message):
        relayed(opened, account, "orders", lambda _: None)


def test_a_request_that_was_deleted_is_given_up(
    opened: Ledger, daemons: list[Daemon], account: AccountConfig
):
    def delete(_: float) -> None:
        for each in opened.sync_requests.accept(["acme-eu"], "aaaa"):
            opened.sync_requests.remove(each.request)

    with pytest.raises(AccountError, match="Sync again"):
        relayed(opened, account, "orders", delete)
