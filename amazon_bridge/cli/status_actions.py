"""What ``status`` does: it shows the state of each account and job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click
from rich.table import Table

from amazon_bridge.app import App
from amazon_bridge.cli.common import opened, timestamp
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.records import Holding, Run, State
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.flows.links import Link, Links
from amazon_bridge.flows.links import as_json as as_urls
from amazon_bridge.flows.orders import backlog
from amazon_bridge.flows.pending import pending_list, tally
from amazon_bridge.job import PendingList, PendingView
from amazon_bridge.tables import add_row, console
from amazon_bridge.terminal import counted, say, say_linked

_MOST_PENDING = 20
_MOST_SKUS = 20
_JOBS_WITH_TALLY = {job.name: job.tally for job in JOBS if job.tally}


class Pending(NamedTuple):
    """The pending items of a job, with their links by key."""

    view: PendingView
    found: PendingList
    links: Mapping[str, Sequence[Link]]


def status(ctx: click.Context, *, as_json: bool) -> None:
    """Show the state of each account and job."""
    with opened(ctx) as bridge:
        most = None if as_json else _MOST_PENDING
        pending = {name: _pending(bridge, name, most) for name in known_accounts(bridge)}
        accounts = {name: account_status(bridge, name, of) for name, of in pending.items()}
        backlogs = {name: backlog_sentence(bridge, name) for name in accounts}
        holdings = _holdings(bridge)
        daemons = _daemons(bridge, holdings)
    for name, of in accounts.items():
        of["is_without_daemon"] = name in holdings and holdings[name] is None
    if as_json:
        click.echo(json.dumps({"accounts": accounts, "daemons": daemons}))
        return
    console().print(_table(accounts))
    _show_daemons(daemons, accounts)
    for name, of in accounts.items():
        if backlogs[name]:
            say(f"{name}: {backlogs[name]}")
        _show_unattended(name, of)
        for job in _JOBS_WITH_TALLY:
            _show_tally(name, job, of[job])
        for each in pending[name]:
            _show_pending(name, each)
        _show_fallbacks(name, of["fallback_products"])


def _table(accounts: dict[str, dict[str, Any]]) -> Table:
    columns = ("account", "cursor", "job", "last success", "quarantined", "pending", "last error")
    table = Table(*columns)
    for name, of in accounts.items():
        for job, known in of["jobs"].items() or [("", {})]:
            numbers = [str(known.get(state, 0)) for state in ("quarantined", "pending")]
            last = [known.get("last_success") or "never", *numbers]
            add_row(table, name, of["cursor"] or "", job, *last, known.get("last_error") or "")
    return table


def _daemons(bridge: App, holdings: Mapping[str, Holding | None]) -> list[dict[str, Any]]:
    """The daemons that share the state store, and the accounts that each of them works for."""
    held: dict[str, list[str]] = {}
    for name, holding in holdings.items():
        if holding:
            held.setdefault(holding.name, []).append(name)
    return [
        {
            "process": each.name,
            "began": timestamp(each.began),
            "accounts": held.get(each.name, []),
        }
        for each in bridge.ledger.holdings.daemons()
    ]


def _holdings(bridge: App) -> dict[str, Holding | None]:
    """The daemon that works for each account, where several share the state store."""
    if not bridge.ledger.is_shared:
        return {}
    of_sellers, found = bridge.ledger.holdings.all(), {}
    for account in bridge.accounts():
        holding = of_sellers.get(account.seller_id)
        found[account.name] = holding if holding and account.name in holding.accounts else None
    return found


def _show_daemons(daemons: list[dict[str, Any]], accounts: Mapping[str, Mapping[str, Any]]) -> None:
    for each in daemons:
        names = ", ".join(each["accounts"]) or "no account"
        say(f"Daemon {each['process']}, since {each['began']}, works for {names}.")
    if without := [name for name, of in accounts.items() if of["is_without_daemon"]]:
        say(f"No daemon works for {', '.join(without)}.")


def _show_unattended(account: str, of: dict[str, Any]) -> None:
    """Name open items that no job processes: the account was removed, or the job switched off."""
    for job, known in of["jobs"].items():
        number = known["pending"] + known["quarantined"]
        open_items = f"{account}, {job}: {counted(number, 'open item')}"
        if number and not of["configured"]:
            say(f"{open_items}, but the account is not configured.")
        elif number and known["switched_off"]:
            say(f"{open_items}, but the job is switched off.")


def _show_tally(account: str, job: str, numbers: Mapping[str, int]) -> None:
    """The numbers of what a job watches, if there is anything."""
    if any(numbers.values()):
        listed = ", ".join(f"{number} {state}" for state, number in numbers.items())
        say(f"{account}, {job}: {listed}.")


def _pending(bridge: App, account: str, most: int | None) -> list[Pending]:
    """The first pending items, or all, of each job that lists them."""
    of_config = Links(bridge.config, bridge.ledger)
    found = [
        (job, job.pending, pending_list(bridge.ledger, account, job.pending, most))
        for job in JOBS
        if job.pending
    ]
    return [
        Pending(
            view,
            items,
            {each.key: of_config.of_item(account, job.name, each.key) for each in items.items},
        )
        for job, view, items in found
    ]


def _show_pending(account: str, pending: Pending) -> None:
    """List the first pending items of a job, and why they are pending."""
    view, found, links = pending
    if not found.items:
        return
    say(f"{account}: {view.counted(found.total)}:")
    for each in found.items[:_MOST_PENDING]:
        text = f"  {each.key}, {timestamp(each.since)}: {each.note}"
        say_linked(text, [(link.title, link.url) for link in links[each.key]])
    if found.total > _MOST_PENDING:
        say("  The others: amazon-bridge status --json")


def _show_fallbacks(account: str, unmatched: Sequence[dict[str, Any]]) -> None:
    """Name the SKUs whose orders were imported with a fallback product."""
    if unmatched:
        skus = counted(len(unmatched), "SKU")
        say(f"{account}: {skus} imported with the product Amazon Sale:")
    for each in unmatched[:_MOST_SKUS]:
        say(f"  {each['sku']}: {counted(each['orders'], 'order')}, such as {each['order']}")
        say(f"    {each['reason']}")
    if unmatched[_MOST_SKUS:]:
        say("  The others: amazon-bridge status --json")


def backlog_sentence(bridge: App, account: str) -> str | None:
    """How far reading an account's back-log has come; None if it has none."""
    found = bridge.ledger.lanes.backlog(account)
    return backlog.sentence(found, bridge.clock()) if found else None


