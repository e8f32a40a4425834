"""Odoo → Amazon: quantities of merchant-fulfilled listings."""
