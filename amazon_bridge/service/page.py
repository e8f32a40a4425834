"""The status page: one HTML document without scripts and external resources.

It shows order ids, counts and reasons, never a buyer's data: the state store holds none.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib import resources
from itertools import repeat

from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from amazon_bridge import __version__
from amazon_bridge.app import ODOO
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.links import Link, Links
from amazon_bridge.flows.orders import backlog
from amazon_bridge.flows.pending import pending_entries, tally
from amazon_bridge.job import Job, Tally
from amazon_bridge.service import to_ship
from amazon_bridge.service.availability import Availability
from amazon_bridge.service.health import readiness_problems
from amazon_bridge.service.job_health import JobHealth
from amazon_bridge.service.job_runner import JobRunner
from amazon_bridge.service.moments import ago, exactly
from amazon_bridge.service.oldest import section as oldest_section
from amazon_bridge.service.panels import panels

_STYLE = (resources.files(__package__) / "page.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)

CHARTED = timedelta(days=3)
_MOST_ITEMS = 50
"""Longest list shown; longer ones are for the command line."""

_HOUR = timedelta(hours=1)


def show(runner: JobRunner, now: datetime, account: str | None = None) -> Response:
    """The page as of now, of one account or of all.

    Raises:
        NotFound: there is no such account.
    """
    accounts = _chosen(runner, account)
    ledger = runner.app.ledger
    problems = readiness_problems(runner, now)
    quarantined = ledger.items.quarantined(account)
    created = ledger.runs.created_by_hour(now - CHARTED, account)
    parts = [
        _header(problems, quarantined, now),
        _alarm(problems),
        _only(account),
        _tiles(runner, accounts, created, quarantined, now),
        _chart(created, now),
        _accounts(runner, accounts, now),
        to_ship.section(runner, accounts, now),
        oldest_section(ledger, [each.name for each in accounts], now),
        _items(runner, "Quarantined", quarantined, now, "Nothing is quarantined."),
        *_pending(runner, accounts, now),
        *(_tally(runner, accounts, job, job.tally) for job in JOBS if job.tally),
        *panels(runner, accounts),
    ]
    body = _DOCUMENT.format(
        style=Markup(_STYLE),  # noqa: S704 (a file of this package)
        version=__version__,
        body=Markup("").join(parts),
    )
    headers = {"Content-Security-Policy": _POLICY}
    return Response(body, content_type="text/html; charset=utf-8", headers=headers)


def _chosen(runner: JobRunner, account: str | None) -> Sequence[AccountConfig]:
    if account is None:
        return runner.app.config.accounts
    found = [each for each in runner.app.config.accounts if each.name == account]
    if not found:
        raise NotFound("There is no such account.")
    return found


def _only(account: str | None) -> Markup:
    """Says which account is shown alone."""
    if account is None:
        return Markup("")
    return Markup('<p>Only <strong>{}</strong> · <a href="?">all accounts</a></p>').format(account)


_DOCUMENT = Markup("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>amazon-bridge</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="60"><meta name="robots" content="noindex">
<style>{style}</style></head><body>
{body}
<footer>amazon-bridge {version} · times are UTC · this page reloads every minute ·
<a href="readyz">readyz</a> · <a href="metrics">metrics</a></footer>
</body></html>
""")


def _pending(
    runner: JobRunner, accounts: Sequence[AccountConfig], now: datetime
) -> Iterator[Markup]:
    """A section for each heading that jobs list their pending items under."""
    ledger = runner.app.ledger
    for heading in dict.fromkeys(job.pending_heading for job in _jobs_on(accounts)):
        jobs = [job for job in JOBS if job.pending_heading == heading]
        found = [
            entry
            for account in accounts
            for job in jobs
            for entry in pending_entries(ledger, account.name, job, _MOST_ITEMS)
        ]
        number = _number_pending(runner, accounts, jobs)
        yield _items(runner, heading, found, now, "Nothing is pending.", number=number)


def _jobs_on(accounts: Iterable[AccountConfig]) -> list[Job]:
    """The jobs that are on for any account."""
    return [job for job in JOBS if any(map(AccountConfig.runs, accounts, repeat(job)))]


def _tally(runner: JobRunner, accounts: Iterable[AccountConfig], job: Job, view: Tally) -> Markup:
    """The numbers of what a job watches, of each account for which it is on."""
    names = [each.name for each in accounts if each.is_active(job)]
    rows = ((name, _listed(tally(runner.app.ledger, name, view))) for name in names)
    items = _each(Markup('<div class="item"><strong>{}</strong> <p>{}</p></div>'), rows)
    if not items:
        return items
    return Markup("<section><h2>{} <small>{}</small></h2>{}</section>").format(
        job.name.capitalize(), view.noun, items
    )