def _backlog_json(bridge: App, account: str) -> dict[str, Any] | None:
    found = bridge.ledger.lanes.backlog(account)
    return backlog.as_json(found, bridge.clock()) if found else None


def known_accounts(bridge: App) -> list[str]:
    """The configured accounts, then removed ones that have open items."""
    configured = [account.name for account in bridge.accounts()]
    removed = {account for account, _, _ in bridge.ledger.items.open_counts()} - set(configured)
    return configured + sorted(removed)


def account_status(bridge: App, account: str, pending: Sequence[Pending]) -> dict[str, Any]:
    """The state of an account, as ``status --json`` prints it, with these pending items."""
    open_counts = bridge.ledger.items.open_counts().items()
    open_items = [(state, number) for (name, _, state), number in open_counts if name == account]
    found = next((each for each in bridge.accounts() if each.name == account), None)
    return {
        "configured": found is not None,
        "cursor": timestamp(bridge.ledger.cursors.get(account)),
        "synced_until": timestamp(bridge.ledger.cursors.synced_until(account)),
        "backlog": _backlog_json(bridge, account),
        "jobs": _jobs_json(bridge, account, found),
        "quarantined": sum(n for state, n in open_items if state is State.QUARANTINED),
        "pending": sum(n for state, n in open_items if state is State.PENDING),
        **{
            each.view.json_key: [
                {
                    **item.facts,
                    "since": timestamp(item.since),
                    **as_urls(each.links[item.key]),
                }
                for item in each.found.items
            ]
            for each in pending
        },
        **{name: tally(bridge.ledger, account, view) for name, view in _JOBS_WITH_TALLY.items()},
        "fallback_products": [
            {"sku": each.name, "reason": each.reason, "orders": each.items, "order": each.last_key}
            for each in bridge.ledger.skus.unmatched(account)
        ],
    }


def _jobs_json(bridge: App, name: str, account: AccountConfig | None) -> dict[str, Any]:
    """Each job's last run and open items, also if it is switched off or never ran."""
    runs = {run.job: _run_json(run) for run in bridge.ledger.runs.latest() if run.account == name}
    open_items = {
        (j, state): n for (a, j, state), n in bridge.ledger.items.open_counts().items() if a == name
    }
    return {
        job: {
            **runs.get(job, {"last_success": None, "last_error": None}),
            "pending": open_items.get((job, State.PENDING), 0),
            "quarantined": open_items.get((job, State.QUARANTINED), 0),
            "switched_off": account is None or _is_switched_off(account, job),
        }
        for job in [*runs, *sorted({job for job, _ in open_items} - runs.keys())]
    }


def _is_switched_off(account: AccountConfig, name: str) -> bool:
    job = next((each for each in JOBS if each.name == name), None)
    return job is not None and not account.is_active(job)


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "last_success": timestamp(run.last_success),
        "last_error": run.last_error,
        "last_started": timestamp(run.last_started),
        "last_finished": timestamp(run.last_finished),
        "counts": run.counts.as_json(),
    }
