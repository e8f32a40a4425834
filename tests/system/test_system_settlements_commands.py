"""The commands about settlements, as people and scripts use them."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from billing import Billing
from bridge import ShiftedClock
from exchange_rates import add_rates
from program import Program, SettledWorld
from settlement_shop import ON
from shop import Shop

from amazon_bridge.simulator import Order, Simulator
from amazon_bridge.simulator.money import Settlement

pytestmark = pytest.mark.odoo("in memory")


@pytest.fixture(autouse=True)
def on(program: Program, shop: Shop) -> None:
    """Settlements are booked; a euro costs 1.25 dollars."""
    program.accounts[0] |= ON
    add_rates(shop.rpc)


@pytest.fixture
def orders(world: SettledWorld, program: Program) -> list[Order]:
    """Two invoiced orders, and one that Odoo doesn't have."""
    made = [world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED") for _ in range(2)]
    assert program.run("sync", "orders").code == 0
    return [*made, world.place_order("FR", fulfilled_by="AMAZON", status="SHIPPED")]


@pytest.fixture
def settlement(orders: list[Order], simulator: Simulator, clock: ShiftedClock) -> Settlement:
    simulator.money.fee("advertising", Decimal("-2.50"), country="FR")
    return simulator.money.close(end=clock() + timedelta(seconds=1))


def test_preview_before_anything_was_booked(program: Program, settlement: Settlement) -> None:
    key = settlement.settlement_id
    run = program.run("settlements", "preview", key, "--csv")
    assert run.code == 0, run.out + run.err
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert {"date", "account", "label", "debit", "credit"} <= rows[0].keys()
    assert sum(Decimal(row["debit"]) - Decimal(row["credit"]) for row in rows) == 0
    payouts = [
        row for row in rows if row["label"] == f"Amazon settlement {key}, {settlement.deposit}"
    ]
    assert [Decimal(row["amount_currency"]) for row in payouts] == [settlement.total]
    shown = program.run("settlements", "preview", key).out.splitlines()
    assert shown[0].strip() == rows[0]["entry"]
    assert program.run("settlements", "list").out.startswith("The bridge knows no settlement")
    program.accounts[0]["settlements"] = {"mode": "off"}
    again = program.run("settlements", "preview", key, "--csv")
    assert (again.code, again.out) == (0, run.out)


def test_a_settlement_that_amazon_does_not_list(program: Program) -> None:
    run = program.run("settlements", "preview", "12345")
    assert run.code == 1
    assert "does not list" in run.err
    assert program.run("settlements", "show", "12345").code == 1


def test_drafts_are_no_booked_settlement(program: Program, settlement: Settlement) -> None:
    key = settlement.settlement_id
    program.accounts[0]["settlements"] = {"mode": "draft"}
    assert program.run("sync", "settlements").code == 0
    assert "draft" in program.run("settlements", "list").out
    shown = program.run("settlements", "show", key).out.splitlines()
    assert shown[0] == f"{key} (acme): draft"
    assert "  No order is open." not in shown
    assert any(line.startswith("  Drafts: ") for line in shown)


@pytest.mark.usefixtures("orders")
def test_a_summary_of_amazon_that_differs_is_shown(
    program: Program, simulator: Simulator, clock: ShiftedClock
) -> None:
    settlement = simulator.money.close(end=clock() + timedelta(seconds=1), publish=False)
    key, total = settlement.settlement_id, settlement.total

    def add_a_euro(rows: list[dict[str, str]]) -> None:
        rows[0]["total-amount"] = str(total + 1)
        rows[-1]["amount"] = str(Decimal(rows[-1]["amount"]) + 1)

    simulator.money.publish(key, edit=add_a_euro)
    run = program.run("sync", "settlements", "--json")
    assert run.counts(job="settlements")["created"] == 1, run.out + run.err
    shown = program.run("settlements", "show", key).out
    assert f"Amazon's summary of it says {total} EUR, its report {total + 1}." in shown


def test_a_settlement_without_amounts(program: Program, simulator: Simulator) -> None:
    fee = simulator.money.fee
    fee("advertising", Decimal("-2.50"), country="FR")
    fee("advertising", Decimal("2.50"), country="FR")
    key = simulator.money.close().settlement_id
    dry = program.run("sync", "settlements", "--dry-run")
    assert dry.code == 0, dry.out + dry.err
    run = program.run("settlements", "preview", key)
    assert run.code == 0, run.out + run.err
    assert run.out.startswith("Nothing would be booked")
    assert program.run("sync", "settlements").code == 0
    assert "0.00 EUR" in program.run("settlements", "list").out


def test_amounts_have_the_digits_of_their_currency(
    program: Program, settlement: Settlement
) -> None:
    run = program.run("settlements", "preview", settlement.settlement_id, "--csv")
    for row in csv.DictReader(io.StringIO(run.out)):
        for column in ("debit", "credit", "amount_currency"):
            assert re.fullmatch(r"-?\d+\.\d\d", row[column]), row
    lines = program.run("settlements", "tie-out").out.splitlines()
    assert all(re.search(r" -?\d+\.\d\d$", line) for line in lines[1:]), lines


def test_a_deleted_draft_is_no_entry(program: Program, settlement: Settlement, shop: Shop) -> None:
    key = settlement.settlement_id
    program.accounts[0]["settlements"] = {"mode": "draft"}
    assert program.run("sync", "settlements").code == 0
    drafts = shop.search("account.move", [("ref", "=like", f"settlement_{key}_%")], ["id"])
    shop.rpc("account.move", "unlink", [draft["id"] for draft in drafts])
    assert program.run("sync", "settlements").code == 1
    shown = program.run("settlements", "show", key).out
    assert "settlement_entry_missing: Somebody deleted the journal entry" in shown
    assert "\n  journal entry" not in shown
    assert "Drafts:" not in shown
    assert program.run("quarantine", "retry", key).code == 0
    assert "pending" in program.run("settlements", "list").out
    assert program.run("sync", "settlements").code == 0
    assert f"\n  journal entry settlement_{key}" in program.run("settlements", "show", key).out


def test_a_tie_out_of_the_future_is_refused(program: Program) -> None:
    run = program.run("settlements", "tie-out", "--as-of", "2999-01-01")
    assert run.code == 2
    assert "is in the future" in run.err


def test_from_sync_to_show(program: Program, settlement: Settlement, orders: list[Order]) -> None:
    key = settlement.settlement_id
    dry = program.run("sync", "settlements", "--dry-run")
    assert dry.code == 0, dry.out + dry.err
    assert key in dry.out
    run = program.run("sync", "settlements", "--json")
    assert run.code == 0, run.out + run.err
    assert run.counts(job="settlements")["created"] == 1
    listed = program.run("settlements", "list").out
    assert key in listed
    assert "booked" in listed
    shown = program.run("settlements", "show", key)
    assert shown.code == 0
    assert f"  {orders[2].order_id}: not imported" in shown.out.splitlines()
    assert orders[0].order_id not in shown.out
    assert "Orders that differ" not in shown.out
    status = program.run("status", "--json").json["accounts"]["acme"]
    assert status["pending_settlements"] == []


def test_what_to_do_about_orders_that_differ(
    program: Program, orders: list[Order], simulator: Simulator, clock: ShiftedClock, shop: Shop
) -> None:
    row = ("Order", "ItemPrice", "Principal", Decimal("-1.00"))
    simulator.money.post([row], order_id=orders[0].order_id, country="FR")
    key = simulator.money.close(end=clock() + timedelta(seconds=1)).settlement_id
    program.run("sync", "settlements")
    shown = program.run("settlements", "show", key).out
    assert f"  {orders[0].order_id}: differs by -1.00 EUR\n" in shown
    assert "Orders that differ are left to you: credit what Odoo has more" in shown
    [journal] = shop.search("account.journal", [("name", "=", "Amazon Payments")], ["id"])
    billing = Billing(shop.database, journal["id"])
    billing.credit_and_pay(orders[0].order_id, amount=1.0)
    program.run("sync", "settlements")
    shown = program.run("settlements", "show", key).out
    assert "differ" not in shown


def test_tie_out(program: Program, settlement: Settlement, clock: ShiftedClock) -> None:
    program.run("sync", "settlements")
    run = program.run("settlements", "tie-out", "--json")
    assert run.code == 0, run.out + run.err
    [tie] = run.json["accounts"]["acme"]
    assert (tie["marketplace"], tie["currency"]) == (None, "EUR")
    total = Decimal(str(tie["amazon"]["total"]))
    owed, reserve = (Decimal(str(tie["odoo"][name])) for name in ("owed", "reserve"))
    assert Decimal(str(tie["difference"])) == total - owed - reserve
    parts = {name: Decimal(str(amount)) for name, amount in tie["parts"].items()}
    assert sum(parts.values()) == Decimal(str(tie["difference"]))
    assert parts["unknown"] == 0
    assert parts["not_invoiced"] > 0
    yesterday = (clock() - timedelta(days=1)).date().isoformat()
    run = program.run("settlements", "tie-out", "--as-of", yesterday)
    assert run.code == 0, run.out + run.err


def test_setup_writes_a_first_map_once(program: Program) -> None:
    run = program.run("setup")
    assert run.code == 0, run.out + run.err
    path = program.folder / "settlement-accounts-acme.csv"
    rows = {row["category"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}
    assert {"selling fee", "FBA fee", "reserve", "in transit", "facilitator tax"} <= rows.keys()
    assert "order" not in rows
    program.accounts[0]["settlements"] = {"mode": "post", "accounts": str(path)}
    assert program.run("config", "validate").code == 0
    assert program.run("setup").code == 0
    path.write_text("mine", encoding="utf-8")
    program.accounts[0]["settlements"] = {"mode": "post"}
    assert program.run("setup").code == 0
    assert path.read_text(encoding="utf-8") == "mine"


def test_setup_names_what_only_people_can_correct(program: Program) -> None:
    path = program.folder / "map.csv"
    path.write_text("category,account\nstorage,NOSUCH\n", encoding="utf-8")
    program.accounts[0]["settlements"] = {"mode": "post", "accounts": str(path)}
    dry = program.run("setup", "--dry-run").out
    assert "missing in Odoo; correct it first:\n  an account with the code NOSUCH" in dry
    run = program.run("setup")
    assert run.code == 3
    assert "an account with the code NOSUCH, for storage" in run.err
    assert "correct `settlements.accounts`" in run.err
    assert run.err.endswith("Correct that, then run `amazon-bridge setup` again.\n")
    run = program.run("sync", "settlements")
    assert run.code == 3
    assert "Run `amazon-bridge setup`" not in run.err + run.out
