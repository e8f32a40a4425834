"""Invoices of sale orders, their payments and credit notes: totals, without details of taxes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from memory_odoo.accounting import exact, rate_of, to_digits
from memory_odoo.faults import Refusal
from memory_odoo.fields import Field, char, declared, flag, many, one
from memory_odoo.model import Model, Values, public


class _Wizard(Model):
    """Works on the records that the context names."""

    def create_one(self, values: Values) -> int:
        ids = self.env.context.get("active_ids", [])
        return super().create_one({**values, "record_ids": [(6, 0, ids)]})


class InvoiceWizard(_Wizard):
    name = "sale.advance.payment.inv"
    fields = declared(advance_payment_method=char(), record_ids=many("sale.order"))

    @public
    def create_invoices(self, ids: list[int]) -> dict[str, Any]:
        """Invoices what was ordered and isn't invoiced."""
        for order in (order for id_ in ids for order in self.get(id_, "record_ids")):
            sales, line = self.env["sale.order"], self.env["sale.order.line"]
            made = []
            for each in sales.get(order, "order_line"):
                left = line.get(each, "product_uom_qty") - line.get(each, "qty_invoiced")
                names = ("name", "product_id", "price_unit", "discount")
                values = {name: line.get(each, name) for name in names}
                values |= {"tax_ids": [(6, 0, line.get(each, "tax_ids"))], "quantity": left}
                made.append((0, 0, {**values, "sale_line_ids": [(6, 0, [each])]}))
            self.env["account.move"].create_one(
                {
                    "move_type": "out_invoice",
                    "ref": sales.get(order, "client_order_ref"),
                    "invoice_origin": sales.get(order, "name"),
                    "partner_id": sales.get(order, "partner_invoice_id"),
                    "currency_id": sales.get(order, "currency_id"),
                    "team_id": sales.get(order, "team_id"),
                    "invoice_line_ids": made,
                }
            )
        return {"type": "ir.actions.act_window"}


class ReversalWizard(_Wizard):
    name = "account.move.reversal"
    fields = declared(
        date=Field("date"),
        journal_id=one("account.journal"),
        record_ids=many("account.move"),
    )

    @public
    def refund_moves(self, ids: list[int]) -> dict[str, Any]:
        """A draft credit note of one invoice."""
        moves, line = self.env["account.move"], self.env["account.move.line"]
        [invoice] = [each for id_ in ids for each in self.get(id_, "record_ids")]
        made = []
        for each in moves.get(invoice, "line_ids"):
            if line.get(each, "display_type") == "product":
                names = ("name", "product_id", "quantity", "price_unit", "discount")
                values = {name: line.get(each, name) for name in names}
                values |= {
                    name: [(6, 0, line.get(each, name))] for name in ("tax_ids", "sale_line_ids")
                }
                made.append((0, 0, values))
        copied = ("partner_id", "currency_id", "ref", "team_id")
        id_ = moves.create_one(
            {
                **{name: moves.get(invoice, name) for name in copied},
                "move_type": "out_refund",
                "invoice_date": self.get(ids[0], "date"),
                "reversed_entry_id": invoice,
                "invoice_line_ids": made,
            }
        )
        return {"type": "ir.actions.act_window", "res_model": "account.move", "res_id": id_}

    def complete(self, move_id: int) -> None:
        """Compute an invoice's lines, and add the one of what the customer owes."""
        moves, line = self.env["account.move"], self.env["account.move.line"]
        owed = [
            i
            for i in moves.get(move_id, "line_ids")
            if line.get(i, "display_type") == "payment_term"
        ]
        line.delete(owed)
        sign = 1 if moves.get(move_id, "move_type") == "out_refund" else -1
        total, balance = Decimal(), Decimal()
        for each in moves.get(move_id, "line_ids"):
            line.change([each], {"display_type": line.get(each, "display_type") or "product"})
            if line.get(each, "display_type") == "product":
                amount = sign * self._amount(each)
                own = self._converted(move_id, amount)
                account = self.env["account.account"].usual("Product Sales", "income")
                values = {"account_id": account, "amount_currency": float(amount)}
                line.change([each], {**values, "balance": float(own)})
                total, balance = total + amount, balance + own
        account = self.env["account.account"].usual("Account Receivable", "asset_receivable")
        day = moves.get(move_id, "invoice_date") or moves.get(move_id, "date")
        values = {"move_id": move_id, "account_id": account, "display_type": "payment_term"}
        values |= {"date_maturity": day, "partner_id": moves.get(move_id, "partner_id")}
        line.create_one({**values, "amount_currency": -float(total), "balance": -float(balance)})

    def _amount(self, line_id: int) -> Decimal:
        """With its taxes."""
        line, taxes = self.env["account.move.line"], self.env["account.tax"]
        price, quantity, discount = (
            exact(line.get(line_id, name)) for name in ("price_unit", "quantity", "discount")
        )
        on_top = [t for t in line.get(line_id, "tax_ids") if not taxes.get(t, "price_include")]
        percent = sum((exact(taxes.get(tax, "amount")) for tax in on_top), Decimal())
        base = to_digits(price * quantity * (1 - discount / 100), 2)
        return base + to_digits(base * percent / 100, 2)

    def _converted(self, move_id: int, amount: Decimal) -> Decimal:
        moves = self.env["account.move"]
        currency = moves.get(move_id, "currency_id")
        if currency == self.env["res.company"].get(1, "currency_id"):
            return amount
        day = moves.get(move_id, "invoice_date") or moves.get(move_id, "date")
        return to_digits(amount / exact(rate_of(moves, currency, day)), 2)


