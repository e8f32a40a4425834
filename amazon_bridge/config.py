"""The configuration: one YAML file, read whole, refused with all that is wrong at once.

First come the models: they say what may stand in the file. The functions at the end find,
read and check it. No message shows a value from the file, because any value may be a secret.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.marketplaces import MARKETPLACES, Marketplace, Region, marketplace

FILE_VARIABLE = "AMAZON_BRIDGE_CONFIG"
SEARCHED = (Path("config/bridge.yaml"), Path("/etc/amazon-bridge/bridge.yaml"))


# What a single value may be


@dataclass(frozen=True)
class _Surroundings:
    """What values refer to: the environment's variables and the folder of the file."""

    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)


def _surroundings(info: ValidationInfo) -> _Surroundings:
    return info.context if isinstance(info.context, _Surroundings) else _Surroundings()


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("must be a path")
    return _surroundings(info).folder / value


def _secret(value: object, info: ValidationInfo) -> object:
    match value:
        case SecretStr():
            return value
        case str():
            secret = value
        case {"file": str(name), **rest} if not rest:
            secret = _content(_surroundings(info).folder / name, "the secret's file")
        case {"credential": str(name), **rest} if not rest:
            secret = _content(_credential(name, _surroundings(info).environ), "the credential")
        case _:
            raise ValueError(
                "must be text (in quotes if it looks like a number),"
                " {file: PATH} or {credential: NAME}"
            )
    if not secret.strip():
        raise ValueError("must not be empty")
    return secret


def _content(path: Path, what: str) -> str:
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


def _marketplace(value: object) -> Marketplace:
    if isinstance(value, Marketplace):
        return value
    found = marketplace(value.upper()) if isinstance(value, str) else None
    if found is None:
        codes = ", ".join(sorted(each.country_code for each in MARKETPLACES))
        raise ValueError(f"is no Amazon marketplace: write its id or a country code of {codes}")
    return found


def _of_one_region(found: tuple[Marketplace, ...]) -> tuple[Marketplace, ...]:
    regions = {each.region for each in found}
    if len(regions) > 1:
        parts = " | ".join(
            ", ".join(each.country_code for each in found if each.region == region)
            for region in sorted(regions)
        )
        raise ValueError(f"must be of one region: make an account for each of {parts}")
    return found


def _not_empty(value: object) -> object:
    if value == []:
        raise ValueError("needs at least one entry")
    return value


_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_INTERVAL = re.compile("".join(rf"(?:(?P<{unit}>\d{{1,6}}){unit})?" for unit in _UNITS))
_INTERVAL_HELP = "write a time such as 45s, 5m, 1h30m or 2d"
_CRON_FIELDS = 5
_ADDRESS = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})")
_LAST_PORT = 65535


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
        raise ValueError("is no cron line: minute, hour, day, month, day of week") from None
    if trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise ValueError("this cron line never comes due")
    return line


def _instant(value: object) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        in_utc = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a timestamp such as 2026-11-01T00:00:00Z") from None
    if instant.tzinfo is None:
        raise ValueError(
            "needs its time zone, such as 2026-11-01T00:00:00Z or 2026-11-01T01:00:00+01:00"
        )
    return in_utc


def _split_url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        wrong = url.scheme not in {"http", "https"} or not url.hostname or url.port == 0
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError("must be an address such as https://erp.example.com")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("must hold no login, no ? and no #")
    return url


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _amazon_url(text: str) -> str:
    url = _split_url(text)
    if url.scheme == "http" and not _is_loopback(url.hostname):
        raise ValueError("must begin with https:// (plain http only to this machine itself)")
    return text.rstrip("/")


def _base_url(text: str) -> str:
    url = _split_url(text)
    if url.path.strip("/"):
        raise ValueError("must end after the host (and port): leave the path out")
    return text.rstrip("/")


