"""Journal entries: drafts, posting, lock dates, taxes, balances.

As ``account`` of Odoo 19 Community has them; taxes are percentages, and each journal counts by
month. ``memory_odoo.invoicing`` makes some of them invoices.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from memory_odoo.accounting import exact, to_digits
from memory_odoo.faults import NotPlayed, Refusal
from memory_odoo.fields import (
    Field,
    char,
    computed,
    declared,
    integer,
    lines,
    many,
    number,
    one,
    related,
)
from memory_odoo.model import Model, Values, public


class MoveLines(Model):
    name = "account.move.line"
    title = "Journal Item"
    fields = declared(
        move_id=one("account.move", "Journal Entry", required=True),
        sequence=integer(10),
        display_type=char(default="product"),
        account_id=one("account.account", "Account"),
        partner_id=one("res.partner", "Partner"),
        name=char("Label"),
        currency_id=one("res.currency", "Currency"),
        amount_currency=Field("monetary", "Amount in Currency", 0.0),
        balance=Field("monetary", "Balance", 0.0),
        debit=computed("monetary", lambda m, i: max(m.get(i, "balance"), 0.0)),
        credit=computed("monetary", lambda m, i: max(-m.get(i, "balance"), 0.0)),
        tax_ids=many("account.tax", "Taxes"),
        tax_repartition_line_id=one("account.tax.repartition.line"),
        product_id=one("product.product"),
        product_uom_id=one("uom.uom"),
        quantity=number(default=1.0),
        price_unit=number(),
        discount=number(),
        sale_line_ids=many("sale.order.line"),
        date=related("date", "move_id.date"),
        date_maturity=Field("date"),
        parent_state=related("char", "move_id.state"),
        ref=related("char", "move_id.ref"),
        journal_id=related("many2one", "move_id.journal_id", "account.journal"),
        company_id=related("many2one", "move_id.company_id", "res.company"),
        matched_debit_ids=lines("account.partial.reconcile", "credit_move_id"),
        matched_credit_ids=lines("account.partial.reconcile", "debit_move_id"),
        full_reconcile_id=one("account.full.reconcile"),
        matching_number=char(),
        amount_residual=computed("monetary", lambda m, i: m.residual(i)[0]),
        amount_residual_currency=computed("monetary", lambda m, i: m.residual(i)[1]),
        reconciled=computed("boolean", lambda m, i: m.is_reconciled(i)),
    )

    def create_one(self, values: Values) -> int:
        move = self.store.row("account.move", values["move_id"])
        currency = values.get("currency_id") or move["currency_id"]
        id_ = super().create_one({**values, "currency_id": currency})
        self._check_signs(id_)
        return id_

    def change(self, ids: Iterable[int], values: Values) -> None:
        ids = list(ids)
        amounts = {"balance", "amount_currency", "account_id", "tax_ids"} & values.keys()
        if amounts and any(self.get(id_, "parent_state") == "posted" for id_ in ids):
            raise NotPlayed("other amounts or accounts in a posted entry")
        super().change(ids, values)
        for id_ in ids:
            self._check_signs(id_)

    def _check_signs(self, id_: int) -> None:
        if self.get(id_, "balance") * self.get(id_, "amount_currency") < 0:
            raise Refusal(
                'new row for relation "account_move_line" violates check constraint'
                ' "account_move_line_check_amount_currency_balance_sign"'
            )

    def residual(self, id_: int) -> tuple[float, float]:
        """In the company's currency and in its own; 0 on accounts without reconciliation."""
        if not self.value(id_, "account_id.reconcile"):
            return 0.0, 0.0
        company, own = exact(self.get(id_, "balance")), exact(self.get(id_, "amount_currency"))
        partials = self.env["account.partial.reconcile"]
        for field, side, sign in (
            ("matched_debit_ids", "credit", 1),
            ("matched_credit_ids", "debit", -1),
        ):
            for partial in self.get(id_, field):
                company += sign * exact(partials.get(partial, "amount"))
                own += sign * exact(partials.get(partial, f"{side}_amount_currency"))
        return float(company), float(own)

    def is_reconciled(self, id_: int) -> bool:
        matched = self.get(id_, "matched_debit_ids") or self.get(id_, "matched_credit_ids")
        can = self.value(id_, "account_id.reconcile")
        empty = not self.get(id_, "balance") and not self.get(id_, "amount_currency")
        return bool(can and (matched or empty) and self.residual(id_) == (0.0, 0.0))

    @public
    def formatted_read_group(
        self, domain: list[Any], groupby: Sequence[str], aggregates: Sequence[str]
    ) -> list[dict[str, Any]]:
        sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal()] * len(names))
        names = [each.removesuffix(":sum") for each in aggregates]
        for id_ in self.found(domain):
            key = tuple(self.get(id_, name) for name in groupby)
            amounts = [exact(self.get(id_, name)) for name in names]
            sums[key] = [a + b for a, b in zip(sums[key], amounts, strict=True)]
        titles = [self.env[str(self.field(name).relation)].title_of for name in groupby]
        return [
            {
                **{n: [k, t(k)] for n, k, t in zip(groupby, key, titles, strict=True)},
                **{n: float(s) for n, s in zip(aggregates, found, strict=True)},
            }
            for key, found in sums.items()
        ]

    @public
    def reconcile(self, ids: list[int]) -> None:
        """Returns None, which Odoo can't send over XML-RPC."""
        self.env["account.partial.reconcile"].match(ids)


