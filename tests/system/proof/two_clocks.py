"""Where the bridge compares its clock with Odoo's, which no test can put forward."""

from datetime import timedelta

from amazon_bridge.flows import cancellations, orders, pickings

FAR = timedelta(days=3650)
SETTINGS = ((cancellations, "_OVERLAP"), (pickings, "_OVERLAP"), (orders, "_CLOCKS_DIFFER"))
"""How far to look back in Odoo, and how much to mind; set to ``FAR`` the difference is nothing."""
