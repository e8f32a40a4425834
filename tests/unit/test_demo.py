"""The bridge of the demo logs in to Odoo with what the command was given."""

import stat
from pathlib import Path

from amazon_bridge.demo import stage
from amazon_bridge.simulator import Simulator, generate

ODOO = {"url": "http://127.0.0.1:9", "database": "shop", "login": "me", "password": "open-sesame"}


def test_the_configuration_has_the_given_login_and_is_private(tmp_path: Path) -> None:
    with Simulator(generate(7, 3, clock=stage.Clock())) as amazon:
        config = stage.configuration(tmp_path, amazon, ODOO)
    assert (config.odoo.url, config.odoo.database, config.odoo.login) == tuple(ODOO.values())[:3]
    assert config.odoo.password.get_secret_value() == ODOO["password"]
    assert stat.S_IMODE((tmp_path / "bridge.yaml").stat().st_mode) == 0o600
