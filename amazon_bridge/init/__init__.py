"""``init``: writes a configuration from answers that are tried as they are given.

``interview`` asks and tries, ``questions`` lists what is asked, ``file_answers`` answers from a
file, ``draft`` turns the answers into a configuration, ``files`` writes it. The answers of people
come from ``cli.prompts``.
"""
