"""Each operation accepts what Amazon's model allows, and refuses all that it excludes.

The table of operations is that of the models: a new operation is tested as soon as it is there.
"""

from dataclasses import replace

import pytest
from operations import MODELS, Scene, bad_bodies, bad_queries

from amazon_bridge.simulator import roles
from amazon_bridge.simulator.limits import USAGE_PLANS
from amazon_bridge.simulator.server import ROUTES
from amazon_bridge.simulator.validation import LARGEST_BODY

OPERATIONS = sorted(MODELS)
ERRORS = {400: "InvalidInput", 403: "Unauthorized", 413: "InvalidInput", 415: "InvalidInput"}


@pytest.fixture
def scene(simulator):
    scene = Scene(simulator)
    simulator.limits.plans.clear()
    return scene


def good_status(operation):
    return next(int(status) for status in MODELS[operation]["responses"] if status < "300")


def refused(response, status):
    assert response.status_code == status, response.text
    [error] = response.json()["errors"]
    return error["code"] == ERRORS[status]


def has_status(operation, status):
    return status if str(status) in MODELS[operation]["responses"] else 400


def test_each_operation_has_its_route_its_rate_and_its_roles():
    routed = {rule.endpoint for rule in ROUTES.iter_rules()}
    assert set(OPERATIONS) == set(USAGE_PLANS) == set(roles.OPERATIONS)
    assert routed - set(OPERATIONS) == {"token", "upload", "download", "control"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_model_allows_is_accepted(seller, scene, operation):
    response = scene.call(operation).send(seller.http, seller.token)
    assert response.status_code == good_status(operation), response.text


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_the_model_excludes_is_refused(seller, scene, operation):
    call = scene.call(operation)
    accepted = [
        what
        for break_ in (bad_queries, bad_bodies)
        for what, broken in break_(call)
        if not refused(broken.send(seller.http, seller.token), 400)
    ]
    assert accepted == []
    response = call.send(seller.http, seller.token)
    assert response.status_code == good_status(operation), "a refused request does nothing"


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if MODELS[name]["body"]])
def test_a_body_is_json_of_a_limited_size(seller, scene, operation):
    call = scene.call(operation)
    for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
        response = replace(call, content_type=content_type).send(seller.http, seller.token)
        assert refused(response, has_status(operation, 415))
    large = replace(call, raw_body=b" " * (LARGEST_BODY + 1))
    assert refused(large.send(seller.http, seller.token), has_status(operation, 413))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_valid_token_nothing_is_done(seller, simulator, scene, clock, operation):
    call = scene.call(operation)
    for token in ("", "Atza|guessed", seller.token.upper()):
        assert refused(call.send(seller.http, token), 403)
    clock.advance(seconds=simulator.settings.token_lifetime)
    assert refused(call.send(seller.http, seller.token), 403)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_any_role_an_operation_is_denied(seller, simulator, scene, operation):
    call = scene.call(operation)
    simulator.missing_roles = set(roles.APPLICATION)
    assert refused(call.send(seller.http, seller.token), 403)
    simulator.missing_roles = set(roles.APPLICATION - roles.OPERATIONS[operation])
    simulator.missing_roles -= {roles.TRACKING, roles.LISTING}
    assert call.send(seller.http, seller.token).status_code == good_status(operation)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_beyond_its_rate_an_operation_is_refused(seller, simulator, scene, operation):
    simulator.limits.plans[operation] = (0.5, 1)
    first, second = (scene.call(operation).send(seller.http, seller.token) for _ in range(2))
    assert first.headers["x-amzn-RateLimit-Limit"] == "0.5"
    assert second.status_code == 429
    assert second.json()["errors"][0]["code"] == "QuotaExceeded"
    assert "x-amzn-RateLimit-Limit" not in second.headers


# Roles of types


@pytest.mark.parametrize(
    ("operation", "missing"),
    [
        ("createFeed", {roles.TRACKING, roles.LISTING}),
        ("getFeed", {roles.TRACKING, roles.LISTING}),
        ("cancelFeed", {roles.TRACKING, roles.LISTING}),
        ("createReport", {roles.TRACKING, roles.LISTING}),
        ("getReport", {roles.TRACKING, roles.LISTING}),
        ("getReports", {roles.TRACKING, roles.LISTING}),
    ],
)
def test_a_type_needs_one_of_its_roles(seller, simulator, scene, operation, missing):
    call = scene.call(operation)
    for role in missing:
        simulator.missing_roles = missing - {role}
        assert call.send(seller.http, seller.token).status_code < 300 or operation == "cancelFeed"
    simulator.missing_roles = missing
    assert refused(call.send(seller.http, seller.token), 403)


def test_settlements_need_a_role_of_their_own(seller, simulator, scene):
    call = scene.call("getReports")
    settlements = call.asking(reportTypes=",".join(roles.REPORT_TYPES))
    assert settlements.send(seller.http, seller.token).status_code == 200
    simulator.missing_roles = {roles.FINANCE}
    assert refused(settlements.send(seller.http, seller.token), 403)
    assert call.send(seller.http, seller.token).status_code == 200
