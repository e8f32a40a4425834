"""What the demo is played with: the bridge's configuration, and how it ends."""

import stat
from pathlib import Path

import pytest

from amazon_bridge.demo import stage
from amazon_bridge.engine.errors import BridgeError
from amazon_bridge.simulator import Simulator, generate

ODOO = {"url": "http://127.0.0.1:9", "database": "shop", "login": "me", "password": "open-sesame"}


def test_the_configuration_has_the_given_login_and_is_private(tmp_path: Path) -> None:
    with Simulator(generate(7, 3, clock=stage.Clock())) as amazon:
        config = stage.configuration(tmp_path, amazon, ODOO)
    assert (config.odoo.url, config.odoo.database, config.odoo.login) == tuple(ODOO.values())[:3]
    assert config.odoo.password.get_secret_value() == ODOO["password"]
    assert stat.S_IMODE((tmp_path / "bridge.yaml").stat().st_mode) == 0o600


def test_an_unexpected_end_has_a_text_and_is_logged(tmp_path: Path) -> None:
    clock = stage.Clock()
    expected = rf"Internal error \(IndexError\).*{tmp_path}/bridge.log"
    with (
        Simulator(generate(7, 3, clock=clock)) as amazon,
        pytest.raises(BridgeError, match=expected),
        stage.bridge_between(tmp_path, amazon, clock, ODOO),
    ):
        raise IndexError("nothing to ship")
    assert "internal_error" in (tmp_path / "bridge.log").read_text()
