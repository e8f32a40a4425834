"""Bills of materials of the type Kit, as ``mrp`` has them."""

from memory_odoo.faults import NotPlayed
from memory_odoo.fields import char, declared, flag, integer, lines, many, number, one
from memory_odoo.model import Model


class BillsOfMaterials(Model):
    name = "mrp.bom"
    order = "sequence, id"
    fields = declared(
        active=flag(default=True),
        type=char(default="normal"),
        sequence=integer(),
        product_tmpl_id=one("product.template", "Product", required=True),
        product_id=one("product.product"),
        product_qty=number(default=1.0),
        product_uom_id=one("uom.uom", default=1),
        company_id=one("res.company"),
        bom_line_ids=lines("mrp.bom.line", "bom_id"),
    )

    def title_of(self, id_: int) -> str:
        return str(self.value(id_, "product_tmpl_id.name"))

    def refuse_kit(self, product_id: int) -> None:
        """Refuse to demand a kit: its components would be moved."""
        template = self.env["product.product"].get(product_id, "product_tmpl_id")
        if self.found([("type", "=", "phantom"), ("product_tmpl_id", "=", template)]):
            raise NotPlayed("a sale order of a kit")


class BillOfMaterialsLines(Model):
    name = "mrp.bom.line"
    order = "sequence, id"
    fields = declared(
        bom_id=one("mrp.bom"),
        sequence=integer(1),
        product_id=one("product.product"),
        product_qty=number(default=1.0),
        product_uom_id=one("uom.uom", default=1),
        bom_product_template_attribute_value_ids=many("product.template.attribute.value"),
    )

    def title_of(self, id_: int) -> str:
        return f"{self.name},{id_}"


class AttributeValues(Model):
    name = "product.template.attribute.value"
    fields = declared(name=char(), attribute_id=one("product.attribute"))


class Attributes(Model):
    name = "product.attribute"
    fields = declared(name=char())


MODELS = (BillsOfMaterials, BillOfMaterialsLines, AttributeValues, Attributes)
