"""The command line. What people read goes to stdout, what is logged to stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from amazon_bridge import __version__, app, config, log
from amazon_bridge.app import App
from amazon_bridge.config import AccountConfig
from amazon_bridge.engine.errors import AccountError, BridgeError, ConfigError, Transient
from amazon_bridge.engine.ledger.file import verify
from amazon_bridge.engine.records import Entry, Run, State
from amazon_bridge.engine.runner import Counts
from amazon_bridge.flows import jobs
from amazon_bridge.flows.pending import explained, pending_list
from amazon_bridge.flows.shipments.records import waiting
from amazon_bridge.job import PendingList, PendingView
from amazon_bridge.model import Finding
from amazon_bridge.service import daemon, healthcheck, sync_client, sync_protocol
from amazon_bridge.terminal import add_row, console, say, say_marked

DONE, ITEMS_FAILED, WRONG_USAGE, OUT_OF_REACH = range(4)
"""The exit codes."""

_account = click.option("--account", metavar="NAME", help="Only this account.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead.")


class _Commands(click.Group):
    """Turns the bridge's own errors into a message and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            _complain(error)
            ctx.exit(WRONG_USAGE)
        except (AccountError, Transient) as error:
            _complain(error)
            ctx.exit(OUT_OF_REACH)
        except BridgeError as error:
            _complain(error)
            ctx.exit(ITEMS_FAILED)


def _complain(error: BridgeError) -> None:
    for line in f"amazon-bridge: {error}".splitlines():
        say(line, err=True)
    for problem in getattr(error, "problems", ()):
        say(f"  {problem}", err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file. Default: $AMAZON_BRIDGE_CONFIG, else config/bridge.yaml, else"
    " /etc/amazon-bridge/bridge.yaml.",
)
@click.version_option(__version__, prog_name="amazon-bridge")
@click.pass_context
def main(ctx: click.Context, path: Path | None) -> None:
    """Run Amazon sales in Odoo: orders come in, cancellations and shipments go back."""
    ctx.obj = path


def _load(ctx: click.Context) -> config.Config:
    path = config.find(ctx.find_root().obj, os.environ)
    loaded = config.load(path, os.environ)
    log.configure(loaded.log.level, loaded.log.format, modules=loaded.log.modules)
    log.hide(loaded.secrets())
    return loaded


@contextmanager
def _opened(ctx: click.Context) -> Iterator[App]:
    with app.opened(_load(ctx)) as opened:
        yield opened


# Configuration


@main.group("config")
def config_() -> None:
    """Check the configuration file, or learn what may stand in it."""


@config_.command()
@click.pass_context
def validate(ctx: click.Context) -> None:
    """Check the file; tell all that is wrong with it."""
    path = config.find(ctx.find_root().obj, os.environ)
    loaded = config.load(path, os.environ)
    names = ", ".join(account.name for account in loaded.accounts)
    say(f"{path}: right. Accounts: {names}.")


@config_.command()
def schema() -> None:
    """Print the file's JSON schema, for editors."""
    click.echo(json.dumps(config.schema(), indent=2))


@config_.command()
def example() -> None:
    """Print a commented sample to begin with."""
    click.echo(config.example(), nl=False)


# Setting up


@main.command()
@_account
@click.option("--dry-run", is_flag=True, help="Say what would be created; create nothing.")
@click.pass_context
def setup(ctx: click.Context, account: str | None, *, dry_run: bool) -> None:
    """Create in Odoo what the bridge needs and doesn't find; unarchive it. Safe to repeat."""
    with _opened(ctx) as bridge:
        for each in bridge.accounts(account):
            if dry_run:
                _show_missing(bridge, each)
                continue
            bridge.restore_setup(each)
            say(f"{each.name}: Odoo is set up.")


def _show_missing(bridge: App, account: AccountConfig) -> None:
    """Print what the account lacks in Odoo, and what prevents `setup` from creating it."""
    missing = bridge.inspection(account).missing
    if not missing:
        say(f"{account.name}: Odoo is set up.")
        return
    say(f"{account.name}: missing in Odoo; `amazon-bridge setup` creates or unarchives it:")
    for each in missing:
        say(f"  {each.what}{f' ({each.obstacle})' if each.obstacle else ''}")


