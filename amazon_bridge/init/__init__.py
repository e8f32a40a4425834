"""``init``: writes a configuration from answers that are tried as they are given.

``interview`` has the sequence, ``at_amazon`` and ``in_odoo`` ask and try, ``attempts`` asks again,
``questions`` lists what is asked, ``file_answers`` answers from a file, ``draft`` turns the answers
into a configuration, ``files`` writes it. The answers of people come from ``cli.prompts``.
"""
