"""Login with Amazon: refresh tokens into access tokens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from werkzeug.wrappers import Response

from amazon_bridge.simulator.responses import as_json, denied
from amazon_bridge.simulator.world import Seller, World


class Tokens:
    """The issued access tokens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._issued: dict[str, tuple[Seller, datetime]] = {}

    def grant(self, form: Mapping[str, str]) -> Response:
        """Handle a request to the token endpoint (RFC 6749, section 6)."""
        grant_type = form.get("grant_type")
        if not grant_type:
            return _refuse(400, "invalid_request", "The request is missing grant_type.")
        if grant_type != "refresh_token":
            return _refuse(400, "unsupported_grant_type", "This grant type is not supported.")
        client = [s for s in self._world.sellers.values() if s.client_id == form.get("client_id")]
        if not any(s.client_secret == form.get("client_secret") for s in client):
            return _refuse(401, "invalid_client", "Client authentication failed")
        for seller in client:
            if seller.refresh_token == form.get("refresh_token"):
                return self._issue(seller)
        return _refuse(400, "invalid_grant", "The request has an invalid grant parameter.")

    def _issue(self, seller: Seller) -> Response:
        token = f"Atza|{secrets.token_urlsafe(48)}"
        lifetime = self._world.settings.token_lifetime
        self._issued[token] = seller, self._world.clock() + timedelta(seconds=lifetime)
        self._world.issued_secrets.add(token)
        body = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": round(lifetime),
            "refresh_token": seller.refresh_token,
        }
        return as_json(body)

    def seller(self, token: str | None) -> Seller:
        """The seller of a token.

        Raises:
            Refusal: 403; there is none, it is not ours, or it has expired.
        """
        if not token:
            raise denied("Access token is missing in the request header.")
        if token not in self._issued:
            raise denied("The access token you provided is revoked, malformed or invalid.")
        seller, expiry = self._issued[token]
        if self._world.clock() >= expiry:
            raise denied("The access token you provided has expired.")
        return seller

    def revoke_all(self) -> None:
        """Revoke all access tokens."""
        self._issued.clear()


def _refuse(status: int, code: str, description: str) -> Response:
    return as_json({"error": code, "error_description": description}, status)
