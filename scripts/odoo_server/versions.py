"""The Odoo versions that the tests can run on; ODOO_TEST_VERSION chooses one."""

import os
from dataclasses import dataclass
from pathlib import Path

from odoo_server.common import NEWEST, ProvisioningError

_MODULES = ("contacts", "sales_team", "account", "sale_management", "stock", "sale_stock")
_CHART = ("l10n_generic_coa",)
"""The generic chart of accounts; from 17 on it is part of ``account``."""
_DELIVERY = ("delivery", "stock_delivery")


@dataclass(frozen=True)
class Version:
    """An Odoo version, and what runs it."""

    number: int
    modules: tuple[str, ...]
    """Of the template database: a company that sells and ships."""
    suite: str = ""
    """Debian's suite with the package; empty: it runs in containers only."""
    pythons: tuple[str, ...] = ()
    """Those for which the requirements come as wheels."""
    server_wide: str = "base,web"
    events_port: str = "gevent_port"
    """The option that sets the second port."""

    @property
    def package(self) -> str:
        return f"odoo-{self.number}"

    @property
    def requirements(self) -> Path:
        return Path(__file__).with_name(f"requirements-{self.number}.txt")


VERSIONS = {
    version.number: version
    for version in (
        Version(
            14,
            (*_MODULES, *_CHART, "delivery"),
            suite="bullseye",
            pythons=("python3.9",),
            events_port="longpolling_port",
        ),
        Version(15, (*_MODULES, *_CHART, "delivery")),
        Version(16, (*_MODULES, *_CHART, "delivery")),
        Version(17, (*_MODULES, *_DELIVERY)),
        Version(18, (*_MODULES, *_DELIVERY)),
        Version(
            19,
            (*_MODULES, *_DELIVERY),
            suite="sid",
            pythons=("python3.11", "python3.12", "python3.13"),
            server_wide="base,rpc,web,test_speed",
        ),
    )
}


def chosen() -> Version:
    """The version that ODOO_TEST_VERSION names; 19 by default.

    Raises:
        ProvisioningError: There is none of this name.
    """
    name = os.environ.get("ODOO_TEST_VERSION") or NEWEST
    if not (name.isdecimal() and int(name) in VERSIONS):
        known = ", ".join(map(str, VERSIONS))
        raise ProvisioningError(f"ODOO_TEST_VERSION is {name}, and not one of {known}")
    return VERSIONS[int(name)]
