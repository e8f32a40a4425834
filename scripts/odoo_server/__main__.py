"""The command line of the provisioning."""

import argparse
import sys

from odoo_server import consent, machine
from odoo_server.common import ProvisioningError, locked, say
from odoo_server.databases import OdooServer

STOPPED, REFUSED = 3, 4

DESCRIPTION = """\
A real Odoo for the tests and the demonstration, on a free port of 127.0.0.1.

ODOO_TEST_VERSION chooses its version, 14 to 19; 19 by default. It runs in a Docker engine where
one responds, else from Debian's package (14 and 19), kept in $XDG_CACHE_HOME/amazon-bridge/odoo
(XDG_CACHE_HOME is ~/.cache by default). With ODOO_TEST_URL
in the environment, databases are made on that server instead, through its database manager
(master password: ODOO_TEST_MASTER_PASSWORD, default admin).
"""


def main() -> int:
    """Runs one command and returns its exit code."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments) or 0)
    except ProvisioningError as error:
        say(str(error))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "odoo-server",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    install = commands.add_parser("install", help="download what `start` needs")
    install.set_defaults(run=_install)
    ask = commands.add_parser("ask", help="ask before Odoo is downloaded; exit 4 if it may not")
    ask.set_defaults(run=_ask)
    start = commands.add_parser("start", help="start it if need be, and print its URL")
    start.add_argument("--workers", type=int, help="processes; 0, the default: threads in one")
    start.set_defaults(run=_start)
    stop = commands.add_parser("stop", help="stop it")
    stop.set_defaults(run=_stop)
    status = commands.add_parser("status", help="print its URL and databases; exit 3 when stopped")
    status.set_defaults(run=_status)
    url = commands.add_parser("url", help="print its URL; exit 3 when stopped")
    url.set_defaults(run=_url)
    create = commands.add_parser("createdb", help="make a database; login admin, password admin")
    create.set_defaults(run=_create_database)
    drop = commands.add_parser("dropdb", help="drop a database; none of that name is fine too")
    drop.set_defaults(run=_drop_database)
    for command in (create, drop):
        command.add_argument("name")
    destroy = commands.add_parser("destroy", help="stop it, and delete it with all databases")
    destroy.set_defaults(run=_destroy)
    return parser


def _install(_: argparse.Namespace) -> None:
    with locked("server"):
        machine.install()


def _ask(_: argparse.Namespace) -> int:
    if consent.given():
        return 0
    say("nothing was downloaded")
    return REFUSED


def _start(arguments: argparse.Namespace) -> None:
    with locked("server"):
        print(machine.start(workers=arguments.workers, kept=True).url)


def _stop(_: argparse.Namespace) -> None:
    with locked("server"):
        machine.stop()


def _destroy(_: argparse.Namespace) -> None:
    with locked("server"):
        machine.destroy()


def _status(arguments: argparse.Namespace) -> int:
    if code := _url(arguments):
        return code
    print("\n".join(_running_server().databases()))
    return 0


def _url(_: argparse.Namespace) -> int:
    server = machine.running_server()
    print(
        server.url if server else "Odoo is not running", file=sys.stdout if server else sys.stderr
    )
    return 0 if server else STOPPED


def _create_database(arguments: argparse.Namespace) -> None:
    _running_server().create(arguments.name)


def _drop_database(arguments: argparse.Namespace) -> None:
    _running_server().drop(arguments.name)


def _running_server() -> OdooServer:
    if server := machine.running_server():
        return server
    raise ProvisioningError("Odoo is not running: `scripts/odoo-server start` starts it")


if __name__ == "__main__":
    sys.exit(main())
