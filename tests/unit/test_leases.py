"""Leases of sellers, in a real PostgreSQL, with clocks that the tests set."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from clocks import NOON
from postgresql_server import Server, break_connections
from structlog.testing import capture_logs

from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import AccountError, Locked, StorageError
from amazon_bridge.engine.leases.keeper import LeaseKeeper, Member
from amazon_bridge.engine.leases.rows import Taken
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.postgresql.connection import StoreConnection
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.engine.throttle import Levels, Limit, Throttle

pytestmark = pytest.mark.postgresql

SELLERS = ("A1", "A2", "A3", "A4")


class Time:
    """The database's clock, and the seconds of all machines."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self, _: object = None) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return self.now.timestamp()


class Daemon:
    """A daemon as far as its leases go."""

    def __init__(self, name: str, store: PostgresqlStore, time: Time) -> None:
        self.sellers: tuple[str, ...] = SELLERS
        self.levels: dict[str, Levels] = {}
        self.taken: list[Taken] = []
        self.keeper = LeaseKeeper(
            store,
            member=lambda: Member({seller: ["one"] for seller in self.sellers}, "digest"),
            levels=lambda seller: self.levels.get(seller, {}),
            on_taken=self.taken.append,
            daemon=name,
            clock=time,
            monotonic=time.monotonic,
        )

    def renew(self) -> set[str]:
        self.keeper.renew()
        return self.keeper.sellers()


@pytest.fixture
def store(postgresql_server: Server) -> Iterator[PostgresqlStore]:
    with postgresql_server.common_store() as empty:
        yield empty


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def daemons(store: PostgresqlStore, time: Time) -> Iterator[tuple[Daemon, Daemon]]:
    both = Daemon("a", store, time), Daemon("b", store, time)
    yield both
    for each in both:
        each.keeper._disconnect()


@pytest.fixture
def opened(store: PostgresqlStore, time: Time) -> Iterator[Ledger]:
    with Ledger(store, time) as one:
        yield one


def test_a_daemon_alone_works_for_all(daemons: tuple[Daemon, Daemon]):
    one, _ = daemons
    assert one.keeper.sellers() == set()
    with pytest.raises(AccountError), one.keeper.working("A1"):
        pass
    assert one.renew() == set(SELLERS)
    with one.keeper.working("A1"):
        pass
    assert one.renew() == set(SELLERS), "nothing changed"


def test_two_daemons_share_the_sellers(daemons: tuple[Daemon, Daemon]):
    one, other = daemons
    one.renew()
    assert other.renew() == set(), "all leases are held"
    assert len(one.renew()) == 2, "it gives back what the other should have"
    assert other.renew() == set(SELLERS) - one.keeper.sellers()
    assert other.taken[0].former is None


def test_a_lease_under_which_work_is_done_is_kept_until_it_ends(daemons: tuple[Daemon, Daemon]):
    """Until then its other jobs run, too."""
    one, other = daemons
    one.renew()
    other.renew()
    with ExitStack() as work:
        for seller in SELLERS:
            work.enter_context(one.keeper.working(seller))
        assert one.renew() == set(SELLERS)
        with one.keeper.working("A1"):
            pass
        assert other.renew() == set()
    assert len(one.renew()) == len(other.renew()) == 2


def test_a_daemon_that_ends_gives_all_back(daemons: tuple[Daemon, Daemon], opened: Ledger):
    one, other = daemons
    one.renew()
    other.renew()
    with one.keeper.working("A1"):
        one.keeper.close()
        with pytest.raises(StorageError):
            opened.cursors.set("acme", NOON)
    assert other.renew() == set(SELLERS)


def test_leases_of_a_daemon_that_is_silent_expire(
    daemons: tuple[Daemon, Daemon], time: Time, opened: Ledger
):
    one, other = daemons
    one.renew()
    time.pass_by(24)
    assert other.renew() == set()
    with one.keeper.working("A1"):
        time.pass_by(7)
        assert other.renew() == set(SELLERS)
        assert {each.former for each in other.taken} == {"a"}
        with pytest.raises(StorageError, match="taken over the seller A1"):
            opened.cursors.set("acme", NOON)
    with pytest.raises(AccountError, match="could not be renewed"), one.keeper.working("A1"):
        pass
    with capture_logs() as logs:
        assert one.renew() == set(), "it has lost them"
    assert [each["event"] for each in logs].count("lease_lost") == len(SELLERS)
    other.renew()
    assert len(one.renew()) == 2, "it has its share again"


