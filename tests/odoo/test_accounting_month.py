"""The month of docs/accounting.md, orders to bank: what stands there is what Odoo has."""

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from billing import Billing
from odoo_server.databases import OdooDatabase

from amazon_bridge.amazon.settlements import Header, Row
from amazon_bridge.config import AccountConfig
from amazon_bridge.flows.settlements.classify import Classifier
from amazon_bridge.flows.settlements.entries import entries
from amazon_bridge.flows.settlements.statement import read_statement
from amazon_bridge.odoo import journal_entries, reconciling
from amazon_bridge.odoo.account_balances import by_currency
from amazon_bridge.odoo.journal_entries import Entry
from amazon_bridge.odoo.session import OdooSession
from amazon_bridge.odoo.setup import SettlementSetup, Setup, prepare

pytestmark = pytest.mark.since_odoo(16, "entries of settlements")
DOCUMENT = Path(__file__).parents[2] / "docs/accounting.md"
DEPOSITS = {"11111111111": date(2026, 10, 14), "22222222222": date(2026, 10, 28)}
OWED = "Amazon Payments: owed by Amazon"
Cells = dict[str, str]


def table(first: str) -> list[Cells]:
    """The rows of the month's table whose first column has this title."""
    text = DOCUMENT.read_text().partition("## Settlements: a month")[2]
    text = text[text.index(f"\n| {first} |") :]
    [found] = re.findall(r"((?:^\|.*\n)+)", text, re.MULTILINE)[:1]
    head, _, *rows = ([c.strip() for c in line[1:-1].split("|")] for line in found.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture(params=["two accounts", "one intermediary account"])
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Month:
    """What happens in the month, by the tables of the document."""

    def __init__(self, odoo: OdooDatabase, session: OdooSession, setup: Setup, tail: str) -> None:
        self.rpc, self.session = odoo.rpc, session.for_company(setup.company_id)
        assert setup.settlement
        assert setup.payment_journal_id
        self.setup: SettlementSetup = setup.settlement
        self.journal_id = setup.payment_journal_id
        self.billing = Billing(odoo, self.journal_id)
        self.orders: dict[str, int] = {}
        self.tail = tail
        """Of settlement ids, so that two variants of the month can be in one database."""

    def sell(self) -> None:
        for row in table("order"):
            if row["amount"].startswith("-"):
                credit = self.billing.credit(self.orders[row["order"]], row["paid"])
                self.billing.pay(credit, day=row["paid"])
            else:
                _, id_ = self.billing.order(float(row["amount"]), row["order"])
                self.orders[row["order"]] = self.billing.invoice(id_, row["paid"])
                self.billing.pay(self.orders[row["order"]], day=row["paid"])

    def settle(self) -> list[Entry]:
        rows = defaultdict(list)
        for each in table("settlement"):
            kind, group, what = each["type"].split(" / ")
            day, amount = date.fromisoformat(each["posted"]), Decimal(each["amount"])
            rows[each["settlement"]].append(Row(kind, group, what, amount, day, each["order"], ""))
        made = []
        for id_, own in rows.items():
            total = sum((row.amount for row in own), Decimal())
            moment = datetime(2026, 10, 1, tzinfo=UTC)
            own_id, currency = f"{id_}{self.tail}", self.setup.currency
            header = Header(own_id, moment, moment, DEPOSITS[id_], total, currency)
            statement = read_statement(header, own, Classifier())
            assert statement.problem() is None
            made += self._book(entries(statement, self.setup))
        return made

    def _book(self, made: tuple[Entry, ...]) -> tuple[Entry, ...]:
        booked = journal_entries.create(self.session, self.setup, made)
        journal_entries.post(self.session, [each.id for each in booked.values()])
        return made

    def reconcile(self) -> None:
        lines = [line for page in reconciling.open_lines(self.session, self.setup) for line in page]
        paid = reconciling.payments(self.session, self.setup, {line.order_id for line in lines})
        groups = [
            [line, *(each for each in paid[line.order_id] if each.is_refund == line.is_refund)]
            for line in lines
        ]
        reconciling.reconcile(self.session, groups)
        assert list(reconciling.open_lines(self.session, self.setup)) == [[]]

    def bill(self) -> None:
        """Amazon's tax invoice, paid with what was kept."""
        [group] = self.rpc("account.tax.group", "search", [], limit=1)
        tax = {"name": f"VAT 19 %{self.tail}", "amount": 19, "type_tax_use": "purchase"}
        tax_id = self.rpc("account.tax", "create", {**tax, "tax_group_id": group})
        line = {"name": "Fees", "price_unit": 39.25, "tax_ids": [(6, 0, [tax_id])]}
        values = {"move_type": "in_invoice", "partner_id": self.setup.partner_id}
        days = {"invoice_date": "2026-10-31", "date": "2026-10-31"}
        lines = {"invoice_line_ids": [(0, 0, line)]}
        bill = self.rpc("account.move", "create", {**values, **days, **lines})
        self.rpc("account.move", "action_post", [bill])
        context = {"active_model": "account.move", "active_ids": [bill]}
        payment = {"journal_id": self.journal_id, "payment_date": "2026-10-31"}
        if self.setup.fees_to_invoice.account_id and self._fees_have_an_account():
            payment["payment_method_line_id"] = self._make_method()
        wizard = self.rpc("account.payment.register", "create", payment, context=context)
        self.rpc("account.payment.register", "action_create_payments", [wizard], context=context)

    def _fees_have_an_account(self) -> bool:
        return self.setup.target("selling fee") == self.setup.fees_to_invoice

    def _make_method(self) -> int:
        method = ("code", "=", "manual"), ("payment_type", "=", "outbound")
        [method_id] = self.rpc("account.payment.method", "search", list(method), limit=1)
        values = {"name": "Amazon fees", "journal_id": self.journal_id}
        account = {"payment_account_id": self.setup.fees_to_invoice.account_id}
        every = {**values, **account, "payment_method_id": method_id}
        return int(self.rpc("account.payment.method.line", "create", every))

    def bank(self) -> None:
        """What the bank's statement does: the API may not create its lines in Community."""
        journal = self.bank_journal
        bank_account = journal["default_account_id"][0]
        payouts = [("account_id", "=", self.setup.in_transit.account_id)]
        payouts += [("name", "like", "Amazon settlement"), ("parent_state", "=", "posted")]
        for line in self.rpc("account.move.line", "search_read", payouts, ["balance", "name"]):
            sides = ((bank_account, line["balance"]), (payouts[0][2], -line["balance"]))
            rows = [
                (0, 0, {"account_id": account, "balance": amount, "name": line["name"]})
                for account, amount in sides
            ]
            values = {"journal_id": journal["id"], "date": "2026-10-29", "line_ids": rows}
            entry = self.rpc("account.move", "create", values)
            self.rpc("account.move", "action_post", [entry])

    def accounts(self) -> dict[str, int]:
        """The accounts by their names."""
        setup = self.setup
        targets = (*setup.targets.values(), setup.owed, setup.fees_to_invoice)
        named = {target.account.partition(" ")[2]: target.account_id for target in targets}
        return {**named, "Bank": self.bank_journal["default_account_id"][0]}

    def balance(self, name: str) -> Decimal:
        account_id = self.accounts()[name]
        domain = [("account_id", "=", account_id), ("parent_state", "=", "posted")]
        domain += [("date", "<=", "2026-10-31")]
        rows = self.rpc("account.move.line", "search_read", domain, ["balance"])
        return sum((Decimal(str(row["balance"])) for row in rows), Decimal())

    @cached_property
    def bank_journal(self) -> dict[str, Any]:
        domain = [("type", "=", "bank"), ("id", "!=", self.journal_id)]
        domain += [("name", "not like", "Amazon")]
        fields = ["default_account_id"]
        [row] = self.rpc("account.journal", "search_read", domain, fields, limit=1)
        return dict(row)


@pytest.fixture
def month(
    odoo_database: OdooDatabase,
    admin: OdooSession,
    make_account: Callable[..., AccountConfig],
    variant: str,
    tmp_path: Path,
) -> Month:
    settlements: dict[str, Any] = {"mode": "post", "fees": "to_invoice"}
    if variant == "two accounts":
        options = {"invoicing": {"payment_journal": "Amazon Payments"}}
        setup = prepare(admin, make_account(settlements=settlements, **options))
        return Month(odoo_database, admin, setup, "")
    options = {"invoicing": {"payment_journal": "Amazon"}}
    setup = prepare(admin, make_account(settlements=settlements, **options))
    assert setup.settlement
    code = setup.settlement.owed.account.partition(" ")[0]
    [text] = re.findall(r"```csv\n(category,account\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    (tmp_path / "map.csv").write_text(text.replace("AMZ001", code))
    settlements["accounts"] = str(tmp_path / "map.csv")
    setup = prepare(admin, make_account(settlements=settlements, **options))
    return Month(odoo_database, admin, setup, "0")


def shown(lines: list[journal_entries.BookedLine]) -> list[Cells]:
    return [
        {
            "entry": line.entry,
            "date": line.date.isoformat(),
            "account": line.account.partition(" ")[2],
            "label": line.label,
            "debit": f"{line.debit:.2f}" if line.debit else "",
            "credit": f"{line.credit:.2f}" if line.credit else "",
        }
        for line in lines
    ]


def test_the_month_comes_about(month: Month, variant: str):
    rows = [row for row in table("account") if row[variant]]
    names = {row["account"]: row["account"] for row in rows}
    if variant != "two accounts":
        names[OWED] = OWED.replace("Amazon Payments", "Amazon")
    before = {name: month.balance(name) for name in names.values()}
    month.sell()
    made = month.settle()
    if variant == "two accounts":
        booked = [
            list(journal_entries.as_booked(month.session, month.setup, [each])) for each in made
        ]
        assert shown([line for lines in booked for line in lines]) == table("entry")
    month.reconcile()
    month.bank()
    month.bill()
    for row in rows:
        name = names[row["account"]]
        assert f"{month.balance(name) - before[name]:.2f}" == row[variant], name
    assert by_currency(month.session, [month.setup.interim.account_id]) == {}
