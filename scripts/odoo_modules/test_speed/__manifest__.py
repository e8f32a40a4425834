{  # noqa: B018, D100
    "name": "Test speed",
    "summary": "For tests only: cheap passwords and connections",
    "license": "LGPL-3",
    "author": "amazon-bridge",
    "depends": ["base"],
    "installable": True,
}
