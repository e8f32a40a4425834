"""A valid configuration of one account, ``acme-eu``, whose servers nothing asks."""

from pathlib import Path

TEXT = """\
http: null
log: {format: json}
odoo: {url: 'http://127.0.0.1:9', database: d, login: l, password: odoo-password}
accounts:
  - name: acme-eu
    seller_id: A3EXAMPLE
    marketplaces: [FR]
    credentials: {client_id: client-id-1, client_secret: secret-1, refresh_token: refresh-1}
"""


def write_configuration(folder: Path, more: str = "") -> Path:
    """Write it; further lines replace those of the same key."""
    key = more.partition(":")[0]
    lines = [line for line in TEXT.splitlines() if not line.startswith(f"{key}:")]
    path = folder / "bridge.yaml"
    path.write_text("\n".join([*lines, more, ""]), encoding="utf-8")
    return path
