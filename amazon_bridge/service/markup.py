"""Parts of the status page's HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

_HEAD = Markup('<th scope="col">{}</th>')
_FIRST = Markup('<th scope="row">{}</th>')
_CODE = re.compile(r"`([^`]+)`")
_CELL = Markup('<td data-label="{}">{}</td>')


def each(template: Markup, rows: Iterable[tuple[object, ...]]) -> Markup:
    """A template, once for each row of its values."""
    return Markup("").join(template.format(*row) for row in rows)


def section(title: str, small: str, *parts: str) -> Markup:
    """A section with its heading, which may have a remark in small print."""
    return Markup("<section><h2>{} <small>{}</small></h2>{}</section>").format(
        title, small, Markup("").join(parts)
    )


def prose(text: str) -> Markup:
    """A message, with what it has in backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped)


def soft(text: str) -> Markup:
    """Text in a softer colour."""
    return Markup('<span class="soft">{}</span>').format(text)


def unseen(text: str) -> Markup:
    """Text for screen readers alone."""
    return Markup('<span class="unseen">{}</span>').format(text)


def table(columns: Sequence[str], rows: Iterable[Markup]) -> Markup:
    """A table of rows as ``row`` makes them."""
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        each(_HEAD, ((title,) for title in columns)), Markup("").join(rows)
    )


def row(columns: Sequence[str], cells: Sequence[object]) -> Markup:
    """A row of a table, whose first cell is its heading."""
    first, *others = cells
    labelled = zip(columns[1:], others, strict=True)
    return Markup("<tr>{}{}</tr>").format(_FIRST.format(first), each(_CELL, labelled))


def details(summary: str, content: Markup) -> Markup:
    """Content that is shown on demand."""
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, content)
