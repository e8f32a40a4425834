"""What the doctor finds on Amazon's side."""

from collections.abc import Callable

import pytest
from seller_desk import Desk, login_of

from amazon_bridge.amazon.doctor import examine
from amazon_bridge.flows.check import probes
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.simulator import Address, ManualClock, Simulator, World

FRANCE_AND_GERMANY = [marketplace("FR"), marketplace("DE")]


@pytest.fixture
def findings(desk: Desk, clock: ManualClock) -> Callable[..., dict[str, bool]]:
    def found(**settings: object) -> dict[str, bool]:
        partner = desk.partner(**settings)
        return {
            each.what: each.ok for each in examine(partner, FRANCE_AND_GERMANY, probes(JOBS), clock)
        }

    return found


def test_all_is_well(findings: Callable[..., dict[str, bool]]) -> None:
    assert findings() == {
        "Amazon: the credentials are accepted.": True,
        "Amazon: the seller sells in FR (amazon.fr).": True,
        "Amazon: the seller sells in DE (amazon.de).": True,
        "Amazon: orders can be read.": True,
        "Amazon: feeds can be read.": True,
        "Amazon: listings can be read.": True,
        "Amazon: feeds of listings can be read.": True,
        "Amazon: balances can be read.": True,
        "Amazon: reports of settlements can be listed.": True,
    }


@pytest.mark.parametrize("operation", ["getMarketplaceParticipations", "searchOrders", "getFeeds"])
def test_an_operation_that_is_denied_is_named(
    operation: str, findings: Callable[..., dict[str, bool]], simulator: Simulator
) -> None:
    simulator.faults.add("403", operation, times=None)
    [problem] = [what for what, ok in findings().items() if not ok]
    assert operation in problem


def test_an_operation_with_a_wrong_request_is_named(
    findings: Callable[..., dict[str, bool]], simulator: Simulator
) -> None:
    simulator.faults.add("400", "getFeeds", body="processingStatuses is invalid")
    [problem] = [what for what, ok in findings().items() if not ok]
    assert "getFeeds" in problem
    assert "processingStatuses" in problem


def test_wrong_credentials(
    findings: Callable[..., dict[str, bool]], world: World, desk: Desk
) -> None:
    login = login_of(world.sellers["A1EUROPE"], refresh_token="Atzr|wrong")
    [(_, ok)] = findings(credentials=login).items()
    assert not ok


def test_withheld_addresses(
    findings: Callable[..., dict[str, bool]], world: World, aged: Callable[[], None]
) -> None:
    world.place_order("FR", address=Address(country="FR"))
    aged()
    found = findings()
    assert found["Amazon: the addresses of merchant-fulfilled orders are withheld."] is False