def _listed(numbers: Mapping[str, int]) -> str:
    return " · ".join(f"{number} {state}" for state, number in numbers.items())


def _number_pending(
    runner: JobRunner, accounts: Iterable[AccountConfig], jobs: Sequence[Job]
) -> int:
    open_items = runner.app.ledger.items.open_counts()
    keys = ((account.name, job.name, State.PENDING) for account in accounts for job in jobs)
    return sum(open_items[key] for key in keys)


def _header(problems: list[str], quarantined: list[Entry], now: datetime) -> Markup:
    if problems:
        pill = _pill("bad", "Needs attention")
    elif quarantined:
        pill = _pill("wait", "Running; see the quarantine")
    else:
        pill = _pill("good", "OK")
    return Markup(
        '<header><h1>amazon<b>·</b>bridge</h1>{}<span class="soft">as of {}</span></header>'
    ).format(pill, exactly(now))


def _pill(kind: str, text: str) -> Markup:
    return Markup('<span class="pill {}">{}</span>').format(kind, text)


def _alarm(problems: list[str]) -> Markup:
    if not problems:
        return Markup("")
    points = _each(Markup("<li>{}</li>"), ((reason,) for reason in problems[:_MOST_ITEMS]))
    return Markup('<section class="alarm"><ul>{}</ul></section>').format(points)


def _each(template: Markup, rows: Iterable[tuple[object, ...]]) -> Markup:
    return Markup("").join(template.format(*row) for row in rows)


def _tiles(
    runner: JobRunner,
    accounts: Sequence[AccountConfig],
    created: Counter[datetime],
    quarantined: list[Entry],
    now: datetime,
) -> Markup:
    today = sum(n for hour, n in created.items() if hour > now - timedelta(days=1) - _HOUR)
    outbound = [job for job in JOBS if job.notify_amazon]
    reached = sum(runner.availability.are_up(account.name) for account in accounts)
    tiles = [
        ("", f"{today:,}", "orders imported in 24 hours"),
        ("wait" if quarantined else "", len(quarantined), "quarantined"),
        ("", _number_pending(runner, accounts, outbound), "pending for Amazon"),
        (*_up_or_down(runner.availability, ODOO), "Odoo"),
        (
            "good" if reached == len(accounts) else "bad",
            f"{reached} of {len(accounts)}",
            "Amazon accounts up",
        ),
    ]
    tile = Markup('<div class="tile"><strong class="{}">{}</strong><span>{}</span></div>')
    return Markup('<div class="tiles">{}</div>').format(_each(tile, tiles))


def _up_or_down(availability: Availability, remote: str) -> tuple[str, str]:
    """Colour and text for the status of a remote."""
    if not availability.are_up(remote):
        return "bad", "down"
    was_called = availability[remote].last_answer or availability[remote].failure
    return ("good", "up") if was_called else ("wait", "not called yet")


# The chart


