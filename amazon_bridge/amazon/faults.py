"""From what went wrong on the wire to our errors: one table, by HTTP status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from pydantic import BaseModel, Field, ValidationError

from amazon_bridge.amazon.payloads import writable
from amazon_bridge.engine.errors import AccountError, BridgeError, ItemError, Transient

_LONGEST_MESSAGE = 300  # characters of each text of Amazon's
_MOST_ERRORS = 5
"""So many errors of one answer are repeated."""

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""Failures of the connection after which Amazon can't have done anything."""

_CHECK_NETWORK = (
    "If this persists, check the network, the proxy and the account's `endpoint` and `token_url`."
)

_AUTHORISE_AGAIN = (
    "Authorise the application again in Seller Central (Apps and Services, Manage Your Apps) and"
    " put the new refresh token into the configuration; compare client_id and client_secret, too."
)

_CORRECT_CLIENT = (
    "Correct client_id and client_secret; a secret that was rotated or is older than 180 days must"
    f" be replaced. If both are right: {_AUTHORISE_AGAIN}"
)


class Concern(Protocol):
    """What an operation must tell of itself, so that its failures can be judged."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def writes(self) -> bool: ...
    @property
    def refused(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its HTTP status and its JSON object (empty for 204)."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


class Refusal(Exception):
    """An answer that isn't a good one; the operation decides which error of ours it becomes.

    ``hide`` is a text that Amazon's message may repeat and ours must not.
    """

    hide = ""

    def __init__(self, response: httpx.Response, body: object) -> None:
        super().__init__(f"HTTP status {response.status_code}")
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.access_token = response.request.headers.get("x-amz-access-token", "")
        self._errors = [_words(error) for error in _errors(body)]
        self.stale_token = self.status == httpx.codes.UNAUTHORIZED or (
            self.status == httpx.codes.FORBIDDEN and "token" in str(self._errors).lower()
        )

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, if Amazon says so."""
        return number(self.headers.get("retry-after"))

    @property
    def said(self) -> str:
        """Amazon's words, of all its errors, or the status where there are none."""
        said = "; ".join(dict.fromkeys(filter(None, self._errors))) or str(self)
        return (said.replace(self.hide, "...") if self.hide else said).rstrip(".")


def read_answer(response: httpx.Response) -> Answer:
    """A response that is good: by its status, a JSON object, and without errors in it.

    Raises:
        Refusal: It isn't.
    """
    body = _json(response)
    if response.status_code == httpx.codes.NO_CONTENT:
        return Answer(response.status_code, {}, response.headers)
    if not response.is_success or not isinstance(body, dict) or body.get("errors"):
        raise Refusal(response, body)
    return Answer(response.status_code, body, response.headers)