def test_no_call_is_made_under_a_lease_that_has_expired(daemons: tuple[Daemon, Daemon], time: Time):
    one, other = daemons
    throttle = Throttle({"getOrders": Limit(1, 10)})
    throttle.guard = one.keeper.guard
    one.renew()
    with one.keeper.working("A1"):
        time.pass_by(29)
        throttle.wait("A1", "getOrders")
        throttle.wait("A2", "getOrders")
        time.pass_by(1)
        with pytest.raises(AccountError, match="the seller A1 has expired"):
            throttle.wait("A1", "getOrders")
        one.renew()
        throttle.wait("A1", "getOrders")
        other.renew()
        time.pass_by(24)
        other.renew()
        time.pass_by(7)
        other.renew()
        one.renew()
        with pytest.raises(AccountError, match="the seller A1 has expired"):
            throttle.wait("A1", "getOrders")
    throttle.wait("A1", "getOrders")  # by a command, which needs no lease


def test_who_comes_back_first_after_an_outage_leaves_the_others_theirs(
    daemons: tuple[Daemon, Daemon], time: Time
):
    one, other = daemons
    one.renew()
    other.renew()
    one.renew()
    other.renew()
    time.pass_by(300)
    before = one.keeper.sellers(), other.keeper.sellers()
    assert (one.renew(), other.renew()) == before
    time.pass_by(300)
    one.renew()
    time.pass_by(10)
    assert one.renew() == set(SELLERS), "the other one did not come back"


REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;
CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON leases
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def test_a_renewal_whose_commit_fails_leaves_no_seller_without_a_lease(
    daemons: tuple[Daemon, Daemon], store: PostgresqlStore
):
    one, _ = daemons
    one.keeper.connect()
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(REFUSE)
        with pytest.raises(StorageError, match="no space left"):
            one.renew()
        assert "no space left" in str(one.keeper.problem())
        connection.execute("DROP FUNCTION refuse CASCADE")
    assert one.renew() == set(SELLERS)
    assert one.keeper.problem() is None


def test_leases_that_were_taken_unnoticed_are_taken_again(daemons: tuple[Daemon, Daemon]):
    """As when the response to the commit was lost."""
    one, _ = daemons
    one.renew()
    one.keeper._held.clear()
    assert one.renew() == set(SELLERS)


def test_work_of_an_earlier_lease_writes_nothing_under_a_later_one(
    daemons: tuple[Daemon, Daemon], time: Time, opened: Ledger
):
    """Another daemon may have worked for the seller in between."""
    one, other = daemons
    one.renew()
    other.renew()
    with one.keeper.working("A1"):
        time.pass_by(24)
        other.renew()
        time.pass_by(7)
        other.renew()
        other.keeper.close()
        one.renew()
        assert one.renew() == set(SELLERS)
        with pytest.raises(StorageError):
            opened.cursors.set("acme", NOON)
    with one.keeper.working("A1"):
        opened.cursors.set("acme", NOON)


def test_an_expired_lease_that_nobody_took_is_still_held(
    daemons: tuple[Daemon, Daemon], time: Time
):
    """As when the database was away for all daemons."""
    one, _ = daemons
    one.renew()
    time.pass_by(3600)
    with pytest.raises(AccountError, match="could not be renewed"), one.keeper.working("A1"):
        pass
    with capture_logs() as logs:
        assert one.renew() == set(SELLERS)
    assert logs == []


def test_no_work_begins_shortly_before_a_lease_expires(daemons: tuple[Daemon, Daemon], time: Time):
    one, _ = daemons
    one.renew()
    time.pass_by(26)
    with pytest.raises(AccountError, match="could not be renewed"):
        one.keeper._begin("A1")


def test_a_daemon_takes_only_sellers_of_its_configuration(daemons: tuple[Daemon, Daemon]):
    one, other = daemons
    one.sellers, other.sellers = ("A1",), ("A1", "A2")
    one.renew()
    assert other.renew() == {"A2"}
    one.sellers = ("A3",)
    assert one.renew() == {"A3"}
    assert other.renew() == {"A1", "A2"}


