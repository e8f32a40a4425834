"""What the doctor finds on Amazon's side."""

from collections.abc import Callable

import pytest
from seller_desk import Desk, login_of

from amazon_bridge.amazon.doctor import examine, examine_settlements
from amazon_bridge.flows.check import probes
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.simulator import Address, ManualClock, Simulator, World

WITHHELD = "Amazon: the addresses of merchant-fulfilled orders are withheld."
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


def test_addresses_withheld_for_want_of_a_role(
    findings: Callable[..., dict[str, bool]],
    world: World,
    simulator: Simulator,
    aged: Callable[[], None],
) -> None:
    """Without it Amazon withholds the e-mail address, too."""
    simulator.missing_roles = {"Direct-to-Consumer Delivery"}
    world.place_order("FR")
    aged()
    assert findings()[WITHHELD] is False


def test_addresses_that_amazon_never_shows(
    findings: Callable[..., dict[str, bool]], world: World, aged: Callable[[], None]
) -> None:
    """Of orders that it ships itself, that are not paid, or that are done."""
    for fulfilled_by, status in (("AMAZON", "SHIPPED"), ("MERCHANT", "CANCELLED")):
        world.place_order(
            "FR", fulfilled_by=fulfilled_by, status=status, address=Address(country="FR")
        )
    aged()
    assert WITHHELD not in findings()


def test_withheld_addresses(
    findings: Callable[..., dict[str, bool]], world: World, aged: Callable[[], None]
) -> None:
    world.place_order("FR", address=Address(country="FR"))
    aged()
    found = findings()
    assert found[WITHHELD] is False


NO_REPORT = "Amazon: no settlement report is listed, although there were orders a month ago."


@pytest.fixture
def old_order(world: World, clock: ManualClock) -> None:
    """An order of a month ago: there is a settlement at least every two weeks."""
    world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    clock.advance(days=35)


@pytest.fixture
def of_settlements(desk: Desk, clock: ManualClock) -> Callable[[], dict[str, bool]]:
    return lambda: {e.what: e.ok for e in examine_settlements(desk.partner(), clock())}


@pytest.mark.usefixtures("old_order")
@pytest.mark.parametrize("operation", ["listBalances", "getReports"])
def test_settlements_that_are_denied(
    operation: str, of_settlements: Callable[[], dict[str, bool]], simulator: Simulator
) -> None:
    simulator.faults.add("403", operation, times=None)
    found = of_settlements()
    problems = [what for what, ok in found.items() if not ok]
    assert [operation in what for what in problems] == [True], problems
    assert (NO_REPORT in found) == (operation == "listBalances"), "only if none is listed"


@pytest.mark.usefixtures("old_order")
def test_settlement_reports_that_amazon_has_to_enable(
    desk: Desk, simulator: Simulator, clock: ManualClock
) -> None:
    found = {each.what: each for each in examine_settlements(desk.partner(), clock())}
    assert "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2" in (found[NO_REPORT].remedy or "")
    simulator.money.close()
    clock.advance(minutes=10)
    assert NO_REPORT not in {e.what for e in examine_settlements(desk.partner(), clock())}


def test_a_new_seller_has_no_settlement_yet(
    of_settlements: Callable[[], dict[str, bool]], world: World, clock: ManualClock
) -> None:
    world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    clock.advance(days=10)
    assert of_settlements() == {
        "Amazon: balances can be read.": True,
        "Amazon: reports of settlements can be listed.": True,
    }


@pytest.mark.usefixtures("old_order")
def test_nothing_is_said_of_settlements_when_orders_cannot_be_read(
    of_settlements: Callable[[], dict[str, bool]], simulator: Simulator
) -> None:
    simulator.faults.add("403", "searchOrders", times=None)
    assert NO_REPORT not in of_settlements()
