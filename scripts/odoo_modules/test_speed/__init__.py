"""Saves CPU time on the tests' server, which loads this module with ``server_wide_modules``.

Passwords are hashed in one round instead of 600,000, which take half a second: Odoo verifies the
password of an RPC login again whenever its caches are cleared.

Databases are listed once in a second rather than for every RPC request, and connections are not
reset between requests (``connections``).

Registries of dropped databases are kept for the next ones (``registries``), and what was loaded is
not looked at by the garbage collector any more.

Never for production: it can only be imported by the server that ``odoo_server/local.py`` starts.
"""

import gc
import os
import time
from functools import lru_cache
from importlib import import_module

from passlib.context import CryptContext

from . import connections, registries

if not os.environ.get("AMAZON_BRIDGE_TEST_SERVER"):
    raise ImportError("test_speed weakens passwords: it is only for the tests' own server")

import_module("odoo.addons.base.models.res_users").MIN_ROUNDS = 1
import_module("odoo.tools.config").crypt_context = CryptContext(
    ["pbkdf2_sha512", "plaintext"], deprecated=["plaintext"], pbkdf2_sha512__rounds=1
)

_http = import_module("odoo.http")
_db_list = _http.db_list


@lru_cache(maxsize=1)
def _listed(_second: int) -> list[str]:
    return list(_db_list(force=True))


def _list(*_: object, **__: object) -> list[str]:
    """Used to find the database of a web session."""
    return _listed(int(time.monotonic()))


_http.db_list = _list

connections.keep()
registries.keep()
gc.set_threshold(50_000, 20, 50)
