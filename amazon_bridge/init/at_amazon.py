"""The questions about a seller, tried at Amazon."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing

from amazon_bridge import app
from amazon_bridge.amazon import operations
from amazon_bridge.amazon.selling_partner import SellingPartner
from amazon_bridge.config import AccountConfig, Credentials
from amazon_bridge.engine.errors import AccountError, ConfigError
from amazon_bridge.engine.throttle import Throttle
from amazon_bridge.flows import check
from amazon_bridge.init import questions as q
from amazon_bridge.init.attempts import Say, accepted, examined, no_pause
from amazon_bridge.init.questions import Answers
from amazon_bridge.marketplaces import MARKETPLACES, Marketplace, Region, marketplace
from amazon_bridge.model import Finding


def ask_seller(answers: Answers, others: Sequence[AccountConfig], say: Say) -> AccountConfig:
    """An account with credentials that Amazon accepts, and marketplaces that the seller is in."""
    asked = (q.SELLER_ID, q.CLIENT_ID, q.CLIENT_SECRET, q.REFRESH_TOKEN, q.ENDPOINT, q.TOKEN_URL)
    given = {each.key: answers.value(each) for each in asked}
    secrets = {name: given.pop(name) for name in Credentials.model_fields}
    draft = AccountConfig.model_validate(
        {**given, "name": _UNNAMED, "marketplaces": MARKETPLACES[:1], "credentials": secrets}
    )
    say("  Trying the credentials at Amazon ...")
    places = _places(draft)
    say("  Amazon accepts the credentials. The seller sells in:")
    for place, suspended in places.items():
        about = ", some listings are suspended" if suspended else ""
        say(f"    {place.country_code}  {place.domain} ({place.currency}{about})")
    say("  Amazon does not confirm the seller id: compare it with Seller Central (Settings,")
    say("  Account Info, Your Merchant Token).")
    taken = {m for each in others if each.seller_id == draft.seller_id for m in each.marketplaces}
    chosen = accepted(answers, lambda: _chosen(answers, places, taken))
    account = draft.model_copy(update={"marketplaces": chosen})
    say("  Examining the access to Amazon ...")
    examined(answers, lambda: _examine(account))
    return account


def _examine(account: AccountConfig) -> list[Finding]:
    with closing(_partner(account)) as partner:
        return check.examine_amazon(partner, account)


_UNNAMED = "new"
"""Name of an account before its marketplaces are known."""


def _partner(account: AccountConfig) -> SellingPartner:
    return app.selling_partner(account, Throttle(operations.LIMITS), sleep=no_pause)


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
            "The seller sells in none of the marketplaces that the bridge knows.",
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
    if not chosen:
        raise ConfigError(
            "All marketplaces of the seller are in other accounts.",
            "Give the credentials of another seller or region.",
        )
    problems = [
        *_unusable(chosen, lambda each: each not in places, "The seller does not sell in"),
        *_unusable(chosen, lambda each: each in taken, "Another account already has"),
    ]
    if problems:
        raise ConfigError(
            f"{' '.join(problems)} Available: {', '.join(free) or 'none'}.",
            "Choose from the available ones, or give the credentials of another seller or region.",
        )
    return chosen


def _unusable(
    chosen: Collection[Marketplace], is_unusable: Callable[[Marketplace], bool], why: str
) -> list[str]:
    codes = [each.country_code for each in chosen if is_unusable(each)]
    return [f"{why} {', '.join(codes)}."] if codes else []
