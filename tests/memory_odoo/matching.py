"""Reconciliation: which debits and credits of an account clear each other."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from memory_odoo.accounting import exact
from memory_odoo.faults import Refusal
from memory_odoo.fields import Field, computed, declared, lines, one
from memory_odoo.model import Model


class FullReconciles(Model):
    name = "account.full.reconcile"
    fields = declared(reconciled_line_ids=lines("account.move.line", "full_reconcile_id"))


class Partials(Model):
    name = "account.partial.reconcile"
    fields = declared(
        debit_move_id=one("account.move.line"),
        credit_move_id=one("account.move.line"),
        amount=Field("monetary", default=0.0),
        debit_amount_currency=Field("monetary", default=0.0),
        credit_amount_currency=Field("monetary", default=0.0),
        max_date=computed(
            "date",
            lambda m, i: max(m.value(i, "debit_move_id.date"), m.value(i, "credit_move_id.date")),
        ),
    )

    def match(self, ids: Iterable[int]) -> None:
        """Match debits with credits, oldest first; the reverse order of ids does not matter.

        With ``reduced_line_sorting`` lines of a day keep the order of the ids.
        """
        ids = list(dict.fromkeys(ids))
        self._check(ids)
        line, reduced = self.env["account.move.line"], self.env.context.get("reduced_line_sorting")
        names = ("currency_id",) if reduced else ("currency_id", "amount_currency", "balance")
        ids.sort(
            key=lambda id_: (
                line.get(id_, "date_maturity") or line.get(id_, "date"),
                *(line.get(id_, name) for name in names),
            )
        )
        debits = [id_ for id_ in ids if line.residual(id_)[0] > 0]
        credits_ = [id_ for id_ in ids if line.residual(id_)[0] < 0]
        while debits and credits_:
            self._pair(debits[0], credits_[0])
            debits = [id_ for id_ in debits if line.residual(id_)[1]]
            credits_ = [id_ for id_ in credits_ if line.residual(id_)[1]]
        self._number(ids)

    def _check(self, ids: list[int]) -> None:
        line = self.env["account.move.line"]
        if any(line.is_reconciled(id_) for id_ in ids):
            raise Refusal("You are trying to reconcile some entries that are already reconciled.")
        if any(line.get(id_, "parent_state") == "cancel" for id_ in ids):
            raise Refusal("You can not reconcile cancelled entries.")
        accounts = sorted({line.get(id_, "account_id") for id_ in ids})
        titles = [self.env["account.account"].title_of(account) for account in accounts]
        if len(accounts) > 1:
            raise Refusal(f"Entries are not from the same account: {', '.join(titles)}")
        if accounts and not self.env["account.account"].get(accounts[0], "reconcile"):
            raise Refusal(
                f"Account {titles[0]} does not allow reconciliation. First change the configuration"
                " of this account to allow it."
            )

    def _pair(self, debit: int, credit: int) -> None:
        line = self.env["account.move.line"]
        (company, own), (other_company, other) = (
            tuple(abs(exact(each)) for each in line.residual(id_)) for id_ in (debit, credit)
        )
        if line.get(debit, "currency_id") == line.get(credit, "currency_id"):
            taken = min(own, other)
            amount = min(company, other_company)
            self._insert(debit, credit, amount, taken, taken)
            for id_ in (debit, credit):
                self._exchange(id_)
        else:
            amount = min(company, other_company)
            parts = (own * amount / company, other * amount / other_company)
            self._insert(debit, credit, amount, *(round(part, 2) for part in parts))

    def _insert(
        self, debit: int, credit: int, amount: Decimal, own: Decimal, other: Decimal
    ) -> None:
        values = {"debit_move_id": debit, "credit_move_id": credit, "amount": float(amount)}
        values |= {"debit_amount_currency": float(own), "credit_amount_currency": float(other)}
        self.create_one(values)

    def _exchange(self, id_: int) -> None:
        """An entry for what the exchange rate left on a line that is cleared in its currency."""
        line = self.env["account.move.line"]
        left, own = line.residual(id_)
        if own or not left:
            return
        accounts = self.env["account.account"]
        account = accounts.usual("Foreign Exchange", "expense")
        entry = [
            {"account_id": line.get(id_, "account_id"), "balance": -left},
            {"account_id": account, "balance": left},
        ]
        currency = {"currency_id": line.get(id_, "currency_id"), "amount_currency": 0.0}
        moves = self.env["account.move"]
        move = moves.create_one(
            {
                "date": line.get(id_, "date"),
                "line_ids": [(0, 0, {**each, **currency}) for each in entry],
            }
        )
        moves.action_post([move])
        difference = moves.get(move, "line_ids")[0]
        debit, credit = (id_, difference) if left > 0 else (difference, id_)
        self._insert(debit, credit, abs(exact(left)), Decimal(), Decimal())

    def _number(self, ids: list[int]) -> None:
        line = self.env["account.move.line"]
        matched = [
            id_
            for id_ in ids
            if line.get(id_, "matched_debit_ids") or line.get(id_, "matched_credit_ids")
        ]
        if matched and all(line.is_reconciled(id_) for id_ in ids):
            full = self.env["account.full.reconcile"].create_one({})
            line.change(ids, {"full_reconcile_id": full, "matching_number": str(full)})
        else:
            number = f"P{self.last_of(matched)}" if matched else False
            line.change(matched, {"matching_number": number})

    def last_of(self, ids: Iterable[int]) -> int:
        line = self.env["account.move.line"]
        fields = ("matched_debit_ids", "matched_credit_ids")
        return max(each for id_ in ids for field in fields for each in line.get(id_, field))

    def undo(self, line_id: int) -> None:
        line = self.env["account.move.line"]
        for field in ("matched_debit_ids", "matched_credit_ids"):
            for partial in line.get(line_id, field):
                ends = [self.get(partial, f"{side}_move_id") for side in ("debit", "credit")]
                line.change(ends, {"full_reconcile_id": False, "matching_number": False})
                self.delete([partial])


MODELS = (FullReconciles, Partials)
