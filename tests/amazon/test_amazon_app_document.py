"""docs/amazon-app.md: its roles are those of the jobs, its refusals what ``check`` finds."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from seller_desk import Desk, login_of

from amazon_bridge.amazon.doctor import examine
from amazon_bridge.flows.check import probes
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.marketplaces import marketplace
from amazon_bridge.model import Finding
from amazon_bridge.simulator import ManualClock, Simulator, World
from amazon_bridge.simulator.roles import OPERATIONS

TEXT = (Path(__file__).parents[2] / "docs/amazon-app.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| `(Amazon: [^`]*)` \|", TEXT, re.MULTILINE)


def rows(first: str) -> list[list[str]]:
    """The table whose heading begins so."""
    table = re.search(rf"^\| {first} \|.*\n\|[-|]*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert table
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table[1].splitlines()]


def test_the_roles_are_those_of_the_jobs() -> None:
    documented = {job.strip("`"): roles.split(", ") for job, roles, _ in rows("job")}
    needed = {job.name: list(job.amazon_roles) for job in JOBS if job.amazon_roles}
    assert documented == needed


def test_the_roles_of_the_list_of_marketplaces() -> None:
    for role in OPERATIONS["getMarketplaceParticipations"]:
        assert f"*{role}*" in TEXT


def test_the_example_is_what_check_prints(
    world: World, simulator: Simulator, check: Callable[..., list[Finding]]
) -> None:
    deny("Direct-to-Consumer Delivery")(world, simulator)
    (problem,) = (each for each in check() if not each.ok)
    assert f"  PROBLEM {problem.what}\n          → {problem.remedy}\n" in TEXT


@pytest.fixture
def check(simulator: Simulator, clock: ManualClock) -> Callable[..., list[Finding]]:
    """Checks an account, with rates of its own unless a desk is given."""
    simulator.settings.rate_multiplier = 1000

    def found(*countries: str, desk: Desk | None = None, **settings: object) -> list[Finding]:
        places = [marketplace(code) for code in countries or ("FR", "DE")]
        with closing((desk or Desk(simulator)).partner(**settings)) as partner:
            return examine(partner, places, probes(JOBS), clock)

    return found


Trouble = Callable[[World, Simulator], None]


def advance(world: World, **by: float) -> None:
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(**by)


def deny(*roles: str) -> Trouble:
    def trouble(world: World, simulator: Simulator) -> None:
        world.place_order("FR")
        advance(world, minutes=10)
        simulator.missing_roles = set(roles)

    return trouble


def fault(kind: str, operation: str, **settings: object) -> Trouble:
    def trouble(_: World, simulator: Simulator) -> None:
        simulator.faults.add(kind, operation, times=None, **settings)

    return trouble


def no_report(world: World, _: Simulator) -> None:
    world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
    advance(world, days=35)


INVALID = '{"errors": [{"code": "Unauthorized", "message": "The access token is not valid"}]}'
TROUBLES: dict[str, Trouble] = {
    "roles of orders": deny(
        "Inventory and Order Tracking", "Product Listing", "Finance and Accounting"
    ),
    "role of money": deny("Finance and Accounting"),
    "role of listings": deny("Product Listing"),
    "role of addresses": deny("Direct-to-Consumer Delivery"),
    "revoked": fault("response", "getFeeds", status=401, body=INVALID),
    "invalid": fault("400", "searchOrders"),
    "no connection": fault("reset", "searchOrders"),
    "no login": fault("reset", "token"),
    "broken": fault("500", "searchOrders"),
    "no report": no_report,
}


def documented(line: str) -> str | None:
    """The row of the document that has this line; … stands for any text."""
    patterns = {row: ".*".join(re.escape(part) for part in row.split("…")) for row in LINES}
    return next((row for row, pattern in patterns.items() if re.fullmatch(pattern, line)), None)


def test_every_refusal_of_check_is_documented_and_no_other(
    world: World, simulator: Simulator, desk: Desk, check: Callable[..., list[Finding]]
) -> None:
    seller = world.sellers["A1EUROPE"]
    found = check("FR", "IT")
    for wrong in ({"client_secret": "wrong"}, {"refresh_token": "Atzr|wrong"}):
        found += check(credentials=login_of(seller, **wrong))
    for trouble in TROUBLES.values():
        trouble(world, simulator)
        found += check()
        simulator.missing_roles = set()
        simulator.faults.clear()
    for _ in range(11):
        found += check(desk=desk)
    worth_a_line = {each.what for each in found if not each.ok or each.remedy}
    assert {line for line in worth_a_line if documented(line) is None} == set()
    assert {documented(line) for line in worth_a_line} == set(LINES)