class PaymentWizard(_Wizard):
    name = "account.payment.register"
    fields = declared(
        journal_id=one("account.journal"),
        payment_date=Field("date"),
        group_payment=flag(),
        record_ids=many("account.move"),
    )

    @public
    def action_create_payments(self, ids: list[int]) -> bool:
        for id_ in ids:
            invoices = self.get(id_, "record_ids")
            if any(self.env["account.move"].get(each, "state") != "posted" for each in invoices):
                raise Refusal("You can only register payment for posted journal entries.")
            groups = [invoices] if self.get(id_, "group_payment") else [[each] for each in invoices]
            for group in groups:
                self._pay(id_, group)
        return True

    def _pay(self, id_: int, invoices: list[int]) -> None:
        moves, line = self.env["account.move"], self.env["account.move.line"]
        receivables = [
            each
            for invoice in invoices
            for each in moves.get(invoice, "line_ids")
            if line.get(each, "display_type") == "payment_term"
        ]
        total = sum((exact(line.residual(each)[1]) for each in receivables), Decimal())
        currency, day = moves.get(invoices[0], "currency_id"), self.get(id_, "payment_date")
        journal = self.get(id_, "journal_id")
        same = currency == self.env["res.company"].get(1, "currency_id")
        rate = Decimal(1) if same else exact(rate_of(moves, currency, day))
        common = {"date_maturity": day, "currency_id": currency}
        made = [
            {"account_id": account, "amount_currency": float(amount)}
            | {"balance": float(to_digits(amount / rate, 2)), **common}
            for account, amount in (
                (self._account(journal, "inbound" if total > 0 else "outbound"), total),
                (line.get(receivables[0], "account_id"), -total),
            )
        ]
        values = {"journal_id": journal, "date": day, "currency_id": currency}
        payment = moves.create_one({**values, "line_ids": [(0, 0, each) for each in made]})
        moves.action_post([payment])
        receivable = moves.get(payment, "line_ids")[1]
        self.env["account.partial.reconcile"].match([*receivables, receivable])

    def _account(self, journal: int, direction: str) -> int:
        methods = self.env["account.payment.method.line"]
        [found] = methods.found([("journal_id", "=", journal), ("payment_type", "=", direction)])
        usual = self.env["account.account"].usual("Outstanding Receipts", "asset_current")
        return int(methods.get(found, "payment_account_id") or usual)


MODELS = (InvoiceWizard, ReversalWizard, PaymentWizard)
