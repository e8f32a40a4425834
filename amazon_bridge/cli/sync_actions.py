"""What ``sync`` does: it lets the daemon run the jobs, or runs them here."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

import click
import structlog
from rich.table import Table

from amazon_bridge import app, config
from amazon_bridge.app import App
from amazon_bridge.cli.common import exit_code, load
from amazon_bridge.cli.progress import Refresh, backlog_bars
from amazon_bridge.cli.setup_actions import show_missing
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.counts import Counts
from amazon_bridge.engine.errors import AccountError, ConfigError, Transient
from amazon_bridge.flows import jobs
from amazon_bridge.service import sync_client
from amazon_bridge.service.relay import relayed
from amazon_bridge.service.resumed_runs import ResumedRuns
from amazon_bridge.service.sync_protocol import Results, results_json, runs_of
from amazon_bridge.tables import add_row, console
from amazon_bridge.terminal import say

log = structlog.get_logger(__name__)

_TICK = 1.0  # seconds between two looks at what somebody waits for


def sync(
    ctx: click.Context, job: str, account: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Run a job, or all jobs, as the command `sync` says."""
    loaded = load(ctx)
    errors: list[ConfigError] = []
    if not dry_run:
        _name_accounts_without(job, loaded, account)
    results = None if dry_run else _delegated(loaded, job, account)
    if results is None:
        results = _sync_here(loaded, job, account, errors, dry_run=dry_run, quiet=as_json)
    if as_json:
        click.echo(json.dumps(results_json(results)))
    else:
        _show_counts(results)
    if errors:
        raise errors[0]
    ctx.exit(exit_code([counts for done in results.values() for counts in done.values()]))


def _name_accounts_without(job: str, loaded: config.Config, account: str | None) -> None:
    """Name the accounts for which the job is off: nothing is done for them."""
    for each in loaded.accounts:
        if account in (None, each.name) and job != "all" and not each.runs(jobs.named(job)):
            say(f"{each.name}: {job} is switched off in the configuration.", err=True)


def _delegated(loaded: config.Config, job: str, account: str | None) -> Results | None:
    """Let the daemon run the jobs; None if no matching daemon is running."""
    with ExitStack() as stack:

        def show() -> Refresh:
            bridge = stack.enter_context(app.opened(loaded))
            names = [each.name for each in bridge.accounts(account)]
            return stack.enter_context(backlog_bars(bridge.ledger, bridge.clock, names))

        return sync_client.sync(loaded, job, account, show=show if sys.stderr.isatty() else None)


def _sync_here(
    loaded: config.Config,
    job: str,
    account: str | None,
    errors: list[ConfigError],
    *,
    dry_run: bool,
    quiet: bool,
) -> Results:
    """Run jobs in this process. ``errors`` gets those that keep an account from running at all."""
    with app.opened(loaded, show=_silent if quiet else say) as bridge:
        if not dry_run:
            results = _run_jobs(bridge, job, account, partial(_run_or_relay, bridge), errors)
            bridge.housekeeping.run_due()
            return results
        results = _run_jobs(bridge, job, account, partial(_preview, bridge), errors)
        if not quiet:
            for each in bridge.accounts(account):
                _show_first_run(bridge, each)
    return results


def _run_or_relay(bridge: App, account: AccountConfig, job: str) -> Counts:
    """Run a job, or let the daemon on another machine do that which works for the account."""
    holding = bridge.ledger.holdings.all().get(account.seller_id)
    if holding is None:
        return bridge.runs.sync(account, job)
    if holding.configuration != bridge.config.digest_of_runs():
        reason = f"Process {holding.name} runs with another configuration: reload it (SIGHUP)."
        log.warning("sync_not_relayed", account=account.name, reason=reason)
        return bridge.runs.sync(account, job)
    try:
        return relayed(bridge.ledger, account, job, time.sleep)
    except (AccountError, Transient) as error:
        return Counts(error=str(error))


def _silent(_line: str) -> None:
    """Print nothing besides the JSON."""


def _run_jobs(
    bridge: App,
    job: str,
    account: str | None,
    run: Callable[[AccountConfig, str], Counts],
    errors: list[ConfigError],
) -> Results:
    """Run the jobs of each account until all are through.

    A wrong configuration of one account stops none of the others. Where a rate limit ends a run,
    it goes on when there is a token; nothing is locked meanwhile.
    """

    def run_named(name: str, job: str) -> Counts:
        try:
            return run(bridge.config.account(name), job)
        except ConfigError as error:
            errors.append(error)
            return Counts(error=str(error))

    runs = ResumedRuns()
    runs.add(runs_of(job, bridge.accounts(account)))
    names = [each.name for each in bridge.accounts(account)]
    with backlog_bars(bridge.ledger, bridge.clock, names) as refresh:
        while (pause := runs.pause) is not None:
            _sleep(pause.total_seconds(), refresh)
            runs.do_due(run_named)
    return runs.results


def _sleep(seconds: float, refresh: Refresh) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        refresh()
        time.sleep(min(left, _TICK))


def _preview(bridge: App, account: AccountConfig, job: str) -> Counts:
    """Do a dry run; one that a rate limit ends is not resumed, because it would start over."""
    counts = bridge.runs.sync(account, job, dry_run=True)
    if counts.resume_in is not None:
        part = "only a part was looked at: Amazon's rate allows no more calls now."
        say(f"{account.name}, {job}: {part}", err=True)
    return counts.final


def _show_first_run(bridge: App, account: AccountConfig) -> None:
    """Say what the first run of a new account would do besides its counts."""
    with suppress(AccountError, Transient):  # the counts say so
        if bridge.setups.inspection(account).missing:
            show_missing(bridge, account)
    if bridge.ledger.cursors.get(account.name) is None and account.start is None:
        say(
            f"{account.name}: a new account begins with orders that change after its first run."
            " To bring in earlier ones, set `start`."
        )


def _show_counts(results: Results) -> None:
    numbers = list(Counts().numbers())
    table = Table("account", "job", *numbers)
    failed: dict[tuple[str, str], list[str]] = {}
    for account, done in results.items():
        for job, counts in done.items():
            add_row(table, account, job, *(str(getattr(counts, name)) for name in numbers))
            if counts.error:
                failed.setdefault((account, counts.error), []).append(job)
    console().print(table)
    for (account, error), failing in failed.items():  # common errors are printed once
        say(f"{account}, {', '.join(failing)}: {error}")
    if any(counts.quarantined for done in results.values() for counts in done.values()):
        say("Some were quarantined: amazon-bridge quarantine list")
