"""What a single value of the configuration may be.

No message shows the value, because any value may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

from amazon_bridge.config.account_map import AccountMap, read_account_map
from amazon_bridge.config.addresses import amazon_url, listen_address, odoo_url, ping_url
from amazon_bridge.config.product_map import ProductMap, read_product_map
from amazon_bridge.config.sku_settings import SkuSettings, read_sku_settings
from amazon_bridge.engine.store import PostgresqlStore, Store, is_url, postgresql_store
from amazon_bridge.marketplaces import (
    MARKETPLACES,
    Marketplace,
    closest_marketplace,
    marketplace,
)


@dataclass
class SecretSources:
    """Where the secrets of a configuration were read."""

    files: set[Path] = field(default_factory=set)
    in_the_file: bool = False
    """At least one is written in the configuration file itself."""


class FromEnvironment(str):
    """Text that holds the value of an environment variable."""

    __slots__ = ()


@dataclass(frozen=True)
class FileContext:
    """What values refer to: the environment's variables and the folder of the file."""

    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)
    sources: SecretSources = field(default_factory=SecretSources)
    """Filled while values are read."""


def _file_context(info: ValidationInfo) -> FileContext:
    return info.context if isinstance(info.context, FileContext) else FileContext()


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("must be a path")
    return _file_context(info).folder / value


def _product_map(value: object, info: ValidationInfo) -> ProductMap:
    return value if isinstance(value, ProductMap) else read_product_map(_path(value, info))


def _sku_settings(value: object, info: ValidationInfo) -> SkuSettings:
    return value if isinstance(value, SkuSettings) else read_sku_settings(_path(value, info))


def _account_map(value: object, info: ValidationInfo) -> AccountMap:
    return value if isinstance(value, AccountMap) else read_account_map(_path(value, info))


_PUBLIC = "client_id"
"""An application's identifier is kept from logs, but opens nothing."""


def _secret(value: object, info: ValidationInfo) -> object:
    match value:
        case SecretStr():
            return value
        case FromEnvironment():
            secret = str(value)
        case str():
            secret = value
            _file_context(info).sources.in_the_file |= info.field_name != _PUBLIC
        case {"file": str(name), **rest} if not rest:
            secret = _content(_file_context(info).folder / name, "the secret's file", info)
        case {"credential": str(name), **rest} if not rest:
            path = _credential(name, _file_context(info).environ)
            secret = _content(path, "the credential", info)
        case _:
            raise ValueError(
                "must be text (in quotes if it looks like a number),"
                " {file: PATH} or {credential: NAME}"
            )
    if not secret.strip():
        raise ValueError("must not be empty")
    return secret


def _content(path: Path, what: str, info: ValidationInfo) -> str:
    _file_context(info).sources.files.add(path)
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{what} {path} can't be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{what} {path} is not UTF-8 text") from None


def _credential(name: str, environ: Mapping[str, str]) -> Path:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise ValueError(
            "$CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit that has"
            f" LoadCredential={name}:PATH"
        )
    if Path(name).name != name:
        raise ValueError("a credential's name can't hold a slash")
    return Path(folder) / name


def _store(value: object, info: ValidationInfo) -> Store:
    """A path, or a URL with the password that ``state_password`` or the URL itself has."""
    if isinstance(value, PostgresqlStore):
        return value
    password: SecretStr | None = info.data.get("state_password")
    if not isinstance(value, str) or not is_url(value):
        if password:
            raise ValueError("needs no `state_password`: it is the path of a file")
        return _path(value, info)
    store = postgresql_store(value)
    if store.password and password:
        raise ValueError("has a password already: `state_password` is another one")
    is_written = store.password and not isinstance(value, FromEnvironment)
    _file_context(info).sources.in_the_file |= bool(is_written)
    return replace(store, password=password.get_secret_value()) if password else store


def _marketplace(value: object) -> Marketplace:
    if isinstance(value, Marketplace):
        return value
    found = marketplace(value.upper()) if isinstance(value, str) else None
    if found is None:
        codes = ", ".join(sorted(each.country_code for each in MARKETPLACES))
        meant = closest_marketplace(str(value))
        question = f"did you mean {meant.country_code}? Write" if meant else "write"
        raise ValueError(
            f"is not an Amazon marketplace: {question} its id or a country code of {codes}"
        )
    return found


def _of_one_region(found: tuple[Marketplace, ...]) -> tuple[Marketplace, ...]:
    regions = {each.region for each in found}
    if len(regions) > 1:
        parts = " | ".join(
            ", ".join(each.country_code for each in found if each.region == region)
            for region in sorted(regions)
        )
        raise ValueError(f"must be of one region: configure an account for each of {parts}")
    return found


def _not_empty(value: object) -> object:
    if value == []:
        raise ValueError("needs at least one entry")
    return value


_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_INTERVAL = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,6}}){unit})?" for unit in _UNITS))
_INTERVAL_HELP = "write a time such as 45s, 5m, 1h30m or 2d"
_SHORTEST_RETENTION = timedelta(days=7)
_CRON_FIELDS = 5


def _interval(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_INTERVAL_HELP)
    interval = timedelta(**{_UNITS[unit]: int(n) for unit, n in match.groupdict("0").items()})
    if not interval:
        raise ValueError(f"must be longer than nothing: {_INTERVAL_HELP}")
    return interval


def retention(value: object) -> timedelta:
    """An interval after which something is forgotten.

    Raises:
        ValueError: it is none, or shorter than 7 days.
    """
    interval = _interval(value)
    if interval < _SHORTEST_RETENTION:
        raise ValueError("must be at least 7d")
    return interval


