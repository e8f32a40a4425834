"""A state store in PostgreSQL: its database, its locks, and what happens when it goes away."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from clocks import NOON, Clock
from postgresql_server import Server, break_connections

from amazon_bridge.cli import state_actions
from amazon_bridge.engine import lock
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    Locked,
    StorageError,
    Transient,
)
from amazon_bridge.engine.ledger import Ledger, migrations, postgresql_schema
from amazon_bridge.engine.ledger.copying import copy
from amazon_bridge.engine.ledger.subjects import open_database
from amazon_bridge.engine.ledger.verification import verify
from amazon_bridge.engine.postgresql import fence, session
from amazon_bridge.engine.postgresql.connection import StoreConnection
from amazon_bridge.engine.postgresql.fence import Lease
from amazon_bridge.engine.postgresql.problems import explained
from amazon_bridge.engine.records import Seen, State
from amazon_bridge.engine.store import PostgresqlStore, Store, postgresql_store

pytestmark = pytest.mark.postgresql

VERSION = len(migrations.MIGRATIONS)


@pytest.fixture
def store(postgresql_server: Server) -> Iterator[PostgresqlStore]:
    with postgresql_server.common_store() as empty:
        yield empty


@pytest.fixture
def new_store(postgresql_server: Server) -> PostgresqlStore:
    return postgresql_server.new_store()


def execute(store: PostgresqlStore, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(store.url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


# The database


def test_what_was_written_is_there_after_reopening(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen("1", "a")])
    with Ledger(store, clock) as ledger:
        assert ledger.items.pending("acme", "orders") == ["1"]


def test_stores_in_two_schemas_share_neither_rows_nor_locks(
    store: PostgresqlStore, new_store: PostgresqlStore, clock: Clock
):
    with Ledger(store, clock) as one, Ledger(new_store, clock) as other:
        one.cursors.set("acme", NOON)
        assert other.cursors.get("acme") is None
    with lock.held(store, "acme", "orders"), lock.held(new_store, "acme", "orders"):
        pass


def test_another_search_path_leads_to_the_same_rows_and_locks(
    postgresql_server: Server, new_store: PostgresqlStore, clock: Clock
):
    """For one, when somebody creates a schema that comes first in it."""
    with Ledger(new_store, clock) as ledger:
        ledger.cursors.set("acme", NOON)
    postgresql_server.sql("CREATE SCHEMA comes_first")
    other = postgresql_store(new_store.url.replace("search_path%3D", "search_path%3Dcomes_first,"))
    with Ledger(other, clock) as ledger:
        assert ledger.cursors.get("acme") == NOON
    with lock.held(new_store, "acme", "orders"), pytest.raises(Locked):
        lock.held(other, "acme", "orders").__enter__()


def test_another_programs_tables_are_left_as_they_are(new_store: PostgresqlStore, clock: Clock):
    execute(new_store, "CREATE TABLE items (theirs text)")
    with pytest.raises(ConfigError, match=r"another program's table items\. Name another"):
        Ledger(new_store, clock)
    assert execute(new_store, "SELECT count(*) FROM items") == [(0,)]
    with pytest.raises(psycopg.errors.UndefinedTable):
        execute(new_store, "SELECT 1 FROM accounts")


def test_a_newer_store_is_refused(new_store: PostgresqlStore, clock: Clock):
    Ledger(new_store, clock).close()
    execute(new_store, f"UPDATE amazon_bridge_store SET version = {VERSION + 1}")
    for use in (lambda: Ledger(new_store, clock), lambda: verify(new_store)):
        with pytest.raises(ConfigError, match="newer version"):
            use()


def test_a_store_is_migrated_once_no_older_process_uses_it(
    new_store: PostgresqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    older = StoreConnection(new_store)
    postgresql_schema.prepare(new_store, older)
    steps = (*migrations.MIGRATIONS, ("ALTER TABLE accounts ADD COLUMN more TEXT",))
    monkeypatch.setattr(postgresql_schema, "MIGRATIONS", steps)
    monkeypatch.setattr(lock, "WAIT", 0.2)
    with pytest.raises(AccountError, match=rf"Process {os.getpid()} on .* an older version"):
        Ledger(new_store, clock)
    threading.Timer(0.2, older.close).start()
    monkeypatch.setattr(lock, "WAIT", 30)
    Ledger(new_store, clock).close()
    assert execute(new_store, "SELECT more FROM accounts") == []
    assert execute(new_store, "SELECT version FROM amazon_bridge_store") == [(VERSION + 1,)]


def test_no_older_process_opens_a_store_that_is_being_migrated(
    new_store: PostgresqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    Ledger(new_store, clock).close()
    refused = []

    def meanwhile(_: object) -> None:
        older = StoreConnection(new_store)
        older.driver.execute("SET lock_timeout = '100ms'")
        try:
            older.share(f"version {VERSION}")
        except psycopg.errors.LockNotAvailable as error:
            refused.append(error)
        older.close()

    steps = (*migrations.MIGRATIONS, (meanwhile, "ALTER TABLE accounts ADD COLUMN more TEXT"))
    monkeypatch.setattr(postgresql_schema, "MIGRATIONS", steps)
    Ledger(new_store, clock).close()
    assert len(refused) == 1
    assert execute(new_store, "SELECT version FROM amazon_bridge_store") == [(VERSION + 1,)]


def test_a_store_may_be_created_by_many_at_once(new_store: PostgresqlStore):
    barrier = threading.Barrier(4)

    def create(_: int) -> None:
        with closing(StoreConnection(new_store)) as connection:
            barrier.wait()
            postgresql_schema.prepare(new_store, connection)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(4)))
    assert verify(new_store)["items"] == 0


def test_a_store_that_lacks_something_is_damaged(new_store: PostgresqlStore, clock: Clock):
    with pytest.raises(ConfigError, match="Nothing that matters is lost"):
        verify(new_store)
    Ledger(new_store, clock).close()
    assert verify(new_store)["items"] == 0
    execute(new_store, "DROP INDEX open_items; ALTER TABLE feeds DROP COLUMN closed")
    execute(new_store, "DROP TABLE chores")
    lacking = r"it lacks the table chores, .*(the column feeds\.closed|the index open_items)"
    with pytest.raises(ConfigError, match=lacking):
        verify(new_store)
    with Ledger(new_store, clock) as ledger, pytest.raises(ConfigError, match="is damaged"):
        ledger.chores.note("retention")


def test_text_that_postgresql_does_not_have_stops_nothing(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen("1\0", "a")])
        assert ledger.items.pending("acme", "orders") == ["1\N{REPLACEMENT CHARACTER}"]


def test_numbers_may_be_large(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        ledger.stock.note_all_sent("acme", {"MUG": 2**40}, ["FR"])


# Whom the server lets in


def test_a_wrong_password_is_refused_and_not_shown(
    postgresql_server: Server, store: PostgresqlStore, clock: Clock
):
    postgresql_server.let_in_with_password("guarded", "right-one")
    guarded = postgresql_store(store.url.replace("odoo@", "guarded@"))
    with pytest.raises(AccountError, match="Set `state_password`"):
        Ledger(guarded, clock)
    with pytest.raises(AccountError, match=r"Check the role .*`state_password`") as error:
        Ledger(replace(guarded, password="wrong-one"), clock)
    assert "wrong-one" not in f"{error.value!r} {error.value}"
    postgresql_server.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    let_in = postgresql_store(postgresql_server.url("guarded:right-one"))
    with pytest.raises(ConfigError, match=r"CREATE DATABASE .* OWNER"):
        Ledger(let_in, clock)


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("postgresql://u@localhost:1/db", StorageError, "out of reach.*refused.*goes on by itself"),
        ("postgresql://u@localhost:1/db?sslmod=1", ConfigError, 'parameter: "sslmod"'),
        ("postgresql://u@localhost:1/db?connect_timeout=x", ConfigError, "Correct `state`"),
        ("postgresql://u@localhost:1/db?sslmode=x", ConfigError, "Correct `state`"),
    ],
)
def test_a_server_that_is_not_there(clock: Clock, url: str, kind: type[BridgeError], message: str):
    with pytest.raises(kind, match=message):
        Ledger(postgresql_store(url), clock)
    if kind is StorageError:
        with pytest.raises(kind, match="out of reach"):
            lock.held(postgresql_store(url), "acme", "orders").__enter__()


@pytest.mark.parametrize(
    ("database", "message"),
    [("latin", "has the encoding LATIN1"), ("missing", "can't be opened: .*does not exist")],
)
def test_a_database_that_cannot_be_used(
    postgresql_server: Server, clock: Clock, database: str, message: str
):
    if database == "latin":
        postgresql_server.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(BridgeError, match=message):
        Ledger(postgresql_store(postgresql_server.url(database=database)), clock)


def test_a_standby_is_not_written_to(postgresql_server: Server, clock: Clock):
    url = postgresql_server.url(options="&options=-cdefault_transaction_read_only%3Don")
    with pytest.raises(StorageError, match="session is read-only"):
        Ledger(postgresql_store(url), clock)


def test_without_psycopg_the_package_is_named(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match="scripts/install FOLDER postgresql"):
        Ledger(postgresql_store("postgresql://u@h/db"), clock)


def test_without_psycopg_nothing_that_needs_it_is_imported():
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from amazon_bridge.engine.errors import ConfigError\n"
        "from amazon_bridge.engine.ledger.subjects import open_database\n"
        "from amazon_bridge.engine.ledger.verification import verify\n"
        "from amazon_bridge.engine.store import postgresql_store\n"
        "for use in (verify, lambda store: open_database(store, None)):\n"
        "    try: use(postgresql_store('postgresql://u@h/db'))\n"
        "    except ConfigError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("needs the package psycopg") == 2


# Locks

HOLDER = """
import sys, time
from amazon_bridge.engine.lock import held
from amazon_bridge.engine.store import postgresql_store
with held(postgresql_store(sys.argv[1]), "acme", "orders"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(store: PostgresqlStore) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, store.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_waits_or_learns_who_holds_a_lock(
    store: PostgresqlStore, holder: subprocess.Popen[str]
):
    with pytest.raises(Locked, match=rf"orders of account acme .* {holder.pid} on ") as error:
        lock.held(store, "acme", "orders").__enter__()
    assert error.value.holder.startswith(str(holder.pid))
    with lock.held(store, "acme", "pickings"), lock.held(store, "beta", "orders"):
        pass
    threading.Timer(0.3, holder.kill).start()
    with lock.held(store, "acme", "orders", wait=30):
        assert holder.wait() < 0


def test_two_threads_of_one_process_exclude_each_other(store: PostgresqlStore):
    with lock.held(store, "acme", "orders"), pytest.raises(Locked, match=str(os.getpid())):
        lock.held(store, "acme", "orders", wait=0.15).__enter__()
    with lock.held(store, "acme", "orders"):
        pass  # free again


def test_nothing_stays_connected(store: PostgresqlStore, clock: Clock):
    with lock.held(store, "acme", "orders"), Ledger(store, clock):
        pass
    connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%:{} %'"
    assert execute(store, connected.format(os.getpid())) == [(0,)]


# The connection is lost


def test_an_idle_connection_that_was_lost_is_made_again(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen("1", "a")])
        break_connections(store)
        assert ledger.items.pending("acme", "orders") == ["1"]
        break_connections(store)
        assert ledger.items.settle("acme", "orders", "1", "a")


