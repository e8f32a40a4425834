"""What ``setup`` and ``check`` do before the first sync run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from amazon_bridge import config
from amazon_bridge.app import App
from amazon_bridge.cli.commands import DONE, OUT_OF_REACH
from amazon_bridge.cli.common import config_path, opened
from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.filters import configured
from amazon_bridge.flows.settlements.first_map import first_map
from amazon_bridge.model import Finding
from amazon_bridge.odoo.doctor import CREATED_BY_SETUP
from amazon_bridge.odoo.filters import TITLES, Filter
from amazon_bridge.odoo.setup import Advice, SettlementSetup, Setup
from amazon_bridge.terminal import counted, say, say_marked


def setup(ctx: click.Context, account: str | None, *, dry_run: bool) -> None:
    """Create in Odoo what the accounts need, as the command `setup` says."""
    with opened(ctx) as bridge:
        accounts = bridge.accounts(account)
        if dry_run:
            for each in accounts:
                show_missing(bridge, each)
            _show_missing_filters(bridge, accounts)
            return
        setups = {}
        for each in accounts:
            advice = bridge.setups.advice(each)  # before there is what it is about
            made = setups[each.name] = bridge.setups.restore(each)
            say(f"{each.name}: Odoo is set up.")
            _show_advice(advice)
            if made.settlement and each.settlements.accounts is None:
                _write_first_map(config_path(ctx).parent, each, made.settlement)
        _create_filters(bridge, setups)


def _show_missing_filters(bridge: App, accounts: Sequence[AccountConfig]) -> None:
    expected = {each.name: bridge.setups.inspection(each).expected for each in accounts}
    setups = {name: setup for name, setup in expected.items() if setup}
    for each in bridge.filters.missing(_configured_filters(bridge, setups)):
        say(f"Missing in Odoo; `amazon-bridge setup` creates it: {_titled(each)}")


def _create_filters(bridge: App, setups: Mapping[str, Setup]) -> None:
    result = bridge.filters.create(_configured_filters(bridge, setups))
    for each in result.created:
        say(f"Created in Odoo for all users: {_titled(each)}")
    for each, error in result.refused:
        say(f"Not created in Odoo: {_titled(each)}. {error}")


def _titled(each: Filter) -> str:
    return f"the filter {each.name} ({TITLES[each.model]})"


def _configured_filters(bridge: App, setups: Mapping[str, Setup]) -> list[Filter]:
    """Those of single accounts only if all accounts are known: their orders must differ."""
    all_known = len(setups) == len(bridge.config.accounts)
    extras = [each for each in bridge.config.odoo.extras if all_known or each != "accounts"]
    return configured(bridge.odoo, extras, setups)


def _write_first_map(folder: Path, account: AccountConfig, made: SettlementSetup) -> None:
    """Write the accounts of settlements into a file, for people to change; once."""
    path = folder / f"settlement-accounts-{account.name}.csv"
    of_orders = account.settlements.orders == "revenue"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(first_map(made, of_orders=of_orders))
    except FileExistsError:
        return
    except OSError as error:
        say(f"  {path} could not be written: {error.strerror}.")
        return
    say(f"  {path} has the accounts of settlements. To change them, edit it and enter")
    say("  its name as `settlements.accounts` of the account.")


def _show_advice(advice: Sequence[Advice]) -> None:
    for each in advice:
        say(f"  {each.what}. {each.remedy}")


def show_missing(bridge: App, account: AccountConfig) -> None:
    """Print what the account lacks in Odoo, and what prevents `setup` from creating it."""
    inspection = bridge.setups.inspection(account)
    missing = inspection.missing
    if not missing:
        say(f"{account.name}: Odoo is set up.")
        return
    headings = {False: "`amazon-bridge setup` creates or unarchives it", True: "correct it first"}
    for is_for_people, heading in headings.items():
        some = [each for each in missing if each.is_for_people == is_for_people]
        if some:
            say(f"{account.name}: missing in Odoo; {heading}:")
        for each in some:
            say(f"  {each.what}{f' ({each.obstacle})' if each.obstacle else ''}")
    _show_advice(inspection.advice)


def check(ctx: click.Context, account: str | None) -> None:
    """Examine Odoo and Amazon, and say how to fix problems."""
    with opened(ctx) as bridge:
        if advice := config.examine(config_path(ctx), os.environ):
            say("configuration:")
            show_findings(advice)
        wrong = [_is_wrong(bridge, each) for each in bridge.accounts(account)]
    ctx.exit(OUT_OF_REACH if any(wrong) else DONE)


def _is_wrong(bridge: App, account: AccountConfig) -> bool:
    say(f"{account.name}:")
    findings = bridge.examine(account)
    is_wrong = show_findings(findings)
    if number := sum(each.remedy == CREATED_BY_SETUP for each in findings):
        say(f"  Next: `amazon-bridge setup` creates {counted(number, 'missing record')}.")
    return is_wrong


def show_findings(findings: Sequence[Finding]) -> bool:
    """Print findings, and return whether one of them is a problem."""
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
