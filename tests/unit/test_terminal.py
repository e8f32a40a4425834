"""Texts from outside on the terminal: as they are, in one line, and never markup."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.table import Table

from amazon_bridge import cli
from amazon_bridge.cli import main
from amazon_bridge.config import load
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.records import Seen
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.tables import add_row, console
from amazon_bridge.terminal import plain

NOW = datetime(2026, 11, 23, 14, 37, tzinfo=UTC)
CONFIG = """
state: bridge.db
http: null
odoo: {url: "http://127.0.0.1:9", database: prod, login: bridge, password: open-sesame, timeout: 1}
accounts:
- name: acme-eu
  seller_id: A1
  marketplaces: [FR]
  credentials: {client_id: amzn-client, client_secret: sesame, refresh_token: tokens}
"""
HOSTILE = ["[/web]", "[bold red]red[/]", "[link=http://x]y[/link]", ":smile:", "[", "\\[/x]"]
CONTROL = "a\x1b[2J\x1b]0;title\x07b\r\nacme-eu: all is well \u202eevil\udcff"


@pytest.fixture(params=[*HOSTILE, CONTROL], ids=repr)
def hostile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def config(tmp_path: Path, hostile: str) -> Path:
    """An account of which every text that is shown comes from somebody else."""
    path = tmp_path / "bridge.yaml"
    path.write_text(CONFIG)
    text = hostile.replace("\udcff", "")  # no text of Amazon or Odoo arrives with half a character
    with Ledger(load(path, {}).state, lambda: NOW) as ledger:
        ledger.items.file("acme-eu", "orders", [Seen(f"1{text}", "x")])
        error = ItemError(f"kind{text}", f"reason {text}", f"remedy {text}")
        ledger.items.quarantine("acme-eu", "orders", f"1{text}", error)
        ledger.items.quarantine("acme-eu", "pickings", f"WH/{text}", error)
        ledger.skus.note_matches(
            "acme-eu", unmatched=[(f"SKU{text}", "1", f"why {text}")], matched=()
        )
        counts = Counts(error=f"refused by {text}")
        ledger.runs.record("acme-eu", "orders", started=NOW, finished=NOW, counts=counts)
    return path


@pytest.mark.parametrize("command", ["status", "quarantine list", "order show", "cursor show"])
def test_commands_show_texts_as_they_are(config: Path, hostile: str, command: str) -> None:
    text = hostile.replace("\udcff", "")
    arguments = [*command.split(), *([f"1{text}"] if command == "order show" else [])]
    result = CliRunner().invoke(main, ["--config", str(config), *arguments])
    assert result.exception is None, result.output
    assert result.exit_code == 0
    assert not {c for c in result.output if c != "\n" and c < " "}
    assert "\u202e" not in result.output
    flat = " ".join(result.output.split())
    if command != "cursor show":
        assert " ".join(plain(text).split())[:12] in flat
    if command == "status":
        assert not [line for line in result.output.splitlines() if line.startswith("acme-eu: all")]


def test_errors_show_texts_as_they_are(hostile: str) -> None:
    result = CliRunner().invoke(main, ["--config", f"no{hostile}".replace("\0", ""), "status"])
    assert result.exit_code == 2
    assert "\x1b" not in result.output


def test_tables(hostile: str) -> None:
    stream = io.StringIO()
    table = Table("a", "b")
    add_row(table, "x", hostile)
    console(stream).print(table)
    assert plain(hostile)[:12] in stream.getvalue()
    console(stream).print(hostile.replace("\udcff", ""))


def test_the_command_line_has_no_other_way_to_the_terminal() -> None:
    files = Path(cli.__file__).parent.glob("*.py")
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    direct = [line for line in lines if "click.echo(" in line or "print(" in line]
    ours = ("json.dumps(", "sample.read_text(", "console().print(")
    assert not [line for line in direct if not any(each in line for each in ours)]


def test_pending_items_are_counted_in_the_singular_and_the_plural() -> None:
    views = [job.pending for job in JOBS if job.pending]
    assert [view.counted(1) for view in views] == [
        "1 order is pending",
        "1 delivery order is pending for Amazon",
        "1 SKU is not sent to Amazon",
        "1 settlement is pending",
    ]
    assert views[0].counted(2) == "2 orders are pending"
