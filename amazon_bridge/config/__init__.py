"""The configuration: one YAML file.

``models`` says what it may hold, ``values`` what a single value may be, ``reading`` turns the
file into the models or says all that is wrong with it.
"""

from amazon_bridge.config.advice import examine
from amazon_bridge.config.models import (
    AccountConfig,
    AlertsConfig,
    CancellationBrake,
    Config,
    Credentials,
    HttpConfig,
    InvoicingConfig,
    LogConfig,
    NotifyConfig,
    OdooConfig,
    RetentionConfig,
    ScheduleConfig,
)
from amazon_bridge.config.reading import example, load, schema
from amazon_bridge.config.values import retention

__all__ = [
    "AccountConfig",
    "AlertsConfig",
    "CancellationBrake",
    "Config",
    "Credentials",
    "HttpConfig",
    "InvoicingConfig",
    "LogConfig",
    "NotifyConfig",
    "OdooConfig",
    "RetentionConfig",
    "ScheduleConfig",
    "examine",
    "example",
    "load",
    "retention",
    "schema",
]
