"""Databases through Odoo's own service /xmlrpc/2/db, so that any server will do.

One template with the modules of a company that sells and ships is built once; every database is a
copy of it, made in about a second, Odoo's registry of it included.
"""

import hashlib
import os
import re
import xmlrpc.client
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from odoo_server.common import NEWEST, ProvisioningError, locked, say
from odoo_server.dialects import Dialect
from odoo_server.versions import chosen

VERSION, MODULES = chosen().number, chosen().modules
CARRIERS = MODULES[-1]
"""The module for carriers and tracking references."""
TRANSPORT = os.environ.get("ODOO_TEST_TRANSPORT", "xmlrpc")
"""How the bridge calls Odoo in the tests: ``odoo.protocol`` of their configurations."""

TEMPLATES = "amazon_bridge_template_"
TEMPLATE_VERSION = 3  # to be raised when the template is built in another way
_BUILT_OF = f"{VERSION} {MODULES} {TEMPLATE_VERSION}"  # servers of two versions may share a cluster
TEMPLATE = TEMPLATES + hashlib.sha256(_BUILT_OF.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class OdooDatabase:
    """A database and one of its logins, with a plain client that knows nothing of the bridge."""

    url: str
    database: str
    login: str = "admin"
    password: str = "admin"

    def rpc(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Calls a method, in Odoo 19's words, as this login.

        None where Odoo's response can't be sent over XML-RPC.
        """
        if int(NEWEST) > VERSION:
            return Dialect(VERSION, self._execute).rpc(model, method, list(args), kwargs)
        return self._execute(model, method, args, kwargs)

    def _execute(self, model: str, method: str, args: Sequence[Any], kwargs: Any) -> Any:
        credentials = (self.database, self._uid, self.password)
        try:
            return self._service("object").execute_kw(*credentials, model, method, args, kwargs)
        except xmlrpc.client.Fault as fault:
            if "cannot marshal" in fault.faultString:  # done, and only the response is lost
                return None
            raise

    def install(self, *modules: str) -> None:
        """Installs further modules, with those that they depend on.

        Raises:
            ProvisioningError: the server lacks one, or it can't be installed.
        """
        self.rpc("ir.module.module", "update_list")
        _install_modules(self, modules)

    def make_user(self, login: str, groups: Iterable[str]) -> Self:
        """Makes a user in exactly these groups (named by external id), and signs in as them."""
        user = {"name": login, "login": login, "password": login, "email": f"{login}@example.com"}
        memberships = [(6, 0, [self.reference(group) for group in groups])]
        self.rpc("res.users", "create", {**user, "group_ids": memberships})
        return replace(self, login=login, password=login)

    def access(self, protocol: str = TRANSPORT) -> dict[str, str]:
        """The bridge's settings to sign in as this login."""
        password = self.api_key if protocol == "json2" else self.password
        where = {"url": self.url, "database": self.database, "protocol": protocol}
        return {**where, "login": self.login, "password": password}

    @cached_property
    def api_key(self) -> str:
        """An API key of this login. The form where people get one needs a browser's session."""
        expires = ", None" if VERSION >= 18 else ""  # noqa: PLR2004
        code = (
            f"user = env['res.users'].search([('login', '=', {self.login!r})])\n"
            "keys = env['res.users.apikeys'].with_user(user).sudo()\n"
            f"action = {{'key': keys._generate('rpc', 'tests'{expires})}}"
        )
        administrator = replace(self, login="admin", password="admin")
        model = administrator.reference("base.model_res_users")
        values = {"name": "key", "model_id": model, "state": "code", "code": code}
        action = administrator.rpc("ir.actions.server", "create", values)
        key = administrator.rpc("ir.actions.server", "run", [action])["key"]
        administrator.rpc("ir.actions.server", "unlink", [action])
        return str(key)

    def reference(self, external_id: str) -> int:
        """The database id of a record that has this external id (`module.name`)."""
        module, name = external_id.split(".")
        found = self.rpc("ir.model.data", "check_object_reference", module, name)
        return int(found[1])

    @cached_property
    def _uid(self) -> int:
        user = (self.database, self.login, self.password)
        if uid := self._service("common").authenticate(*user, {}):
            return int(uid)
        raise ProvisioningError(f"{self.login} can't sign in to {self.database} at {self.url}")

    def _service(self, name: str) -> Any:
        return xmlrpc.client.ServerProxy(f"{self.url}/xmlrpc/2/{name}", allow_none=True)


@dataclass(frozen=True)
class OdooServer:
    """A running Odoo, with the master password of its database manager."""

    url: str
    master_password: str = "admin"

    def responds(self) -> bool:
        """Whether it is up."""
        try:
            self._service.server_version()
        except (OSError, xmlrpc.client.ProtocolError):
            return False
        return True

    def databases(self) -> list[str]:
        """The names of its databases, our templates left out."""
        return [name for name in self._service.list() if not name.startswith(TEMPLATES)]

    def create(self, name: str) -> OdooDatabase:
        """Makes a database for login admin with password admin.

        Raises:
            ProvisioningError: the server refuses, for one because there is such a database.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
            raise ProvisioningError(f"not a name for a database: {name}")
        with locked("template"):
            if not self._service.db_exist(TEMPLATE):
                self._build_template()
            self._manage("duplicate_database", TEMPLATE, name)
        return OdooDatabase(self.url, name)

    def drop(self, name: str) -> None:
        """Drops a database; none of that name is fine too."""
        if self._service.db_exist(name):
            self._manage("drop", name)

    @property
    def _service(self) -> Any:
        return xmlrpc.client.ServerProxy(f"{self.url}/xmlrpc/2/db")

    def _manage(self, method: str, *args: Any) -> None:
        try:
            getattr(self._service, method)(self.master_password, *args)
        except xmlrpc.client.Fault as fault:
            reason = fault.faultString.strip().splitlines()[-1]
            raise ProvisioningError(f"{self.url}: {method} {args}: {reason}") from fault

    def _build_template(self) -> None:
        say("building the template database (about a minute, once)")
        unfinished = OdooDatabase(self.url, f"{TEMPLATE}_new")
        self.drop(unfinished.database)
        demo_data = False
        credentials = (unfinished.password, unfinished.login)
        self._manage("create_database", unfinished.database, demo_data, "en_US", *credentials)
        _install_modules(unfinished, MODULES)
        # Odoo would choose a national chart of accounts if the country came before the modules
        usa = unfinished.reference("base.us")
        unfinished.rpc("res.company", "write", [1], {"country_id": usa})
        # no rename: Odoo 14 looks for its only database under the old name before it responds
        self._manage("duplicate_database", unfinished.database, TEMPLATE)
        self.drop(unfinished.database)


def _install_modules(database: OdooDatabase, modules: Collection[str]) -> None:
    module_ids = database.rpc("ir.module.module", "search", [("name", "in", list(modules))])
    if len(module_ids) < len(modules):
        raise ProvisioningError(f"this Odoo lacks some of the modules {', '.join(modules)}")
    try:
        database.rpc("ir.module.module", "button_immediate_install", module_ids)
    except xmlrpc.client.Fault as fault:
        reason = fault.faultString.strip().splitlines()[-1]
        raise ProvisioningError(f"the modules can't be installed: {reason}") from fault
