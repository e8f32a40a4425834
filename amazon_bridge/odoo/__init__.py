"""All that knows Odoo: its transport, models, fields and versions. Speaks ``model``."""
