"""The questions about Odoo, tried there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, count
from typing import Any

from amazon_bridge import app
from amazon_bridge.config import AccountConfig, OdooConfig
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.flows import check
from amazon_bridge.init import questions as q
from amazon_bridge.init.attempts import Say, no_pause
from amazon_bridge.init.questions import Answers
from amazon_bridge.marketplaces import Region
from amazon_bridge.model import Finding
from amazon_bridge.odoo import probe, setup
from amazon_bridge.odoo.doctor import of_missing
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import proposals
from amazon_bridge.odoo.setup.proposals import Proposals


def ask_address(answers: Answers, say: Say) -> dict[str, Any]:
    """The address of an Odoo that responds, and the protocol."""
    url, protocol = answers.value(q.URL), answers.value(q.PROTOCOL, "xmlrpc")
    say("  Connecting to Odoo ...")
    say(f"  Odoo {probe.server(url, protocol)} responds.")
    return {"url": url, "protocol": protocol}


def ask_login(
    answers: Answers, address: Mapping[str, Any], say: Say
) -> tuple[OdooConfig, OdooSession]:
    """A login that Odoo accepts."""
    login = {each.key: answers.value(each) for each in (q.DATABASE, q.LOGIN, q.PASSWORD)}
    odoo = OdooConfig.model_validate({**address, **login})
    say("  Logging in and examining Odoo ...")
    return odoo, app.log_in(odoo, sleep=no_pause)


def ask_place(
    answers: Answers,
    session: OdooSession,
    seller: AccountConfig,
    others: Sequence[AccountConfig],
    say: Say,
) -> AccountConfig:
    """The account with the records of Odoo that it uses."""
    say("  Reading companies, warehouses and sales teams from Odoo ...")
    companies = proposals.companies(session)
    company = answers.choice(q.COMPANY, dict.fromkeys(companies, ""), next(iter(companies)))
    found = proposals.read_proposals(session, companies[company])
    account = seller.model_copy(
        update={
            "company": company if len(companies) > 1 else None,
            "warehouse": _warehouse(answers, found),
            "sales_team": answers.value(q.SALES_TEAM, found.sales_team),
            "fba_location": answers.value(q.FBA_LOCATION, found.fba_location),
            "prices_include_tax": _tax(answers, seller, found, say),
            "name": _name(answers, company, seller, others),
            "start": answers.value(q.START),
        }
    )
    _ensure_usable(session, account, say)
    return account


def _ensure_usable(session: OdooSession, account: AccountConfig, say: Say) -> None:
    """Check that Odoo has the company and the warehouse of an account."""
    say("  Examining what Odoo has for this account ...")
    inspection = setup.inspect(session, account)
    if inspection.expected is None:
        raise setup.refusal(account, inspection.missing)
    location = f"the stock location {account.fba_location}"
    if any(each.what == location and not each.obstacle for each in inspection.missing):
        say(f"  Odoo has no stock location {account.fba_location}: `setup` creates it.")


def _warehouse(answers: Answers, found: Proposals) -> str | None:
    codes = {each.code: each.name for each in found.warehouses}
    if not codes:
        return None
    chosen = answers.choice(q.WAREHOUSE, codes, next(iter(codes)))
    return chosen if len(codes) > 1 else None


def _tax(answers: Answers, seller: AccountConfig, found: Proposals, say: Say) -> Any:
    """Whether Amazon's prices include tax."""
    for included, word in ((True, "include"), (False, "are without")):
        codes = [m.country_code for m in seller.marketplaces if m.prices_include_tax == included]
        if codes:
            say(f"  Amazon's prices {word} tax in {', '.join(codes)}: that is what `auto` means.")
    if found.sales_tax:
        how = "included in prices" if found.sales_tax.included else "added to prices"
        say(f"  New products in Odoo get the tax {found.sales_tax.name}, {how}.")
    return answers.value(q.TAX, "auto")


def _name(
    answers: Answers, company: str, seller: AccountConfig, others: Sequence[AccountConfig]
) -> str:
    taken = [each.name for each in others]
    name: str = answers.value(q.NAME, proposed_name(company, seller.region, taken))
    if name in taken:
        raise ConfigError(f"Another account is named {name}.", "Each account has its own name.")
    return name


def proposed_name(company: str, region: Region, taken: Collection[str]) -> str:
    """A free name for an account, such as ``acme-eu``."""
    words = re.findall(r"[a-z0-9]+", company.casefold())
    name = "-".join([*words[:_WORDS], region.value])
    further = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain([name], further) if each not in taken)


_WORDS = 3
"""Words of a company's name that an account's name has."""


def further_findings(
    session: OdooSession, account: AccountConfig, shown: Collection[Finding]
) -> list[Finding]:
    """What `check` finds about the account in Odoo, besides what was shown.

    Records that `setup` creates, with this login or another one, are named in one sentence later.
    """
    missing = setup.inspect(session, account).missing
    later = {of_missing(each) for each in missing if not each.is_for_people}
    found = check.examine_odoo(session, account)
    return [each for each in found if each not in later and each not in shown]
