"""The status page: one HTML document without scripts and external resources.

It shows order ids, counts and reasons, never a buyer's data: the state store holds none.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from importlib import resources

from markupsafe import Markup
from werkzeug.wrappers import Response

from amazon_bridge import __version__
from amazon_bridge.app import ODOO
from amazon_bridge.closest import did_you_mean
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.pending import tally
from amazon_bridge.job import Job, Tally
from amazon_bridge.service import open_items, to_ship
from amazon_bridge.service.account_rows import account_rows
from amazon_bridge.service.availability import Availability
from amazon_bridge.service.health import readiness_problems
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.markup import each, prose, section
from amazon_bridge.service.moments import exactly
from amazon_bridge.service.oldest import oldest
from amazon_bridge.service.order_hours import PERIOD, Hours, imported_since, order_hours
from amazon_bridge.service.order_times import order_times
from amazon_bridge.service.panels import panels
from amazon_bridge.service.unmatched import unmatched
from amazon_bridge.service.view import STAYS, View

_STYLE = (resources.files(__package__) / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
_MOST_PROBLEMS = 50
_DAY = timedelta(days=1)


def show(
    runner: JobRunner, now: datetime, account: str | None = None, reload: str | None = None
) -> Response:
    """The page as of now, of one account or of all; with the status 404 if there is no such one."""
    runner.refresh_others()
    view = View(runner, now, account or None, reload)
    if not view.accounts:
        return _document(view, _header(view, []), _unknown(view), 404)
    problems = readiness_problems(runner, now, view.account)
    return _document(view, _header(view, problems), Markup("").join(_sections(view, problems)), 200)


def _sections(view: View, problems: list[str]) -> Iterator[Markup]:
    hours = view.ledger.statistics.by_hour(view.now - PERIOD, view.account)
    yield _alarm(problems)
    yield _other_accounts(view)
    yield _tiles(view, hours)
    yield order_hours(view, hours)
    yield account_rows(view)
    yield to_ship.section(view.runner, view.accounts, view.now)
    yield oldest(view)
    yield open_items.quarantined(view)
    yield from open_items.pending(view)
    yield unmatched(view)
    yield order_times(view)
    yield from (_tally(view, job, job.tally) for job in JOBS if job.tally)
    yield from panels(view.runner, view.accounts)


# The frame


def _document(view: View, header: Markup, body: Markup, status: int) -> Response:
    content = _DOCUMENT.format(
        title=f"{view.account} · amazon-bridge" if view.account else "amazon-bridge",
        refresh=Markup('<meta http-equiv="refresh" content="60">') if view.reloads else "",
        style=Markup(_STYLE),  # noqa: S704 (a file of this package)
        version=__version__,
        header=header,
        navigation=_navigation(view),
        body=body,
        reloading=_reloading(view),
    )
    headers = {"Content-Security-Policy": _POLICY}
    return Response(content, status, headers, content_type="text/html; charset=utf-8")


_DOCUMENT = Markup("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<meta name="robots" content="noindex">
<style>{style}</style></head><body>
<a class="skip" href="#main">Skip to the content</a>
{header}{navigation}
<main id="main">
{body}
</main>
<footer>amazon-bridge {version} · times are UTC · {reloading} ·
<a href="readyz">readyz</a> · <a href="metrics">metrics</a></footer>
</body></html>
""")


def _header(view: View, problems: list[str]) -> Markup:
    if not view.accounts:
        pill = _pill("bad", "No such account")
    elif problems:
        pill = _pill("bad", "Needs attention")
    elif view.quarantined:
        pill = _pill("wait", "Running; see the quarantine")
    else:
        pill = _pill("good", "OK")
    return Markup(
        '<header><h1>amazon<b aria-hidden="true">·</b>bridge</h1>{}'
        '<span class="soft">as of {}</span></header>'
    ).format(pill, exactly(view.now))


def _pill(kind: str, text: str) -> Markup:
    return Markup('<span class="pill {}">{}</span>').format(kind, text)


