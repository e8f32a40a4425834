"""The contacts of an Odoo."""

from typing import Any

from odoo_server.databases import OdooDatabase

from amazon_bridge.model import Order
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.partners import Customer, customers
from amazon_bridge.odoo.session import OdooSession

Rows = dict[str, Any]
FIELDS = ["name", "street", "street2", "zip", "city", "country_id", "phone", "email", "type"]
FIELDS += ["parent_id", "active", "vat", "comment", "is_company", "ref"]
COMPANY = 1


class Office:
    """The contacts of Odoo, as the bridge places orders and as people see them."""

    def __init__(self, odoo: OdooDatabase, bridge: OdooSession, geography: Geography) -> None:
        self.odoo, self.bridge, self.geography = odoo, bridge, geography

    def place(self, *orders: Order, **options: Any) -> list[Customer]:
        found = customers(self.bridge, self.geography, orders, COMPANY, **options)
        return [found[each.order_id] for each in orders]

    def delivery(self, *orders: Order) -> Rows:
        return self.read(self.place(*orders)[-1].delivery_id)

    def read(self, id_: int) -> Rows:
        return self.odoo.rpc("res.partner", "read", [id_], FIELDS)[0]

    def write(self, id_: int, **values: Any) -> None:
        self.odoo.rpc("res.partner", "write", [id_], values)

    def below(self, id_: int) -> list[Rows]:
        domain = [("parent_id", "=", id_)]
        context = {"active_test": False}
        return self.odoo.rpc("res.partner", "search_read", domain, FIELDS, context=context)

    def merge(self, source: int, target: int) -> None:
        """Merge as the wizard does that Odoo shows for several contacts."""
        context = {"active_model": "res.partner", "active_ids": [source, target]}
        values = {"partner_ids": [(6, 0, [source, target])], "dst_partner_id": target}
        wizard = "base.partner.merge.automatic.wizard"
        made = self.odoo.rpc(wizard, "create", {**values, "state": "selection"}, context=context)
        self.odoo.rpc(wizard, "action_merge", [made])
        domain = [("id", "=", source)]
        assert not self.odoo.rpc("res.partner", "search_count", domain), "it was merged"
