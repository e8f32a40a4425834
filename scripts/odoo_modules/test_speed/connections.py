"""Leaves out round trips to PostgreSQL that a request of a server without rivals doesn't need.

Odoo resets a connection for each transaction (``DISCARD ALL``, after which PostgreSQL plans all
queries again), and reads for each request whether another server has changed the registry.
"""

from pathlib import Path
from select import select
from typing import Any

from odoo.modules.registry import Registry
from odoo.sql_db import ConnectionPool, PsycoConnection
from odoo.tools import config
from psycopg2.extensions import STATUS_READY

_give_back, _check = ConnectionPool.give_back, Registry.check_signaling


def give_back(pool: ConnectionPool, connection: Any, keep_in_pool: bool = True) -> None:  # noqa: FBT001, FBT002
    """Keep the connections that list, make and drop databases, too."""
    _give_back(pool, connection, keep_in_pool or connection.info.dbname == "postgres")


def reset(connection: PsycoConnection) -> None:
    """Undo what the last user of a connection has set; close it if PostgreSQL did."""
    ended = select([connection], [], [], 0)[0]
    if connection.status == STATUS_READY and not ended:
        connection.autocommit = False  # each cursor sets the others
    else:
        super(PsycoConnection, connection).reset()


def check_signaling(registry: Registry, cr: Any = None) -> Registry:
    """Look for changes only while another process works with the same databases, and after it."""
    name, is_shared = registry.db_name, bool(config["workers"]) or _SECOND.exists()
    if not is_shared and name not in _shared:
        return registry
    (_shared.add if is_shared else _shared.discard)(name)
    return _check(registry, cr)


_shared: set[str] = set()
"""Databases with which another process has worked."""
_SECOND = Path(config["data_dir"]) / "second_server"  # see tests/system/proof/second_odoo.py


def keep() -> None:
    """Put these functions in place of Odoo's."""
    ConnectionPool.give_back = give_back
    PsycoConnection.reset = reset
    Registry.check_signaling = check_signaling