def error_of(refusal: Refusal, operation: Concern) -> BridgeError:
    """Our error for an answer that isn't good."""
    status = refusal.status
    judge = _BY_STATUS.get(status) or _BY_STATUS.get(status // 100, _refused)
    return judge(refusal, operation)


def network_error(error: httpx.HTTPError, operation: Concern) -> Transient:
    """Our error for a connection that failed, or an answer that didn't come or broke off."""
    return Transient(
        f"{operation.name} got no answer from Amazon ({type(error).__name__}).",
        _CHECK_NETWORK,
        maybe_done=operation.writes and not isinstance(error, _NEVER_SENT),
    )


class AccessToken(BaseModel):
    """What Login with Amazon gives for a refresh token. ``expires_in`` is in seconds."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: float = Field(default=3600, ge=0)


def read_token(response: httpx.Response) -> AccessToken:
    """The access token in an answer of the token endpoint.

    Raises:
        AccountError: The credentials are refused.
        Transient: Anything else.
    """
    body = _json(response)
    if response.is_success:
        with suppress(ValidationError):
            return AccessToken.model_validate(body)
    code = _word(body.get("error")) if isinstance(body, dict) else ""
    status = response.status_code
    said = f"Login with Amazon gave no access token (HTTP status {status}, {code or 'no reason'})."
    if response.is_client_error and status != httpx.codes.TOO_MANY_REQUESTS:
        raise AccountError(said, _CORRECT_CLIENT if code == "invalid_client" else _AUTHORISE_AGAIN)
    raise Transient(said, retry_after=number(response.headers.get("retry-after")))


def token_network_error(error: httpx.HTTPError) -> Transient:
    """Our error for a token endpoint that doesn't answer."""
    return Transient(f"Login with Amazon didn't answer ({type(error).__name__}).", _CHECK_NETWORK)


def number(text: str | None) -> float | None:
    """The number that a header holds, if it does."""
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
    """The errors, or the ``{"message": ...}`` that Amazon's gateway answers."""
    if not isinstance(body, dict):
        return []
    errors = body.get("errors")
    found = errors[:_MOST_ERRORS] if isinstance(errors, list) and errors else [body]
    return [error for error in found if isinstance(error, dict)]


def _words(error: Mapping[str, Any]) -> str:
    code, message, details = (_word(error.get(key)) for key in ("code", "message", "details"))
    said = ": ".join(part for part in (code, message) if part)
    return f"{said} ({details})" if details and details != message else said


def _word(value: object) -> str:
    return " ".join(writable(value).split())[:_LONGEST_MESSAGE] if isinstance(value, str) else ""


def _refused(refusal: Refusal, operation: Concern) -> BridgeError:
    reason = f"Amazon refused {operation.name}: {refusal.said}."
    if operation.refused:
        return ItemError(operation.refused, reason, _CORRECT_AND_RETRY)
    return AccountError(
        reason,
        "Check the account's marketplaces and endpoint. If they are right, the bridge asked in a"
        " way that Amazon doesn't allow: report it.",
    )


_CORRECT_AND_RETRY = (
    "Look the order up in Seller Central. Correct what Amazon names, there or in Odoo, then run"
    " `amazon-bridge quarantine retry` with the item's id."
)


def _unauthorised(refusal: Refusal, operation: Concern) -> BridgeError:
    reason = f"Amazon doesn't accept the access token for {operation.name}: {refusal.said}."
    return AccountError(reason, _AUTHORISE_AGAIN)


def _forbidden(refusal: Refusal, operation: Concern) -> BridgeError:
    if refusal.stale_token:
        return _unauthorised(refusal, operation)
    return AccountError(
        f"Amazon denies {operation.name}: {refusal.said}.",
        f"The application needs the role '{operation.role}': add it in the developer profile and"
        " to the application, then authorise the application again. Check also that the seller"
        " sells in the account's marketplaces.",
    )


def _not_found(refusal: Refusal, operation: Concern) -> BridgeError:
    reason = f"Amazon knows no such thing ({operation.name}: {refusal.said})."
    if operation.refused:
        return ItemError("not_found", reason, "Check the id, and that it is this seller's.")
    return AccountError(reason, "Check the account's endpoint.")


def _too_often(refusal: Refusal, operation: Concern) -> BridgeError:
    return Transient(
        f"Amazon wants {operation.name} to be called less often.", retry_after=refusal.retry_after
    )


def _out_of_order(refusal: Refusal, operation: Concern) -> BridgeError:
    return Transient(
        f"Amazon couldn't do {operation.name} (HTTP status {refusal.status}).",
        retry_after=refusal.retry_after,
        maybe_done=operation.writes,
    )


def _unreadable(refusal: Refusal, operation: Concern) -> BridgeError:
    return Transient(
        f"Amazon's answer to {operation.name} (HTTP status {refusal.status}) can't be read.",
        maybe_done=operation.writes,
    )


_BY_STATUS: dict[int, Callable[[Refusal, Concern], BridgeError]] = {
    401: _unauthorised,
    403: _forbidden,
    404: _not_found,
    408: _out_of_order,
    429: _too_often,
    2: _unreadable,
    4: _refused,
    5: _out_of_order,
}
"""By status, or else by its first digit; what stands in neither way is a refusal."""
