{  # noqa: B018, D100
    "name": "Cheap passwords",
    "summary": "For tests only: hashes passwords in one round",
    "license": "LGPL-3",
    "author": "amazon-bridge",
    "depends": ["base"],
    "installable": True,
}
