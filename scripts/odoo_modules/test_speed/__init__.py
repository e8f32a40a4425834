"""Saves CPU time on the tests' server, which loads this module with ``server_wide_modules``.

Passwords are hashed in one round instead of 600,000, which take half a second: Odoo verifies the
password of an RPC login again whenever its caches are cleared.

Connections to the database ``postgres`` are kept like those to other databases: Odoo lists its
databases for every RPC request, and would open a connection for it each time.

Never for production: it can only be imported by the server that ``odoo_server/local.py`` starts.
"""

import os
from importlib import import_module
from typing import Any

from odoo.sql_db import ConnectionPool
from passlib.context import CryptContext

if not os.environ.get("AMAZON_BRIDGE_TEST_SERVER"):
    raise ImportError("test_speed weakens passwords: it is only for the tests' own server")

import_module("odoo.addons.base.models.res_users").MIN_ROUNDS = 1
import_module("odoo.tools.config").crypt_context = CryptContext(
    ["pbkdf2_sha512", "plaintext"], deprecated=["plaintext"], pbkdf2_sha512__rounds=1
)

_give_back = ConnectionPool.give_back


def _keep(pool: ConnectionPool, connection: Any, keep_in_pool: bool = True) -> None:  # noqa: FBT001, FBT002
    _give_back(pool, connection, keep_in_pool or connection.info.dbname == "postgres")


ConnectionPool.give_back = _keep
