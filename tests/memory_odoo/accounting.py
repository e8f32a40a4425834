"""Accounts, journals, the shares of taxes and exchange rates."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from memory_odoo.fields import (
    Field,
    char,
    declared,
    flag,
    lines,
    number,
    one,
    translated,
)
from memory_odoo.model import Model, Values

NEVER = "1-01-01"
"""Odoo's first day, as it writes it: no lock date."""


def exact(value: float | str) -> Decimal:
    return Decimal(str(value))


def to_digits(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


class Accounts(Model):
    name = "account.account"
    order = "code, id"
    fields = declared(
        name=translated("Account Name"),
        code=char("Code"),
        account_type=char(default="expense"),
        reconcile=flag(),
        active=flag(default=True),
    )

    def title_of(self, id_: int) -> str:
        return f"{self.get(id_, 'code')} {self.get(id_, 'name')}".strip()

    def usual(self, name: str, account_type: str) -> int:
        """An account that every database has; made when it is first used."""
        found: list[int] = self.found([("name", "=", name), ("account_type", "=", account_type)])
        values = {"name": name, "code": f"9{self.store.next('usual account'):05}"}
        owed = account_type in {"asset_receivable", "liability_payable"}
        values |= {"account_type": account_type, "reconcile": owed}
        return found[0] if found else self.create_one(values)


class Journals(Model):
    name = "account.journal"
    fields = declared(
        name=translated("Journal Name"),
        type=char(default="general"),
        code=char(),
        active=flag(default=True),
        company_id=one("res.company", default=1),
        inbound_payment_method_line_ids=lines("account.payment.method.line", "journal_id"),
    )

    def create_one(self, values: Values) -> int:
        id_ = super().create_one(values)
        if values.get("type") in {"bank", "cash"}:
            for direction in ("inbound", "outbound"):
                method = {"name": "Manual Payment", "journal_id": id_, "payment_type": direction}
                self.env["account.payment.method.line"].create_one(method)
        return id_

    def of_type(self, kind: str) -> int:
        found: list[int] = self.found([("type", "=", kind)])
        return found[0] if found else self.create_one({"name": kind.title(), "type": kind})


class MethodLines(Model):
    name = "account.payment.method.line"
    fields = declared(
        name=char(),
        journal_id=one("account.journal"),
        payment_type=char(),
        payment_account_id=one("account.account"),
    )


class RepartitionLines(Model):
    name = "account.tax.repartition.line"
    fields = declared(
        tax_id=one("account.tax"),
        document_type=char(default="invoice"),
        repartition_type=char(default="tax"),
        factor_percent=number(default=100.0),
        account_id=one("account.account"),
    )


class Rates(Model):
    name = "res.currency.rate"
    fields = declared(
        name=Field("date"),
        currency_id=one("res.currency"),
        rate=number(default=1.0),
        company_id=one("res.company", default=1),
    )


def rate_of(model: Model, currency_id: int, day: str) -> float:
    """Units for one of the company's: the newest until the day, else the first one ever."""
    table = model.env["res.currency.rate"]
    ids = table.found([("currency_id", "=", currency_id)], "name")
    rates = [(table.get(id_, "name"), table.get(id_, "rate")) for id_ in ids]
    until = [rate for name, rate in rates if name <= day]
    return float(until[-1] if until else rates[0][1] if rates else 1.0)


def current_rate(model: Model, id_: int) -> float:
    day = model.env.context.get("date") or model.store.now()[:10]
    company = model.env["res.company"].get(1, "currency_id")
    return rate_of(model, id_, day) / rate_of(model, company, day)


class PaymentTerms(Model):
    name = "account.payment.term"
    fields = declared(name=translated())


MODELS = (Accounts, Journals, MethodLines, RepartitionLines, Rates, PaymentTerms)
