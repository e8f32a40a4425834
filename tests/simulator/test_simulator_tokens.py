import pytest

SEARCH = "/orders/2026-01-01/orders"


def test_credentials_buy_an_access_token_for_an_hour(seller, simulator):
    response = seller.http.post(simulator.token_url, data=seller.credentials)
    body = response.json()
    assert response.status_code == 200
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 3600
    assert body["access_token"] in simulator.world.secrets()


@pytest.mark.parametrize(
    ("differences", "status", "error"),
    [
        ({"client_id": "stranger"}, 401, "invalid_client"),
        ({"client_secret": "guessed"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|revoked"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_wrong_credentials_are_refused(seller, simulator, differences, status, error):
    response = seller.http.post(simulator.token_url, data=seller.credentials | differences)
    assert response.status_code == status
    assert response.json()["error"] == error
    assert response.json()["error_description"]


def test_one_sellers_refresh_token_does_not_serve_with_anothers_client(
    seller, other_seller, simulator
):
    mixed = seller.credentials | {"refresh_token": other_seller.seller.refresh_token}
    response = seller.http.post(simulator.token_url, data=mixed)
    assert response.json()["error"] == "invalid_grant"


def test_a_token_expires_after_an_hour(seller, clock):
    clock.advance(seconds=3599)
    assert seller.search(lastUpdatedAfter="2026-11-01T00:00:00Z").status_code == 200
    clock.advance(seconds=1)
    response = seller.search(lastUpdatedAfter="2026-11-01T00:00:00Z")
    assert response.status_code == 403
    assert response.json() == {
        "errors": [
            {
                "code": "Unauthorized",
                "message": "Access to requested resource is denied.",
                "details": "The access token you provided has expired.",
            }
        ]
    }


@pytest.mark.parametrize("headers", [{}, {"x-amz-access-token": "Atza|made-up"}])
def test_without_a_valid_token_nothing_works(seller, headers):
    response = seller.http.get(SEARCH, headers=headers)
    assert response.status_code == 403
    assert response.json()["errors"][0]["code"] == "Unauthorized"


def test_revoked_tokens_are_refused(seller, simulator):
    simulator.tokens.revoke_all()
    assert seller.search(lastUpdatedAfter="2026-11-01T00:00:00Z").status_code == 403
    seller.log_in()
    assert seller.search(lastUpdatedAfter="2026-11-01T00:00:00Z").status_code == 200
