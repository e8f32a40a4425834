"""The section of the status page with the accounts and the state of their jobs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.orders import backlog
from amazon_bridge.job import Job
from amazon_bridge.service.job_health import JobHealth
from amazon_bridge.service.markup import each, prose, row, section, soft, table, unseen
from amazon_bridge.service.moments import ago
from amazon_bridge.service.view import View

_NAME = Markup('<a href="{}">{}</a><small>{}</small>')
_FAILURE = Markup('<tr class="why"><td colspan="{}"><strong>{}:</strong> {}</td></tr>')


def account_rows(view: View) -> Markup:
    """How far each account is synced and how its jobs are doing, the worst first."""
    columns = ("Account", "Synced up to", *(job.name.capitalize() for job in view.jobs))
    rows = (_account(view, account, columns) for account in _worst_first(view))
    return section("Accounts", "", table(columns, rows))


def _worst_first(view: View) -> list[AccountConfig]:
    monitor = view.runner.monitor
    return sorted(
        view.accounts,
        key=lambda account: -sum(monitor[account.name, job.name].failures for job in view.jobs),
    )


def _account(view: View, account: AccountConfig, columns: Sequence[str]) -> Markup:
    countries = ", ".join(each.country_code for each in account.marketplaces)
    synced_until = view.ledger.cursors.synced_until(account.name)
    cells = (
        _NAME.format(
            view.address_of(account.name), account.name, countries + _daemon(view, account)
        ),
        ago(synced_until, view.now) if synced_until else "nothing yet",
        *(_job(view, account, job) for job in view.jobs),
    )
    failures = ((len(columns), what, prose(why)) for what, why in _reasons(view, account))
    return row(columns, cells) + each(_FAILURE, failures)


def _daemon(view: View, account: AccountConfig) -> str:
    """Which daemon works for an account, where several share the state store."""
    if not view.ledger.is_shared:
        return ""
    holding = view.holdings.get(account.seller_id)
    if holding is None or account.name not in holding.accounts:
        return " · no daemon works for it"
    return f" · {holding.name}, {ago(holding.since, view.now)}"


def _reasons(view: View, account: AccountConfig) -> list[tuple[str, str]]:
    """Why jobs fail, and what is behind."""
    healths = {job.name: view.runner.monitor[account.name, job.name] for job in view.jobs}
    reasons = [(job, health.error) for job, health in healths.items() if health.error]
    if behind := view.ledger.lanes.backlog(account.name):
        reasons.append(("Back-log", backlog.sentence(behind, view.now)))
    return reasons


def _job(view: View, account: AccountConfig, job: Job) -> Markup:
    if not account.runs(job):
        return soft("off")
    health = view.runner.monitor[account.name, job.name]
    kind = "bad" if health.error else "good" if health.last_success else "wait"
    failing = unseen("failing; last success ") if health.error else ""
    dot = Markup('<span class="dot {}"></span>{}{}')
    return dot.format(kind, failing, _last(view, health))


def _last(view: View, health: JobHealth) -> str | Markup:
    if health.running_since:
        return "running"
    return ago(health.last_success, view.now) if health.last_success else "not yet"
