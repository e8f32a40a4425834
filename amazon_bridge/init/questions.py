"""What ``init`` asks, and who answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from amazon_bridge.config import AccountConfig, Credentials, OdooConfig
from amazon_bridge.config.answers import parsed
from amazon_bridge.config.section import Section
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.model import Finding


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one key of the configuration."""

    section: type[Section]
    key: str
    text: str
    hint: str = ""
    """Where people find the answer, or an example."""
    is_secret: bool = False
    is_optional: bool = False
    is_list: bool = False

    def parse(self, text: str | None) -> Any:
        """The value that a text stands for; a list's entries are separated by commas or spaces.

        Raises:
            ValueError: It can't be; the message shows no value but a list's wrong entry.
        """
        entries = re.findall(r"[^\s,;]+", text or "") if self.is_list else text or None
        return parsed(self.section, self.key, entries)


URL = Question(OdooConfig, "url", "Odoo's address", "such as https://erp.example.com")
DATABASE = Question(OdooConfig, "database", "Database", "on Odoo Online the name before .odoo.com")
LOGIN = Question(OdooConfig, "login", "Login", "of a user of its own, such as amazon@example.com")
PASSWORD = Question(
    OdooConfig,
    "password",
    "API key",
    "in Odoo: My Profile, Account Security, New API Key; or the password",
    is_secret=True,
)
SELLER_ID = Question(
    AccountConfig,
    "seller_id",
    "Seller id",
    "Seller Central: Settings, Account Info, Your Merchant Token",
)
CLIENT_ID = Question(
    Credentials, "client_id", "Client identifier", "of your application: View, LWA credentials"
)
CLIENT_SECRET = Question(
    Credentials, "client_secret", "Client secret", "in the same place", is_secret=True
)
REFRESH_TOKEN = Question(
    Credentials,
    "refresh_token",
    "Refresh token",
    "of your application: Authorize; begins with Atzr|",
    is_secret=True,
)
MARKETPLACES = Question(
    AccountConfig,
    "marketplaces",
    "Marketplaces",
    "country codes, separated by commas",
    is_list=True,
)
COMPANY = Question(AccountConfig, "company", "Company of the orders")
WAREHOUSE = Question(AccountConfig, "warehouse", "Warehouse that ships FBM orders")
SALES_TEAM = Question(AccountConfig, "sales_team", "Sales team of the orders")
FBA_LOCATION = Question(
    AccountConfig, "fba_location", "Stock location of goods at Amazon", "best outside of warehouses"
)
TAX = Question(
    AccountConfig, "prices_include_tax", "Amazon's prices include tax", "auto, true or false"
)
NAME = Question(
    AccountConfig, "name", "Name of this account", "permanent; small letters, digits and hyphens"
)
START = Question(
    AccountConfig,
    "start",
    "Import orders changed since",
    "such as 2026-11-01T00:00:00Z; Enter: from the first run on",
    is_optional=True,
)

PROTOCOL = Question(OdooConfig, "protocol", "Protocol")
ENDPOINT = Question(AccountConfig, "endpoint", "Endpoint")
TOKEN_URL = Question(AccountConfig, "token_url", "Token URL")
NOT_ASKED = (PROTOCOL, ENDPOINT, TOKEN_URL)
"""A file may answer these, or an option; people are not asked."""


class Answers(Protocol):
    """Who answers: a person at a terminal, or a file."""

    def value(self, question: Question, default: str | None = None) -> Any:
        """The answer, as the configuration has it; None if it is left out, as it may be.

        Args:
            question: About Odoo, or about the current account.
            default: The proposal; None: there is none.
        """

    def choice(self, question: Question, options: Mapping[str, str], default: str) -> str:
        """One of several values, which are shown with a description each.

        Raises:
            ConfigError: The answer is none of them.
        """

    def refused(self, error: BridgeError) -> None:
        """Say why the last answers don't work; they are asked for again.

        Raises:
            BridgeError: They can't be.
        """

    def again(self, findings: Sequence[Finding]) -> bool:
        """Show findings; True if the same is to be examined again, after a correction."""

    def next_account(self) -> bool:
        """Whether there is another account; the further questions are about it."""
