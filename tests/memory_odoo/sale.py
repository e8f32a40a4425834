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
    translated,
)
from memory_odoo.model import Model, Values, public
from memory_odoo.people import LOCKS_ORDERS

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
        commitment_date=moment("Delivery Date"),
        ignore_exception=flag(),
        exception_ids=many("exception.rule"),
        exceptions_summary=computed("html", lambda m, i: m.env["exception.rule"].summary(i)),
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
        stock_reference_ids=computed("many2many", lambda m, i: m.references(i), "stock.reference"),
        currency_id=computed("many2one", lambda m, i: m.currency(i), "res.currency"),
        amount_total=computed("monetary", lambda m, i: m.total(i)),
        payment_term_id=one("account.payment.term"),
        invoice_ids=computed("many2many", lambda m, i: m.invoices(i), "account.move"),
        invoice_status=computed("char", lambda m, i: m.invoice_status(i)),
    )

    def create_one(self, values: Values) -> int:
        partner = values.get("partner_id")
        usual = {"partner_invoice_id": partner, "partner_shipping_id": partner}
        return super().create_one({**usual, **values})

    def references(self, id_: int) -> list[int]:
        return self.env["stock.reference"].found([("sale_ids", "=", id_)])

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

    def invoices(self, id_: int) -> list[int]:
        own = set(self.get(id_, "order_line"))
        lines_ = self.env["account.move.line"]
        of_sales = lines_.found([("sale_line_ids", "!=", False)])
        found = [i for i in of_sales if own & set(lines_.get(i, "sale_line_ids"))]
        return sorted({lines_.get(each, "move_id") for each in found})

    def invoice_status(self, id_: int) -> str:
        """What nobody ordered counts as invoiced."""
        if self.get(id_, "state") != "sale":
            return "no"
        line = self.env["sale.order.line"]
        statuses = {line.invoice_status(each) for each in self.get(id_, "order_line")} - {"no"}
        ranked = ("to invoice", "upselling", "invoiced")
        return next((status for status in ranked if status in statuses), "no")

    # What people and the bridge do

    @public
    def action_confirm(self, ids: list[int]) -> Any:
        rules = self.env["exception.rule"]
        if rules.detect([id_ for id_ in ids if id_ in self.store.table(self.name)]):
            return rules.popup(ids)
        if any(self.get(id_, "state") not in {"draft", "sent"} for id_ in ids):
            raise Refusal("Some orders are not in a state requiring confirmation.")
        self.change(ids, {"state": "sale", "date_order": self.store.now()})
        for id_ in ids:
            self.env["stock.picking"].supply(self.get(id_, "order_line"))
        if self.env["res.groups"].everybody_has(LOCKS_ORDERS):
            self.action_lock(ids)
        return True

    def change(self, ids: Iterable[int], values: Values) -> None:
        ids = list(ids)
        super().change(ids, values)
        confirmed = [id_ for id_ in ids if self.get(id_, "state") == "sale"]
        if confirmed and values.keys() & {"ignore_exception", "order_line", "state"}:
            self.env["exception.rule"].refuse(confirmed)
        if values.get("commitment_date"):
            for id_ in confirmed:
                self.env["stock.picking"].set_deadline(self.get(id_, "picking_ids"), values)

    @public
    def action_ignore_exceptions(self, ids: list[int]) -> bool:
        rules = self.env["exception.rule"]
        noted = [rule for id_ in ids for rule in self.get(id_, "exception_ids")]
        if any(rules.get(rule, "is_blocking") for rule in noted):
            raise Refusal("The exceptions can not be ignored, because some of them are blocking.")
        self.change(ids, {"ignore_exception": True})
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
        self.change(back, {"state": "draft", "ignore_exception": False})
        return True

    @public
    def action_lock(self, ids: list[int]) -> None:
        """Returns None, which Odoo can't send over XML-RPC."""
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
            self.env["stock.reference"].forget(id_)
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

STAYS = (
    "Once a sales order is confirmed, you can't remove one of its lines (we need to track if"
    " something gets invoiced or delivered).\n                Set the quantity to 0 instead."
)
DELIVERED = (
    "The ordered quantity of a sale order line cannot be decreased below the amount already"
    " delivered. Instead, create a return in your inventory."
)


