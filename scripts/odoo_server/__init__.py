"""A real Odoo for the tests and the demonstration.

`machine` chooses where it runs: on the server that ODOO_TEST_URL names, in a Docker engine, or on
this machine from Debian's package. `databases` makes and drops databases on any of them.
"""
