"""Leases: which daemon works for which seller, where several share a state store in PostgreSQL.

A lease is a row with its holder, a number that grows with each new holder, and the moment at which
it expires unless it is renewed. Moments are those of the database's clock.
"""
