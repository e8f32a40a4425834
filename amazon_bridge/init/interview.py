"""Asks for what can't be guessed, and tries each answer at once against Odoo and Amazon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from amazon_bridge.config import AccountConfig, OdooConfig
from amazon_bridge.flows import check
from amazon_bridge.flows.filters import configured
from amazon_bridge.init.at_amazon import ask_seller
from amazon_bridge.init.attempts import Say, accepted, examined
from amazon_bridge.init.in_odoo import ask_address, ask_login, ask_place, further_findings
from amazon_bridge.init.questions import Answers
from amazon_bridge.odoo import filters, setup
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import Inspection, Missing


@dataclass(frozen=True, slots=True)
class Interview:
    """The result."""

    odoo: OdooConfig
    accounts: list[AccountConfig]
    missing: list[Missing]
    """What Odoo lacks for the accounts, and `setup` creates."""
    filters: int = 0
    """Number of shared filters that Odoo lacks, and `setup` creates."""


def interview(answers: Answers, say: Say) -> Interview:
    """Ask, try, propose; nothing is written anywhere.

    Args:
        answers: Who answers.
        say: Shows a line.

    Raises:
        BridgeError: An answer doesn't work, and can't be asked for again.
    """
    say("Odoo")
    address = accepted(answers, partial(ask_address, answers, say))
    odoo, session = accepted(answers, partial(ask_login, answers, address, say))
    shown = examined(answers, partial(check.examine_login, session, _DEFAULTS))
    accounts: list[AccountConfig] = []
    inspections: dict[str, Inspection] = {}
    while not accounts or answers.next_account():
        say("Amazon")
        seller = accepted(answers, partial(ask_seller, answers, accounts, say))
        say("The account in Odoo")
        place = partial(ask_place, answers, session, seller, accounts, say)
        account = accepted(answers, place)
        shown += examined(answers, partial(further_findings, session, account, shown))
        accounts.append(account)
        inspections[account.name] = setup.inspect(session, account)
    missing = dict.fromkeys(each for found in inspections.values() for each in found.missing)
    return Interview(odoo, accounts, list(missing), _missing_filters(session, odoo, inspections))


def _missing_filters(
    session: OdooSession, odoo: OdooConfig, inspections: Mapping[str, Inspection]
) -> int:
    setups = {name: each.expected for name, each in inspections.items() if each.expected}
    expected = configured(session, odoo.extras, setups)
    return len(expected) - len(filters.existing(session, expected))


_DEFAULTS = AccountConfig.model_construct()
"""The settings of an account that says nothing."""


def creatable(missing: Iterable[Missing]) -> list[str]:
    """What `setup` creates or unarchives with this login."""
    return [each.what for each in missing if each.obstacle in {"", setup.ARCHIVED}]
