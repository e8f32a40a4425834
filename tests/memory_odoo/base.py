"""Companies, countries, currencies, partners, products, taxes, external ids."""

from datetime import date
from typing import Any

from memory_odoo.accounting import NEVER, current_rate
from memory_odoo.faults import Violation
from memory_odoo.fields import (
    Field,
    char,
    computed,
    declared,
    flag,
    integer,
    lines,
    many,
    number,
    one,
    translated,
)
from memory_odoo.model import Model, Values, public


class Companies(Model):
    name = "res.company"
    fields = declared(
        name=char(),
        currency_id=one("res.currency"),
        account_sale_tax_id=one("account.tax"),
        tax_calculation_rounding_method=char(),
        fiscalyear_lock_date=Field("date"),
        tax_lock_date=Field("date"),
        hard_lock_date=Field("date"),
        user_fiscalyear_lock_date=computed("date", lambda m, i: m.lock(i, "fiscalyear")),
        user_tax_lock_date=computed("date", lambda m, i: m.lock(i, "tax")),
        user_hard_lock_date=computed("date", lambda m, i: m.lock(i, "hard")),
        stock_move_email_validation=flag(),
        sale_exception_show_popup=flag(default=True),
    )

    def lock(self, id_: int, name: str) -> str:
        """Without a date it is Odoo's first day, written without leading zeros."""
        return self.get(id_, f"{name}_lock_date") or NEVER

    def locked(self, id_: int, *, has_tax: bool) -> date:
        """The last day of the closed period."""
        names = ("fiscalyear", "hard", *(("tax",) if has_tax else ()))
        return max(date.fromisoformat(f"{self.lock(id_, name):0>10}") for name in names)


class Currencies(Model):
    name = "res.currency"
    fields = declared(
        name=char(),
        active=flag(),
        decimal_places=integer(2),
        rate=computed("float", current_rate),
    )


class Countries(Model):
    name = "res.country"
    order = "name, id"
    fields = declared(name=translated(), code=char())


class Filters(Model):
    name = "ir.filters"
    fields = declared(
        name=char("Filter Name"),
        model_id=char("Model"),
        domain=char("Domain", "[]"),
        context=char(default="{}"),
        sort=char(default="[]"),
        user_ids=many("res.users"),
        active=flag(default=True),
    )


class CountryGroups(Model):
    name = "res.country.group"
    fields = declared(name=char(), country_ids=many("res.country"))


class FiscalPositions(Model):
    """None exists in a fresh database here, and a sale order never gets one by itself."""

    name = "account.fiscal.position"
    fields = declared(
        name=translated(),
        auto_apply=flag(),
        is_domestic=flag(),
        company_id=one("res.company"),
        country_id=one("res.country"),
        country_group_id=one("res.country.group"),
        tax_ids=many("account.tax"),
    )


class States(Model):
    name = "res.country.state"
    order = "code, id"
    fields = declared(name=char(), code=char(), country_id=one("res.country"))


class Partners(Model):
    name = "res.partner"
    order = "name, id desc"
    parent = "parent_id"
    fields = declared(
        name=char("Name"),
        active=flag(default=True),
        type=char("Address Type", "contact"),
        is_company=flag(),
        parent_id=one("res.partner", "Related Company"),
        child_ids=lines("res.partner", "parent_id", "Contact"),
        company_id=one("res.company"),
        user_ids=lines("res.users", "partner_id"),
        sale_order_ids=lines("sale.order", "partner_id", "Sales Order"),
        email=char("Email"),
        email_normalized=computed("char", lambda model, id_: model.normalized(id_)),
        phone=char("Phone"),
        vat=char("Tax ID"),
        comment=char("Notes"),
        ref=char("Reference"),
        street=char("Street"),
        street2=char("Street2"),
        zip=char("Zip"),
        city=char("City"),
        state_id=one("res.country.state", "State"),
        country_id=one("res.country", "Country"),
    )

    def normalized(self, id_: int) -> str | bool:
        email = self.get(id_, "email")
        return email.rpartition("<")[2].rstrip("> ").strip().lower() if email else False

    def check(self, values: Values) -> None:
        super().check(values)
        if values.get("type", "contact") == "contact" and not values.get("name"):
            raise Violation("Contacts require a name")


class ProductTemplates(Model):
    """One for each product."""

    name = "product.template"
    fields = declared(
        name=translated(),
        is_storable=flag(),
        bom_ids=lines("mrp.bom", "product_tmpl_id"),
    )


