"""One seller's connection to the Selling Partner API: rates, retries, errors."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from amazon_bridge import __version__
from amazon_bridge.amazon.faults import (
    Refusal,
    Response,
    error_of,
    network_error,
    number,
    read_response,
)
from amazon_bridge.amazon.operations import Operation
from amazon_bridge.amazon.sdk import Credentials, Site, Tokens, build, silence
from amazon_bridge.amazon.unreadable import problems
from amazon_bridge.config.addresses import is_loopback
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    ConfigError,
    RateLimited,
    Transient,
    Watch,
    nobody_watches,
)
from amazon_bridge.engine.retrying import CALL, retry_transient
from amazon_bridge.engine.throttle import Throttle, Urgency

T = TypeVar("T")
P = TypeVar("P", bound=BaseModel)

_REFUSALS = 4
"""Calls in all, if Amazon refuses each for its rate and there is a token again at once."""


_LONGEST_REFUSAL = 3600.0
"""Seconds in which Amazon refuses every call for its rate, after which it counts as an error. The
slowest operation gets a token in three minutes."""


@dataclass(frozen=True, slots=True)
class _Call:
    operation: Operation
    args: tuple[object, ...]
    fields: Mapping[str, object]
    hide: str
    urgency: Urgency


class Connection:
    """Calls operations for one seller. Safe to share between threads.

    Args:
        seller_id: The calls count towards this seller's rates.
        site: The endpoint.
        credentials: Login with Amazon.
        token_url: Where its tokens come from.
        throttle: Keeps calls below Amazon's rates; shared by all accounts.
        account: Whose turn it is where accounts of the seller share a rate.
        timeout: Seconds, for connecting and for each read.
        sleep: Waits between two attempts, in seconds.
        watch: Callback invoked after every attempt that was made; its seconds include a pause for
            the rate.

    Raises:
        ConfigError: A URL would send secrets unencrypted.
    """

    def __init__(
        self,
        *,
        seller_id: str,
        site: Site,
        credentials: Credentials,
        token_url: str,
        throttle: Throttle,
        account: str,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
        watch: Watch = nobody_watches,
    ) -> None:
        require_safe(site.endpoint, "endpoint")
        require_safe(token_url, "token_url")
        silence()
        self.calls: Counter[str] = Counter()
        self._seller_id, self._site, self._throttle = seller_id, site, throttle
        self._account, self._watch = account, watch
        self._verify = _trusted_authorities()
        self.files = httpx.Client(timeout=timeout, verify=self._verify)
        self._http = httpx.Client(
            timeout=timeout,
            verify=self._verify,
            event_hooks={"request": [_set_headers], "response": [self._receive]},
        )
        self._tokens = Tokens(credentials, token_url, self.files, self._verify)
        self._lock = threading.Lock()
        self._local = threading.local()
        self._sleep = sleep

    def call(
        self,
        operation: Operation,
        *args: object,
        hide: str = "",
        urgency: Urgency = Urgency.LIVE,
        **fields: object,
    ) -> Response:
        """Call an operation, if its rate allows it. Operations that only read are retried.

        Args:
            operation: What to call.
            args: The arguments of the library's method.
            hide: A text that must not appear in error messages.
            urgency: How the call shares the seller's rate.
            fields: The parameters, under Amazon's names.

        Raises:
            RateLimited: Its rate is used up for longer than a moment; nothing was done.
            Transient: Amazon can't be reached or is busy, or its response can't be parsed.
            ItemError: Amazon refuses this item.
            AccountError: Amazon refuses the account.
        """
        call = _Call(operation, args, fields, hide, urgency)
        if operation.writes:
            return self._paced(call)
        return self._retry(lambda: self._paced(call))

    def ask(self, expected: type[P], operation: Operation, *args: object, **fields: Any) -> P:
        """Call an operation and parse its response.

        Raises:
            Transient: Also where the response isn't as Amazon's model has it.
        """
        response = self.call(operation, *args, **fields)
        try:
            return expected.model_validate(response.body)
        except ValidationError as error:
            raise Transient(
                f"Unexpected response to {operation.name}: it differs from Amazon's model:"
                f" {problems(error)}.",
                maybe_done=operation.writes,
            ) from None

    def has_spare(self, operation: Operation, besides: int = 0) -> bool:
        """True if more than half of the operation's burst is left, and ``besides`` calls."""
        return self._throttle.has(self._seller_id, operation.name, Urgency.SPARE, besides)

    def pace(self, limit: str) -> None:
        """Take a token of a limit that is not an operation's, such as that of a feed type.

        Raises:
            RateLimited: It is used up for longer than a moment.
        """
        self._throttle.wait(self._seller_id, limit, self._account)

    def log_in(self) -> None:
        """Get an access token, unless there is one.

        Raises:
            AccountError: Login with Amazon refuses the credentials.
            Transient: It can't be reached.
        """
        self._retry(self._tokens.get_auth)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self.files.close()

    def _retry(self, call: Callable[[], T]) -> T:
        return retry_transient(call, CALL, sleep=self._sleep)

    def _paced(self, call: _Call) -> Response:
        """Call, and again if Amazon refuses it for its rate and there is a token within a moment.

        A call refused so was not done.
        """
        for _ in range(_REFUSALS - 1):
            with suppress(_RefusedForRate):
                return self._call_observed(call)
        return self._call_observed(call)

    def _call_observed(self, call: _Call) -> Response:
        begun = time.monotonic()
        try:
            response = self._attempt(call)
        except BridgeError as error:
            if not isinstance(error, RateLimited) or isinstance(error, _RefusedForRate):
                self._watch(call.operation.name, error, time.monotonic() - begun)
            raise
        self._watch(call.operation.name, None, time.monotonic() - begun)
        return response

    def _attempt(self, call: _Call) -> Response:
        try:
            try:
                return self._send(call)
            except Refusal as refusal:
                if not refusal.stale_token:
                    raise
                self._tokens.drop(refusal.access_token)
                return self._send(call)
        except Refusal as refusal:
            raise self._error_of(refusal, call.operation) from None

    def _error_of(self, refusal: Refusal, operation: Operation) -> BridgeError:
        if refusal.status != httpx.codes.TOO_MANY_REQUESTS:
            self._throttle.note_success(self._seller_id, operation.name)
            return error_of(refusal, operation)
        refused = self._throttle.drain(self._seller_id, operation.name, refusal.retry_after)
        if refused > _LONGEST_REFUSAL:
            return _refused_for_long(operation)
        return _RefusedForRate(operation.name, refusal.retry_after or 1 / operation.limit.rate)

    def _send(self, call: _Call) -> Response:
        operation = call.operation
        self._tokens.get_auth()  # a login that fails must not use up the operation's rate
        self._throttle.wait(self._seller_id, operation.name, self._account, call.urgency)
        self._tokens.get_auth()  # it may have run out during the wait
        with self._lock:
            self.calls[operation.name] += 1
        self._local.hide = call.hide
        try:
            operation.function(self._client(operation.client), *call.args, **call.fields)
        except httpx.HTTPError as error:
            raise network_error(error, operation) from error
        except Refusal as refusal:
            self._adapt_rate(operation, refusal.headers.get("x-amzn-ratelimit-limit"))
            raise
        self._throttle.note_success(self._seller_id, operation.name)
        response: Response = self._local.response
        self._adapt_rate(operation, response.headers.get("x-amzn-ratelimit-limit"))
        return response

    def _adapt_rate(self, operation: Operation, limit: str | None) -> None:
        if (rate := number(limit)) is not None:
            self._throttle.adapt(self._seller_id, operation.name, rate)

    def _receive(self, response: httpx.Response) -> None:
        """Check a response before the library does, and keep it for ``_send``.

        python-amazon-sp-api 2.1.35 raises only if the body has ``errors``: it returns an HTML 502
        or the gateway's 403 as an empty success. What it returns for a good response lacks the
        status and parts of the body, such as the page token.
        """
        response.read()
        self._local.response = read_response(response, self._local.hide)

    def _client(self, client_class: type) -> Any:
        clients = self._local.__dict__.setdefault("clients", {})
        if client_class not in clients:
            clients[client_class] = build(
                client_class, self._site, self._tokens, self._http, self._verify
            )
        return clients[client_class]


