"""amazon-bridge: runs Amazon sales in Odoo, from outside of Odoo."""

__version__ = "0.1.0"
