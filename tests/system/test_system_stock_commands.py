"""The commands about stock, as people and scripts use them."""

from collections.abc import Iterator

import pytest
from program import Program, SettledWorld
from shop import Shop

from amazon_bridge.simulator import Seller

pytestmark = pytest.mark.odoo("in memory")


@pytest.fixture(autouse=True)
def listed(world: SettledWorld, seller: Seller, program: Program, shop: Shop) -> Iterator[None]:
    """Two mugs, of which Amazon sells 5 each, an FBA listing, and one without a product."""
    world.settings.report_queue_time = world.settings.report_work_time = 0
    program.accounts[0]["stock"] = {"push": True, "raise_after": "1s"}
    for sku in ("MUG-BLUE", "MUG-RED", "NO-PRODUCT"):
        world.listings.add(seller.seller_id, sku, "FR", {"DEFAULT": 5})
    world.listings.add(seller.seller_id, "TEAPOT-08", "FR", {"AMAZON_EU": 5})
    yield
    world.listings._listings.clear()


def quantity(world: SettledWorld, sku: str) -> int | None:
    return world.listings.get("A1SIMULATEDEU", sku, "FR").quantity


def test_a_dry_run_shows_each_sku_and_changes_nothing(program, world):
    program.accounts[0]["stock"] = {"push": False}
    run = program.run("sync", "stock", "--dry-run")
    assert run.code == 0, run.out + run.err
    rows = {line.split()[0]: line for line in run.out.splitlines() if line.strip()}
    assert rows["MUG-BLUE"].split()[:3] == ["MUG-BLUE", "5", "1000"]
    assert "1000 on hand - 0 outgoing" in rows["MUG-BLUE"]
    assert "not sent: No product" in rows["NO-PRODUCT"]
    assert "not sent: Amazon ships it (AMAZON_EU)" in rows["TEAPOT-08"]
    assert quantity(world, "MUG-BLUE") == 5


def test_one_call_sends_what_differs(program, world):
    run = program.run("sync", "stock", "--json")
    assert run.code == 0, run.out + run.err
    assert run.counts(job="stock")["notified"] == 2
    assert (quantity(world, "MUG-BLUE"), quantity(world, "MUG-RED")) == (1000, 1000)
    status = program.run("status", "--json").json["accounts"]["acme"]
    assert status["stock"] == {
        "watched": 2,
        "sent": 2,
        "differing": 0,
        "refused": 0,
        "held": 0,
        "unknown": 1,
        "unproven": 1,
    }
    listed = {each["sku"]: each["state"] for each in status["stock_not_sent"]}
    assert listed == {"NO-PRODUCT": "no_product", "TEAPOT-08": "unproven"}
    text = program.run("status").out
    assert "NO-PRODUCT" in text
    assert "TEAPOT-08" in text


def test_stock_show_has_each_term(program):
    run = program.run("stock", "show", "MUG-BLUE")
    assert run.code == 0, run.out + run.err
    for term in (
        "Amazon's quantity: 5",
        "our quantity: 1000",
        "on hand: 1000",
        "outgoing: 0",
        "buffer: 0",
        "in flight: 0",
        "units: 1",
        "cap: none",
    ):
        assert term in run.out


def test_a_dry_run_names_increases_that_wait(program):
    program.accounts[0]["stock"] = {"push": False}
    lines = program.run("sync", "stock", "--dry-run").out.splitlines()
    assert "acme: 0 quantities would be sent to Amazon." in lines
    assert "acme: 2 more would wait before they are increased." in lines
    row = next(line for line in lines if line.startswith("MUG-BLUE"))
    assert "; waiting: A higher quantity is sent when it has been higher" in row


def test_a_dry_run_leaves_out_skus_that_the_file_switches_off(program):
    """Amazon has more of both than ours; only one of them is switched on."""
    skus = program.folder / "skus.csv"
    skus.write_text("sku,buffer,cap,push\nMUG-BLUE,,1,true\nMUG-RED,,1,\n", "utf-8")
    program.accounts[0]["stock"] = {"skus": str(skus)}
    lines = program.run("sync", "stock", "--dry-run").out.splitlines()
    assert "acme: 1 quantities would be sent to Amazon." in lines
    row = next(line for line in lines if line.startswith("MUG-RED"))
    assert row.split()[:3] == ["MUG-RED", "5", "1"]
    assert "not sent: `push` is false." in row


