"""Tries answers, and asks again for those that don't work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.init.questions import Answers
from amazon_bridge.model import Finding

T = TypeVar("T")
Say = Callable[[str], None]
"""Shows a line."""


def no_pause(_seconds: float) -> None:
    """No pause between attempts: a person is waiting."""


def accepted(answers: Answers, attempt: Callable[[], T]) -> T:
    """Attempt until the answers work.

    Raises:
        BridgeError: They don't, and can't be asked for again.
    """
    while True:
        try:
            return attempt()
        except BridgeError as error:
            answers.refused(error)


def examined(answers: Answers, examine: Callable[[], list[Finding]]) -> list[Finding]:
    """Show findings, again after each correction; returns the last ones."""
    while answers.again(findings := examine()):
        pass
    return findings
