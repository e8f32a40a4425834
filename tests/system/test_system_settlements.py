"""Settlements: booked once, to the cent, reconciled with the payments, and tied out."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from memory_odoo.entries import Moves
from memory_odoo.model import public
from memory_shop import MemoryShop
from settlement_shop import JOB, Books, booking
from shop import Shop

from amazon_bridge.engine.records import State
from amazon_bridge.flows.settlements.check import examine
from amazon_bridge.flows.settlements.memo import REPORTS
from amazon_bridge.flows.settlements.preview import preview
from amazon_bridge.flows.settlements.tie_out import record
from amazon_bridge.model import Finding
from amazon_bridge.odoo.setup import Target


def test_a_settlement_is_booked_once_and_reconciled(books: Books):
    orders = books.ship(3)
    books.money.fee("advertising", Decimal("-5.00"))
    assert books.tie().parts["unknown"] == 0
    settlement = books.close(reserve=Decimal("3.00"))
    assert books.tie().parts["unknown"] == 0
    assert books.sync()["created"] == 1
    expected = books.money.expected(settlement.settlement_id)
    setup, sums = books.setup, books.sums(settlement.settlement_id)
    owed = sum(expected.owed_orders.values())
    assert sums[setup.owed.account] == -owed
    assert sums[setup.in_transit.account] == settlement.total
    assert sums[setup.reserve.account] == Decimal("3.00")
    assert sums[setup.target("advertising").account] == Decimal("5.00")
    assert setup.interim.account not in sums
    of_orders = [
        line
        for line in books.lines(settlement.settlement_id)
        if line["account_id"][0] == setup.owed.account_id
    ]
    assert {line["name"] for line in of_orders} == {order.order_id for order in orders}
    assert all(line["reconciled"] for line in of_orders)
    assert all(line["parent_state"] == "posted" for line in of_orders)
    tie = books.tie()
    assert (tie.difference, tie.parts["unknown"]) == (0, 0)
    before = books.lines(settlement.settlement_id)
    books.money.publish(settlement.settlement_id)
    books.bridge.clock.advance(minutes=10)
    assert "created" not in books.sync()
    books.bridge.forget()
    assert books.sync()["created"] == 1
    assert books.lines(settlement.settlement_id) == before


def test_the_preview_is_what_is_booked(books: Books):
    books.ship(2)
    books.money.refund(books.ship()[0].order_id, Decimal("0.5"))
    settlement = books.close()
    app = books.bridge.app
    found = preview(app.context(app.config.accounts[0], dry_run=True), settlement.settlement_id)
    assert found
    assert found.problem is None
    assert books.lines(settlement.settlement_id) == []
    assert books.bridge.state(JOB, settlement.settlement_id) is None
    assert books.sync()["created"] == 1
    booked = sorted(
        (line["account_id"][1], line["name"], round(line["amount_currency"], 2))
        for line in books.lines(settlement.settlement_id)
    )
    previewed = sorted(
        (line.account, line.label, float(line.amount_currency)) for line in found.lines
    )
    assert booked == previewed


def test_a_wrong_document_is_held_and_a_correct_one_is_booked_by_a_retry(books: Books):
    books.ship()
    settlement = books.close(publish=False)

    def spoil(rows: list[dict[str, str]]) -> None:
        rows.append(dict(rows[-1]))

    books.money.publish(settlement.settlement_id, edit=spoil)
    key = settlement.settlement_id
    assert books.sync()["quarantined"] == 1
    assert books.bridge.quarantine(JOB)[key].kind == "settlement_total_differs"
    assert books.lines(key) == []
    books.money.publish(key)
    books.bridge.clock.advance(minutes=10)
    books.sync()
    assert books.bridge.state(JOB, key) is State.QUARANTINED
    assert books.tie().parts["unknown"] == 0
    assert books.bridge.app.ledger.items.retry(key) == 1
    assert books.sync()["created"] == 1
    assert books.tie().parts["unknown"] == 0
    books.money.publish(key, edit=spoil)
    books.bridge.clock.advance(minutes=10)
    assert "quarantined" not in books.sync()


def test_unknown_types_are_held_until_the_account_says_what_they_are(here: MemoryShop):
    with booking(here) as books:
        books.money.fee(("other-transaction", "other-transaction", "New Fee"), Decimal("-7.00"))
        books.ship(2)
        key = books.close().settlement_id
        assert books.sync()["quarantined"] == 1
        reason = books.bridge.quarantine(JOB)[key].reason or ""
        assert "other-transaction / other-transaction / New Fee: -7.00 in 1 row" in reason
        [finding] = examined(books)
        assert not finding.ok
        assert finding.what == f"Settlement {key} is not booked. {reason}"
    with booking(here, settlements={"mode": "post", "unknown": "other"}) as books:
        assert books.sync()["created"] == 1
        assert books.sums(key)[books.setup.target("other").account] == Decimal("7.00")


def examined(books: Books) -> list[Finding]:
    """What ``check`` says of the job's state."""
    app = books.bridge.app
    return list(examine(app.odoo, app.config.accounts[0], app.ledger, app.config))


