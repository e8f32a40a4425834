"""Commands and keys in the documentation are those of the program."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from amazon_bridge import config
from amazon_bridge.cli import main
from amazon_bridge.config.models import AccountConfig, Config
from amazon_bridge.engine.errors import ConfigError

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = {
    "ACCOUNT": "acme-eu",
    "CODE": "x",
    "DATE": "2026-11-01",
    "FILE": "x.yaml",
    "ID": "402-1234567-1234567",
    "INTERVAL": "30d",
    "JOB": "orders",
    "TIMESTAMP": "2026-11-01T00:00:00Z",
}


FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def without_output(text: str) -> str:
    """A document without what the program prints."""
    return re.sub(r"```text\n.*?```", "", text, flags=re.DOTALL)


def blocks(text: str) -> Iterator[str]:
    """The lines of code blocks, without prompt and comment."""
    for language, fenced in re.findall(FENCED, text):
        if language in {"", "console", "sh"}:
            yield from fenced.replace("\\\n", " ").splitlines()
    yield from re.findall(r"^ {4,}(amazon-bridge .*)$", text, re.MULTILINE)


def commands(path: Path) -> list[str]:
    """All ``amazon-bridge ...`` of a document: lines of code blocks, and code within sentences."""
    text = without_output(path.read_text(encoding="utf-8"))
    lines = [line.strip().removeprefix("$ ") for line in blocks(text)]
    within = re.findall(r"(?<!`)`(amazon-bridge [^`]+)`(?!`)", re.sub(r"\s+", " ", text))
    found = [line for line in lines if re.match(r"(?:\S+/)?amazon-bridge(?: |$)", line)] + within
    return sorted({re.sub(r"\s+#.*", "", each) for each in found})


def parse(command: str) -> None:
    """Parse a command as the program does; a name in capitals stands for a value.

    Raises:
        click.UsageError: the program would refuse it.
    """
    plain = re.split(r" [|>] ", command.replace("[", "").replace("]", ""))[0]
    words = [EXAMPLES.get(word, word) for word in shlex.split(plain)[1:]]
    is_whole = not {"...", "…"} & set(words)
    words = [word for word in words if word not in {"...", "…"}]
    context = main.make_context("amazon-bridge", words, resilient_parsing=not words)
    while isinstance(context.command, click.Group) and (
        words := context._protected_args + context.args
    ):
        name, child, rest = context.command.resolve_command(context, words)
        assert child
        is_group = isinstance(child, click.Group)
        resilient = not is_whole or (is_group and not rest)
        context = child.make_context(name, list(rest), context, resilient_parsing=resilient)


DOCUMENTED = [(path.name, command) for path in DOCUMENTS for command in commands(path)]


@pytest.mark.parametrize(
    ("name", "command"), DOCUMENTED, ids=[": ".join(each) for each in DOCUMENTED]
)
def test_every_command_in_the_documents_can_be_run(name: str, command: str) -> None:
    try:
        parse(command)
    except click.exceptions.Exit:
        pass  # --version, --help
    except click.UsageError as error:
        if not isinstance(error, click.MissingParameter):  # as in "repeat it with `cursor set`"
            pytest.fail(f"{name}: {command}: {error.format_message()}")


def test_commands_are_found() -> None:
    assert len(DOCUMENTED) > 60
    assert ("first-order.md", "amazon-bridge setup --dry-run") in DOCUMENTED


@pytest.mark.parametrize(
    "wrong", ["sync order", "sync orders --dryrun", "cursor set acme-eu", "frobnicate"]
)
def test_a_wrong_command_is_refused(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(f"amazon-bridge {wrong}")


SECRET = "https://hooks.example.com/secret"  # an address, because some secrets are
OF_OTHERS = {"scrape_configs"}
"""Keys of other programs' files."""


def yaml_blocks(text: str) -> list[dict[str, Any]]:
    fenced = [block for language, block in re.findall(FENCED, text) if language == "yaml"]
    blocks = [YAML(typ="safe").load(textwrap.dedent(block)) for block in fenced]
    return [block for block in blocks if not OF_OTHERS & block.keys()]


def keys_within(text: str) -> list[dict[str, Any]]:
    """Code within sentences such as ``odoo.protocol: json2``, as what a file would have."""
    found = []
    for dotted, value in re.findall(r"(?<!`)`([a-z_.]+): ([{\[][^`\n…]+|[^` \n…]+)`(?!`)", text):
        first, *deeper = dotted.split(".")
        if first in Config.model_fields or first in AccountConfig.model_fields:
            nested = YAML(typ="safe").load(value)
            for key in reversed(deeper):
                nested = {key: nested}
            found.append({first: nested})
    return found


def completed(part: dict[str, Any]) -> dict[str, Any]:
    """A whole configuration that has this part, of the file or of an account."""
    secrets = {"client_id": "a", "client_secret": "b", "refresh_token": "c"}
    account = {"name": "a", "seller_id": "A3", "marketplaces": ["FR"], "credentials": secrets}
    account["invoicing"] = {"payment_journal": "Amazon Payments"}
    odoo = {"url": "https://erp.example.com", "database": "a", "login": "a", "password": "b"}
    whole: dict[str, Any] = {"odoo": odoo, "accounts": [account]}
    for key, value in part.items():
        if key == "odoo":
            odoo |= value
        elif key == "accounts":
            whole[key] = [account | each for each in value]
        elif key in Config.model_fields or key == "defaults":
            whole[key] = value
        else:
            account[key] = value
    return whole


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_all_yaml_in_the_documents_is_valid(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    file = tmp_path / "bridge.yaml"
    for part in yaml_blocks(text) + keys_within(text):
        written = json.dumps(completed(part), default=str)
        plain = re.sub(r'\{"(?:file|credential)": "[^"]*"\}', f'"{SECRET}"', written)
        file.write_text(plain, encoding="utf-8")
        environment = dict.fromkeys(re.findall(r"\$\{(\w+)\}", plain), SECRET)
        try:
            config.load(file, environment)
        except ConfigError as error:
            pytest.fail(f"{path.name}: {part}: {getattr(error, 'problems', error)}")


def test_a_wrong_key_is_refused(tmp_path: Path) -> None:
    [part] = keys_within("Set `stock.pusch: true`.")
    (tmp_path / "bridge.yaml").write_text(json.dumps(completed(part)))
    with pytest.raises(ConfigError):
        config.load(tmp_path / "bridge.yaml", {})
