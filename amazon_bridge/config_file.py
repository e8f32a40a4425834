"""Where the configuration file is. Light: completion imports it while somebody types."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from amazon_bridge.engine.errors import ConfigError

FILE_VARIABLE = "AMAZON_BRIDGE_CONFIG"
SEARCHED = (Path("config/bridge.yaml"), Path("/etc/amazon-bridge/bridge.yaml"))


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: ``path``, else ``$AMAZON_BRIDGE_CONFIG``, else a usual place.

    Raises:
        ConfigError: None is named and none exists in a usual place.
    """
    named = path or environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    for usual in SEARCHED:
        if os.path.exists(usual):  # noqa: PTH110 (Path.exists raises where a folder is closed)
            return usual
    raise ConfigError(
        f"There is no configuration file: --config and ${FILE_VARIABLE} name none, and neither"
        f" {SEARCHED[0].absolute()} nor {SEARCHED[1]} exists.",
        "Write one with: amazon-bridge init. Or begin with the sample: amazon-bridge config example"
        f" > {SEARCHED[0]}",
    )