class Moves(Model):
    """Entries; ``memory_odoo.invoicing`` makes some of them invoices."""

    name = "account.move"
    title = "Journal Entry"
    order = "date desc, name desc, id desc"
    fields = declared(
        name=char(),
        state=char(default="draft"),
        move_type=char(default="entry"),
        date=Field("date", default=lambda model: model.store.now()[:10]),
        ref=char(),
        journal_id=one("account.journal", "Journal"),
        company_id=one("res.company", default=1),
        currency_id=one("res.currency", "Currency"),
        partner_id=one("res.partner"),
        partner_shipping_id=one("res.partner"),
        fiscal_position_id=one("account.fiscal.position"),
        invoice_payment_term_id=one("account.payment.term"),
        invoice_origin=char(),
        invoice_date=Field("date"),
        invoice_user_id=one("res.users"),
        narration=char(),
        team_id=one("crm.team"),
        reversed_entry_id=one("account.move"),
        line_ids=lines("account.move.line", "move_id", "Journal Items"),
        invoice_line_ids=lines("account.move.line", "move_id", "Invoice lines"),
        amount_total=computed("monetary", lambda m, i: m.total(i)),
        amount_residual=computed("monetary", lambda m, i: m.open_amount(i)),
        payment_state=computed("char", lambda m, i: m.payment_state(i)),
    )

    def create_one(self, values: Values) -> int:
        company = self.env["res.company"].get(1, "currency_id")
        usual = {"currency_id": values.get("currency_id") or company}
        if not values.get("date"):  # an empty cell
            usual["date"] = values.get("invoice_date") or self.store.now()[:10]
        if not values.get("journal_id"):
            kind = "general" if values.get("move_type", "entry") == "entry" else "sale"
            usual["journal_id"] = self.env["account.journal"].of_type(kind)
        id_ = super().create_one({**values, **usual})
        self.complete(id_)
        return id_

    def change(self, ids: Iterable[int], values: Values) -> None:
        ids = list(ids)
        super().change(ids, values)
        if values.keys() & {"line_ids", "invoice_line_ids"}:
            for id_ in ids:
                self.complete(id_)

    def complete(self, id_: int) -> None:
        """Add what Odoo adds itself: taxes, and what an invoice owes; check the balance."""
        if self.get(id_, "move_type") != "entry":
            self.env["account.move.reversal"].complete(id_)
        else:
            self._add_taxes(id_)
        if off := self._off(id_):
            self._balance(id_, off)

    def _off(self, id_: int) -> Decimal:
        line = self.env["account.move.line"]
        return sum(
            (exact(line.get(each, "balance")) for each in self.get(id_, "line_ids")), Decimal()
        )

    def _balance(self, id_: int, off: Decimal) -> None:
        line = self.env["account.move.line"]
        if not any(line.get(each, "tax_ids") for each in self.get(id_, "line_ids")):
            raise Refusal(f"An error has occurred. The move (*{id_}) is not balanced: {off}.")
        account = self.env["account.account"].usual("Bank Suspense Account", "asset_current")
        values = {"move_id": id_, "name": "Automatic Balancing Line", "account_id": account}
        same = self.get(id_, "currency_id") == self.env["res.company"].get(1, "currency_id")
        amount = -float(off) if same else 0.0
        line.create_one({**values, "balance": -float(off), "amount_currency": amount})

    def _add_taxes(self, id_: int) -> None:
        """One line for each tax, direction, partner and account, rounded as the company does."""
        line = self.env["account.move.line"]
        per_line = (
            self.env["res.company"].get(1, "tax_calculation_rounding_method") != "round_globally"
        )
        sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal()] * 2)
        for each in self.get(id_, "line_ids"):
            for tax in line.get(each, "tax_ids"):
                for part in self._parts(tax, line.get(each, "balance")):
                    account = self.env["account.tax.repartition.line"].get(part, "account_id")
                    key = (
                        part,
                        line.get(each, "partner_id"),
                        account or line.get(each, "account_id"),
                    )
                    amounts = self._tax(tax, part, each, per_line=per_line)
                    sums[key] = [a + b for a, b in zip(sums[key], amounts, strict=True)]
        for (part, partner, account), amounts in sums.items():
            self._add_tax(id_, part, partner, account, amounts)

    def _parts(self, tax: int, balance: float) -> list[int]:
        use = self.env["account.tax"].get(tax, "type_tax_use")
        is_refund = balance > 0 if use == "sale" else balance < 0
        field = "refund_repartition_line_ids" if is_refund else "invoice_repartition_line_ids"
        parts = self.env["account.tax.repartition.line"]
        found = self.env["account.tax"].get(tax, field)
        return [part for part in found if parts.get(part, "repartition_type") == "tax"]

    def _tax(self, tax: int, part: int, line_id: int, *, per_line: bool) -> list[Decimal]:
        line, factor = self.env["account.move.line"], self.env["account.tax.repartition.line"]
        percent = exact(self.env["account.tax"].get(tax, "amount")) / 100
        share = exact(factor.get(part, "factor_percent")) / 100
        amounts = [
            exact(line.get(line_id, name)) * percent for name in ("amount_currency", "balance")
        ]
        digits = self._digits(line.get(line_id, "currency_id"))
        rounded = [to_digits(a, d) for a, d in zip(amounts, digits, strict=True)]
        return [amount * share for amount in (rounded if per_line else amounts)]

    def _digits(self, currency_id: int) -> tuple[int, int]:
        currencies = self.env["res.currency"]
        company = self.env["res.company"].get(1, "currency_id")
        return currencies.get(currency_id, "decimal_places"), currencies.get(
            company, "decimal_places"
        )

    def _add_tax(
        self, id_: int, part: int, partner: Any, account: int, amounts: Sequence[Decimal]
    ) -> None:
        currency = self.get(id_, "currency_id")
        own, balance = (
            float(to_digits(a, d)) for a, d in zip(amounts, self._digits(currency), strict=True)
        )
        tax = self.env["account.tax.repartition.line"].get(part, "tax_id")
        name = self.env["account.tax"].get(tax, "name")
        values = {"move_id": id_, "name": name, "account_id": account, "partner_id": partner}
        values |= {"display_type": "tax", "tax_repartition_line_id": part}
        if own or balance:
            line = self.env["account.move.line"]
            line.create_one({**values, "amount_currency": own, "balance": balance})

    def total(self, id_: int) -> float:
        """In its currency; of an entry, what it debits."""
        line = self.env["account.move.line"]
        amounts = [exact(line.get(each, "amount_currency")) for each in self.get(id_, "line_ids")]
        return float(sum((amount for amount in amounts if amount > 0), Decimal()))

    def _receivables(self, id_: int) -> list[int]:
        line = self.env["account.move.line"]
        return [
            each
            for each in self.get(id_, "line_ids")
            if line.value(each, "account_id.account_type") == "asset_receivable"
        ]

    def open_amount(self, id_: int) -> float:
        line = self.env["account.move.line"]
        amounts = (exact(line.residual(each)[1]) for each in self._receivables(id_))
        return float(abs(sum(amounts, Decimal())))

    def payment_state(self, id_: int) -> str:
        if self.get(id_, "move_type") == "entry" or self.get(id_, "state") != "posted":
            return "not_paid"
        left = self.open_amount(id_)
        if not left:
            return "paid"
        return "not_paid" if left == self.total(id_) else "partial"

    def title_of(self, id_: int) -> str:
        return str(self.get(id_, "name") or f"Draft Entry (* {id_})")

    @public
    def action_post(self, ids: list[int]) -> bool:
        for id_ in ids:
            if self.get(id_, "state") != "draft":
                raise Refusal(f"The entry {self.title_of(id_)} (id {id_}) must be in draft.")
            if not self.get(id_, "line_ids"):
                raise Refusal("You need to add a line before posting.")
            day = self._posting_day(id_)
            number = self.store.next(f"entry {self.get(id_, 'journal_id')} {day[:7]}")
            code = self.value(id_, "journal_id.code") or "MISC"
            name = self.get(id_, "name") or f"{code}/{day[:4]}/{day[5:7]}/{number:04}"
            self.change([id_], {"state": "posted", "date": day, "name": name})
        return False

    def _posting_day(self, id_: int) -> str:
        """A day in a locked period becomes a later one, without a word."""
        day = date.fromisoformat(self.get(id_, "date"))
        line = self.env["account.move.line"]
        has_tax = any(line.get(each, "tax_ids") for each in self.get(id_, "line_ids"))
        locked = self.env["res.company"].locked(1, has_tax=has_tax)
        if day > locked:
            return day.isoformat()
        day, today = locked + timedelta(days=1), self.store.clock().date()
        if (today.year, today.month) > (day.year, day.month):
            return day.replace(day=monthrange(day.year, day.month)[1]).isoformat()
        return max(day, today).isoformat()

    @public
    def button_draft(self, ids: list[int]) -> None:
        partials = self.env["account.partial.reconcile"]
        for id_ in ids:
            for each in self.get(id_, "line_ids"):
                partials.undo(each)
        self.change(ids, {"state": "draft"})

    @public
    def button_cancel(self, ids: list[int]) -> None:
        self.change(ids, {"state": "cancel"})

    def delete(self, ids: Iterable[int]) -> None:
        ids = list(ids)
        if any(self.get(id_, "state") == "posted" for id_ in ids):
            raise Refusal("You cannot delete an item linked to a posted entry.")
        for id_ in ids:
            self.env["account.move.line"].delete(self.get(id_, "line_ids"))
        super().delete(ids)


MODELS = (MoveLines, Moves)