class _RefusedForRate(RateLimited):
    """Amazon refused a call for its rate (HTTP 429), although there was a token."""


def _refused_for_long(operation: Operation) -> AccountError:
    return AccountError(
        f"Amazon has refused every {operation.name} for its rate for over an hour (HTTP 429).",
        "Another program may use up the rate of this seller and application: see Manage Your Apps"
        " in Seller Central. The bridge tries again at Amazon's pace.",
    )


@cache
def _trusted_authorities() -> SSLContext:
    """The certificate authorities of this machine; read once: a copy takes 0.8 MiB and 16 ms."""
    return httpx.create_ssl_context()


def require_safe(url: str, what: str) -> None:
    """Check that secrets sent to a URL can't be read on their way.

    Raises:
        ConfigError: The URL is neither https nor on this machine.
    """
    with suppress(httpx.InvalidURL):
        parts = httpx.URL(url)
        if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.host)):
            return
    raise ConfigError(
        f"The {what} would send secrets unencrypted, or is not a URL.",
        "Use https; plain http is for a simulator on this machine only.",
    )


def _set_headers(request: httpx.Request) -> None:
    """Set the user agent, which Amazon requires, and the host, which the library gets wrong."""
    request.headers["host"] = request.url.netloc.decode()
    request.headers["user-agent"] = f"amazon-bridge/{__version__} (Language=Python)"
