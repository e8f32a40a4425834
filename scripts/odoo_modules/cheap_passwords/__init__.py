"""Hashes passwords in one round; Odoo's 600,000 take half a second of CPU time.

Only for the tests' server, which loads it with ``server_wide_modules``. Odoo verifies the password
of an RPC login again whenever its caches are cleared, which took a third of its time in the tests.
"""

from importlib import import_module

from passlib.context import CryptContext

import_module("odoo.addons.base.models.res_users").MIN_ROUNDS = 1
import_module("odoo.tools.config").crypt_context = CryptContext(
    ["pbkdf2_sha512", "plaintext"], deprecated=["plaintext"], pbkdf2_sha512__rounds=1
)
