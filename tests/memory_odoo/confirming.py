"""Rules that keep quotations from being confirmed, as OCA's sale_exception 19.0 has them.

A call of ``action_confirm`` with any order that breaks a rule confirms none of its orders: it
returns the pop-up that lists them (None where the company shows none). Without a rule it is as if
the module weren't installed.
"""

from ast import literal_eval
from collections.abc import Iterable
from functools import partial
from typing import Any

from memory_odoo.domains import matches
from memory_odoo.faults import Refusal
from memory_odoo.fields import char, declared, flag
from memory_odoo.model import Model


class ExceptionRules(Model):
    """Those by domain only."""

    name = "exception.rule"
    fields = declared(
        name=char(),
        description=char(),
        model=char(default="sale.order"),
        exception_type=char(default="by_domain"),
        domain=char(default="[]"),
        active=flag(default=True),
        is_blocking=flag(),
    )

    def detect(self, orders: Iterable[int]) -> list[int]:
        """The rules that these orders break, which are noted on each of them."""
        sales, broken = self.env["sale.order"], set[int]()
        for rule in (rules := self.found([("model", "=", "sale.order")])):
            domain = literal_eval(self.get(rule, "domain"))
            for id_ in orders:
                ignored = sales.get(id_, "ignore_exception")
                breaks = not ignored and matches(domain, partial(sales.value, id_))
                self._note(rule, id_, breaks=breaks)
                broken |= {rule} if breaks else set()
        return [rule for rule in rules if rule in broken]

    def _note(self, rule: int, order: int, *, breaks: bool) -> None:
        sales = self.env["sale.order"]
        if (rule in sales.get(order, "exception_ids")) != breaks:
            sales.change([order], {"exception_ids": [(4 if breaks else 3, rule)]})

    def refuse(self, orders: Iterable[int]) -> None:
        """Refuse changes of confirmed orders that break a rule."""
        names = [self.get(rule, "name") for rule in self.detect(orders)]
        if names:
            raise Refusal("\n".join(names))

    def summary(self, order: int) -> str | bool:
        """HTML."""
        sales = self.env["sale.order"]
        rules = sales.get(order, "exception_ids")
        if not rules or sales.get(order, "ignore_exception"):
            return False
        lines = (self._line(rule) for rule in rules)
        return f"<ul>{''.join(lines)}</ul>"

    def _line(self, rule: int) -> str:
        blocking = "(Blocking exception)" if self.get(rule, "is_blocking") else ""
        name, description = self.get(rule, "name"), self.get(rule, "description") or ""
        return f"<li>{name}: <i>{description}</i> <b>{blocking}</b></li>"

    def popup(self, orders: list[int]) -> dict[str, Any] | None:
        if not self.env["res.company"].get(1, "sale_exception_show_popup"):
            return None
        about = {"active_id": orders[0], "active_ids": orders, "active_model": "sale.order"}
        return {
            "type": "ir.actions.act_window",
            "name": "Blocked in draft due to exceptions",
            "res_model": "sale.exception.confirm",
            "target": "new",
            "context": about,
        }


MODELS = (ExceptionRules,)
