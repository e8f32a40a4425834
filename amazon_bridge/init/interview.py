"""Asks for what can't be guessed, and tries each answer at once against Odoo and Amazon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from amazon_bridge.config import AccountConfig, OdooConfig
from amazon_bridge.flows import check
from amazon_bridge.init.at_amazon import ask_seller
from amazon_bridge.init.attempts import Say, accepted, examined
from amazon_bridge.init.in_odoo import ask_address, ask_login, ask_place, further_findings
from amazon_bridge.init.questions import Answers
from amazon_bridge.odoo import setup
from amazon_bridge.odoo.setup import Missing


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
    address = accepted(answers, partial(ask_address, answers, say))
    odoo, session = accepted(answers, partial(ask_login, answers, address))
    shown = examined(answers, partial(check.examine_login, session, _DEFAULTS))
    accounts: list[AccountConfig] = []
    missing: list[Missing] = []
    while not accounts or answers.next_account():
        say("Amazon")
        seller = accepted(answers, partial(ask_seller, answers, accounts, say))
        say("The account in Odoo")
        place = partial(ask_place, answers, session, seller, accounts, say)
        account = accepted(answers, place)
        shown += examined(answers, partial(further_findings, session, account, shown))
        accounts.append(account)
        missing += setup.inspect(session, account).missing
    return Interview(odoo, accounts, list(dict.fromkeys(missing)))


_DEFAULTS = AccountConfig.model_construct()
"""The settings of an account that says nothing."""


def creatable(missing: Iterable[Missing]) -> list[str]:
    """What `setup` creates or unarchives with this login."""
    return [each.what for each in missing if each.obstacle in {"", setup.ARCHIVED}]
