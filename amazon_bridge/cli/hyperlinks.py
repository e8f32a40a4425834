"""Links on the terminal, as OSC 8 hyperlinks: only a terminal gets them, and few show the address.

Output that goes to a file or another program has plain text; its links are in ``--json``.
"""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from amazon_bridge.terminal import plain


def hyperlinked(text: str, url: str | None) -> Text:
    """A cell of a table that leads to a page."""
    return Text(plain(text), style=Style(link=url) if url else Style.null())
