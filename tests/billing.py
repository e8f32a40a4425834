"""Invoices and payments of sale orders, as people make them and as Amazon pays them."""

from itertools import count

from odoo_server.databases import OdooDatabase
from odoo_server.dialects import IN_PART

_numbers = count(1)


class Billing:
    """Orders that people invoice, and pay as Amazon does."""

    def __init__(self, odoo: OdooDatabase, journal_id: int) -> None:
        self.rpc, self.journal_id = odoo.rpc, journal_id
        values = {"name": "Mug", "type": "service", "invoice_policy": "order"}
        self.product = self.rpc("product.product", "create", {**values, "taxes_id": [(5,)]})
        self.partner = self.rpc("res.partner", "create", {"name": "Customer"})

    def order(self, amount: float, order_id: str = "") -> tuple[str, int]:
        order_id = order_id or f"403-{next(_numbers):07}-1234567"
        line = {"product_id": self.product, "price_unit": amount}
        values = {"partner_id": self.partner, "client_order_ref": order_id}
        id_ = self.rpc("sale.order", "create", {**values, "order_line": [(0, 0, line)]})
        self.rpc("sale.order", "action_confirm", [id_])
        return order_id, id_

    def invoice(self, id_: int, day: str = "2026-10-20") -> int:
        context = {"active_model": "sale.order", "active_ids": [id_]}
        values = {"advance_payment_method": "delivered"}
        wizard = self.rpc("sale.advance.payment.inv", "create", values, context=context)
        self.rpc("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
        [invoice] = self.rpc("sale.order", "read", [id_], ["invoice_ids"])[0]["invoice_ids"]
        self.rpc("account.move", "write", [invoice], {"invoice_date": day})
        self.rpc("account.move", "action_post", [invoice])
        return int(invoice)

    def pay(self, *invoices: int, day: str = "2026-10-20", group: bool = False) -> None:
        context = {"active_model": "account.move", "active_ids": list(invoices)}
        values = {"journal_id": self.journal_id, "payment_date": day, "group_payment": group}
        wizard = self.rpc("account.payment.register", "create", values, context=context)
        self.rpc("account.payment.register", "action_create_payments", [wizard], context=context)

    def credit(self, invoice: int, day: str = "2026-10-25", amount: float = 0) -> int:
        """Credit an invoice, or an amount of it."""
        context = {"active_model": "account.move", "active_ids": [invoice], IN_PART: bool(amount)}
        values = {"date": day, "journal_id": self._journal_of(invoice)}
        wizard = self.rpc("account.move.reversal", "create", values, context=context)
        action = self.rpc("account.move.reversal", "refund_moves", [wizard])
        if amount:
            self._reduce(action["res_id"], amount)
        [credit] = self.rpc("account.move", "read", [action["res_id"]], ["state"])
        if credit["state"] == "draft":
            self.rpc("account.move", "action_post", [action["res_id"]])
        return int(action["res_id"])

    def credit_and_pay(self, order_id: str, amount: float = 0) -> None:
        """Credit the invoice of an order, or an amount of it, and give the money back."""
        domain = [("client_order_ref", "=", order_id)]
        [order] = self.rpc("sale.order", "search_read", domain, ["invoice_ids"])
        [invoice] = order["invoice_ids"]
        self.pay(self.credit(invoice, amount=amount))

    def _reduce(self, credit: int, amount: float) -> None:
        """Let a draft be of one line, without taxes."""
        domain = [("move_id", "=", credit), ("display_type", "=", "product")]
        first, *others = self.rpc("account.move.line", "search", domain)
        values = {"quantity": 1, "price_unit": amount, "tax_ids": [(5,)]}
        lines = [(1, first, values), *((2, id_, 0) for id_ in others)]
        self.rpc("account.move", "write", [credit], {"invoice_line_ids": lines})

    def _journal_of(self, invoice: int) -> int:
        return int(self.rpc("account.move", "read", [invoice], ["journal_id"])[0]["journal_id"][0])

    def paid_order(self, amount: float, day: str = "2026-10-20") -> str:
        order_id, id_ = self.order(amount)
        self.pay(self.invoice(id_), day=day)
        return order_id