def test_check_names_what_the_last_tie_out_could_not_explain(books: Books):
    books.ship()
    tie = books.tie()
    context = books.bridge.app.context(books.bridge.app.config.accounts[0])
    assert examined(books) == []
    record(context, [replace(tie, parts=tie.parts | {"unknown": Decimal("-12.5")})])
    [finding] = examined(books)
    assert finding.ok
    assert finding.what == "-12.50 EUR of the last tie-out with Amazon are unexplained"


def test_drafts_are_left_to_a_person(here: MemoryShop):
    with booking(here, settlements={"mode": "draft"}) as books:
        books.ship()
        key = books.close().settlement_id
        assert books.sync()["created"] == 1
        assert {line["parent_state"] for line in books.lines(key)} == {"draft"}
        assert books.tie().parts["unknown"] == 0
        books.bridge.forget()
        assert books.sync()["created"] == 1
        assert {line["parent_state"] for line in books.lines(key)} == {"draft"}


def test_accounts_of_one_seller_and_currency_are_compared_together(here: MemoryShop):
    with booking(here, marketplaces=["FR"]) as books:
        [mine] = here.program.accounts
        here.program.accounts.append(mine | {"name": "germany", "marketplaces": ["DE"]})
        try:
            for country in ("FR", "DE"):
                books.world.place_order(country, fulfilled_by="AMAZON", status="SHIPPED")
            books.bridge.clock.advance(minutes=10)
            for account in ("acme", "germany"):
                assert books.bridge.sync("orders", account=account)["created"] == 1
            books.bridge.clock.advance(days=5)
            tie = books.tie()
        finally:
            del here.program.accounts[1]
    assert tie.odoo.owed > tie.amazon.total > 0
    assert tie.parts["unknown"] == 0
    assert tie.parts["open_statement"] == tie.difference


@pytest.fixture
def lost(books: Books) -> Books:
    """Two settlements; Amazon doesn't have the report that is read first."""
    for _ in range(2):
        books.ship()
        books.close()
    gone = '{"errors": [{"code": "NotFound", "message": "gone"}]}'
    books.bridge.simulator.faults.add("response", "getReportDocument", status=404, body=gone)
    return books


def test_a_dry_run_shows_the_others_when_amazon_lost_a_report(lost: Books):
    counts = lost.bridge.sync(JOB, dry_run=True)
    assert counts == {"seen": 2, "created": 1, "quarantined": 1}


def test_a_report_that_amazon_lost_costs_its_settlement_only(lost: Books):
    counts = lost.sync()
    assert (counts["created"], counts["quarantined"]) == (1, 1)
    [entry] = lost.bridge.quarantine(REPORTS).values()
    assert entry.kind == "not_found"


def activities(books: Books, *entries: int) -> list[str]:
    """The notes of the open activities on journal entries."""
    domain = [("res_model", "=", "account.move"), ("res_id", "in", list(entries))]
    return [row["note"] for row in books.shop.search("mail.activity", domain, ["note"])]


def test_an_entry_that_odoo_leaves_in_draft_is_quarantined(
    books: Books, monkeypatch: pytest.MonkeyPatch
):
    books.ship()
    key = books.close().settlement_id
    with monkeypatch.context() as module_of_odoo:
        module_of_odoo.setattr(Moves, "action_post", public(lambda *_: False))
        assert books.sync()["quarantined"] == 1
    assert books.bridge.quarantine(JOB)[key].kind == "settlement_not_posted"
    [event] = books.bridge.logged("settlement_quarantined")
    assert (event["account"], event["key"], event["kind"]) == ("acme", key, "settlement_not_posted")
    assert {line["parent_state"] for line in books.lines(key)} == {"draft"}
    [activity] = activities(books, entry_of(books, key))
    assert "Open it in Odoo and post it" in activity
    books.bridge.app.ledger.items.retry(key)
    assert books.sync()["created"] == 1
    assert {line["parent_state"] for line in books.lines(key)} == {"posted"}
    assert activities(books, entry_of(books, key)) == []


