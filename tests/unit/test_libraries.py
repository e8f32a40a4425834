"""Parts of libraries that are used and not promised to anyone: they are as they were when tried.

A failure here says: read what changed in the library, look at how it is used, try it, and write the
new digest here and the new version into pyproject.toml.
"""

import hashlib
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import odoorpc
import pytest
import waitress.server
import waitress.task
from odoorpc.rpc.jsonrpclib import ProxyJSON
from packaging.requirements import Requirement
from sp_api.auth import AccessTokenClient
from sp_api.base import Client, fill_query_params, sp_endpoint
from sp_api.base._transport_httpx import HttpxTransport
from waitress import wasyncore
from waitress.trigger import trigger

ROOT = Path(__file__).parents[2]
PRIVATE = {
    "odoorpc": [
        (odoorpc.ODOO.__init__, "its connector, whose version is set"),
        (odoorpc.ODOO.json, "overridden: what every call goes through"),
        (odoorpc.ODOO.login, "its calls, one of which is handled without Odoo"),
        (odoorpc.ODOO.execute_kw, "its arguments, with the password among them"),
        (ProxyJSON.__call__, "its opener, which is ours"),
    ],
    "python-amazon-sp-api": [
        (Client.__init__, "its transport, which is replaced"),
        (Client._request, "called with a body and without marketplaces"),
        (AccessTokenClient.__init__, "its transport, which is replaced"),
        (AccessTokenClient.data, "what is posted for a token"),
        (AccessTokenClient.headers, "what is posted for a token"),
        (HttpxTransport, "made with our HTTP client, and closed"),
        (sp_endpoint, "decorates methods of ours"),
        (fill_query_params, "fills our paths"),
    ],
    "waitress": [
        (waitress.task.ThreadedTaskDispatcher.shutdown, "ends the listener's threads"),
        (waitress.server.create_server, "its two kinds of servers"),
        (wasyncore.close_all, "breaks off connections"),
        (trigger.pull_trigger, "has the listener's loop close its sockets"),
    ],
}
"""What is relied upon, by its library, and how it is used."""

DIGESTS = {
    "ODOO.__init__": "23b7e25be392774d",
    "ODOO.json": "d05cf1275182a932",
    "ODOO.login": "bacd307cfb56b6a3",
    "ODOO.execute_kw": "623468d8fa53802e",
    "ProxyJSON.__call__": "e8ada4e36494bf68",
    "Client.__init__": "00b3907d4f19f435",
    "Client._request": "3f117667072f9adc",
    "AccessTokenClient.__init__": "722e8607ce0d543d",
    "AccessTokenClient.data": "429d652204be8af4",
    "AccessTokenClient.headers": "f044f8afe4269d33",
    "HttpxTransport": "189408d3fc38cc53",
    "sp_endpoint": "3f89cd52a10cd0ca",
    "fill_query_params": "c7ce2e0a6f526b84",
    "ThreadedTaskDispatcher.shutdown": "f2550ddbfb8d46b9",
    "create_server": "2e506b208edceac2",
    "_triggerbase.pull_trigger": "50c47b99aa2ddf23",
    "close_all": "6b588549e9916191",
}


def digest(part: Any) -> str:
    source = inspect.getsource(part.fget if isinstance(part, property) else part)
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def name_of(part: Any) -> str:
    return str((part.fget if isinstance(part, property) else part).__qualname__)


@pytest.mark.parametrize(
    ("library", "part", "use"),
    [(library, *each) for library, parts in PRIVATE.items() for each in parts],
    ids=lambda each: name_of(each) if not isinstance(each, str) else "",
)
def test_it_is_as_it_was_when_it_was_tried(library: str, part: Any, use: str) -> None:
    changed = f"{library} {version(library)} changed {name_of(part)}: {use}"
    assert digest(part) == DIGESTS[name_of(part)], changed


def test_only_the_versions_that_were_tried_are_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {each.name: each for each in map(Requirement, project["dependencies"])}
    for library in PRIVATE:
        assert wanted[library].specifier.contains(version(library))
        beyond = ".".join(str(int(part) + 1) for part in version(library).split("."))
        assert not wanted[library].specifier.contains(beyond)