class Products(Model):
    name = "product.product"
    order = "default_code, name, id"
    fields = declared(
        name=translated("Name"),
        product_tmpl_id=one("product.template"),
        product_template_attribute_value_ids=many("product.template.attribute.value"),
        uom_id=one("uom.uom", default=1),
        default_code=char(),
        barcode=char(),
        type=char(default="consu"),
        is_storable=flag(),
        tracking=char(default="none"),
        active=flag(default=True),
        sale_ok=flag(default=True),
        purchase_ok=flag(default=True),
        list_price=number(default=1.0),
        company_id=one("res.company"),
        invoice_policy=char(default="order"),
        taxes_id=many("account.tax", default=lambda model: model.usual_taxes()),
    )

    def create_one(self, values: Values) -> int:
        template = {"name": values.get("name")}
        made = {"product_tmpl_id": self.env["product.template"].create_one(template)}
        return super().create_one({**made, **values})

    def usual_taxes(self) -> list[tuple[int, int, list[int]]]:
        return [(6, 0, [self.env["res.company"].get(1, "account_sale_tax_id")])]

    def title_of(self, id_: int) -> str:
        code, name = self.get(id_, "default_code"), self.get(id_, "name")
        return f"[{code}] {name}" if code else name


class TaxGroups(Model):
    name = "account.tax.group"
    fields = declared(name=translated())


class Taxes(Model):
    """Percentages only, in the price or on top of it, each on the price alone."""

    name = "account.tax"
    fields = declared(
        name=translated(),
        amount=number(),
        amount_type=char(default="percent"),
        type_tax_use=char(default="sale"),
        price_include_override=char(),
        price_include=computed(
            "boolean", lambda m, i: m.get(i, "price_include_override") == "tax_included"
        ),
        include_base_amount=flag(),
        is_base_affected=flag(default=True),
        has_negative_factor=computed("boolean", lambda *_: False),
        sequence=integer(1),
        children_tax_ids=many("account.tax"),
        tax_group_id=one("account.tax.group"),
        repartition_line_ids=lines("account.tax.repartition.line", "tax_id"),
        invoice_repartition_line_ids=computed(
            "one2many", lambda m, i: m.shares(i, "invoice"), "account.tax.repartition.line"
        ),
        refund_repartition_line_ids=computed(
            "one2many", lambda m, i: m.shares(i, "refund"), "account.tax.repartition.line"
        ),
        company_id=one("res.company", default=1),
    )

    def create_one(self, values: Values) -> int:
        """With its shares: the base, and all of the tax on the line's account."""
        id_ = super().create_one(values)
        given = {
            self.env["account.tax.repartition.line"].get(i, "document_type")
            for i in self.get(id_, "repartition_line_ids")
        }
        for document in sorted({"invoice", "refund"} - given):
            for kind in ("base", "tax"):
                share = {"tax_id": id_, "document_type": document, "repartition_type": kind}
                self.env["account.tax.repartition.line"].create_one(share)
        return id_

    def shares(self, id_: int, document: str) -> list[int]:
        lines_ = self.env["account.tax.repartition.line"]
        every: list[int] = self.get(id_, "repartition_line_ids")
        return [each for each in every if lines_.get(each, "document_type") == document]


class Pricelists(Model):
    name = "product.pricelist"
    order = "sequence, id"
    fields = declared(
        name=translated(),
        active=flag(default=True),
        sequence=integer(16),
        currency_id=one("res.currency"),
        company_id=one("res.company"),
    )

    def title_of(self, id_: int) -> str:
        return f"{self.get(id_, 'name')} ({self.value(id_, 'currency_id.name')})"


class Teams(Model):
    name = "crm.team"
    fields = declared(name=translated(), active=flag(default=True), company_id=one("res.company"))


class Tags(Model):
    name = "crm.tag"
    fields = declared(name=translated())


class ExternalIds(Model):
    name = "ir.model.data"
    fields = declared(
        module=char(),
        name=char(),
        model=char(),
        res_id=integer(),
        noupdate=flag(),
    )

    @public
    def check_object_reference(self, module: str, xml_id: str) -> list[Any]:
        entry = self.store.external_id(f"{module}.{xml_id}")
        if entry is None:
            raise ValueError(f"External ID not found in the system: {module}.{xml_id}")
        return [entry["model"], entry["res_id"]]


class Models(Model):
    name = "ir.model"
    fields = declared(name=char(), model=char())


MODELS = (
    *(
        Companies,
        Currencies,
        Countries,
        CountryGroups,
        Filters,
        FiscalPositions,
        States,
        Partners,
        ProductTemplates,
        Products,
    ),
    *(TaxGroups, Taxes, Pricelists, Teams, Tags, ExternalIds, Models),
)