def _navigation(view: View) -> Markup:
    """The accounts to choose from, if there are several."""
    names = [each.name for each in view.runner.app.config.accounts]
    if len(names) == 1 and view.accounts:
        return Markup("")
    choices = [(None, "All accounts"), *((name, name) for name in names)]
    links = ((view.address_of(name), _current(view, name), title) for name, title in choices)
    return Markup('<nav aria-label="Accounts"><ul>{}</ul></nav>').format(each(_CHOICE, links))


_CHOICE = Markup('<li><a href="{}"{}>{}</a></li>')


def _current(view: View, account: str | None) -> Markup:
    return Markup(' aria-current="page"') if view.account == account else Markup("")


def _reloading(view: View) -> Markup:
    """Reloading takes readers away from where they are, so it can be switched off."""
    if view.reloads:
        text, link, reload = "this page reloads every minute", "stop reloading", STAYS
    else:
        text, link, reload = "this page does not reload itself", "reload every minute", None
    address = view.address(account=view.account, reload=reload)
    return Markup('{} (<a href="{}">{}</a>)').format(text, address, link)


def _unknown(view: View) -> Markup:
    names = [each.name for each in view.runner.app.config.accounts]
    text = f"The configuration has no account {view.account}."
    guess = did_you_mean(view.account or "", names) or " Choose one of those above."
    return Markup('<section class="alarm"><h2>No such account</h2><p>{}{}</p></section>').format(
        text, guess
    )


# Problems and figures


def _alarm(problems: list[str]) -> Markup:
    if not problems:
        return Markup("")
    points = each(Markup("<li>{}</li>"), ((prose(reason),) for reason in problems[:_MOST_PROBLEMS]))
    return Markup('<section class="alarm"><h2>Problems</h2><ul>{}</ul></section>').format(points)


def _other_accounts(view: View) -> Markup:
    """Says where one account is shown alone, and whether others have problems."""
    if view.account is None:
        return Markup("")
    mine = set(readiness_problems(view.runner, view.now, view.account))
    others = set(readiness_problems(view.runner, view.now)) - mine
    more = f" · other accounts have problems ({len(others)})" if others else ""
    return Markup('<p>Only <strong>{}</strong> · <a href="{}">all accounts</a>{}</p>').format(
        view.account, view.address_of(None), more
    )


def _tiles(view: View, hours: Hours) -> Markup:
    availability, accounts = view.runner.availability, view.accounts
    outbound = [job for job in JOBS if job.notify_amazon]
    reached = sum(availability.are_up(account.name) for account in accounts)
    today = imported_since(hours, view.now - _DAY)
    tiles = [
        ("", f"{today:,}", "orders imported in 24 hours"),
        ("wait" if view.quarantined else "", f"{view.quarantined:,}", "quarantined"),
        ("", f"{view.pending(outbound):,}", "pending for Amazon"),
        (*_up_or_down(availability, ODOO), "Odoo"),
        (
            "good" if reached == len(accounts) else "bad",
            f"{reached} of {len(accounts)}",
            "Amazon accounts up",
        ),
    ]
    tile = Markup('<div class="tile"><strong class="{}">{}</strong> <span>{}</span></div>')
    return Markup('<div class="tiles">{}</div>').format(each(tile, tiles))


def _up_or_down(availability: Availability, remote: str) -> tuple[str, str]:
    """Colour and text for the status of a remote."""
    if not availability.are_up(remote):
        return "bad", "down"
    was_called = availability[remote].last_answer or availability[remote].failure
    return ("good", "up") if was_called else ("wait", "not called yet")


def _tally(view: View, job: Job, numbers: Tally) -> Markup:
    """The numbers of what a job watches, of each account for which it is on."""
    names = [account.name for account in view.accounts if account.is_active(job)]
    rows = ((name, _listed(tally(view.ledger, name, numbers))) for name in names)
    items = each(Markup('<div class="item"><strong>{}</strong> <p>{}</p></div>'), rows)
    return section(job.name.capitalize(), numbers.noun, items) if items else items


def _listed(numbers: Mapping[str, int]) -> str:
    return " · ".join(f"{number} {state}" for state, number in numbers.items())
