"""Asks for what can't be guessed, and tries each answer at once against Odoo and Amazon."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from typing import Any, TypeVar

from amazon_bridge import app
from amazon_bridge.amazon import operations
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig, Credentials, OdooConfig
from amazon_bridge.engine.errors import AccountError, BridgeError, ConfigError
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.flows import check
from amazon_bridge.init import questions as q
from amazon_bridge.init.questions import Answers
from amazon_bridge.marketplaces import MARKETPLACES, Marketplace, Region, marketplace
from amazon_bridge.model import Finding
from amazon_bridge.odoo import probe, setup
from amazon_bridge.odoo.doctor import of_missing
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Missing, survey
from amazon_bridge.odoo.setup.survey import Survey

T = TypeVar("T")
Say = Callable[[str], None]


def _no_pause(_seconds: float) -> None:
    """A person waits: what doesn't respond is tried again at once."""


@dataclass(frozen=True, slots=True)
class Interview:
    """The result."""

    odoo: OdooConfig
    accounts: list[AccountConfig]
    missing: list[Missing]
    """What Odoo lacks for the accounts, and `setup` creates."""


def interview(answers: Answers, say: Say) -> Interview:
    """Ask, try, propose; nothing is written anywhere.

    Args:
        answers: Who answers.
        say: Shows a line.

    Raises:
        BridgeError: An answer doesn't work, and can't be asked for again.
    """
    say("Odoo")
    address = _accepted(answers, lambda: _reached(answers, say))
    odoo, session = _accepted(answers, lambda: _log_in(answers, address))
    shown = _examine(answers, lambda: check.examine_login(session, _DEFAULTS))
    accounts: list[AccountConfig] = []
    missing: list[Missing] = []
    while not accounts or answers.next_account():
        say("Amazon")
        seller = _accepted(answers, partial(_seller, answers, accounts, say))
        say("The account in Odoo")
        place = partial(_placed, answers, session, seller, accounts, say)
        account = _accepted(answers, place)
        _examine(answers, partial(further_findings, session, account, shown))
        accounts.append(account)
        missing += setup.inspect(session, account).missing
    return Interview(odoo, accounts, list(dict.fromkeys(missing)))


_DEFAULTS = AccountConfig.model_construct()
"""The settings of an account that says nothing."""


def _accepted(answers: Answers, attempt: Callable[[], T]) -> T:
    """Attempt until the answers work."""
    while True:
        try:
            return attempt()
        except BridgeError as error:
            answers.refused(error)


def _examine(answers: Answers, examine: Callable[[], list[Finding]]) -> list[Finding]:
    """Show findings, again after each correction; returns the last ones."""
    while answers.again(findings := examine()):
        pass
    return findings


# Odoo


def _reached(answers: Answers, say: Say) -> dict[str, Any]:
    """The address of an Odoo that responds, and the protocol."""
    url, protocol = answers.value(q.URL), answers.value(q.PROTOCOL, "xmlrpc")
    say(f"  Odoo {probe.server(url, protocol)} responds.")
    return {"url": url, "protocol": protocol}


def _log_in(answers: Answers, address: Mapping[str, Any]) -> tuple[OdooConfig, OdooSession]:
    login = {each.key: answers.value(each) for each in (q.DATABASE, q.LOGIN, q.PASSWORD)}
    odoo = OdooConfig.model_validate({**address, **login})
    return odoo, app.log_in(odoo, sleep=_no_pause)


# Amazon


def _seller(answers: Answers, others: Sequence[AccountConfig], say: Say) -> AccountConfig:
    """An account with credentials that Amazon accepts, and marketplaces that the seller is in."""
    asked = (q.SELLER_ID, q.CLIENT_ID, q.CLIENT_SECRET, q.REFRESH_TOKEN, q.ENDPOINT, q.TOKEN_URL)
    given = {each.key: answers.value(each) for each in asked}
    secrets = {name: given.pop(name) for name in Credentials.model_fields}
    draft = AccountConfig.model_validate(
        {**given, "name": _UNNAMED, "marketplaces": MARKETPLACES[:1], "credentials": secrets}
    )
    places = _places(draft)
    say("  Amazon accepts the credentials. The seller takes part in:")
    for place, suspended in places.items():
        about = ", some listings are suspended" if suspended else ""
        say(f"    {place.country_code}  {place.domain} ({place.currency}{about})")
    taken = {m for each in others if each.seller_id == draft.seller_id for m in each.marketplaces}
    chosen = _accepted(answers, lambda: _chosen(answers, places, taken))
    account = draft.model_copy(update={"marketplaces": chosen})
    _examine(answers, lambda: check.examine_amazon(_partner(account), account))
    return account


