"""The loop, its memory and its patience. Knows neither Amazon nor Odoo."""