class SaleOrderLines(Model):
    name = "sale.order.line"
    title = "Sales Order Line"
    fields = declared(
        order_id=one("sale.order", "Order Reference", required=True),
        state=related("char", "order_id.state"),
        name=char("Description"),
        display_type=char("Display Type"),
        product_id=one("product.product", "Product"),
        product_uom_id=one("uom.uom"),
        product_uom_qty=number("Quantity", 1.0),
        customer_lead=number(),
        price_unit=number("Unit Price", digits=False),
        technical_price_unit=number(),
        discount=number("Discount (%)"),
        tax_ids=many("account.tax", "Taxes"),
        route_ids=many("stock.route", "Routes"),
        move_ids=lines("stock.move", "sale_line_id"),
        company_id=related("many2one", "order_id.company_id", "res.company"),
        price_total=computed("monetary", lambda m, i: float(sum(map(rounded, m.amounts(i))))),
        qty_delivered=computed("float", lambda m, i: m.delivered(i)),
        qty_delivered_method=computed("char", lambda m, i: m.delivered_by(i)),
        qty_invoiced=computed("float", lambda m, i: m.invoiced(i)),
        sequence=integer(10),
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
        every = {**usual, **values, **quantity}
        id_ = super().create_one({"technical_price_unit": every.get("price_unit", 0.0), **every})
        if not self.env.context.get("skip_procurement"):
            self.env["stock.picking"].supply([id_])
        return id_

    def check(self, values: Values) -> None:
        super().check(values)
        if not values.get("product_id") and not values.get("display_type"):
            raise NotPlayed("a sale order line without a product")

    def change(self, ids: Iterable[int], values: Values) -> None:
        ids = list(ids)
        if "product_id" in values:
            self._check_product(ids, values["product_id"])
        if "product_uom_qty" in values:
            self._check_quantity(ids, values["product_uom_qty"])
        if any(self.value(id_, "order_id.locked") for id_ in ids):
            named = "\n".join(PROTECTED[name] for name in sorted(values) if name in PROTECTED)
            if named:
                head = "It is forbidden to modify the following fields in a locked order:"
                raise Refusal(f"{head}\n{named}")
        super().change(ids, values)
        if "product_uom_qty" in values:
            for id_ in ids:
                self._price_anew(id_)
            self.env["stock.picking"].supply(ids)
        for order_id in {self.get(id_, "order_id") for id_ in ids}:
            self.store.update("sale.order", order_id, {})  # its totals are written, too

    def _check_product(self, ids: Iterable[int], product: int) -> None:
        for id_ in ids:
            state = self.value(id_, "order_id.state")
            if state in {"sale", "cancel"} and product != self.get(id_, "product_id"):
                if state == "sale" and not self.get(id_, "move_ids"):
                    raise NotPlayed("another product on a confirmed line without moves")
                raise Refusal("You cannot modify the product of this order line.")

    def _check_quantity(self, ids: Iterable[int], quantity: float) -> None:
        changed = [
            id_
            for id_ in ids
            if self.value(id_, "order_id.state") == "sale"
            and self.value(id_, "product_id.type") == "consu"
            and self.get(id_, "product_uom_qty") != quantity
        ]
        if any(self.delivered(id_) > float(quantity) for id_ in changed):
            raise Refusal(DELIVERED)

    def _price_anew(self, id_: int) -> None:
        """A price that nobody entered after the line was created follows the product's again."""
        price = self.get(id_, "price_unit")
        if self.get(id_, "product_id") and price == self.get(id_, "technical_price_unit"):
            listed = self.value(id_, "product_id.list_price")
            super().change([id_], {"price_unit": listed, "technical_price_unit": listed})

    @public
    def unlink(self, ids: list[int]) -> bool:
        kept = [id_ for id_ in ids if not self.get(id_, "display_type")]
        if any(self.value(id_, "order_id.state") == "sale" for id_ in kept):
            raise Refusal(STAYS)
        return super().unlink(ids)

    def delete(self, ids: Iterable[int]) -> None:
        for id_ in list(ids):
            self.env["stock.move"].link(self.get(id_, "move_ids"), line=False)
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
        """What left for the customer, less what came back."""
        moves = self.env["stock.move"]
        done = [m for m in self.get(id_, "move_ids") if moves.get(m, "state") == "done"]
        return float(sum(moves.get(each, "quantity") * moves.way(each) for each in done))

    def delivered_by(self, id_: int) -> str:
        return "stock_move" if self.value(id_, "product_id.type") == "consu" else "manual"

    def invoiced(self, id_: int) -> float:
        """Less what was credited."""
        lines_ = self.env["account.move.line"]
        signs = {"out_invoice": 1, "out_refund": -1}
        return float(
            sum(
                signs[lines_.value(each, "move_id.move_type")] * lines_.get(each, "quantity")
                for each in lines_.found([("sale_line_ids", "=", id_)])
                if lines_.get(each, "parent_state") != "cancel"
            )
        )

    def invoice_status(self, id_: int) -> str:
        if self.get(id_, "display_type"):
            return "no"
        ordered = self.get(id_, "product_uom_qty")
        if ordered:
            return "invoiced" if self.invoiced(id_) >= ordered else "to invoice"
        return "upselling" if self.delivered(id_) > ordered else "invoiced"


class UnitsOfMeasure(Model):
    name = "uom.uom"
    fields = declared(
        name=translated(),
        sequence=integer(),
        factor=computed("float", lambda m, i: m.absolute(i)),
        relative_factor=number(default=1.0),
        relative_uom_id=one("uom.uom"),
    )

    def absolute(self, id_: int) -> float:
        other = self.get(id_, "relative_uom_id")
        own = self.get(id_, "relative_factor")
        return float(own * self.absolute(other) if other else own)


MODELS = (SaleOrders, SaleOrderLines, UnitsOfMeasure)
