"""Answers from a file, for a machine without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amazon_bridge.closest import did_you_mean
from amazon_bridge.config import Credentials, OdooConfig
from amazon_bridge.config.answers import AccountAnswers
from amazon_bridge.config.answers import Answers as File
from amazon_bridge.config.section import Section
from amazon_bridge.engine.errors import BridgeError, ConfigError
from amazon_bridge.init.questions import Question
from amazon_bridge.model import Finding

Show = Callable[[Sequence[Finding]], object]


class FileAnswers:
    """The answers of a file. What it leaves out is answered by the proposal.

    Args:
        file: Its content.
        show: Shows findings.
    """

    def __init__(self, file: File, show: Show) -> None:
        self._file, self._show = file, show
        self._number = 0

    @property
    def _account(self) -> AccountAnswers:
        return self._file.accounts[self._number]

    def _section(self, question: Question) -> Section:
        if question.section is OdooConfig:
            return self._file.odoo
        return self._account.credentials if question.section is Credentials else self._account

    def value(self, question: Question, default: str | None = None) -> Any:
        found = getattr(self._section(question), question.key)
        if found is None and default is not None:
            return question.parse(default)
        return found

    def choice(self, question: Question, options: Mapping[str, str], default: str) -> str:
        found: str = self.value(question) or default
        if found not in options:
            meant = did_you_mean(found, options)
            raise ConfigError(
                f"accounts[{self._number}].{question.key}: Odoo has no {found!r}.",
                f"{meant} There is: {', '.join(options)}.".strip(),
            )
        return found

    def refused(self, error: BridgeError) -> None:
        raise error

    def again(self, findings: Sequence[Finding]) -> bool:
        self._show(findings)
        return False

    def next_account(self) -> bool:
        self._number += 1
        return self._number < len(self._file.accounts)