@main.command()
@_account
@click.pass_context
def check(ctx: click.Context, account: str | None) -> None:
    """Look at both sides, and say what is right and what to do about the rest."""
    with _opened(ctx) as bridge:
        path = config.find(ctx.find_root().obj, os.environ)
        if advice := config.examine(path, os.environ):
            _show_findings("configuration", advice)
        wrong = [
            _show_findings(each.name, bridge.examine(each)) for each in bridge.accounts(account)
        ]
    ctx.exit(OUT_OF_REACH if any(wrong) else DONE)


def _show_findings(about: str, findings: Sequence[Finding]) -> bool:
    """Print findings; tell whether something is wrong."""
    say(f"{about}:")
    for finding in findings:
        say_marked(*_mark(finding), finding.what)
        if finding.remedy:
            say(f"          → {finding.remedy}")
    return not all(finding.ok for finding in findings)


def _mark(finding: Finding) -> tuple[str, str]:
    """A word, and its colour."""
    if not finding.ok:
        return "PROBLEM", "red"
    return ("ADVICE ", "yellow") if finding.remedy else ("OK     ", "green")


# The daemon


@main.command()
@click.pass_context
def run(ctx: click.Context) -> None:
    """Work all accounts on their schedules, until SIGTERM or Ctrl-C.

    SIGHUP reads the configuration again; SIGUSR1 does a round of everything now.
    """
    daemon.run(lambda: _load(ctx))


@main.command("healthcheck")
@click.pass_context
def healthcheck_(ctx: click.Context) -> None:
    """Exit with 0 when the daemon of this configuration is healthy, else with 1."""
    problems = healthcheck.problems(_load(ctx))
    for problem in problems:
        say(problem)
    ctx.exit(1 if problems else 0)


# JobRunner


@main.command()
@click.argument("job", type=click.Choice([*jobs.NAMES, "all"]))
@_account
@click.option("--dry-run", is_flag=True, help="Say what would be done; do and remember nothing.")
@_json
@click.pass_context
def sync(
    ctx: click.Context, job: str, account: str | None, *, dry_run: bool, as_json: bool
) -> None:
    """Do one round now: orders, cancellations, pickings or all.

    The daemon of this configuration does it, when one listens.
    """
    loaded = _load(ctx)
    wrong: list[ConfigError] = []
    results = None if dry_run else sync_client.sync(loaded, job, account)
    if results is None:
        results = _synced_here(loaded, job, account, wrong, dry_run=dry_run, quiet=as_json)
    if as_json:
        click.echo(json.dumps(sync_protocol.results_json(results)))
    else:
        _show_counts(results)
    if wrong:
        raise wrong[0]
    ctx.exit(_exit_code([counts for done in results.values() for counts in done.values()]))


def _synced_here(
    loaded: config.Config,
    job: str,
    account: str | None,
    wrong: list[ConfigError],
    *,
    dry_run: bool,
    quiet: bool,
) -> sync_protocol.Results:
    """Run jobs in this process. ``wrong`` gets what keeps accounts from running at all."""
    with app.opened(loaded) as bridge:
        if not dry_run:
            results = _worked(bridge, job, account, bridge.sync_with_sweep, wrong)
            bridge.do_housekeeping()
            return results
        results = _worked(bridge, job, account, partial(bridge.sync, dry_run=True), wrong)
        if not quiet:
            for each in bridge.accounts(account):
                _show_first_run(bridge, each)
    return results


def _worked(
    bridge: App,
    job: str,
    account: str | None,
    work: Callable[[AccountConfig, str], Counts],
    wrong: list[ConfigError],
) -> sync_protocol.Results:
    """Run the jobs of each account; a wrong configuration of one keeps none of the others."""
    results: sync_protocol.Results = {}
    for each in bridge.accounts(account):
        results[each.name] = {}
        for name in sync_protocol.jobs_named(job):
            try:
                results[each.name][name] = work(each, name)
            except ConfigError as error:
                wrong.append(error)
                results[each.name][name] = Counts(error=str(error))
    return results


