"""Sale orders: lines, totals, and what may be done to them when."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from memory_odoo.faults import NotPlayed, Refusal
from memory_odoo.fields import (
    char,
    computed,
    declared,
    flag,
    integer,
    lines,
    many,
    moment,
    number,
    one,
    related,
)
from memory_odoo.model import Model, Values, public

CENT = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


class SaleOrders(Model):
    name = "sale.order"
    title = "Sales Order"
    order = "date_order desc, id desc"
    fields = declared(
        name=char(default=lambda model: f"S{model.store.next('sale order'):05}"),
        state=char(default="draft"),
        locked=flag(),
        client_order_ref=char("Customer Reference"),
        origin=char("Source Document"),
        note=char("Terms and conditions"),
        date_order=moment("Order Date", lambda model: model.store.now()),
        partner_id=one("res.partner", "Customer", required=True),
        partner_invoice_id=one("res.partner", "Invoice Address"),
        partner_shipping_id=one("res.partner", "Delivery Address"),
        company_id=one("res.company", "Company", 1),
        warehouse_id=one("stock.warehouse", "Warehouse", 1),
        team_id=one("crm.team", "Sales Team", 1),
        user_id=one("res.users", "Salesperson", 2),
        pricelist_id=one("product.pricelist", "Pricelist"),
        fiscal_position_id=one("account.fiscal.position", "Fiscal Position"),
        tag_ids=many("crm.tag", "Tags"),
        order_line=lines("sale.order.line", "order_id", "Order Lines"),
        picking_ids=lines("stock.picking", "sale_id", "Transfers"),
        currency_id=computed("many2one", lambda m, i: m.currency(i), "res.currency"),
        amount_total=computed("monetary", lambda m, i: m.total(i)),
        invoice_status=computed("char", lambda m, i: m.invoice_status(i)),
    )

    def create_one(self, values: Values) -> int:
        partner = values.get("partner_id")
        usual = {"partner_invoice_id": partner, "partner_shipping_id": partner}
        return super().create_one({**usual, **values})

    def currency(self, id_: int) -> int:
        priced = self.value(id_, "pricelist_id.currency_id")
        return int(priced or self.value(id_, "company_id.currency_id"))

    def total(self, id_: int) -> float:
        """As the rounding method "Round Globally" adds up: each tax on the whole order."""
        line = self.env["sale.order.line"]
        sums: dict[tuple[int, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 2)
        for each in self.get(id_, "order_line"):
            taxes = tuple(line.get(each, "tax_ids"))
            sums[taxes] = [a + b for a, b in zip(sums[taxes], line.amounts(each), strict=True)]
        return float(sum(rounded(base) + rounded(tax) for base, tax in sums.values()))

    def invoice_status(self, id_: int) -> str:
        goods = [line for line in self.value(id_, "order_line.product_uom_qty") if line]
        return "to invoice" if self.get(id_, "state") == "sale" and goods else "no"

    # What people and the bridge do

    @public
    def action_confirm(self, ids: list[int]) -> bool:
        if any(self.get(id_, "state") not in {"draft", "sent"} for id_ in ids):
            raise Refusal("Some orders are not in a state requiring confirmation.")
        self.change(ids, {"state": "sale", "date_order": self.store.now()})
        for id_ in ids:
            self.env["stock.picking"].make_for(id_)
        return True

    @public
    def action_cancel(self, ids: list[int]) -> bool:
        if any(self.get(id_, "locked") for id_ in ids):
            raise Refusal("You cannot cancel a locked order. Please unlock it first.")
        for id_ in ids:
            self.env["stock.picking"].cancel_open(self.get(id_, "picking_ids"))
        self.change(ids, {"state": "cancel"})
        return True

    @public
    def action_draft(self, ids: list[int]) -> bool:
        back = [id_ for id_ in ids if self.get(id_, "state") in {"cancel", "sent"}]
        self.change(back, {"state": "draft"})
        return True

    @public
    def action_lock(self, ids: list[int]) -> None:
        """Answers None, which Odoo can't send over XML-RPC."""
        self.change(ids, {"locked": True})

    @public
    def action_unlock(self, ids: list[int]) -> None:
        self.change(ids, {"locked": False})

    def delete(self, ids: Iterable[int]) -> None:
        ids = list(ids)
        if any(self.get(id_, "state") not in {"draft", "cancel"} for id_ in ids):
            raise Refusal(
                "You can not delete a sent quotation or a confirmed sales order. You must first"
                " cancel it."
            )
        for id_ in ids:
            self.env["stock.picking"].change(self.get(id_, "picking_ids"), {"sale_id": False})
            self.env["sale.order.line"].delete(self.get(id_, "order_line"))
        super().delete(ids)


