"""Answers of a person at a terminal, for ``init``."""

from __future__ import annotations

import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from amazon_bridge.cli.setup_actions import show_findings
from amazon_bridge.closest import did_you_mean
from amazon_bridge.config import OdooConfig
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.init.questions import (
    CLIENT_ID,
    CLIENT_SECRET,
    DATABASE,
    ENDPOINT,
    LOGIN,
    NOT_ASKED,
    PASSWORD,
    TOKEN_URL,
    URL,
    Question,
)
from amazon_bridge.model import Finding
from amazon_bridge.terminal import plain, say

_OF_ALL_ACCOUNTS = (CLIENT_ID, CLIENT_SECRET, ENDPOINT, TOKEN_URL)
"""One application serves all accounts."""


class Prompts:
    """Asks on the terminal. A question that is asked again has the last answer as its default.

    Args:
        given: Answers from options, by the question.
    """

    def __init__(self, given: Mapping[Question, str]) -> None:
        self._last = dict(given)

    def value(self, question: Question, default: str | None = None) -> Any:
        if question in NOT_ASKED:
            return self._given(question, default)
        while True:
            text = self._asked(question, self._last.get(question) or default)
            try:
                value = question.parse(text)
            except ValueError as error:
                say(f"  {question.text}: {error}.")
            else:
                self._last[question] = text
                return value

    def _given(self, question: Question, default: str | None) -> Any:
        try:
            return question.parse(self._last.get(question, default))
        except ValueError as error:
            option = f"--{question.key.replace('_', '-')}"
            raise click.BadParameter(str(error), param_hint=option) from None

    def _asked(self, question: Question, default: str | None) -> str:
        """What somebody types; a secret isn't shown, nor is the last one."""
        _drop_typed()
        hidden = question.is_secret
        keeps = " [Enter: the last one]" if hidden and default else ""
        hint = f" ({question.hint})" if question.hint else ""
        text: str = click.prompt(
            plain(f"  {question.text}{hint}{keeps}"),
            default="" if default is None and question.is_optional else default,
            show_default=not hidden and bool(default),
            hide_input=hidden,
        )
        return text.strip()

    def choice(self, question: Question, options: Mapping[str, str], default: str) -> str:
        if len(options) == 1:
            return default
        numbers = {str(number): option for number, option in enumerate(options, start=1)}
        for number, option in numbers.items():
            about = options[option]
            say(f"    {number}  {option}{f' ({about})' if about else ''}")
        while True:
            text = self._asked(question, self._last.get(question) or default)
            chosen = numbers.get(text, text)
            if chosen in options:
                self._last[question] = chosen
                return chosen
            meant = did_you_mean(chosen, options)
            say(f"  {question.text}: must be one of these, or its number.{meant}")

    def refused(self, error: BridgeError) -> None:
        say(f"  {error.reason}")
        if error.remedy:
            say(f"    → {_in_words(error.remedy)}")
        for problem in getattr(error, "problems", ()):
            say(f"    {problem}")

    def again(self, findings: Sequence[Finding]) -> bool:
        if not show_findings(findings):
            return False
        return confirmed("  Correct it and examine it again?")

    def next_account(self) -> bool:
        kept = {q: text for q, text in self._last.items() if q.section is OdooConfig}
        kept |= {q: text for q, text in self._last.items() if q in _OF_ALL_ACCOUNTS}
        self._last = kept
        return confirmed("Another account, such as in another region?")


def _in_words(remedy: str) -> str:
    """A remedy with questions instead of the keys of a configuration that does not exist yet."""
    for question in (URL, DATABASE, LOGIN, PASSWORD):
        remedy = remedy.replace(f"odoo.{question.key}", f'"{question.text}"')
    return remedy


def confirmed(question: str, *, default: bool = False, abort: bool = False) -> bool:
    """Ask a question of yes or no.

    Raises:
        click.Abort: The answer is no, and ``abort`` is true.
    """
    _drop_typed()
    return click.confirm(question, default=default, abort=abort)


def _drop_typed() -> None:
    """Drop what was typed before a question is shown: it is no answer to that question."""
    with suppress(OSError, termios.error):
        if sys.stdin.isatty():
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