def test_a_transaction_that_was_lost_did_nothing(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        with (
            pytest.raises(StorageError, match="out of reach"),
            ledger._database.transaction("acme"),
        ):
            break_connections(store)
        assert verify(store)["accounts"] == 0
        ledger.cursors.set("acme", NOON)


def test_work_whose_lock_was_lost_writes_nothing_more(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen("1", "a")])
        with lock.held(store, "acme", "orders"), lock.held(store, "acme", "pickings"):
            break_connections(store)
            for _ in range(2):
                with pytest.raises(StorageError, match="the locks of what was running"):
                    ledger.items.settle("acme", "orders", "1", "a")
            assert ledger.items.tally("acme") == {State.PENDING: 1}, "reading goes on"
        assert ledger.items.settle("acme", "orders", "1", "a")


def test_a_lost_lock_is_free_for_others(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger, lock.held(store, "acme", "orders"):
        break_connections(store)
        with closing(StoreConnection(store)) as other:
            assert other.try_lock("acme.orders")
            with pytest.raises(StorageError):
                ledger.cursors.set("acme", NOON)


def test_what_is_written_under_a_lease_needs_the_lease(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        execute(store, "INSERT INTO leases (seller, number) VALUES ('A''1', 7)")
        with fence.under(Lease("A'1", 7)):
            ledger.cursors.set("acme", NOON)
        execute(store, "UPDATE leases SET number = 8")
        with fence.under(Lease("A'1", 7)):
            with pytest.raises(StorageError, match="taken over the seller A'1"):
                ledger.items.file("acme", "orders", [Seen("1", "a")])
            assert ledger.cursors.get("acme") == NOON, "reading goes on"
        ledger.items.file("acme", "orders", [Seen("1", "a")])


def test_a_lease_is_not_taken_while_something_is_written_under_it(
    store: PostgresqlStore, clock: Clock
):
    free = "SELECT seller FROM leases FOR UPDATE SKIP LOCKED"
    with Ledger(store, clock) as ledger:
        execute(store, "INSERT INTO leases (seller, number) VALUES ('A1', 7)")
        with fence.under(Lease("A1", 7)), ledger._database.transaction("acme"):
            assert execute(store, free) == []
            execute(store, "UPDATE leases SET expires = NULL")  # it can be renewed
        assert execute(store, free) == [("A1",)]


def test_a_frozen_process_does_not_keep_others_from_writing(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger, closing(StoreConnection(store)) as frozen:
        frozen.driver.execute("SET idle_in_transaction_session_timeout = '100ms'")
        frozen.begin()
        ledger.cursors.set("acme", NOON)
        with pytest.raises(StorageError, match="out of reach"), explained(store):
            frozen.driver.execute("COMMIT")


def test_a_full_disk_and_a_long_wait_are_explained(store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        connection = session.shared(store)._live()
        connection.driver.execute("SET lock_timeout = '20ms'")
        with ExitStack() as stack:
            other = stack.enter_context(psycopg.connect(store.url))
            other.execute("SELECT" + connection._alone.removeprefix("; SELECT"))
            with pytest.raises(Transient, match="kept busy by another process"):
                ledger.cursors.set("acme", NOON)
        ledger.cursors.set("acme", NOON)
        with (
            pytest.raises(StorageError, match="Make room on the server"),
            ledger._database.transaction() as db,
        ):
            db._connection.exec_driver_sql(
                "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
            )


# Copies


@pytest.fixture
def full(tmp_path: Path, clock: Clock) -> Path:
    """A store with rows in most tables."""
    path = tmp_path / "full.db"
    with Ledger(path, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen(f"é{n:04}", "a") for n in range(1200)])
        ledger.items.settle("acme", "orders", "é0001", "a")
        ledger.cursors.set("acme", NOON)
        ledger.feeds.close(ledger.feeds.begin("acme", ["é0001"]))
        ledger.stock_catalogue.begin_feed("acme", "FR", ["MUG"], ["FR"])
        ledger.chores.note("retention")
    return path


OF_DAEMONS = ("daemons", "leases", "sync_requests")
"""Not copied."""


def copied(source: Store, target: Store, clock: Clock) -> dict[str, int]:
    databases = [open_database(store, clock) for store in (source, target)]
    try:
        return copy(*databases)
    finally:
        for database in databases:
            database.close()


def test_a_copy_there_and_back_is_the_same(
    full: Path, store: PostgresqlStore, tmp_path: Path, clock: Clock
):
    there = copied(full, store, clock)
    assert verify(full) == verify(store) == there | dict.fromkeys(OF_DAEMONS, 0)
    assert there["items"] == 1200
    assert copied(store, tmp_path / "back.db", clock) == there
    with Ledger(store, clock) as ledger:
        assert ledger.feeds.begin("acme", ["2"]) == 2, "numbers go on after the copied ones"
        ledger.back_up(tmp_path / "scratch.db")
    assert verify(tmp_path / "scratch.db")["feeds"] == 2


def test_a_used_store_is_no_target(full: Path, store: PostgresqlStore, clock: Clock):
    with Ledger(store, clock) as ledger:
        ledger.chores.note("retention")
    with pytest.raises(ConfigError, match="is used already: it has 1 chores"):
        copied(full, store, clock)
    assert verify(store)["items"] == 0


def test_a_copy_that_differs_is_undone(full: Path, store: PostgresqlStore, clock: Clock):
    with Ledger(full, clock) as ledger:
        ledger.items.file("acme", "orders", [Seen("NUL\0", "a")])
    with pytest.raises(StorageError, match=r"A row of items differs .* nothing was copied"):
        copied(full, store, clock)
    assert verify(store)["accounts"] == 0


def test_what_is_no_store_is_no_source(new_store: PostgresqlStore, full: Path, tmp_path: Path):
    target = tmp_path / "copy.db"
    with pytest.raises(ConfigError, match="There is no state store"):
        state_actions.copied(new_store, target)
    assert not target.exists()
    assert execute(new_store, "SELECT to_regclass('accounts')") == [(None,)]
    with pytest.raises(ConfigError, match="the same state store"):
        state_actions.copied(full, full)


def test_a_copy_that_fails_leaves_no_file(new_store: PostgresqlStore, tmp_path: Path, clock: Clock):
    Ledger(new_store, clock).close()
    execute(new_store, "DROP TABLE stock_feeds")
    with pytest.raises(ConfigError, match="is damaged"):
        state_actions.copied(new_store, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
