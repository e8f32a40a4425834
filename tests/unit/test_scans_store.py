"""What the state store remembers of the scans of Odoo."""

from datetime import timedelta

from clocks import NOON, Clock

from amazon_bridge.engine.ledger import Ledger
from amazon_bridge.engine.scan import LATE, Scan, ScanProgress, next_scan

HOUR = timedelta(hours=1)
SCAN = Scan(NOON - 60 * LATE, NOON, looks_back=True)
CHANGES = {7: NOON - HOUR, 9: NOON - 2 * HOUR}


def test_an_interrupted_scan_goes_on_behind_the_last_page(ledger: Ledger):
    ledger.scans.expect("acme", "pickings")
    begun = ledger.scans.progress("acme", "pickings")
    assert begun == ScanProgress()
    ledger.scans.pause("acme", "pickings", SCAN._replace(after=9), CHANGES, since=begun)
    progress = ledger.scans.progress("acme", "pickings")
    assert progress == ScanProgress(unfinished=SCAN._replace(after=9))
    assert next_scan(progress, NOON + HOUR, first=NOON) == SCAN._replace(after=9)
    assert ledger.scans.known("acme", "pickings", [7, 8]) == {7: NOON - HOUR}
    assert ledger.scans.known("beta", "pickings", [7, 8]) == {}
    ledger.scans.finish("acme", "pickings", SCAN._replace(after=12), {}, since=progress)
    assert ledger.scans.progress("acme", "pickings") == ScanProgress(NOON, NOON)


def test_a_change_of_a_known_record_replaces_the_one_before(ledger: Ledger):
    finish(ledger, SCAN)
    later = NOON + HOUR
    ledger.scans.finish(
        "acme",
        "pickings",
        Scan(NOON, later, looks_back=False),
        {7: NOON},
        since=ScanProgress(NOON, NOON),
    )
    assert ledger.scans.known("acme", "pickings", [7, 9]) == {7: NOON, 9: NOON - 2 * HOUR}
    assert ledger.scans.progress("acme", "pickings") == ScanProgress(later, NOON)


def test_what_no_scan_sees_again_is_forgotten(ledger: Ledger):
    finish(ledger, SCAN)
    scan = Scan(NOON, NOON + LATE - HOUR - HOUR / 2, looks_back=True)
    ledger.scans.finish("acme", "pickings", scan, {}, since=ScanProgress(NOON, NOON))
    assert ledger.scans.known("acme", "pickings", [7, 9]) == {7: NOON - HOUR}


def test_a_rewind_forgets_the_scans_of_its_account_also_one_under_way(ledger: Ledger, clock: Clock):
    for account in ("acme", "beta", ""):
        finish(ledger, SCAN, account)
    ledger.continuity.rewind("acme", NOON - LATE, job="orders")
    assert ledger.scans.progress("acme", "pickings") == ScanProgress()
    assert ledger.scans.progress("beta", "pickings") == ScanProgress(NOON, NOON)
    assert ledger.scans.progress("", "pickings") == ScanProgress(), "buyers' data is back, too"
    ledger.scans.finish("acme", "pickings", SCAN, CHANGES, since=ScanProgress(NOON, NOON))
    ledger.scans.pause("acme", "pickings", SCAN, CHANGES, since=ScanProgress())
    assert ledger.scans.progress("acme", "pickings") == ScanProgress()
    assert ledger.scans.known("acme", "pickings", [7, 9]) == {}


def test_scans_of_a_job_that_is_switched_off_are_forgotten(ledger: Ledger):
    finish(ledger, SCAN)
    ledger.scans.forget("acme", "cancellations")
    assert ledger.scans.progress("acme", "pickings") == ScanProgress(NOON, NOON)
    ledger.scans.forget("acme", "pickings")
    assert ledger.scans.progress("acme", "pickings") == ScanProgress()
    assert ledger.scans.known("acme", "pickings", [7, 9]) == {}


def finish(ledger: Ledger, scan: Scan, account: str = "acme") -> None:
    ledger.scans.expect(account, "pickings")
    ledger.scans.finish(account, "pickings", scan, CHANGES, since=ScanProgress())
