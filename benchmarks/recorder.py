"""Which calls to Odoo the bridge makes, how long each takes, and how many rows come back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from amazon_bridge.odoo.session import OdooSession


class Call(NamedTuple):
    """One call, with the seconds until its response was there."""

    name: str
    """Model, method, and the fields that a search is by."""
    seconds: float
    rows: int


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """The calls that all sessions make until the end of the block."""
    calls: list[Call] = []
    original = OdooSession._call  # noqa: SLF001

    def record(self: OdooSession, model: str, method: str, args: Any, kwargs: Any) -> Any:
        begun = time.perf_counter()
        response = original(self, model, method, args, kwargs)
        name, seconds = f"{model}.{method}", time.perf_counter() - begun
        calls.append(Call(name + searched_by(method, args), seconds, rows_of(response)))
        return response

    OdooSession._call = record  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield calls
    finally:
        OdooSession._call = original  # type: ignore[method-assign]  # noqa: SLF001


def rows_of(response: Any) -> int:
    """The records in a response; in that of ``web_search_read`` with the lists nested in them."""
    if isinstance(response, dict):
        return _records(response.get("records", []))
    return len(response) if isinstance(response, list) else 0


def _records(rows: list[dict[str, Any]]) -> int:
    lists = [value for row in rows for value in row.values() if isinstance(value, list)]
    return len(rows) + sum(_records(each) for each in lists if each and isinstance(each[0], dict))


def searched_by(method: str, args: Any) -> str:
    """The fields of a search's domain, the same for the same query of each run."""
    if not method.removeprefix("web_").startswith("search") or not args:
        return ""
    terms = [term for term in args[0] if isinstance(term, list | tuple)]
    return " by " + ", ".join(dict.fromkeys(str(term[0]) for term in terms))