def _chart(created: Counter[datetime], now: datetime) -> Markup:
    end = now.replace(minute=0, second=0, microsecond=0) + _HOUR
    hours = [end - number * _HOUR for number in range(CHARTED // _HOUR, 0, -1)]
    top = round_up(max((created[hour] for hour in hours), default=0))
    return _CHART.format(
        total=f"{sum(created[hour] for hour in hours):,}",
        days=CHARTED.days,
        top=top,
        middle=top // 2,
        width=len(hours) * 10,
        lines=_each(_LINE, ((y, len(hours) * 10, y) for y in (0, 50, 100))),
        bars=_each(_BAR, (_bar(n, hour, created[hour], top) for n, hour in enumerate(hours))),
        names=_each(Markup("<span>{}</span>"), ((_day(hour),) for hour in hours[::24])),
    )


_CHART = Markup("""<section><h2>Orders per hour <small>{total} in the last {days} days</small></h2>
<div class="chart">
<div class="scale soft"><span>{top}</span><span>{middle}</span><span>0</span></div>
<svg viewBox="0 0 {width} 100" preserveAspectRatio="none" role="img"
 aria-label="Orders imported in each hour of the last {days} days; {total} in all">
{lines}{bars}</svg><div class="days soft">{names}</div></div></section>
""")
_LINE = Markup('<line class="grid" x1="0" y1="{}" x2="{}" y2="{}"/>')
_BAR = Markup(
    '<g><title>{}</title><rect class="hour" x="{}" y="0" width="10" height="100"/>'
    '<rect class="bar" x="{}" y="{}" width="8" height="{}" rx="1.5"/></g>'
)


def _bar(number: int, hour: datetime, created: int, top: int) -> tuple[object, ...]:
    height = round(100 * created / top, 1)
    label = f"{hour:%a %d %b, %H:%M}: {created}"
    return label, number * 10, number * 10 + 1, 100 - height, height


def round_up(number: int) -> int:
    """Round up to a number that is easy to read on a scale, and whose half is too."""
    power = int("1" + "0" * (len(str(number)) - 1))
    return max(4, next(s * power for s in (1, 2, 4, 6, 8, 10) if s * power >= number))


def _day(hour: datetime) -> str:
    return f"{hour:%a %d, %H:%M}"


# The accounts


def _accounts(runner: JobRunner, accounts: Sequence[AccountConfig], now: datetime) -> Markup:
    jobs = [job.name for job in _jobs_on(accounts)]
    titles = ("Account", "Synced up to", *map(str.capitalize, jobs))
    heads = _each(Markup("<th>{}</th>"), ((title,) for title in titles))
    worst_first = _worst_first(runner, accounts, jobs)
    rows = Markup("").join(_account(runner, each, jobs, now) for each in worst_first)
    return Markup(
        "<section><h2>Accounts</h2><table><thead><tr>{}</tr></thead>"
        "<tbody>{}</tbody></table></section>"
    ).format(heads, rows)


def _worst_first(
    runner: JobRunner, accounts: Iterable[AccountConfig], jobs: Sequence[str]
) -> list[AccountConfig]:
    return sorted(
        accounts,
        key=lambda account: -sum(runner.monitor[account.name, job].failures for job in jobs),
    )


def _account(
    runner: JobRunner, account: AccountConfig, jobs: Sequence[str], now: datetime
) -> Markup:
    countries = ", ".join(each.country_code for each in account.marketplaces)
    ledger = runner.app.ledger
    synced_until = ledger.cursors.synced_until(account.name)
    behind = ledger.lanes.backlog(account.name)
    healths = {job: runner.monitor[account.name, job] for job in jobs}
    on = {job.name for job in JOBS if account.runs(job)}
    cells = Markup("").join(
        _job(job, health if job in on else None, now) for job, health in healths.items()
    )
    reasons = [(job, each.error) for job, each in healths.items() if each.error]
    if behind:
        reasons.append(("Back-log", backlog.sentence(behind, now)))
    failures = ((2 + len(jobs), *reason) for reason in reasons)
    return _ACCOUNT.format(
        account.name,
        account.name,
        countries,
        ago(synced_until, now) if synced_until else "nothing yet",
        cells,
        _each(_FAILURE, failures),
    )


_ACCOUNT = Markup(
    '<tr><td><strong><a href="?account={}">{}</a></strong><small>{}</small></td>'
    '<td data-label="Synced up to">{}</td>{}</tr>{}'
)
_FAILURE = Markup('<tr class="why"><td colspan="{}"><strong>{}:</strong> {}</td></tr>')


def _job(job: str, health: JobHealth | None, now: datetime) -> Markup:
    """The cell of a job; without health it is off."""
    if health is None:
        return Markup('<td data-label="{}"><span class="soft">off</span></td>').format(
            job.capitalize()
        )
    kind = "bad" if health.error else "good" if health.last_success else "wait"
    return Markup('<td data-label="{}"><span class="dot {}"></span>{}</td>').format(
        job.capitalize(), kind, _last(health, now)
    )


def _last(health: JobHealth, now: datetime) -> str | Markup:
    if health.running_since:
        return "running"
    return ago(health.last_success, now) if health.last_success else "not yet"


# Items


def _items(
    runner: JobRunner,
    title: str,
    entries: list[Entry],
    now: datetime,
    none: str,
    *,
    number: int | None = None,
) -> Markup:
    """A list of items; ``number`` is the total if ``entries`` has only some of them."""
    links = Links(runner.app.config, runner.app.ledger)
    listed, number = entries[:_MOST_ITEMS], len(entries) if number is None else number
    more = f", the first {len(listed)} are shown" if number > len(listed) else ""
    content = Markup("").join(_item(entry, now, links.of(entry)) for entry in listed)
    return Markup("<section><h2>{} <small>{}{}</small></h2>{}</section>").format(
        title,
        number or "",
        more,
        content or Markup('<span class="soft">{}</span>').format(none),
    )


def _item(entry: Entry, now: datetime, links: Sequence[Link]) -> Markup:
    about = [entry.account, entry.job, *([entry.kind] if entry.kind else [])]
    return Markup(
        '<div class="item"><code>{}</code> <span class="soft">{} · {}{}</span>{}{}</div>'
    ).format(
        entry.display_key,
        " · ".join(about),
        ago(entry.first_seen, now),
        _each(Markup(' · <a href="{}">{}</a>'), ((link.url, link.title) for link in links)),
        Markup("<p>{}</p>").format(entry.reason) if entry.reason else "",
        Markup('<p class="remedy">{}</p>').format(entry.remedy) if entry.remedy else "",
    )