_UNNAMED = "new"
"""Name of an account before its marketplaces are known."""


def _partner(account: AccountConfig) -> SellingPartner:
    return app.selling_partner(account, Throttle(operations.LIMITS), sleep=_no_pause)


def _places(draft: AccountConfig) -> dict[Marketplace, bool]:
    """Where the seller takes part, and whether listings are suspended there.

    A refresh token is valid in one region: it is tried in all of them, unless there is an endpoint.
    """
    errors: list[AccountError] = []
    for region in Region:
        of_region = [each for each in MARKETPLACES if each.region == region]
        try:
            found = _participations(draft.model_copy(update={"marketplaces": of_region[:1]}))
        except AccountError as error:
            errors.append(error)
            continue
        if found:
            return found
    raise (
        errors[0]
        if errors
        else AccountError(
            "The seller takes part in none of the marketplaces that the bridge knows.",
            "Compare with Seller Central: Settings, Account Info.",
        )
    )


def _participations(account: AccountConfig) -> dict[Marketplace, bool]:
    with closing(_partner(account)) as partner:
        found = partner.marketplace_participations()
    known = {each: marketplace(each.marketplace_id) for each in found if each.participating}
    return {place: each.suspended for each, place in known.items() if place}


def _chosen(
    answers: Answers, places: Collection[Marketplace], taken: Collection[Marketplace]
) -> tuple[Marketplace, ...]:
    free = [place.country_code for place in places if place not in taken]
    chosen: tuple[Marketplace, ...] | None = answers.value(q.MARKETPLACES, ", ".join(free) or None)
    wrong = [each.country_code for each in chosen or () if each not in places or each in taken]
    if wrong or not chosen:
        raise ConfigError(
            f"The seller takes part in {', '.join(free) or 'no other marketplace'}, and not in"
            f" {', '.join(wrong)}, or another account has it.",
            "Choose from these, or give the credentials of another seller or region.",
        )
    return chosen


# The account in Odoo


def _placed(
    answers: Answers,
    session: OdooSession,
    seller: AccountConfig,
    others: Sequence[AccountConfig],
    say: Say,
) -> AccountConfig:
    """The account with the records of Odoo that it uses."""
    companies = survey.companies(session)
    company = answers.choice(q.COMPANY, dict.fromkeys(companies, ""), next(iter(companies)))
    found = survey.survey(session, companies[company])
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
    inspection = setup.inspect(session, account)
    if inspection.expected is None:
        raise setup.refusal(account, inspection.missing)
    return account


def _warehouse(answers: Answers, found: Survey) -> str | None:
    codes = {each.code: each.name for each in found.warehouses}
    if not codes:
        return None
    chosen = answers.choice(q.WAREHOUSE, codes, next(iter(codes)))
    return chosen if len(codes) > 1 else None


def _tax(answers: Answers, seller: AccountConfig, found: Survey, say: Say) -> Any:
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


def creatable(missing: Iterable[Missing]) -> list[str]:
    """What `setup` creates with this login."""
    return [each.what for each in missing if not each.obstacle]


def further_findings(
    session: OdooSession, account: AccountConfig, shown: Collection[Finding]
) -> list[Finding]:
    """What `check` finds about the account in Odoo, without what was shown and `setup` mends."""
    missing = setup.inspect(session, account).missing
    mended = {of_missing(each) for each in missing if not each.obstacle}
    found = check.examine_odoo(session, account)
    return [each for each in found if each not in mended and each not in shown]
