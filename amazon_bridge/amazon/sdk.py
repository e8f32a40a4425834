"""The only module that uses python-amazon-sp-api, with workarounds for its traps.

Comments about the library are true of version 2.1.35.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from types import SimpleNamespace
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from amazon_bridge.amazon.faults import AccessToken, read_token, token_network_error

# The library reads these at import: the first overrides the marketplace of every client, the
# second selects Amazon's sandbox; an unknown value ends the program. Our configuration decides.
for _name in ("SP_API_DEFAULT_MARKETPLACE", "AWS_ENV"):
    os.environ.pop(_name, None)

from sp_api.api import (  # noqa: E402 - see above
    ListingsItemsV20210801,
    OrdersV0,
    OrdersV20260101,
    Sellers,
)
from sp_api.auth import AccessTokenClient  # noqa: E402
from sp_api.base import Client, fill_query_params, sp_endpoint  # noqa: E402
from sp_api.base._transport_httpx import HttpxTransport  # noqa: E402
from sp_api.base.credential_provider import FromCodeCredentialProvider  # noqa: E402

OrdersClient = OrdersV20260101
ShipmentsClient = OrdersV0
SellersClient = Sellers
ListingsClient = ListingsItemsV20210801

_MARGIN = 60.0
"""Seconds before its expiry that a token is renewed (or half of its lifetime, if that is less)."""


class Credentials(Protocol):
    """Login with Amazon, for one seller."""

    @property
    def client_id(self) -> SecretStr: ...
    @property
    def client_secret(self) -> SecretStr: ...
    @property
    def refresh_token(self) -> SecretStr: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What the library needs of a marketplace; used in place of its own enumeration."""

    endpoint: str
    marketplace_id: str
    region: str


class _Transport(HttpxTransport):  # type: ignore[misc]  # the library has no types
    """Joins lists in a query by commas.

    Amazon allows each name once. Some of the library's methods join lists, others leave them to
    httpx, which repeats the name.
    """

    def request(
        self, method: str, url: str, *, params: Mapping[str, object] | None = None, **rest: object
    ) -> httpx.Response:
        query = {name: _joined(value) for name, value in (params or {}).items()}
        response: httpx.Response = super().request(method, url, params=query, **rest)
        return response


def _joined(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(str(entry) for entry in value)
    return value


class _PlainClient(Client):  # type: ignore[misc]  # the library has no types
    """Sends requests as Amazon's models have them.

    The library's own methods for feeds and reports add the path and marketplaces to the body, and
    up- and download documents by a client without time-out, proxy or a look at the status.
    """

    def post(self, *, path: str, **body: object) -> object:
        return self._request(path, data=body, add_marketplace=False)

    def get(self, *, path: str, method: str, **params: object) -> object:
        return self._request(path, params={**params, "method": method}, add_marketplace=False)

    def get_one(self, key: str, *, path: str, method: str) -> object:
        return self._request(
            fill_query_params(path, key), params={"method": method}, add_marketplace=False
        )


class FeedsClient(_PlainClient):
    """The Feeds API 2021-06-30."""

    create_document = sp_endpoint("/feeds/2021-06-30/documents", method="POST")(_PlainClient.post)
    create = sp_endpoint("/feeds/2021-06-30/feeds", method="POST")(_PlainClient.post)
    search = sp_endpoint("/feeds/2021-06-30/feeds")(_PlainClient.get)
    feed = sp_endpoint("/feeds/2021-06-30/feeds/{}")(_PlainClient.get_one)
    document = sp_endpoint("/feeds/2021-06-30/documents/{}")(_PlainClient.get_one)


class ReportsClient(_PlainClient):
    """The Reports API 2021-06-30."""

    create = sp_endpoint("/reports/2021-06-30/reports", method="POST")(_PlainClient.post)
    search = sp_endpoint("/reports/2021-06-30/reports")(_PlainClient.get)
    report = sp_endpoint("/reports/2021-06-30/reports/{}")(_PlainClient.get_one)
    document = sp_endpoint("/reports/2021-06-30/documents/{}")(_PlainClient.get_one)


class FinancesClient(_PlainClient):
    """The Finances API 2024-06-19.

    The library's own class lacks two of these, and adds parameters that the model doesn't know.
    """

    transactions = sp_endpoint("/finances/2024-06-19/transactions")(_PlainClient.get)
    balances = sp_endpoint("/finances/2024-06-19/balances")(_PlainClient.get)
    summary = sp_endpoint("/finances/2024-06-19/summary")(_PlainClient.get)


class Tokens(AccessTokenClient):  # type: ignore[misc]
    """The seller's access token, shared by all threads.

    Replaces the library's cache, which is shared by all sellers of the process, holds ten tokens,
    isn't thread-safe, keeps revoked tokens and ignores their lifetime.
    """

    def __init__(
        self,
        credentials: Credentials,
        token_url: str,
        http: httpx.Client,
        verify: SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(credentials=_plain(credentials), verify=verify)
        _use(self, http)
        self._url = token_url
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._good_until = 0.0

    def get_auth(self) -> AccessToken:
        """The access token; a new one where there is none or it is about to expire.

        Raises:
            AccountError: Login with Amazon refuses the credentials.
            Transient: It can't be reached, or can't be understood.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._good_until:
                self._token = self._fetch()
                lifetime = self._token.expires_in
                self._good_until = self._clock() + max(lifetime - _MARGIN, lifetime / 2)
            return self._token

    def drop(self, access_token: str) -> None:
        """Discard a token that Amazon refused."""
        with self._lock:
            if self._token and self._token.access_token == access_token:
                self._token = None

    def _fetch(self) -> AccessToken:
        try:
            response = self._transport.request(
                "POST", self._url, data=self.data, headers=self.headers
            )
        except httpx.HTTPError as error:
            raise token_network_error(error) from error
        return read_token(response)


def build(
    client_class: type[Client], site: Site, tokens: Tokens, http: httpx.Client, verify: SSLContext
) -> Client:
    """A client of the library that uses our HTTP client and our tokens.

    It keeps the state of a request in attributes: use one per thread.
    """
    client = client_class(
        site,
        # Unused, as the tokens hold the real ones, and given so that it looks nowhere else.
        credentials={"lwa_app_id": "unused", "lwa_client_secret": "unused"},
        credential_providers=(FromCodeCredentialProvider,),
        auth_token_client_class=lambda **_: tokens,
        verify=verify,
    )
    _use(client, http)
    return client


def silence() -> None:
    """Silence the loggers that print tokens, personal data and presigned URLs.

    httpx does so at INFO, the others at DEBUG.
    """
    for name in ("httpx", "httpcore", "sp_api", "sp_api.base.client"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _use(holder: Any, http: httpx.Client) -> None:
    """Replace the HTTP client of a library client by ours.

    There is no public way. Its own has a time-out of five seconds and hides the HTTP status.
    """
    holder._transport.close()  # noqa: SLF001 - no public way in 2.1.35
    holder._transport = _Transport(client=http)  # noqa: SLF001


def _plain(credentials: Credentials) -> SimpleNamespace:
    return SimpleNamespace(
        lwa_app_id=credentials.client_id.get_secret_value(),
        lwa_client_secret=credentials.client_secret.get_secret_value(),
        refresh_token=credentials.refresh_token.get_secret_value(),
    )
