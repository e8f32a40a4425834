"""Amazon → Odoo: orders are imported, completed, and cancelled.

``find`` reads what changed on Amazon, ``decide`` has the rules, ``apply`` processes batches of
orders in Odoo, ``tell`` informs people, and ``run`` has the steps of a sync run. ``with_invoices``
adds the invoices of what is delivered.
"""

from amazon_bridge.job import ORDER_KINDS, Job, OdooModule, OdooRight, PendingView

_SALES = "Sales: User: All Documents"
_INVENTORY = "Inventory: User"
_CONTACTS = "Contact: Creation"

ORDERS = Job(
    name="orders",
    title="Changed orders, from Amazon to Odoo.",
    run="amazon_bridge.flows.orders.with_invoices:sync",
    amazon_roles=("Inventory and Order Tracking", "Direct-to-Consumer Delivery"),
    amazon_check="amazon_bridge.amazon.doctor:examine_orders",
    odoo_modules=(
        OdooModule(
            "Sales with Inventory (module sale_stock)",
            "sale.order",
            "warehouse_id",
            "Install the apps Sales and Inventory.",
        ),
    ),
    odoo_rights=(
        OdooRight("res.partner", "create", "create customers", _CONTACTS),
        OdooRight("res.partner", "write", "update customers", _CONTACTS),
        OdooRight("product.product", "read", "find products", _SALES),
        OdooRight("account.tax", "read", "price orders with tax", _SALES),
        OdooRight("sale.order", "create", "create sale orders", _SALES),
        OdooRight("sale.order", "write", "confirm and cancel sale orders", _SALES),
        OdooRight("sale.order.line", "create", "create sale order lines", _SALES),
        OdooRight("mail.activity", "create", "schedule activities", "Internal User"),
        OdooRight("stock.picking", "write", "validate and cancel delivery orders", _INVENTORY),
        OdooRight("stock.move", "write", "set done quantities", _INVENTORY),
        OdooRight("stock.move.line", "create", "set done quantities", _INVENTORY),
    ),
    quarantine_kinds={
        **ORDER_KINDS,
        "currency_missing": "add the marketplace to the account",
        "lot_needed": "validate the delivery in Odoo with its lots, then retry",
        "needs_attention": "as the reason says",
        "no_proceeds": "look up its amounts in Seller Central",
        "no_product": "look at the order in Seller Central and ship it from there",
        "not_cancelled": "cancel it in Odoo, which shows what is in the way; then retry",
        "not_confirmed": "open the quotation and press *Confirm*, which shows what is missing;"
        " correct it, then retry",
        "not_delivered": "validate it in Odoo, then retry",
        "not_invoiced": "open the invoice in Odoo and finish it, then retry",
        "nothing_ordered": "wait: it comes back when it changes",
        "nothing_to_ship": "set the product's type to *Goods*, or name another in the"
        " `product_map`; then retry",
        "odoo_asks": "as the message says; Odoo's log has more",
        "total_differs": "correct its prices or taxes in Odoo, or delete it, then retry",
        "unclear": "look at the order in Seller Central; it comes back when it changes",
        "units_contradict": "compare the order in Seller Central",
        "unknown_sku": "enter it on the product, then retry",
        "unreachable_total": "put other taxes on the quotation's line in Odoo, then retry",
        "unreadable": "if it is yours to ship, ship it from Seller Central by the date named there",
        "unsupported_tax": "put other taxes on the quotation's line in Odoo, then retry",
    },
    also_stores=("invoices",),
    explain="amazon_bridge.flows.orders.pending:with_reason",
    pending=PendingView(
        "orders are pending",
        "waiting_orders",
        "amazon_bridge.flows.orders.pending:pending_orders",
        "order is pending",
    ),
    pending_heading="Pending orders",
)