def _show_first_run(bridge: App, account: AccountConfig) -> None:
    """Say what the first run of a new account would do besides its counts."""
    with suppress(AccountError, Transient):  # the counts say so
        if bridge.inspection(account).missing:
            _show_missing(bridge, account)
    if bridge.ledger.cursors.get(account.name) is None and account.start is None:
        say(
            f"{account.name}: a new account begins with orders that change after its first run."
            " To bring in earlier ones, set `start`."
        )


def _exit_code(counts: Sequence[Counts]) -> int:
    if any(each.error for each in counts):
        return OUT_OF_REACH
    return ITEMS_FAILED if any(each.quarantined for each in counts) else DONE


def _show_counts(results: dict[str, dict[str, Counts]]) -> None:
    numbers = [name for name in Counts.__slots__ if name != "error"]
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


# Cursors


@main.group()
def cursor() -> None:
    """Up to when each account's orders are known."""


@cursor.command("show")
@click.pass_context
def cursor_show(ctx: click.Context) -> None:
    """Print the last-sync cursors."""
    with _opened(ctx) as bridge:
        for account in bridge.accounts():
            at = bridge.ledger.cursors.get(account.name)
            say(f"{account.name} {_moment(at) or 'none yet: its first round sets it'}")


@cursor.command("set")
@click.argument("account")
@click.argument("timestamp")
@click.option("--skip", is_flag=True, help="Leave out what changed between cursor and TIMESTAMP.")
@click.pass_context
def cursor_set(ctx: click.Context, account: str, timestamp: str, *, skip: bool) -> None:
    """Look again at an account's orders since TIMESTAMP, such as 2026-11-01T00:00:00Z.

    In the next run every order that changed on Amazon since then, and every delivery and
    cancellation in Odoo since then, is looked at again, also those that were done. Nothing is
    done twice, and what people changed in Odoo stays.

    The cursor moves back to TIMESTAMP. Where it is earlier it stays, because orders after it have
    not been read yet; with --skip it moves forward, and they are left out.
    """
    at = _parse(timestamp)
    with _opened(ctx) as bridge:
        if at > bridge.clock():
            raise click.BadParameter(f"{timestamp} lies in the future: no order would come in.")
        found = bridge.accounts(account)[0]
        before = bridge.move_cursor(found, at, skip=skip)
        after = bridge.ledger.cursors.get(found.name) or at
        for sentence in _about_cursor(before, after, at):
            say(f"{found.name}: {sentence}")


def _about_cursor(before: datetime | None, after: datetime, at: datetime) -> list[str]:
    """What has become of a cursor that was set."""
    again = f"What was done since {_moment(at)} is looked at again in the next run."
    if before and before < after:
        skipped = f"What changed on Amazon from {_moment(before)} to {_moment(after)} is left out."
        return [f"cursor moved from {_moment(before)} to {_moment(after)}.", skipped, again]
    if before and after < at:
        stays = f"the cursor stays at {_moment(after)}:"
        return [f"{stays} what changed after it is still to be read (--skip leaves it out).", again]
    return [f"cursor moved from {_moment(before) or 'none'} to {_moment(after)}.", again]


def _parse(timestamp: str) -> datetime:
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise click.BadParameter(
            f"{timestamp!r} is no timestamp with its time zone, such as 2026-11-01T00:00:00Z"
        )
    return at.astimezone(UTC)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


# Orders


@main.group()
def order() -> None:
    """One Amazon order."""


@order.command("show")
@click.argument("order_id", metavar="ID")
@click.pass_context
def order_show(ctx: click.Context, order_id: str) -> None:
    """Tell what the bridge knows of an order."""
    with _opened(ctx) as bridge:
        entries = bridge.ledger.items.of_order(order_id)
    if not entries:
        say(f"The bridge doesn't know {order_id}. To fetch it from Amazon:")
        say(f"  amazon-bridge order recover ACCOUNT {order_id}")
        ctx.exit(ITEMS_FAILED)
    for entry in entries:
        _show_entry(entry)


def _show_entry(entry: Entry) -> None:
    say(f"{entry.display_key} ({entry.account}, {entry.job}): {entry.state.replace('_', ' ')}")
    say(f"  first seen {_moment(entry.first_seen)}, last seen {_moment(entry.last_seen)}")
    if entry.last_tried:
        say(f"  last tried {_moment(entry.last_tried)}")
    if entry.kind:
        say(f"  {entry.kind}: {entry.reason} {entry.remedy or ''}")
    elif entry.state is State.PENDING and (reason := explained(entry).reason):
        say(f"  {reason}")


