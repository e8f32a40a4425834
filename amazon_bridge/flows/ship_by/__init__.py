"""Which merchant-fulfilled orders are to be shipped by when, and what may make them late.

``find`` collects them from the state store and from Odoo; ``decide`` has the rules, as pure
functions; ``show`` writes them for people and programs.
"""