def post(shop: Shop, *domain: Any) -> None:
    """As a person who posts drafts."""
    drafts = shop.search("account.move", [("state", "=", "draft"), *domain], ["id"])
    shop.rpc("account.move", "action_post", [draft["id"] for draft in drafts])


def test_what_a_person_posted_is_reconciled(here: MemoryShop):
    with booking(here, settlements={"mode": "draft"}) as books:
        [order] = books.ship()
        key = books.close().settlement_id
        assert books.sync()["created"] == 1
        assert books.reasons(key) == []
        post(books.shop, ("ref", "=like", f"settlement_{key}_%"))
        assert books.reasons(key) == [(order.order_id, "not reconciled yet")]
        books.sync()
        assert books.reasons(key) == []
        assert any(line["reconciled"] for line in books.lines(key))


def test_a_refund_is_open_until_its_credit_note(books: Books):
    [order] = books.ship()
    books.money.refund(order.order_id)
    key = books.close().settlement_id
    books.sync()
    assert books.reasons(key) == [(order.order_id, "not invoiced (no credit note)")]


def entry_of(books: Books, settlement_id: str) -> int:
    domain = [("ref", "=like", f"settlement_{settlement_id}_%")]
    [entry] = books.shop.search("account.move", domain, ["id"])
    return entry["id"]


@pytest.mark.parametrize("mode", ["draft", "post"])
def test_a_deleted_entry_can_be_booked_again(here: MemoryShop, mode: str):
    with booking(here, settlements={"mode": mode}) as books:
        books.ship()
        key = books.close().settlement_id
        books.sync()
        before, entry = books.sums(key), entry_of(books, key)
        if mode == "post":
            books.shop.rpc("account.move", "button_draft", [entry])
        books.shop.rpc("account.move", "unlink", [entry])
        assert books.sync()["quarantined"] == 1
        assert books.bridge.quarantine(JOB)[key].kind == "settlement_entry_missing"
        assert books.sync() == {}
        books.bridge.app.ledger.items.retry(key)
        assert books.sync()["created"] == 1
        assert books.sums(key) == before


def warned(books: Books) -> list[str]:
    """The settlements of which the log says that an entry is a draft again."""
    name = "settlement_reset_to_draft"
    return [each["settlement"] for each in books.bridge.events if each["event"] == name]


def test_an_entry_that_somebody_reset_is_a_draft_until_it_is_posted_again(books: Books):
    books.ship()
    key = books.close().settlement_id
    books.sync()
    assert (books.state(key), examined(books)) == ("booked", [])
    books.shop.rpc("account.move", "button_draft", [entry_of(books, key)])
    books.sync()
    assert warned(books) == [key]
    books.sync()
    assert warned(books) == []
    assert books.state(key) == "draft"
    [finding] = examined(books)
    assert not finding.ok
    assert finding.what == f"Settlement {key} was booked, and its journal entry is a draft again."
    post(books.shop)
    books.sync()
    assert (books.state(key), examined(books)) == ("booked", [])


def test_with_mode_draft_an_entry_that_somebody_reset_is_no_warning(here: MemoryShop):
    with booking(here, settlements={"mode": "draft"}) as books:
        books.ship()
        key = books.close().settlement_id
        books.sync()
        post(books.shop)
        books.sync()
        assert books.state(key) == "booked"
        books.shop.rpc("account.move", "button_draft", [entry_of(books, key)])
        books.sync()
        assert (books.state(key), examined(books), warned(books)) == ("draft", [], [])


def enter(books: Books, debit: Target, credit: Target, amount: float) -> None:
    """An entry of a person."""
    currency_id = books.shop.search("res.currency", [("name", "=", "EUR")], [])[0]["id"]
    journal = books.shop.search("account.journal", [("type", "=", "general")], [])[0]
    sides = {debit.account_id: amount, credit.account_id: -amount}
    lines = [
        {"account_id": id_, "currency_id": currency_id, "amount_currency": each, "balance": each}
        for id_, each in sides.items()
    ]
    values = {
        "move_type": "entry",
        "journal_id": journal["id"],
        "date": str(books.bridge.clock().date()),
        "currency_id": currency_id,
        "line_ids": [(0, 0, {"name": "by hand", **line}) for line in lines],
    }
    id_ = books.shop.rpc("account.move", "create", values)
    books.shop.rpc("account.move", "action_post", [id_])