@order.command("recover")
@click.argument("account")
@click.argument("order_id", metavar="ID")
@click.pass_context
def order_recover(ctx: click.Context, account: str, order_id: str) -> None:
    """Fetch an order from Amazon by its ID and import it now, whatever the cursor says."""
    with _opened(ctx) as bridge:
        counts = bridge.recover(bridge.accounts(account)[0], order_id)
        for entry in bridge.ledger.items.of_order(order_id):
            _show_entry(entry)
            if entry.job == "orders" and entry.state is State.LEFT_OUT:
                say(_WHY_LEFT_OUT)
    ctx.exit(_exit_code([counts]))


_WHY_LEFT_OUT = (
    "  Not imported on purpose: it is of another channel, Amazon has not shipped it yet (FBA), or"
    " it was shipped (FBM) or cancelled before the bridge first saw it."
)


@order.command("import")
@click.argument("account")
@click.argument("order_id", metavar="ID")
@click.option("--as-is", is_flag=True, help="Take the total that Amazon states.")
@click.pass_context
def order_import(ctx: click.Context, account: str, order_id: str, *, as_is: bool) -> None:
    """Import a quarantined order that can't be understood, at the total that Amazon states.

    An activity on its sale order reminds people to check the amounts.
    """
    if not as_is:
        raise click.UsageError(f"To import it as usual: order recover {account} {order_id}")
    with _opened(ctx) as bridge:
        counts = bridge.import_as_is(bridge.accounts(account)[0], order_id)
        for entry in bridge.ledger.items.with_key(order_id):
            _show_entry(entry)
    ctx.exit(_exit_code([counts]))


# Quarantine


@main.group()
def quarantine() -> None:
    """Quarantined items, each with a reason and what to do about it."""


@quarantine.command("list")
@_json
@click.pass_context
def quarantine_list(ctx: click.Context, *, as_json: bool) -> None:
    """List quarantined items."""
    with _opened(ctx) as bridge:
        entries = bridge.ledger.items.quarantined()
    if as_json:
        click.echo(json.dumps([_entry_json(entry) for entry in entries]))
        return
    for entry in entries:
        say(f"{entry.display_key} {entry.account}, {entry.job}: {entry.kind}")
        say(f"  {entry.reason}")
        if entry.remedy:
            say(f"  → {entry.remedy}")
    say(f"{len(entries)} quarantined." if entries else "Nothing is quarantined.")


def _entry_json(entry: Entry) -> dict[str, Any]:
    shown = {"key", "account", "job", "kind", "reason", "remedy", "attempts"}
    values = {name: value for name, value in asdict(entry).items() if name in shown}
    moments = {"first_seen": _moment(entry.first_seen), "last_tried": _moment(entry.last_tried)}
    return values | moments | {"key": entry.display_key}


@quarantine.command("retry")
@click.argument("key", required=False)
@click.option("--all", "everything", is_flag=True, help="All quarantined items.")
@click.pass_context
def quarantine_retry(ctx: click.Context, key: str | None, *, everything: bool) -> None:
    """Let an item (KEY), or all, be tried again in the next round."""
    if bool(key) == everything:
        raise click.UsageError("Name one KEY, or --all.")
    with _opened(ctx) as bridge:
        number = bridge.ledger.items.retry(key)
    if key and not number:
        say(f"{key} is not in the quarantine. To see what is: amazon-bridge quarantine list")
        ctx.exit(ITEMS_FAILED)
    say(f"{number} to be tried again in the next round (amazon-bridge sync all).")


# Buyers