def _listen(text: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise ValueError("must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464")
    return text


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

Text: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Secret: TypeAlias = Annotated[SecretStr, BeforeValidator(_secret), WithJsonSchema(_SECRET_SCHEMA)]
FilePath: TypeAlias = Annotated[
    Path, PlainValidator(_path), WithJsonSchema({"type": "string", "minLength": 1})
]
Interval: TypeAlias = Annotated[
    timedelta, BeforeValidator(_interval), WithJsonSchema(_INTERVAL_SCHEMA)
]
Schedule: TypeAlias = Annotated[
    timedelta | str, PlainValidator(_schedule), WithJsonSchema({"type": "string"})
]
Instant: TypeAlias = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
AmazonUrl: TypeAlias = Annotated[Text, AfterValidator(_amazon_url)]
BaseUrl: TypeAlias = Annotated[Text, AfterValidator(_base_url)]
ConfiguredMarketplace: TypeAlias = Annotated[
    Marketplace,
    PlainValidator(_marketplace),
    PlainSerializer(lambda found: found.country_code, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 2}),
]
Level: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]
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


# What the file may hold

_NAME = r"^[a-z0-9][a-z0-9_-]*$"
_SELLER_ID = r"^[A-Z0-9]+$"


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class LogConfig(_Section):
    """What is logged, to stderr."""

    level: Level = "info"
    """The least level that is logged."""
    format: Literal["json", "console"] | None = None
    """`json`: one JSON object a line; `console`: for people. Default: `console` when stderr is a
    terminal, else `json`."""
    modules: dict[Text, Level] = {}
    """Levels of single modules, by their Python name, such as `amazon_bridge.odoo: debug`."""


class HttpConfig(_Section):
    """The listener for health, metrics and the status page."""

    listen: Annotated[Text, AfterValidator(_listen)] = "127.0.0.1:9464"
    """Address and port to listen on."""

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


class OdooConfig(_Section):
    """The Odoo database that the orders go to."""

    url: BaseUrl
    """Odoo's address, without a path."""
    database: Text
    """The database's name."""
    login: Text
    """The login of the user that the bridge works as."""
    password: Secret
    """That user's API key (recommended) or password."""
    protocol: Literal["xmlrpc", "jsonrpc"] = "xmlrpc"
    """Which of Odoo's two external protocols is spoken."""
    timeout: float = Field(default=120, gt=0, le=3600, allow_inf_nan=False)
    """Seconds to wait for an answer of Odoo."""


class Credentials(_Section):
    """The application's and the seller's Login with Amazon credentials."""

    client_id: Secret
    """The application's LWA client identifier, `amzn1.application-oa2-client...`."""
    client_secret: Secret
    """The application's LWA client secret."""
    refresh_token: Secret
    """The refresh token that the seller's authorization of the application gave, `Atzr|...`."""


class ScheduleConfig(_Section):
    """How often each job runs: an interval, or a cron line."""

    orders: Schedule = "5m"
    """Amazon's changed orders to Odoo."""
    cancellations: Schedule = "5m"
    """Orders cancelled in Odoo to Amazon."""
    pickings: Schedule = "5m"
    """Delivery orders done in Odoo to Amazon."""


class NotifyConfig(_Section):
    """What Amazon is told. Switch both off to try the bridge without any effect on Amazon."""

    cancellations: bool = True
    """Tell Amazon of orders cancelled in Odoo."""
    shipments: bool = True
    """Tell Amazon of delivery orders done in Odoo."""


class CancellationBrake(_Section):
    """Holds a round's cancellations when they look like a mistaken mass action in Odoo."""

    orders: int = Field(default=20, ge=0)
    """Hold when more than this many orders were cancelled in Odoo in one round."""
    percent: float = Field(default=20, ge=0, le=100, allow_inf_nan=False)
    """Hold when more than this part of the account's open orders was."""


