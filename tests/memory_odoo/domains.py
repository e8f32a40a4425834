"""Whether a record is in a domain."""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import ge, gt, le, lt
from typing import Any

from memory_odoo.faults import NotPlayed

Leaf = tuple[str, str, Any]


def matches(domain: Sequence[Any], of: Callable[[str], Any]) -> bool:
    """Evaluate a domain in Polish notation; ``of`` returns a field's value by its path."""
    terms = list(reversed(domain))
    if not terms:
        return True
    result = _term(terms, of)
    while terms:  # adjacent terms are joined by an and
        result = _term(terms, of) and result
    return result


def _term(terms: list[Any], of: Callable[[str], Any]) -> bool:
    term = terms.pop()
    if term == "!":
        return not _term(terms, of)
    if term in ("&", "|"):
        left, right = _term(terms, of), _term(terms, of)
        return (left and right) if term == "&" else (left or right)
    path, operator, wanted = term
    return holds(of(path), operator, wanted)


def required(domain: Sequence[Any]) -> Iterator[Leaf]:
    """The terms of a domain that must hold: those that no operator takes."""
    taken = 0
    for term in domain:
        if isinstance(term, str):
            taken = max(taken - 1, 0) + (1 if term == "!" else 2)
        elif taken:
            taken -= 1
        else:
            yield term


def holds(value: Any, operator: str, wanted: Any) -> bool:
    """Evaluate a term; the value of a path through several records is a list."""
    values = value if isinstance(value, list) else [value]
    match operator:
        case "=":
            return wanted in values or (wanted is False and not values)
        case "!=":
            return wanted not in values and (wanted is not False or bool(values))
        case "in":
            return any(each in wanted for each in values)
        case "not in":
            return not any(each in wanted for each in values)
        case ">" | ">=" | "<" | "<=":
            return any(each is not False and _COMPARED[operator](each, wanted) for each in values)
        case "=like" | "ilike":
            is_like = _like(wanted if operator == "=like" else f"%{wanted}%", operator)
            return any(each is not False and is_like.fullmatch(each) for each in values)
    raise NotPlayed(f"the operator {operator} in a domain")


_COMPARED = {">": gt, ">=": ge, "<": lt, "<=": le}


def _like(pattern: str, operator: str) -> re.Pattern[str]:
    """PostgreSQL's LIKE and ILIKE: % is any text, _ any character."""
    wild = {"%": ".*", "_": "."}
    flags = re.DOTALL | (re.IGNORECASE if operator == "ilike" else 0)
    return re.compile("".join(wild.get(c) or re.escape(c) for c in pattern), flags)