def _retention(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    try:
        return config.retention(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@main.command()
@click.option(
    "--after",
    metavar="INTERVAL",
    callback=_retention,
    help="How long after their last goods left, such as 30d. Default: `retention.buyers`.",
)
@click.option("--dry-run", is_flag=True, help="Say who would be made anonymous; change nothing.")
@_json
@click.pass_context
def anonymise(ctx: click.Context, after: timedelta | None, *, dry_run: bool, as_json: bool) -> None:
    """Take buyers' names and addresses out of Odoo where nothing needs them any more."""
    with _opened(ctx) as bridge:
        after = after or bridge.config.retention.buyers
        if after is None:
            raise ConfigError(
                "Nothing says how long buyers keep their names in Odoo.",
                "Set `retention.buyers` in the configuration file, or give `--after 30d`.",
            )
        outcome = bridge.forget_buyers(after, dry_run=dry_run)
    if as_json:
        kept = [{"customer": id_, "reason": why} for id_, why in outcome.kept.items()]
        click.echo(json.dumps({"anonymised": outcome.anonymised, "kept": kept}))
        return
    say(f"Customers {'to be ' if dry_run else ''}made anonymous: {outcome.anonymised}.")
    _show_kept(outcome.kept)


_MOST_KEPT = 20


def _show_kept(kept: dict[int, str]) -> None:
    """Say why the data of customers is needed still, by their database id."""
    if kept:
        say(f"Still needed are the names of {len(kept)}:")
    for id_, reason in list(kept.items())[:_MOST_KEPT]:
        say(f"  customer {id_}: {reason}")
    if len(kept) > _MOST_KEPT:
        say("  The others: amazon-bridge anonymise --dry-run --json")


# State


@main.group()
def state() -> None:
    """The state store: what the bridge remembers."""


@state.command("backup")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def state_backup(ctx: click.Context, path: Path) -> None:
    """Copy the state store to PATH, as it is at one moment, also while the daemon runs."""
    with _opened(ctx) as bridge:
        bridge.ledger.back_up(path)
    verify(path)
    say(f"{path}: a whole copy of {bridge.config.state}.")


@state.command("verify")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_context
def state_verify(ctx: click.Context, path: Path | None) -> None:
    """Examine the state store, or the backup at PATH, and change nothing."""
    examined = path or _load(ctx).state
    rows = verify(examined)
    told = ", ".join(f"{number} {name}" for name, number in rows.items())
    say(f"{examined}: whole. {told}.")


@state.command("adopt")
@click.option(
    "--since",
    metavar="TIMESTAMP",
    help="Look again at what happened since then, such as 2026-11-01T00:00:00Z. Default: since"
    " each account's beginning.",
)
@click.pass_context
def state_adopt(ctx: click.Context, since: str | None) -> None:
    """Use the state store for the Odoo database that the configuration names from now on.

    The store refuses any other database than the one it was used with. After this command it
    belongs to the configured one, and everything is looked at again, as after `cursor set`.
    """
    at = _parse(since) if since else None
    with _opened(ctx) as bridge:
        moments = bridge.adopt(at)
        odoo = bridge.config.odoo
        say(f"{bridge.config.state} now belongs to {odoo.database} at {odoo.url}.")
        for name, moment in moments.items():
            say(f"{name}: everything since {_moment(moment)} is looked at again.")
        for name in _known_accounts(bridge):
            for each in waiting(bridge.ledger, name):
                say(f"{name}: {each.display_key} was waiting{_WHETHER_THERE}")


_WHETHER_THERE = (
    " to be confirmed to Amazon. The next run looks for it in this database, and leaves it out if"
    " it is not there."
)


# Status


@main.command()
@_json
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """Tell how each account and job stands."""
    with _opened(ctx) as bridge:
        told = {name: _status(bridge, name) for name in _known_accounts(bridge)}
        pending = {name: _pending(bridge, name) for name in told}
    if as_json:
        click.echo(json.dumps({"accounts": told}))
        return
    table = Table(
        "account", "cursor", "job", "last success", "quarantined", "pending", "last error"
    )
    for name, of in told.items():
        for job, done in of["jobs"].items() or [("", {})]:
            numbers = [str(done.get(state, 0)) for state in ("quarantined", "pending")]
            last = [done.get("last_success") or "never", *numbers]
            add_row(table, name, of["cursor"] or "", job, *last, done.get("last_error") or "")
    console().print(table)
    for name, of in told.items():
        _show_left_alone(name, of)
        for view, found in pending[name]:
            _show_pending(name, view, found)
        _show_fallbacks(name, of["fallback_products"])


def _show_left_alone(account: str, of: dict[str, Any]) -> None:
    """Name what nobody works on: of a removed account, or of a job that is switched off."""
    for job, done in of["jobs"].items():
        number = done["pending"] + done["quarantined"]
        if number and not of["configured"]:
            say(f"{account}, {job}: {number} items are open, but the account is not configured.")
        elif number and done["switched_off"]:
            say(f"{account}, {job}: {number} items are open, but the job is switched off.")


_MOST_PENDING = 20


def _pending(bridge: App, account: str) -> list[tuple[PendingView, PendingList]]:
    """The pending items of each job that has a list of them."""
    return [
        (job.pending, pending_list(bridge.ledger, account, job.pending, _MOST_PENDING))
        for job in jobs.JOBS
        if job.pending
    ]


def _show_pending(account: str, view: PendingView, pending: PendingList) -> None:
    """List the first pending items of a job, and why they are pending."""
    if not pending.items:
        return
    say(f"{account}: {pending.total} {view.title}:")
    for each in pending.items[:_MOST_PENDING]:
        say(f"  {each.key}, {_moment(each.since)}: {each.note}")
    if pending.items[_MOST_PENDING:]:
        say("  The others: amazon-bridge status --json")
    elif pending.total > len(pending.items):
        say(f"  And {pending.total - len(pending.items)} more.")


_MOST_SKUS = 20


def _show_fallbacks(account: str, unmatched: Sequence[dict[str, Any]]) -> None:
    """Name the SKUs whose orders came in with a fallback product."""
    if unmatched:
        say(f"{account}: {len(unmatched)} SKUs came in with the product Amazon Sale:")
    for each in unmatched[:_MOST_SKUS]:
        say(f"  {each['sku']}: {each['orders']} orders, such as {each['order']}")
        say(f"    {each['reason']}")
    if unmatched[_MOST_SKUS:]:
        say("  The others: amazon-bridge status --json")


def _known_accounts(bridge: App) -> list[str]:
    """The accounts of the configuration, then those removed from it that have open items."""
    configured = [account.name for account in bridge.accounts()]
    removed = {account for account, _, _ in bridge.ledger.items.open_counts()} - set(configured)
    return configured + sorted(removed)


def _status(bridge: App, account: str) -> dict[str, Any]:
    tally = bridge.ledger.items.tally(account)
    found = next((each for each in bridge.accounts() if each.name == account), None)
    return {
        "configured": found is not None,
        "cursor": _moment(bridge.ledger.cursors.get(account)),
        "jobs": _jobs_json(bridge, account, found),
        "quarantined": tally[State.QUARANTINED],
        "pending": tally[State.PENDING],
        **{
            view.json_key: [{**item.facts, "since": _moment(item.since)} for item in found.items]
            for view, found in _pending(bridge, account)
        },
        "fallback_products": [
            {"sku": each.name, "reason": each.reason, "orders": each.items, "order": each.last_key}
            for each in bridge.ledger.skus.unmatched(account)
        ],
    }


def _jobs_json(bridge: App, name: str, account: AccountConfig | None) -> dict[str, Any]:
    """Each job's last run, and what it has open, also if it is switched off or never ran."""
    runs = {run.job: _round_json(run) for run in bridge.ledger.runs.latest() if run.account == name}
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
    return any(job.name == name and not account.notifies_amazon(job) for job in jobs.JOBS)


def _round_json(each: Run) -> dict[str, Any]:
    return {
        "last_success": _moment(each.last_success),
        "last_error": each.last_error,
        "last_started": _moment(each.last_started),
        "last_finished": _moment(each.last_finished),
        "counts": asdict(each.counts),
    }


# Demonstration


@main.command()
@click.option("--odoo", "url", metavar="URL", required=True, help="A real Odoo to fill.")
@click.option("--database", metavar="NAME", required=True, help="Its database: an empty one.")
@click.option("--login", default="admin", show_default=True)
@click.option("--password", default="admin", show_default=True)
def demo(url: str, database: str, login: str, password: str) -> None:
    """Fill an Odoo database with made-up orders from a simulated Amazon.

    For a look at everything without an account at Amazon: `make demo` brings the Odoo too.
    """
    from amazon_bridge import demo  # noqa: PLC0415  the simulator is for this command only

    demo.run(url, database, login, password)
