"""Maps failed requests to our errors, by HTTP status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from pydantic import BaseModel, Field, ValidationError

from amazon_bridge.amazon.payloads import writable
from amazon_bridge.engine.errors import (
    AccountError,
    BridgeError,
    InvalidRequest,
    ItemError,
    Transient,
)

_LONGEST_MESSAGE = 300  # characters of each text of Amazon's
_MOST_ERRORS = 5
"""Errors of one response that an error message repeats."""

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Failures before the request was sent: Amazon can't have done anything."""

_CHECK_NETWORK = (
    "If this persists, check the network, the proxy and the account's `endpoint` and `token_url`."
)

_AUTHORISE_AGAIN = (
    "Authorise the application again in Seller Central (Apps and Services, Develop Apps) and"
    " put the new refresh token into the configuration; compare client_id and client_secret, too."
)

_CORRECT_CLIENT = (
    "Correct client_id and client_secret; a secret that was rotated or is older than 180 days must"
    f" be replaced. If both are right: {_AUTHORISE_AGAIN}"
)


class OperationInfo(Protocol):
    """What the mapping needs to know of an operation."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def writes(self) -> bool: ...
    @property
    def refused(self) -> str | None: ...
    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Response:
    """A successful response: HTTP status and JSON object (empty for 204)."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


class Refusal(Exception):
    """A response that isn't a success; ``error_of`` maps it to an error of ours.

    Args:
        response: Amazon's.
        body: Its JSON; None if it has none.
        hide: A text that Amazon's message may repeat and ours must not.
    """

    def __init__(self, response: httpx.Response, body: object, hide: str = "") -> None:
        super().__init__(f"HTTP status {response.status_code}")
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.access_token = response.request.headers.get("x-amz-access-token", "")
        texts = (_error_text(error, hide) for error in _errors(body))
        self._texts = list(dict.fromkeys(filter(None, texts)))
        self.stale_token = self.status == httpx.codes.UNAUTHORIZED or (
            self.status == httpx.codes.FORBIDDEN and "token" in str(self._texts).lower()
        )

    @property
    def retry_after(self) -> float | None:
        """The seconds that Amazon asks to wait, if it does."""
        return number(self.headers.get("retry-after"))

    @property
    def has_text(self) -> bool:
        """True if Amazon says what is wrong."""
        return bool(self._texts)

    @property
    def text(self) -> str:
        """The texts of all errors in the response, or its status if there are none."""
        return ("; ".join(self._texts) or str(self)).rstrip(".")


def read_response(response: httpx.Response, hide: str = "") -> Response:
    """Parse a successful response: its status, a JSON object, and no ``errors`` in it.

    Args:
        response: Amazon's.
        hide: See ``Refusal``.

    Raises:
        Refusal: Anything else.
    """
    body = _json(response)
    if response.status_code == httpx.codes.NO_CONTENT:
        return Response(response.status_code, {}, response.headers)
    if not response.is_success or not isinstance(body, dict) or body.get("errors"):
        raise Refusal(response, body, hide)
    return Response(response.status_code, body, response.headers)