def test_token_buckets_are_handed_over(daemons: tuple[Daemon, Daemon], time: Time):
    one, other = daemons
    one.renew()
    one.levels["A1"] = {"getOrders": (120.0, 0.0167)}
    one.renew()
    time.pass_by(20)
    other.renew()
    time.pass_by(20)
    other.renew()
    taken = {each.lease.seller: each for each in other.taken}
    assert (taken["A1"].levels, taken["A1"].age) == ({"getOrders": [120.0, 0.0167]}, 40)
    assert taken["A2"].levels == {}


def test_levels_are_noted_when_a_token_was_taken(daemons: tuple[Daemon, Daemon], time: Time):
    one, _ = daemons
    one.renew()
    one.levels["A1"] = {"getOrders": (120.0, 0.0167)}
    assert one.keeper._changed_levels() == one.levels
    one.renew()
    time.pass_by(10)
    one.levels["A1"] = {"getOrders": (110.0, 0.0167)}
    assert one.keeper._changed_levels() == {}
    time.pass_by(10)
    one.levels["A1"] = {"getOrders": (160.0, 0.0167)}
    assert one.keeper._changed_levels() == one.levels
    one.renew()
    time.pass_by(200)
    one.levels["A1"] = {}
    assert one.keeper._changed_levels() == {}, "the bucket is full again"


def test_a_lost_connection_is_made_again(daemons: tuple[Daemon, Daemon], store: PostgresqlStore):
    one, _ = daemons
    one.renew()
    break_connections(store)
    with pytest.raises(StorageError, match="out of reach"):
        one.renew()
    assert one.renew() == set(SELLERS)


def test_two_daemons_take_a_lease_once(daemons: tuple[Daemon, Daemon]):
    one, other = daemons
    for each in daemons:
        each.keeper.connect()
    threads = [threading.Thread(target=each.renew) for each in daemons]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.renew()
    other.renew()
    assert one.keeper.sellers().isdisjoint(other.keeper.sellers())
    assert one.renew() | other.renew() == set(SELLERS)


def test_a_daemon_wakes_another_one(daemons: tuple[Daemon, Daemon], opened: Ledger):
    one, other = daemons
    one.renew()
    assert not one.keeper.wait(0.05), "its own notification is none"
    other.renew()
    assert one.keeper.wait(5), "another one joined"
    one.renew()
    assert other.keeper.wait(5), "leases were given back"
    opened.sync_requests.add("acme", "orders")
    assert one.keeper.wait(5)


def test_a_daemon_keeps_what_needs_the_store_alone_away(
    daemons: tuple[Daemon, Daemon], store: PostgresqlStore
):
    one, other = daemons
    one.renew()
    with pytest.raises(Locked):
        lock.held(store, "the", "daemon").__enter__()
    one.keeper.close()
    with lock.held(store, "the", "daemon"), pytest.raises(Locked, match="without a daemon"):
        other.renew()


def test_connections_of_a_daemon_whose_leases_expired_are_broken(
    daemons: tuple[Daemon, Daemon],
    time: Time,
    store: PostgresqlStore,
    monkeypatch: pytest.MonkeyPatch,
):
    """Its locks end with them, also while its process is frozen."""
    one, other = daemons
    monkeypatch.setattr("amazon_bridge.engine.postgresql.process._this.id", "a")
    one.renew()
    with closing(StoreConnection(store)) as of_a_run:
        monkeypatch.setattr("amazon_bridge.engine.postgresql.process._this.id", "b")
        assert of_a_run.try_lock("acme.orders")
        other.renew()
        time.pass_by(24)
        other.renew()
        time.pass_by(7)
        other.renew()
        with lock.held(store, "acme", "orders", wait=5):
            pass
        with pytest.raises(psycopg.OperationalError):
            of_a_run.driver.execute("SELECT 1")


def test_who_holds_what_is_known(daemons: tuple[Daemon, Daemon], opened: Ledger, time: Time):
    one, other = daemons
    assert opened.holdings.all() == {}
    time.now = datetime.now(UTC)  # what is alive is judged by the server's clock
    one.renew()
    other.renew()
    one.renew()
    other.renew()
    holdings = opened.holdings.all()
    held = {seller: each.daemon for seller, each in holdings.items() if each}
    assert held == {s: "a" if one.keeper.hold(s) else "b" for s in SELLERS}
    assert [each.seen for each in opened.holdings.daemons()] == [time.now, time.now]
    other.keeper.close()
    assert sorted(map(bool, opened.holdings.all().values())) == [False, False, True, True]