PROTECTED = {
    "discount": "Discount (%)",
    "name": "Description",
    "price_unit": "Unit Price",
    "product_id": "Product",
    "product_uom_qty": "Quantity",
    "tax_ids": "Taxes",
}
"""What may not be written in a locked order."""


class SaleOrderLines(Model):
    name = "sale.order.line"
    title = "Sales Order Line"
    fields = declared(
        order_id=one("sale.order", "Order Reference", required=True),
        name=char("Description"),
        display_type=char("Display Type"),
        product_id=one("product.product", "Product"),
        product_uom_id=one("uom.uom"),
        product_uom_qty=number("Quantity", 1.0),
        price_unit=number("Unit Price", digits=False),
        discount=number("Discount (%)"),
        tax_ids=many("account.tax", "Taxes"),
        route_ids=many("stock.route", "Routes"),
        move_ids=lines("stock.move", "sale_line_id"),
        company_id=related("many2one", "order_id.company_id", "res.company"),
        price_total=computed("monetary", lambda m, i: float(sum(map(rounded, m.amounts(i))))),
        qty_delivered=computed("float", lambda m, i: m.delivered(i)),
    )

    def create_one(self, values: Values) -> int:
        product = values.get("product_id")
        products = self.env["product.product"]
        usual: dict[str, Any] = {}
        if product:
            taxes = [(6, 0, products.get(product, "taxes_id"))]
            price = products.get(product, "list_price")
            usual = {"name": products.title_of(product), "tax_ids": taxes, "price_unit": price}
        quantity = {"product_uom_qty": 0.0} if values.get("display_type") else {}
        return super().create_one({**usual, **values, **quantity})

    def check(self, values: Values) -> None:
        super().check(values)
        if not values.get("product_id") and not values.get("display_type"):
            raise NotPlayed("a sale order line without a product")
        if self.env["sale.order"].get(values["order_id"], "state") not in {"draft", "sent"}:
            raise NotPlayed("a line that is added to a confirmed sale order")

    def change(self, ids: Iterable[int], values: Values) -> None:
        ids = list(ids)
        if any(self.value(id_, "order_id.locked") for id_ in ids):
            named = "\n".join(PROTECTED[name] for name in sorted(values) if name in PROTECTED)
            if named:
                head = "It is forbidden to modify the following fields in a locked order:"
                raise Refusal(f"{head}\n{named}")
        confirmed = any(self.value(id_, "order_id.state") == "sale" for id_ in ids)
        if confirmed and values.keys() & {"product_id", "product_uom_qty"}:
            raise NotPlayed("other goods on a line of a confirmed sale order")
        super().change(ids, values)
        for order_id in {self.get(id_, "order_id") for id_ in ids}:
            self.store.update("sale.order", order_id, {})  # its totals are written, too

    def delete(self, ids: Iterable[int]) -> None:
        for id_ in list(ids):
            self.env["stock.move"].change(self.get(id_, "move_ids"), {"sale_line_id": False})
            super().delete([id_])

    def amounts(self, id_: int) -> tuple[Decimal, Decimal]:
        """The line without and its taxes, not rounded; what is in the price belongs to the first.

        So a price with its tax stays whole when it is rounded.
        """
        price, quantity, discount = (
            Decimal(str(self.get(id_, name)))
            for name in ("price_unit", "product_uom_qty", "discount")
        )
        base, taxes = price * quantity * (1 - discount / 100), self.env["account.tax"]
        tax_ids = self.get(id_, "tax_ids")
        if len(tax_ids) > 1 or any(taxes.get(each, "amount_type") != "percent" for each in tax_ids):
            raise NotPlayed("several taxes on a line, or another one than a percentage")
        on_top = [each for each in tax_ids if not taxes.get(each, "price_include")]
        percent = sum(Decimal(str(taxes.get(each, "amount"))) for each in on_top)
        return base, base * percent / 100

    def delivered(self, id_: int) -> float:
        moves = self.env["stock.move"]
        done = [m for m in self.get(id_, "move_ids") if moves.get(m, "state") == "done"]
        return float(sum(moves.get(each, "quantity") for each in done))


class UnitsOfMeasure(Model):
    name = "uom.uom"
    fields = declared(name=char(), sequence=integer())


MODELS = (SaleOrders, SaleOrderLines, UnitsOfMeasure)
