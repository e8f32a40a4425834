"""What ``init`` does: it asks, tries each answer, and writes the files."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from amazon_bridge import config_file, log
from amazon_bridge.cli.prompts import Prompts, confirmed
from amazon_bridge.cli.setup_actions import show_findings
from amazon_bridge.config.answers import read_answers
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.init import files
from amazon_bridge.init.draft import SECRETS, Draft, draft
from amazon_bridge.init.file_answers import FileAnswers
from amazon_bridge.init.interview import Interview, creatable, interview
from amazon_bridge.init.questions import ENDPOINT, TOKEN_URL, Answers, Question
from amazon_bridge.terminal import counted, say


def init(
    ctx: click.Context,
    path: Path | None,
    answers_file: Path | None,
    endpoint: str | None,
    token_url: str | None,
    *,
    dry_run: bool,
) -> None:
    """Write a configuration: ask for what is needed, and try it at once."""
    log.configure("error")
    path = path or ctx.find_root().obj or _usual_path()
    files.remove_leftovers(path.parent)
    files.ensure_free(path)
    given = {ENDPOINT: endpoint, TOKEN_URL: token_url}
    answers = _answers(answers_file, {q: text for q, text in given.items() if text})
    try:
        found = interview(answers, say)
        written = draft(found.odoo, found.accounts)
        _show(path, written)
        if dry_run:
            say("Nothing was written: this was a dry run.")
            return
        if answers_file is None:
            confirmed("Write these files?", default=True, abort=True)
    except (click.Abort, KeyboardInterrupt):
        say("\nNothing was written.", err=True)
        raise
    files.write(path, written)
    say(f"Written: {path} and {path.parent / SECRETS}, readable by you alone.")
    show_next(path, found)


def _usual_path() -> Path:
    return Path(os.environ.get(config_file.FILE_VARIABLE) or config_file.SEARCHED[0])


def _answers(file: Path | None, given: Mapping[Question, str]) -> Answers:
    if file and given:
        raise click.UsageError("With --answers, write `endpoint` and `token_url` into the file.")
    if file:
        return FileAnswers(read_answers(file, os.environ), show_findings)
    if not sys.stdin.isatty():
        raise ConfigError(
            "There is no terminal to ask on.",
            "Write the answers into a file: amazon-bridge init --answers FILE; see"
            " docs/configuration.md.",
        )
    return Prompts(given)


def _show(path: Path, written: Draft) -> None:
    """What is to be written, without remarks and secrets."""
    say(f"{path}:")
    for line in written.lines:
        say(f"  {line}")
    for name in written.secrets:
        say(f"{path.parent / SECRETS / name}: a secret")


def show_next(path: Path, found: Interview) -> None:
    """Say what Odoo lacks, and which commands come next."""
    option = "" if path == config_file.SEARCHED[0] else f"--config {shlex.quote(str(path))} "
    created = creatable(found.missing)
    others = [each.what for each in found.missing if each.what not in created]
    filters = [counted(found.filters, "shared filter")] if found.filters else []
    if created or filters:
        lacking = [*([counted(len(created), "record")] if created else []), *filters]
        say(f"Odoo lacks {' and '.join(lacking)}, which `setup` creates:")
        say(f"  {', '.join([*created, *filters])}.")
    if others:
        records = counted(len(others), "record")
        say(f"This login may not create {records} in Odoo: {', '.join(others)}.")
        say("Run `setup` once with an administrator's login as odoo.login and odoo.password.")
    say("Next:")
    for command in _next_commands(len(found.missing), len(created), found.filters):
        say(f"  amazon-bridge {option}{command}")


def _next_commands(missing: int, creatable: int, filters: int) -> tuple[str, ...]:
    """Three commands, by how many records Odoo lacks and how many this login may create."""
    if not missing + filters:
        return "check", "sync orders --dry-run", "run"
    setup = "setup --dry-run" if creatable < missing else "setup"
    return "check", setup, "sync orders --dry-run"
