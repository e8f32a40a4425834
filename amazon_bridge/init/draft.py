"""The configuration that answers make: its values, and the secrets in files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from amazon_bridge.config import AccountConfig, OdooConfig
from amazon_bridge.config.rendering import plain_lines, render

SECRETS = "secrets"
"""The folder of the secrets, beside the configuration file."""

_ODOO = ("url", "database", "login")
_ACCOUNT = (
    *("name", "seller_id", "marketplaces", "endpoint", "token_url", "company", "warehouse"),
    *("fba_location", "sales_team", "prices_include_tax", "start"),
)


@dataclass(frozen=True)
class Draft:
    """A configuration file and its secrets, not written yet."""

    text: str
    lines: list[str]
    """Of the file, without remarks and defaults."""
    secrets: dict[str, SecretStr] = field(repr=False)
    """By the name of the file in ``SECRETS``."""


def draft(odoo: OdooConfig, accounts: Sequence[AccountConfig]) -> Draft:
    """The configuration of these accounts. What is the default is left out."""
    secrets: dict[str, SecretStr] = {}
    head: dict[str, Any] = {
        "odoo": {
            **{key: getattr(odoo, key) for key in _ODOO},
            "password": _kept(secrets, "odoo_api_key", odoo.password),
            **({} if odoo.protocol == "xmlrpc" else {"protocol": odoo.protocol}),
        }
    }
    application = {_application(account) for account in accounts}
    if is_shared := len(application) == 1:
        head["defaults"] = {"credentials": _client(secrets, accounts[0], "")}
    further = [_account(secrets, account, is_only=len(accounts) == 1) for account in accounts]
    if not is_shared:
        for account, values in zip(accounts, further, strict=True):
            values["credentials"] |= _client(secrets, account, f"_{account.name}")
    return Draft(render(head, further), plain_lines(head, further), secrets)


def _kept(secrets: dict[str, SecretStr], name: str, secret: SecretStr) -> Mapping[str, str]:
    secrets[name] = secret
    return {"file": f"{SECRETS}/{name}"}


def _application(account: AccountConfig) -> tuple[str, str]:
    given = account.credentials
    return given.client_id.get_secret_value(), given.client_secret.get_secret_value()


def _client(secrets: dict[str, SecretStr], account: AccountConfig, suffix: str) -> dict[str, Any]:
    given = account.credentials
    return {
        "client_id": given.client_id.get_secret_value(),  # it opens nothing
        "client_secret": _kept(secrets, f"amazon_client_secret{suffix}", given.client_secret),
    }


def _account(
    secrets: dict[str, SecretStr], account: AccountConfig, *, is_only: bool
) -> dict[str, Any]:
    """The values that aren't the default, in the sequence of the sample."""
    dumped = account.model_dump(mode="json", include=set(_ACCOUNT))
    defaults = {name: field.default for name, field in AccountConfig.model_fields.items()}
    values = {name: dumped[name] for name in _ACCOUNT if dumped[name] != defaults[name]}
    name = "amazon_refresh_token" + ("" if is_only else f"_{account.name}")
    token = _kept(secrets, name, account.credentials.refresh_token)
    return {**values, "credentials": {"refresh_token": token}}
