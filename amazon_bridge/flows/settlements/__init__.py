"""Amazon → Odoo: settlements, as journal entries, and a daily proof that the books agree.

A settlement is booked when all of its rows are understood, its total agrees and its periods are
open; before, nothing of it is written to Odoo.

``find`` lists Amazon's reports, ``statement`` reads a settlement in one pass, ``classify`` gives
each row its category, ``entries`` makes the journal entries, ``apply`` books them, ``follow``
notes what people do to them in Odoo, ``reconcile`` clears the payments of invoices, ``tie_out``
compares Amazon's balances with Odoo, ``preview`` does dry runs, ``quarantine`` informs people in
Odoo, ``tell`` shows results, ``run`` lists a run's steps.
"""

from datetime import timedelta

from amazon_bridge.job import Gauge, Job, OdooRight, PendingView, StaleAlert

_BILLING = "Invoicing"

SETTLEMENTS = Job(
    name="settlements",
    title="Amazon's settlements, as journal entries in Odoo.",
    run="amazon_bridge.flows.settlements.run:sync",
    schedule="6h",
    is_on=lambda account: account.settlements.is_on,
    amazon_roles=("Finance and Accounting",),
    amazon_check="amazon_bridge.amazon.doctor:examine_settlements",
    odoo_check="amazon_bridge.flows.settlements.check:examine",
    odoo_rights=(
        OdooRight("account.move", "create", "create journal entries", _BILLING),
        OdooRight("account.move", "write", "post journal entries", _BILLING),
        OdooRight("account.move.line", "write", "reconcile them with payments", _BILLING),
        OdooRight("mail.activity", "create", "schedule activities", "Internal User"),
    ),
    books_settlements=True,
    quarantine_kinds={
        "not_found": "book it manually: Amazon keeps reports for 90 days",
        "report_refused": "look for the report in Seller Central (Payments), then retry",
        "settlement_currency": "activate the currency in Odoo, or enter a rate, then retry",
        "settlement_entry_differs": "delete the draft, or reset the entry to draft and delete it;"
        " then retry",
        "settlement_entry_missing": "retry to book it again",
        "settlement_not_posted": "post the draft in Odoo, which shows what is in the way",
        "settlement_period_closed": "open the period in Odoo, or set `closed_period: next_open`;"
        " then retry",
        "settlement_total_differs": "wait for Amazon's correct report, then retry; report it",
        "settlement_type_unknown": "name the type's category in the file of `settlements.accounts`,"
        " then retry",
        "settlement_unreadable": "wait for Amazon's correct report, then retry; report it",
    },
    also_stores=("settlement_reports", "settlement_ties"),
    pending=PendingView(
        "settlements are pending",
        "pending_settlements",
        "amazon_bridge.flows.settlements.tell:pending",
        "settlement is pending",
    ),
    pending_heading="Pending settlements",
    gauges=(
        Gauge(
            "difference",
            "Amazon's balance less Odoo's, of the last comparison.",
            "currency",
            "amazon_bridge.flows.settlements.tell:differences",
        ),
        Gauge(
            "unexplained",
            "What of this difference nothing explains.",
            "currency",
            "amazon_bridge.flows.settlements.tell:unexplained",
        ),
    ),
    panel="amazon_bridge.flows.settlements.tell:panel",
    stale_alert=StaleAlert("settlements", lambda _account: timedelta(days=2)),
)
