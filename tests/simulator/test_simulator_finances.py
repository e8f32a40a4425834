"""The Finances API, by Amazon's model (``SimulatedSeller.call`` checks each response)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from amazon_bridge.simulator import Line, random_ledger

FINANCES = "/finances/2024-06-19"
FRANCE, GERMANY, AMERICA = "A13V1IB3VIYZZH", "A1PA6795UKMFR9", "ATVPDKIKX0DER"
LONG_AGO = "2026-09-01T00:00:00Z"


@pytest.fixture
def money(simulator):
    simulator.limits.plans.clear()
    return simulator.money


def get(seller, operation, path, **query):
    return seller.call(operation, "GET", f"{FINANCES}/{path}", params=query)


def get_transactions(seller, **query):
    return get(seller, "listTransactions", "transactions", **query)


def transactions(seller, **query):
    """All pages."""
    query.setdefault("postedAfter", LONG_AGO)
    found, token = [], {}
    while True:
        response = get_transactions(seller, **query, **token)
        assert response.status_code == 200, response.text
        payload = response.json()["payload"]
        found += payload["transactions"]
        if "nextToken" not in payload:
            return found
        token = {"nextToken": payload["nextToken"]}


def balances(seller, **query):
    response = get(seller, "listBalances", "balances", **query)
    assert response.status_code == 200, response.text
    return response.json()["balances"]


def summaries(seller, settlement_id):
    query = {"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": settlement_id}
    return get(seller, "listSummary", "summary", **query).json()["summaries"]


def amount(value):
    return Decimal(str(value["currencyAmount"]))


def total(found, name="totalAmount"):
    return sum((amount(each[name]) for each in found), Decimal(0))


def identifiers(transaction):
    return {
        each["relatedIdentifierName"]: each["relatedIdentifierValue"]
        for each in transaction["relatedIdentifiers"]
    }


def parts(balance):
    """A balance and its sub-balances, by type."""
    found = {balance["balanceType"]: amount(balance["amount"])}
    for part in balance.get("balances", ()):
        found |= parts(part)
    return found


# listTransactions


@pytest.mark.parametrize("seed", range(2))
def test_the_transactions_of_a_settlement_are_its_payout(seller, money, clock, seed):
    settlements = random_ledger(money, seed, all_types=True, free_text=True, held=True, unknown=1)
    clock.advance(minutes=3)
    found = transactions(seller)
    for settlement in settlements:
        here = [
            each for each in found
            if identifiers(each).get("SETTLEMENT_ID") == settlement.settlement_id
        ]  # fmt: skip
        assert total(here) == settlement.total
        assert total(summaries(seller, settlement.settlement_id), "netProceeds") == total(here)
        payouts = [
            each for each in found
            if each["transactionType"] == "Transfer"
            and identifiers(each)["FINANCIAL_EVENT_GROUP_ID"] == settlement.group_id
        ]  # fmt: skip
        assert total(payouts) == settlement.total


@pytest.mark.parametrize("seed", range(2))
def test_breakdowns_add_up(seller, money, seed):
    random_ledger(money, seed, all_types=True)
    for transaction in transactions(seller):
        assert total(transaction["breakdowns"], "breakdownAmount") == total([transaction])
        for item in transaction["items"]:
            assert total(item["breakdowns"], "breakdownAmount") == total([item])
        if transaction["transactionType"] in ("Shipment", "Refund"):
            assert transaction["items"] == [] or total(transaction["items"]) == total([transaction])


def test_deferred_money_is_released_by_another_transaction(seller, world, money, clock):
    money.settings.defer_days = 7
    order = world.place_order("FR", fulfilled_by="AMAZON")
    clock.advance(minutes=3)
    [deferred] = transactions(seller)
    assert deferred["transactionStatus"] == "DEFERRED"
    assert not {"SETTLEMENT_ID", "FINANCIAL_EVENT_GROUP_ID"} & set(identifiers(deferred))
    [context] = deferred["contexts"]
    assert context["maturityDate"] == "2026-11-27T12:00:00Z"
    clock.advance(days=7)
    seller.log_in()
    before, after = transactions(seller)
    assert before["transactionStatus"] == "DEFERRED_RELEASED"
    assert after["transactionStatus"] == "RELEASED"
    assert after["postedDate"] == "2026-11-27T12:00:00Z"
    assert identifiers(before)["RELEASE_TRANSACTION_ID"] == after["transactionId"]
    assert identifiers(after)["DEFERRED_TRANSACTION_ID"] == before["transactionId"]
    assert {identifiers(each)["ORDER_ID"] for each in (before, after)} == {order.order_id}
    assert total([before]) == total([after])


@pytest.mark.parametrize("named", [True, False])
def test_the_settlement_is_named_before_it_is_closed_or_not(seller, money, clock, named):
    money.settings.names_open_settlements = named
    money.fee("reimbursement", Decimal(9))
    clock.advance(minutes=3)
    [found] = transactions(seller)
    assert ("SETTLEMENT_ID" in identifiers(found)) == named
    settlement = money.close()
    found = transactions(seller)[0]
    assert identifiers(found)["SETTLEMENT_ID"] == settlement.settlement_id


def test_transactions_are_filtered(seller, world, money, clock):
    order = world.place_order("DE", fulfilled_by="AMAZON")
    money.fee("reimbursement", Decimal(9))
    clock.advance(minutes=10)
    money.fee("subscription", Decimal(-1))
    settlement = money.close()
    clock.advance(minutes=3)
    group = {"relatedIdentifierName": "FINANCIAL_EVENT_GROUP_ID"}
    assert len(transactions(seller)) == 4, "with the payout"
    assert len(transactions(seller, marketplaceId=GERMANY)) == 1
    assert len(transactions(seller, postedBefore="2026-11-20T12:10:00Z")) == 2
    assert len(transactions(seller, postedAfter="2026-11-20T12:10:00Z")) == 2
    assert len(transactions(seller, transactionStatus="DEFERRED")) == 0
    assert len(transactions(seller, **group, relatedIdentifierValue=settlement.group_id)) == 4
    query = {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order.order_id}
    [found] = get_transactions(seller, **query).json()["payload"]["transactions"]
    assert found["marketplaceDetails"]["marketplaceName"] == "Amazon.de"


def test_transactions_come_in_pages_of_five_hundred(seller, other_seller, money, clock):
    for _ in range(501):
        money.fee("advertising", Decimal(-1))
    clock.advance(minutes=3)
    query = {"postedAfter": LONG_AGO}
    payload = get_transactions(seller, **query).json()["payload"]
    assert len(payload["transactions"]) == 500
    token = {"nextToken": payload["nextToken"]}
    assert get_transactions(seller, **token).status_code == 400, "the same arguments again"
    other = {"postedAfter": "2026-09-02T00:00:00Z"}
    assert get_transactions(seller, **other, **token).status_code == 400
    assert get_transactions(other_seller, **query, **token).status_code == 400
    money.fee("advertising", Decimal(-1), posted=clock() - timedelta(hours=1))
    last = get_transactions(seller, **query, **token).json()["payload"]
    assert len(last["transactions"]) == 1
    assert "nextToken" not in last


def test_transactions_show_late(seller, money, clock):
    money.settings.transaction_delay = 3600
    money.fee("reimbursement", Decimal(9))
    clock.advance(minutes=5)
    assert transactions(seller) == []
    clock.advance(minutes=50)
    seller.log_in()
    clock.advance(minutes=6)
    assert len(transactions(seller)) == 1


def test_more_than_half_a_year_is_empty(seller, money, clock):
    money.fee("reimbursement", Decimal(9))
    clock.advance(minutes=3)
    assert transactions(seller, postedAfter="2026-05-01T00:00:00Z") == []
    assert len(transactions(seller, postedAfter="2026-05-25T00:00:00Z")) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"postedAfter": "2026-11-20T11:59:00Z"},
        {"postedAfter": "2026-11-01T00:00:00Z", "postedBefore": "2026-11-20T11:59:00Z"},
        {"postedAfter": "2026-11-02T00:00:00Z", "postedBefore": "2026-11-01T00:00:00Z"},
        {"postedAfter": "2026-11-01"},
        {"postedAfter": LONG_AGO, "transactionStatus": "Released"},
        {"postedAfter": LONG_AGO, "marketplaceId": AMERICA},
        {"postedAfter": LONG_AGO, "marketplaceIds": FRANCE},
        {"postedAfter": LONG_AGO, "nextToken": "unknown"},
        {"relatedIdentifierName": "ORDER_ID"},
        {"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": "17654321012"},
        {"postedAfter": LONG_AGO, "relatedIdentifierValue": "17654321012"},
    ],
)
def test_transactions_that_amazon_refuses(seller, money, query):
    assert get_transactions(seller, **query).status_code == 400


# listBalances


@pytest.mark.parametrize("seed", range(2))
def test_balances_add_up_by_marketplace_on_every_day(seller, money, clock, seed):
    money.settings.holds_payouts = seed % 2 == 0
    random_ledger(money, seed, orders=8, free_text=True, deferred=0.4)
    for days in range(30):
        day = (clock() - timedelta(days=days)).date()
        found = [parts(balance) for balance in balances(seller, asOfDate=str(day))]
        for each in found:
            assert each["TOTAL"] == each["AVAILABLE"] + each["RESERVED"]
            assert each["RESERVED"] == each["DEFERRED"] + each["ACCOUNT_LEVEL_RESERVE"]
        ours = money.balances(as_of=day)
        assert sum((each["TOTAL"] for each in found), Decimal(0)) == ours.total
        assert sum((each["DEFERRED"] for each in found), Decimal(0)) == ours.deferred


def test_balances_of_now_and_of_another_day(seller, money, clock):
    money.fee("reimbursement", Decimal(9))
    money.fee("reimbursement", Decimal(5), country="DE")
    clock.advance(minutes=30)
    now = balances(seller)
    assert {each["partnerMetadata"]["marketplaceId"] for each in now} == {FRANCE, GERMANY}
    assert {each["lastUpdatedTime"] for each in now} == {"2026-11-20T12:30:00Z"}
    [before] = balances(seller, asOfDate="2026-11-19", marketplaceIds=GERMANY)
    assert before["asOfDate"] == "2026-11-19T00:00:00Z"
    assert parts(before)["TOTAL"] == 0
    [available, _] = balances(seller, balanceType="AVAILABLE")
    assert available["balanceType"] == "AVAILABLE"
    assert "balances" not in available
    assert balances(seller, accountType="Invoiced Orders") == []


@pytest.mark.parametrize(
    "query",
    [
        {"marketplaceIds": AMERICA},
        {"balanceType": "EVERYTHING"},
        {"asOfDate": "2026-11-21"},
        {"asOfDate": "2026-11-19T00:00:00Z"},
        {"nextToken": "unknown"},
    ],
)
def test_balances_that_amazon_refuses(seller, money, query):
    assert get(seller, "listBalances", "balances", **query).status_code == 400


# listSummary


@pytest.mark.parametrize("with_reserves", [True, False])
def test_net_proceeds_are_with_reserves_or_without(seller, money, clock, with_reserves):
    money.settings.proceeds_with_reserves = with_reserves
    money.fee("reimbursement", Decimal(9))
    clock.advance(days=1)
    seller.log_in()
    settlement = money.close(reserve=Decimal(4))
    [summary] = summaries(seller, settlement.settlement_id)
    assert amount(summary["netProceeds"]) == (5 if with_reserves else 9)
    assert summary["periodEnd"] == "2026-11-21T12:00:00Z"
    assert settlement.total == amount(summary["netProceeds"]) - (0 if with_reserves else 4)


def test_a_settlement_has_a_summary_for_each_marketplace(seller, other_seller, world, money):
    for country in ("FR", "DE"):
        world.place_order(country, [Line(price=Decimal(100))], fulfilled_by="AMAZON")
    settlement = money.close()
    found = summaries(seller, settlement.settlement_id)
    assert {each["partnerMetadata"]["marketplaceId"] for each in found} == {FRANCE, GERMANY}
    assert total(found, "netProceeds") == settlement.total
    for summary in found:
        assert total(summary["breakdowns"], "breakdownAmount") == amount(summary["netProceeds"])
    assert summaries(other_seller, settlement.settlement_id) == []
    assert summaries(seller, "1") == []


def test_a_period_has_a_summary(seller, money, clock):
    money.fee("reimbursement", Decimal(9))
    query = {"periodStart": "2026-11-20", "periodEnd": "2026-11-20"}
    [summary] = get(seller, "listSummary", "summary", **query).json()["summaries"]
    assert amount(summary["netProceeds"]) == 9
    query = {"periodStart": "2026-11-19", "periodEnd": "2026-11-19"}
    assert get(seller, "listSummary", "summary", **query).json()["summaries"] == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"periodStart": "2026-11-20"},
        {"periodStart": "2026-11-20", "periodEnd": "2026-11-19"},
        {"relatedIdentifierName": "SETTLEMENT_ID"},
        {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": "1"},
        {"periodStart": "2026-11-19", "periodEnd": "2026-11-20", "marketplaceIds": AMERICA},
    ],
)
def test_summaries_that_amazon_refuses(seller, money, query):
    assert get(seller, "listSummary", "summary", **query).status_code == 400


# Access


def test_the_application_needs_its_role(seller, simulator, money):
    simulator.missing_roles = {"Finance and Accounting"}
    for operation, path in (("listTransactions", "transactions"), ("listBalances", "balances")):
        response = get(seller, operation, path, postedAfter=LONG_AGO)
        assert response.status_code == 403