def _schedule(value: object) -> timedelta | str:
    if isinstance(value, str) and len(value.split()) > 1:
        return _cron(value)
    try:
        return _interval(value)
    except ValueError as error:
        raise ValueError(f"{error}, or a cron line such as '0 6 * * mon-fri'") from None


def _cron(line: str) -> str:
    fields = line.split()
    if len(fields) != _CRON_FIELDS:
        raise ValueError("a cron line has five fields: minute, hour, day, month, day of week")
    if re.search(r"\d", fields[-1].partition("/")[0]):
        # APScheduler 3 counts from Monday = 0, cron from Sunday = 0: names can't be mistaken.
        raise ValueError("write the days of the week by name: mon, tue, wed, thu, fri, sat, sun")
    try:
        trigger = CronTrigger.from_crontab(line, timezone=UTC)
    except ValueError:
        raise ValueError("is not a cron line: minute, hour, day, month, day of week") from None
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise ValueError("this cron line never comes due")
    return line


def instant(value: object) -> datetime:
    """A timestamp with time zone, in UTC.

    Raises:
        ValueError: it is none.
    """
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        in_utc = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a timestamp such as 2026-11-01T00:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(
            "needs its time zone, such as 2026-11-01T00:00:00Z or 2026-11-01T01:00:00+01:00"
        )
    if in_utc < _EARLIEST:
        raise ValueError(f"must not be before {_EARLIEST.year}")
    return in_utc


_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Overlaps are subtracted from timestamps, which the first days of the calendar don't allow."""


def _column(name: str) -> str:
    if not re.fullmatch(r"[a-z]\w*(/\.?id)?", name):
        raise ValueError("must be the name of a field in Odoo, such as x_channel or x_team_id/id")
    return name


def _cell(value: object) -> object:
    """A value as Odoo's import takes it."""
    if value == "":
        raise ValueError("must not be empty")
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int | float | date) else value


def _truth(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


_INTERVAL_SCHEMA = {"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}
_SECRET_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        *(
            {
                "type": "object",
                "properties": {source: {"type": "string", "minLength": 1}},
                "required": [source],
                "additionalProperties": False,
            }
            for source in ("file", "credential")
        ),
    ]
}

AT_LEAST_ONE = (BeforeValidator(_not_empty), Field(json_schema_extra={"minItems": 1}))

Text: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
OdooColumn: TypeAlias = Annotated[str, AfterValidator(_column)]
OdooCell: TypeAlias = Annotated[
    str,
    BeforeValidator(_cell),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
OdooDefaults: TypeAlias = dict[
    Literal["res.partner", "sale.order", "sale.order.line"], dict[OdooColumn, OdooCell]
]
Secret: TypeAlias = Annotated[SecretStr, BeforeValidator(_secret), WithJsonSchema(_SECRET_SCHEMA)]
SecretUrl: TypeAlias = Annotated[Secret, AfterValidator(ping_url)]
StateStore: TypeAlias = Annotated[
    Store,
    PlainValidator(_store),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
ProductMapFile: TypeAlias = Annotated[
    ProductMap,
    PlainValidator(_product_map),
    PlainSerializer(ProductMap.dump, return_type=list[list[str]]),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
SkuSettingsFile: TypeAlias = Annotated[
    SkuSettings,
    PlainValidator(_sku_settings),
    PlainSerializer(SkuSettings.dump, return_type=list[list[str]]),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
AccountMapFile: TypeAlias = Annotated[
    AccountMap,
    PlainValidator(_account_map),
    PlainSerializer(AccountMap.dump, return_type=list[list[str]]),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
Interval: TypeAlias = Annotated[
    timedelta, BeforeValidator(_interval), WithJsonSchema(_INTERVAL_SCHEMA)
]
Retention: TypeAlias = Annotated[
    timedelta, BeforeValidator(retention), WithJsonSchema(_INTERVAL_SCHEMA)
]
Schedule: TypeAlias = Annotated[
    timedelta | str, PlainValidator(_schedule), WithJsonSchema({"type": "string"})
]
Instant: TypeAlias = Annotated[
    datetime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
ListenAddress: TypeAlias = Annotated[Text, AfterValidator(listen_address)]
TaxInclusion: TypeAlias = Annotated[Literal["auto", True, False], BeforeValidator(_truth)]
AmazonUrl: TypeAlias = Annotated[Text, AfterValidator(amazon_url)]
OdooUrl: TypeAlias = Annotated[Text, AfterValidator(odoo_url)]
ConfiguredMarketplace: TypeAlias = Annotated[
    Marketplace,
    PlainValidator(_marketplace),
    PlainSerializer(lambda found: found.country_code, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 2}),
]
Marketplaces: TypeAlias = Annotated[
    tuple[ConfiguredMarketplace, ...],
    *AT_LEAST_ONE,
    AfterValidator(_of_one_region),
]
Level: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]
Extra: TypeAlias = Literal[
    "orders", "accounts", "to_ship", "ship_by_today", "without_tracking", "activities"
]
EXTRAS: tuple[Extra, ...] = get_args(Extra)
CancelReason: TypeAlias = Literal[
    # The enumeration CancelReason of Amazon's OrderAcknowledgement.xsd.
    "NoInventory",
    "ShippingAddressUndeliverable",
    "CustomerExchange",
    "BuyerCanceled",
    "GeneralAdjustment",
    "CarrierCreditDecision",
    "RiskAssessmentInformationNotValid",
    "CarrierCoverageFailure",
    "CustomerReturn",
    "MerchandiseNotReceived",
    # Added to it later.
    "PricingError",
]