def test_an_entry_of_a_person_against_amazon_statements_is_unknown(books: Books):
    books.ship()
    setup = books.setup
    enter(books, setup.reserve, setup.interim, 70)
    assert books.tie().parts["unknown"] == -70
    enter(books, setup.owed, setup.interim, 500)
    books.bridge.clock.advance(days=3)  # payments that are younger may be of orders
    tie = books.tie()
    assert tie.parts["unknown"] == -570


@pytest.fixture
def of_two_months(books: Books) -> tuple[Books, str]:
    """The books, and the id of a settlement that is not booked yet."""
    books.ship()
    books.bridge.clock.advance(days=12)  # from November to December
    books.ship()
    return books, books.close(reserve=Decimal("3.00")).settlement_id


def test_what_a_draft_of_two_entries_leaves_on_amazon_statements_is_explained(
    of_two_months: tuple[Books, str],
):
    books, key = of_two_months
    books.sync()
    enter(books, books.setup.reserve, books.setup.interim, 70)
    entries = books.entries(key)
    assert len(entries) == 2
    for entry in entries:
        books.shop.rpc("account.move", "button_draft", [entry["id"]])
        parts = books.tie().parts
        assert (parts["unknown"], bool(parts["open_statement"])) == (-70, True)
        books.shop.rpc("account.move", "action_post", [entry["id"]])


def test_what_odoo_posted_of_a_quarantined_settlement_is_explained(
    of_two_months: tuple[Books, str], here: MemoryShop
):
    books, key = of_two_months
    here.odoo.posts = 1
    assert books.sync()["quarantined"] == 1
    assert {each["state"] for each in books.entries(key)} == {"draft", "posted"}
    assert books.tie().parts["unknown"] == 0
    activity_on = {
        each["state"]: bool(activities(books, each["id"])) for each in books.entries(key)
    }
    assert activity_on == {"draft": True, "posted": False}


def test_an_entry_that_somebody_cancelled_is_quarantined(books: Books):
    books.ship()
    key = books.close().settlement_id
    books.sync()
    entry = entry_of(books, key)
    books.shop.rpc("account.move", "button_draft", [entry])
    books.shop.rpc("account.move", "button_cancel", [entry])
    assert books.sync()["quarantined"] == 1
    assert books.bridge.quarantine(JOB)[key].kind == "settlement_entry_differs"
    assert len(activities(books, entry)) == 1
    books.shop.rpc("account.move", "button_draft", [entry])
    books.bridge.app.ledger.items.retry(key)
    assert books.sync()["created"] == 1
    assert activities(books, entry) == []


def test_each_day_the_parts_add_up(books: Books):
    """Orders with and without invoices, refunds, fees, deferred money, a reserve and payouts."""
    for day in range(6):
        orders = books.ship(2)
        books.money.fee("storage", Decimal("-1.10"))
        if day == 1:
            books.money.refund(orders[0].order_id)
        if day == 2:
            books.world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")
            until = books.bridge.clock() + timedelta(days=2)
            books.money.defer(books.money.shipment(orders[0].order_id), until)
        if day in {2, 4}:
            books.close(reserve=Decimal(day))
        books.bridge.clock.advance(minutes=10)
        assert books.tie().parts["unknown"] == 0, f"day {day}, before"
        books.sync()
        assert books.tie().parts["unknown"] == 0, f"day {day}"
        books.bridge.clock.advance(hours=20)


@pytest.mark.slow
def test_the_parts_of_each_past_day_add_up(books: Books):
    """What was open, deferred or booked on a day, as seen weeks later."""
    first = books.bridge.clock().date()
    for day in range(24):
        orders = books.ship(1 + day % 2)
        books.money.fee("storage", Decimal("-1.10"))
        if day % 5 == 1:
            books.money.refund(orders[0].order_id)
        if day % 6 == 2:
            until = books.bridge.clock() + timedelta(days=4)
            books.money.defer(books.money.shipment(orders[0].order_id), until)
        if day in {6, 14, 20}:
            books.close(reserve=Decimal(day))
        books.sync()
        books.bridge.clock.advance(hours=23)
    days = [first + timedelta(days=number) for number in range(23)]
    unknown = {day: books.tie(day).parts["unknown"] for day in days}
    assert {day: amount for day, amount in unknown.items() if amount} == {}
