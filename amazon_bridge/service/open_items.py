"""The sections of the status page that list quarantined and pending items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from amazon_bridge.engine.records import Entry
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.links import Link, Links
from amazon_bridge.flows.pending import pending_entries
from amazon_bridge.service.markup import each, prose, section, soft
from amazon_bridge.service.moments import ago
from amazon_bridge.service.view import View

MOST = 50
"""Longest list shown; longer ones are for the command line."""


def quarantined(view: View) -> Markup:
    """The first quarantined items, with what to do about them."""
    entries = view.ledger.items.first_quarantined(view.account, MOST)
    return _items(view, "Quarantined", entries, view.quarantined, "Nothing is quarantined.")


def pending(view: View) -> Iterator[Markup]:
    """A section for each heading that jobs list their pending items under."""
    for heading in dict.fromkeys(job.pending_heading for job in view.jobs):
        jobs = [job for job in JOBS if job.pending_heading == heading]
        entries = [
            entry
            for account in view.names
            for job in jobs
            if view.pending_of(account, job)
            for entry in pending_entries(view.ledger, account, job, MOST)
        ]
        yield _items(view, heading, entries, view.pending(jobs), "Nothing is pending.")


def _items(view: View, title: str, entries: list[Entry], number: int, none: str) -> Markup:
    """A list of the first of a number of items."""
    links = Links(view.runner.app.config, view.ledger)
    listed = entries[:MOST]
    more = f", the first {len(listed)} are shown" if number > len(listed) else ""
    content = Markup("").join(_item(view, entry, links.of(entry)) for entry in listed)
    return section(title, f"{number:,}{more}" if number else "", content or soft(none))


def _item(view: View, entry: Entry, links: Sequence[Link]) -> Markup:
    about = [entry.account, entry.job, *([entry.kind] if entry.kind else [])]
    return Markup(
        '<div class="item"><code>{}</code> <span class="soft">{} · {}{}</span>{}{}</div>'
    ).format(
        entry.display_key,
        " · ".join(about),
        ago(entry.open_since, view.now),
        each(_LINK, ((link.url, link.title) for link in links)),
        Markup("<p>{}</p>").format(prose(entry.reason)) if entry.reason else "",
        Markup('<p class="remedy">{}</p>').format(prose(entry.remedy)) if entry.remedy else "",
    )


_LINK = Markup(' · <a href="{}">{}</a>')