class AccountConfig(_Section):
    """One seller's account in one of Amazon's regions."""

    name: str = Field(pattern=_NAME)
    """Your name for the account; unique: small letters, digits, `-` and `_`."""
    seller_id: str = Field(pattern=_SELLER_ID)
    """The seller's id (merchant token), as Seller Central shows it."""
    marketplaces: Annotated[
        tuple[ConfiguredMarketplace, ...],
        BeforeValidator(_not_empty),
        AfterValidator(_of_one_region),
        Field(json_schema_extra={"minItems": 1}),
    ]
    """Country codes or marketplace ids, all of one region."""
    credentials: Credentials
    """Login with Amazon credentials of this seller."""
    endpoint: AmazonUrl | None = None
    """Base URL of the Selling Partner API. Default: the region's. Set it to use a simulator."""
    token_url: AmazonUrl | None = None
    """URL of Login with Amazon's tokens. Default: Amazon's."""
    company: Text | None = None
    """Name of the Odoo company that the orders belong to. Default: the login's."""
    warehouse: Text | None = None
    """Code of the Odoo warehouse that ships FBM orders. Default: the company's first."""
    fba_location: Text | None = None
    """Complete name of the stock location of goods at Amazon. Default: `<warehouse>/Amazon`."""
    sales_team: Text = "Amazon"
    """Name of the sales team of the orders."""
    salesperson: Text | None = None
    """Odoo login of the salesperson of the orders. Default: nobody."""
    prices_include_tax: Annotated[Literal["auto", True, False], BeforeValidator(_truth)] = "auto"
    """Whether Amazon's prices hold the tax. `auto`: by marketplace, North America no, elsewhere
    yes."""
    unknown_sku: Literal["fallback", "quarantine"] = "fallback"
    """What becomes of an order with a SKU that no Odoo product has as its internal reference:
    `fallback` takes the product *Amazon Sale*, `quarantine` puts the order aside."""
    start: Instant | None = None
    """Where the cursor of a new account begins: orders changed since then come in. Default: the
    moment of its first round."""
    schedule: ScheduleConfig = ScheduleConfig()
    """How often each job runs."""
    notify_amazon: NotifyConfig = NotifyConfig()
    """What Amazon is told."""
    carriers: dict[Text, Text] = {}
    """Amazon's carrier code for a carrier's name in Odoo, where the two names differ."""
    cancel_reason: CancelReason = "NoInventory"
    """The reason that Amazon is told for an order cancelled in Odoo. With any but `NoInventory`
    Amazon adds the units back to its stock count."""
    cancellation_brake: CancellationBrake = CancellationBrake()
    """When to hold cancellations that look like a mistake."""
    tracking_reminder: Interval = Field(
        default=timedelta(days=2), json_schema_extra={"default": "2d"}
    )
    """How long a done delivery order may lack its carrier or tracking reference before an
    activity on it asks for them."""

    @property
    def region(self) -> Region:
        return self.marketplaces[0].region

    def digest(self) -> str:
        """SHA-256 of the account's settings without its secrets: tells that they changed."""
        settings = self.model_dump(mode="json", exclude={"credentials"})
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class Config(_Section):
    """The whole file, its `defaults` merged into each account."""

    state: FilePath = Path("state/bridge.db")
    """The state store, an SQLite file, created when absent. A relative path is relative to the
    folder of the configuration file."""
    log: LogConfig = LogConfig()
    """What is logged."""
    http: HttpConfig | None = HttpConfig()
    """Listener for health, metrics and the status page; `null` switches it off."""
    odoo: OdooConfig
    """The Odoo database."""
    accounts: Annotated[
        tuple[AccountConfig, ...],
        BeforeValidator(_not_empty),
        Field(json_schema_extra={"minItems": 1}),
    ]
    """The seller accounts."""

    def account(self, name: str) -> AccountConfig:
        """The account of that name.

        Raises:
            ConfigError: There is none.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        names = ", ".join(account.name for account in self.accounts)
        raise ConfigError(f"The configuration has no account {name!r}.", f"It has: {names}.")

    def secrets(self) -> Iterator[SecretStr]:
        """Every secret of the configuration, for the log to hide."""
        yield self.odoo.password
        for account in self.accounts:
            given = account.credentials
            yield from (given.client_id, given.client_secret, given.refresh_token)


# From the file to the models

Place: TypeAlias = tuple[str | int, ...]
Problem: TypeAlias = tuple[Place, str]


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: ``path``, else ``$AMAZON_BRIDGE_CONFIG``, else a usual place.

    Raises:
        ConfigError: None is named and none stands in a usual place.
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
        f"Begin with the sample: amazon-bridge config example > {SEARCHED[0]}",
    )


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Reads and checks a configuration file.

    Relative paths in it are relative to its folder, so that every command finds the same
    state store, wherever it is started.

    Raises:
        ConfigError: With all that is wrong in ``problems``, each with its place in the file.
    """
    problems: list[Problem] = []
    document = _document(path, environ, problems)
    merged = _merged(document, problems)
    config = _validated(merged, _Surroundings(environ, path.absolute().parent))
    if not isinstance(config, Config):
        known = [place for place, _ in problems]
        found = ((_origin(place, document), message) for place, message in config)
        problems += [each for each in found if not _is_below(each[0], known)]
    problems += _conflicts(merged)
    if problems or not isinstance(config, Config):
        raise _refusal(path, [f"{_written(place)}: {message}" for place, message in problems])
    return config