def error_of(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    """Our error for an unsuccessful response."""
    status = refusal.status
    to_error = _BY_STATUS.get(status) or _BY_STATUS.get(status // 100, _refused)
    return to_error(refusal, operation)


def network_error(error: httpx.HTTPError, operation: OperationInfo) -> Transient:
    """Our error for a connection that failed or broke."""
    return Transient(
        f"No response from Amazon to {operation.name} ({type(error).__name__}).",
        _CHECK_NETWORK,
        maybe_done=operation.writes and not isinstance(error, _NEVER_SENT),
    )


class AccessToken(BaseModel):
    """An access token of Login with Amazon. ``expires_in`` is in seconds."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: float = Field(default=3600, ge=0)


def read_token(response: httpx.Response) -> AccessToken:
    """Parse a response of the token endpoint.

    Raises:
        AccountError: The credentials are refused.
        Transient: Anything else.
    """
    body = _json(response)
    if response.is_success:
        with suppress(ValidationError):
            return AccessToken.model_validate(body)
    code = _field_text(body.get("error")) if isinstance(body, dict) else ""
    status = response.status_code
    reason = (
        f"Login with Amazon gave no access token (HTTP status {status}, {code or 'no reason'})."
    )
    if response.is_client_error and status != httpx.codes.TOO_MANY_REQUESTS:
        raise AccountError(
            reason, _CORRECT_CLIENT if code == "invalid_client" else _AUTHORISE_AGAIN
        )
    raise Transient(reason, retry_after=number(response.headers.get("retry-after")))


def token_network_error(error: httpx.HTTPError) -> Transient:
    """Our error for a token endpoint that can't be reached."""
    return Transient(
        f"No response from Login with Amazon ({type(error).__name__}).", _CHECK_NETWORK
    )


def number(text: str | None) -> float | None:
    """The number in a header, if it is one."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _json(response: httpx.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return None


def _errors(body: object) -> list[Mapping[str, Any]]:
    """The list of errors, or the ``{"message": ...}`` of Amazon's gateway."""
    if not isinstance(body, dict):
        return []
    errors = body.get("errors")
    found = errors[:_MOST_ERRORS] if isinstance(errors, list) and errors else [body]
    return [error for error in found if isinstance(error, dict)]


def _error_text(error: Mapping[str, Any], hide: str) -> str:
    names = ("code", "message", "details")
    code, message, details = (_field_text(error.get(name), hide) for name in names)
    text = ": ".join(part for part in (code, message) if part)
    return f"{text} ({details})" if details and details != message else text


def _field_text(value: object, hide: str = "") -> str:
    text = " ".join(writable(value).split()) if isinstance(value, str) else ""
    return (text.replace(hide, "...") if hide else text)[:_LONGEST_MESSAGE]


def _refused(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    reason = f"Amazon refused {operation.name}: {refusal.text}."
    if operation.refused:
        return ItemError(operation.refused, reason, operation.remedy or _CORRECT_AND_RETRY)
    return InvalidRequest(
        reason,
        "Check the account's marketplaces and endpoint. If they are right, the bridge sent an"
        " invalid request: please report it.",
    )


_CORRECT_AND_RETRY = (
    "Look the order up in Seller Central. Correct what Amazon names, there or in Odoo, then run"
    " `amazon-bridge quarantine retry` with the item's id."
)


_CHECK_ID = "Check the id, and that it is this seller's."


def _unauthorised(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    reason = f"Amazon doesn't accept the access token for {operation.name}: {refusal.text}."
    return AccountError(reason, _AUTHORISE_AGAIN)


def _forbidden(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    if refusal.stale_token:
        return _unauthorised(refusal, operation)
    return AccountError(
        f"Amazon denies {operation.name}: {refusal.text}.",
        f"The application needs the role {operation.role}: add it in the developer profile and"
        " to the application, then authorise the application again. Check also that the seller"
        " sells in the account's marketplaces.",
    )


def _not_found(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    reason = f"Amazon did not find it ({operation.name}: {refusal.text})."
    if operation.refused:
        return ItemError("not_found", reason, operation.remedy or _CHECK_ID)
    return AccountError(reason, "Check the account's endpoint.")


def _too_many_requests(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    return Transient(
        f"Amazon throttled {operation.name} (HTTP 429).", retry_after=refusal.retry_after
    )


def _server_error(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    return Transient(
        f"Amazon failed to process {operation.name} (HTTP {refusal.status}).",
        retry_after=refusal.retry_after,
        maybe_done=operation.writes,
    )


def _unexpected(refusal: Refusal, operation: OperationInfo) -> BridgeError:
    found = f"with the error {refusal.text}" if refusal.has_text else "without valid JSON"
    return Transient(
        f"Unexpected response to {operation.name}: HTTP {refusal.status} {found}.",
        maybe_done=operation.writes,
    )


_BY_STATUS: dict[int, Callable[[Refusal, OperationInfo], BridgeError]] = {
    401: _unauthorised,
    403: _forbidden,
    404: _not_found,
    408: _server_error,
    429: _too_many_requests,
    2: _unexpected,
    4: _refused,
    5: _server_error,
}
"""By status, else by its first digit; any other status is a refusal."""