def test_stock_show_says_why_a_sku_is_never_sent(program):
    assert "not sent: Amazon ships it (AMAZON_EU)." in program.run("stock", "show", "TEAPOT-08").out
    assert "not sent" not in program.run("stock", "show", "MUG-BLUE").out
    program.accounts[0]["stock"] = {"push": False}
    assert "not sent: `push` is false." in program.run("stock", "show", "MUG-BLUE").out


def test_stock_show_says_that_there_is_no_such_listing(program):
    run = program.run("stock", "show", "NOBODY-S")
    assert run.code == 1
    assert "Amazon has no listing of NOBODY-S." in run.out


def test_stock_show_says_why_amazon_does_not_show_a_listing(program, simulator):
    simulator.faults.add("400", "getListingsItem", body="Bad marketplace", times=None)
    run = program.run("stock", "show", "MUG-BLUE")
    assert run.code == 0, run.err
    assert "not read from Amazon: " in run.out
    assert "Bad marketplace" in run.out
    assert "has no listing" not in run.out


def test_a_refusal_exits_with_1_and_odoo_being_down_with_3(program, world, seller):
    world.listings.get(seller.seller_id, "MUG-RED", "FR").refusal = "It is restricted."
    run = program.run("sync", "stock")
    assert run.code == 1, run.err
    assert program.quarantine()["MUG-RED"]["kind"] == "stock_refused"
    program.odoo_url = "http://127.0.0.1:9"
    assert program.run("sync", "stock").code == 3


def test_while_it_is_off_it_does_nothing(program, world):
    program.accounts[0]["stock"] = {"push": False}
    run = program.run("sync", "stock")
    assert run.code == 0
    assert quantity(world, "MUG-BLUE") == 5


def test_check_names_skus_with_settings_that_no_report_has(program, tmp_path):
    path = tmp_path / "skus.csv"
    path.write_text("sku,push\nMUG-BLUE,false\nMUG-BLEU,false\n")
    program.accounts[0]["stock"] |= {"skus": str(path), "both": ["TEAPOT-80"]}
    said = "Amazon has no listing of 2 SKUs with settings of their own: MUG-BLEU, TEAPOT-80"
    assert said not in program.run("check").out, "no report was read yet"
    program.run("sync", "stock")
    assert said in program.run("check").out
    path.write_text("sku,push\nMUG-BLUE,false\n")
    program.accounts[0]["stock"]["both"] = ["TEAPOT-08"]
    assert "SKUs with settings of their own" not in program.run("check").out


def test_check_names_locations_and_skus_without_a_product(program):
    program.run("sync", "stock")
    out = program.run("check").out
    assert "Stock is read at the warehouse's stock location" in out
    assert "1 merchant-fulfilled SKUs have no product in Odoo: NO-PRODUCT" in out
    program.accounts[0]["stock"]["locations"] = ["WH/Cellar"]
    run = program.run("check")
    assert run.code == 3
    assert "no stock location WH/Cellar" in run.out


def test_a_location_that_another_account_has_for_fba_is_a_problem(program, world, shop):
    """Runs refuse it as well."""
    shelf = shop.database.reference("stock.stock_location_stock")
    (row,) = shop.rpc("stock.location", "read", [shelf], ["location_id"])
    values = {"name": "Depot", "location_id": row["location_id"][0], "usage": "internal"}
    location = shop.rpc("stock.location", "create", values)
    (row,) = shop.rpc("stock.location", "read", [location], ["complete_name"])
    other = world.add_seller("A1ANOTHER", ["FR"])
    program.add_account(other, name="other", fba_location=row["complete_name"])
    program.accounts[0]["stock"]["locations"] = [row["complete_name"]]
    run = program.run("check", "--account", "acme")
    assert "names the location of goods at Amazon (FBA)" in run.out


def test_status_names_those_first_that_people_can_correct(program, world, seller):
    for number in range(30):
        world.listings.add(seller.seller_id, f"FBA-{number:02}", "FR", {"AMAZON_EU": 5})
    run = program.run("sync", "stock")
    assert run.code == 0, run.out + run.err
    text = program.run("status").out
    assert "32 SKUs are not sent to Amazon" in text
    lines = text.splitlines()
    begin = next(n for n, line in enumerate(lines) if "32 SKUs are not sent to Amazon" in line)
    assert "NO-PRODUCT" in lines[begin + 1]
    assert "The others: amazon-bridge status --json" in lines[begin + 21]
    account = program.run("status", "--json").json["accounts"]["acme"]
    assert len(account["stock_not_sent"]) == 32
