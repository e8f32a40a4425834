"""Tax numbers of buyers: validation and comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SHAPE = re.compile(r"[A-Z0-9][A-Z0-9 ./+*-]{4,28}[A-Z0-9+*]")
_FEWEST_DIGITS = 5
"""San Marino's have five; all others more."""
_LONGEST = 20
"""Letters and digits; China's, the longest, have 18."""
_COUNTRY_CODE = re.compile(r"[A-Z]{2}(?=.*\d)")


def is_tax_number(text: str) -> bool:
    """True if the text looks like a tax number; ``N/A``, ``none`` and ``000000`` don't."""
    return _has_shape(text) and not _is_one_digit(text)


def is_placeholder(text: str) -> bool:
    """True if the text looks like a tax number whose digits are all the same."""
    return _has_shape(text) and _is_one_digit(text)


def _has_shape(text: str) -> bool:
    upper = text.upper().strip()
    compact = _compact(upper)
    return (
        bool(_SHAPE.fullmatch(upper))
        and len(compact) <= _LONGEST
        and len(re.sub(r"\D", "", compact)) >= _FEWEST_DIGITS
    )


def _is_one_digit(text: str) -> bool:
    return len(set(re.sub(r"\D", "", text))) == 1


def canonical(text: str, country_code: str) -> str:
    """The number normalised: with its country code, without blanks and punctuation.

    Args:
        text: a tax number, with the code of its country or without.
        country_code: of the address, where the number has none.
    """
    compact = _compact(text.upper())
    prefixed = compact if _COUNTRY_CODE.match(compact) else f"{country_code}{compact}"
    return f"EL{prefixed[2:]}" if prefixed.startswith("GR") else prefixed


def spellings(numbers: Iterable[tuple[str, str]]) -> list[str]:
    """How Odoo may have stored these numbers (each with its country's code), to search for."""
    found = set()
    for text, country_code in numbers:
        upper, number = text.upper(), canonical(text, country_code)
        found |= {upper, re.sub(r"\s", "", upper), _compact(upper), number}
        if _COUNTRY_CODE.match(number):
            found.add(number[2:])
    return sorted(found)


def _compact(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text)