def schema() -> dict[str, Any]:
    """The JSON schema of the file (``${NAME}`` references not yet replaced by their values)."""
    found = Config.model_json_schema()
    sections = found["$defs"]
    # What `defaults` says need not be said again, so no account key but its name is a must.
    sections["Credentials"].pop("required")
    account = sections["AccountConfig"]
    account["required"] = ["name"]
    sections["Defaults"] = {**account, "title": "Defaults", "required": []}
    found["properties"]["defaults"] = {
        "$ref": "#/$defs/Defaults",
        "description": "Any account key, for all accounts that don't say otherwise.",
    }
    return found


def example() -> str:
    """A commented sample of the file, to begin with."""
    return (resources.files("amazon_bridge") / "bridge.example.yaml").read_text(encoding="utf-8")


def _refusal(path: Path, problems: list[str]) -> ConfigError:
    unique = tuple(dict.fromkeys(problems))
    count = "a problem" if len(unique) == 1 else f"{len(unique)} problems"
    return ConfigError(
        f"The configuration file {path} has {count}.",
        "Every key is explained in what `amazon-bridge config example` prints.",
        problems=unique,
    )


class _Constructor(SafeConstructor):
    """Leaves timestamps as text: quoted, bare or from a variable, they are read alike."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _document(path: Path, environ: Mapping[str, str], problems: list[Problem]) -> Any:
    text = _text(path)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        return _expanded(yaml.load(text), environ, (), problems)
    except YAMLError as error:
        problem = _yaml_problem(error, text)
    except RecursionError:
        problem = "it is nested too deeply"
    except (ValueError, TypeError, LookupError, AttributeError):
        problem = "it holds something that can't be read as YAML"  # such as `!!int text`
    raise _refusal(path, [problem])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = f"The configuration file {path} can't be read: {error.strerror}."
    except ValueError:
        reason = f"The configuration file {path} is not UTF-8 text."
    raise ConfigError(reason, "Begin with the sample: amazon-bridge config example")


def _yaml_problem(error: YAMLError, text: str) -> str:
    """What is wrong and where, without the excerpts of the file that the library adds."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return f"line {line + 1}, column {column + 1}: a character that YAML doesn't allow"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return "it is no YAML"
    mark = error.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {_plain(error.problem or '')}"


def _plain(problem: str) -> str:
    duplicate = re.match(r'found duplicate key "([^"]*)"', problem)
    if duplicate:
        return f"the key {duplicate[1]} stands twice"
    # The name of an alias or tag may be a password that begins with * or ! by chance.
    named = re.sub(r"\b(alias|anchor|tag|handle) ['\"].*", r"\1", problem, flags=re.DOTALL)
    special = named != problem or "cannot start" in problem or "got '{'" in problem
    return named + (" (put a value with special characters in quotes)" if special else "")


_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?"
)


def _expanded(value: Any, environ: Mapping[str, str], at: Place, problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {k: _expanded(v, environ, (*at, k), problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_expanded(v, environ, (*at, i), problems) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return _REFERENCE.sub(lambda match: _referred(match, environ), value)
    except ValueError as error:
        problems.append((at, str(error)))
        return value


def _referred(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match[0] == "$${":
        return "${"
    name, default = match["name"], match["default"]
    if name is None:
        raise ValueError("write ${NAME} or ${NAME:-default}, and $${ for a literal ${")
    if default is not None:
        return environ.get(name) or default
    if name not in environ:
        raise ValueError(f"the environment variable {name} is not set")
    return environ[name]


def _merged(document: Any, problems: list[Problem]) -> Any:
    if not isinstance(document, dict):
        return document
    merged = dict(document)
    defaults = merged.pop("defaults", None)
    if defaults is None:
        defaults = {}
    if not isinstance(defaults, dict):
        problems.append((("defaults",), _MESSAGES["model_type"]))
    elif isinstance(merged.get("accounts"), list):
        merged["accounts"] = [_with_defaults(each, defaults) for each in merged["accounts"]]
    return merged


def _with_defaults(account: Any, defaults: dict[Any, Any]) -> Any:
    if not isinstance(account, dict):
        return account
    both = [
        key for key in account.keys() & defaults.keys() if _are_mappings(account, defaults, key)
    ]
    return {**defaults, **account, **{key: {**defaults[key], **account[key]} for key in both}}


def _are_mappings(one: dict[Any, Any], other: dict[Any, Any], key: Any) -> bool:
    return isinstance(one[key], dict) and isinstance(other[key], dict)


def _validated(merged: Any, surroundings: _Surroundings) -> Config | list[Problem]:
    try:
        return Config.model_validate(merged, context=surroundings)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [(_place(each), _message(each)) for each in found]


def _place(error: ErrorDetails) -> Place:
    return tuple(part for part in error["loc"] if part != "[key]")


_MAPPING = "must be a mapping: `key: value` lines below it"
_NUMBER = "must be a number"
_WHOLE_NUMBER = "must be a whole number"
_TRUTH = "must be true or false"
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be text (in quotes if it looks like a number)",
    "string_too_short": "must not be empty",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": "must be a list",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "invalid_key": "must be text, as every key",
}
_COMPARED = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than_equal": "at most",
}
_PATTERNS = {
    _NAME: "must be of small letters, digits, - and _, and begin with a letter or digit",
    _SELLER_ID: "must be of capital letters and digits, as Seller Central shows it",
}


def _message(error: ErrorDetails) -> str:
    about = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(about["error"])
        case "extra_forbidden":
            return _unknown(str(error["loc"][-1]))
        case "literal_error":
            return f"must be {about['expected']}".replace("True", "true").replace("False", "false")
        case "string_pattern_mismatch":
            return _PATTERNS[about["pattern"]]
        case "greater_than" | "greater_than_equal" | "less_than_equal" as kind:
            return f"must be {_COMPARED[kind]} {next(iter(about.values())):g}"
    return _MESSAGES.get(error["type"], "is not a valid value")


def _unknown(key: str) -> str:
    sections = _Section.__subclasses__()
    known = {name for section in sections for name in section.model_fields} - {key}
    alike = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    return "is no key of this place" + (f": did you mean {alike[0]}?" if alike else "")


def _origin(place: Place, document: Any) -> Place:
    """Where a problem of a merged account comes from: the account itself or ``defaults``."""
    match place:
        case ("accounts", int(index), *rest):
            in_defaults = _holds(document.get("defaults"), rest)
            if in_defaults and not _holds(document["accounts"][index], rest):
                return ("defaults", *rest)
    return place


def _holds(value: Any, keys: list[str | int]) -> bool:
    """Whether the value has these keys, as deep as defaults are merged (two levels)."""
    for key in keys[:2]:
        if not isinstance(value, dict):
            break
        if key not in value:
            return False
        value = value[key]
    return value is not None


def _is_below(place: Place, known: list[Place]) -> bool:
    return any(place[: len(each)] == each for each in known)


def _conflicts(merged: Any) -> Iterator[Problem]:
    owners: dict[object, Place] = {}
    for place, claim, rule in _claims(merged):
        owner = owners.setdefault(claim, place)
        if owner != place:
            yield place, f"stands at {_written(owner)} already: {rule}"


def _claims(merged: Any) -> Iterator[tuple[Place, object, str]]:
    """What only one account may have: where it is claimed, what, and the rule."""
    accounts = merged.get("accounts") if isinstance(merged, dict) else None
    for index, account in enumerate(accounts if isinstance(accounts, list) else ()):
        match account:
            case {"name": str(name)}:
                yield ("accounts", index, "name"), name, "each account has its own name"
        match account:
            case {"seller_id": str(seller), "marketplaces": [*keys]}:
                for position, key in enumerate(keys):
                    found = marketplace(key.upper()) if isinstance(key, str) else None
                    if found:
                        place = ("accounts", index, "marketplaces", position)
                        rule = "a seller's marketplace belongs to one account"
                        yield place, (seller, found.marketplace_id), rule


def _written(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the file"
