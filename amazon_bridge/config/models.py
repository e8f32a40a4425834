"""What the configuration file may hold: its keys, their types, defaults and descriptions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, SecretStr, create_model, model_validator

from amazon_bridge.closest import did_you_mean
from amazon_bridge.config.addresses import is_loopback
from amazon_bridge.config.section import Section
from amazon_bridge.config.settlements import SettlementsConfig
from amazon_bridge.config.stock import StockConfig
from amazon_bridge.config.values import (
    AT_LEAST_ONE,
    EXTRAS,
    AmazonUrl,
    CancelReason,
    Extra,
    Instant,
    Interval,
    Level,
    ListenAddress,
    Marketplaces,
    OdooDefaults,
    OdooUrl,
    ProductMapFile,
    Retention,
    Schedule,
    Secret,
    SecretUrl,
    StateStore,
    TaxInclusion,
    Text,
)
from amazon_bridge.engine.errors import ConfigError
from amazon_bridge.engine.store import PostgresqlStore
from amazon_bridge.flows.jobs import JOBS
from amazon_bridge.job import Job
from amazon_bridge.marketplaces import Region

NAME = r"^[a-z0-9][a-z0-9_-]*$"
SELLER_ID = r"^[A-Z0-9]+$"


class LogConfig(Section):
    """What is logged, to stderr."""

    level: Level = "info"
    """Lowest level to log."""
    format: Literal["json", "console"] | None = None
    """`json`: one JSON object a line; `console`: for people. Default: `console` when stderr is a
    terminal, else `json`."""
    modules: dict[Text, Level] = Field(default={})
    """Levels of single modules, by their Python name, such as `amazon_bridge.odoo: debug`."""


class HttpConfig(Section):
    """The listener for health, metrics and the status page."""

    listen: ListenAddress = "127.0.0.1:9464"
    """Address and port to listen on."""
    token: Secret | None = None
    """What clients must send, as a bearer token or as the password of any user. Required
    if other machines can reach the address."""

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if self.token is None and not is_loopback(self.host):
            raise ValueError("needs a token, because others than this machine can reach it")
        return self

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


class OdooConfig(Section):
    """The Odoo database that the orders go to."""

    url: OdooUrl
    """Odoo's address; with a path only if a proxy serves Odoo below one."""
    database: Text
    """The database's name."""
    login: Text
    """The login of the bridge's user in Odoo."""
    password: Secret
    """That user's API key (recommended) or password."""
    protocol: Literal["xmlrpc", "jsonrpc", "json2"] = "xmlrpc"
    """Which of Odoo's external protocols to use. `json2` needs Odoo 19 or newer, and an API key
    as the password."""
    timeout: float = Field(default=120, gt=0, le=3600, allow_inf_nan=False)
    """Seconds to wait for a response of Odoo."""
    defaults: OdooDefaults = Field(default={})
    """Values of fields that people added to `res.partner`, `sale.order` or `sale.order.line` and
    made required, by model and field: for the records that the bridge creates. A field that refers
    to a record takes `field/id` and its external id, or `field/.id` and its database id."""
    extras: tuple[Extra, ...] = EXTRAS
    """Which shared filters `amazon-bridge setup` creates in Odoo: sale orders of Amazon (`orders`)
    and of each account (`accounts`), delivery orders `to_ship`, to `ship_by_today` and
    `without_tracking`, and the `activities` of the bridge. `[]`: none."""
    parallel: int = Field(default=2, ge=1, le=8)
    """Most batches of orders that are written to Odoo at the same time; fewer where that makes
    Odoo slow. At most as many as Odoo has workers."""


class Credentials(Section):
    """The application's and the seller's Login with Amazon credentials."""

    client_id: Secret
    """The application's LWA client identifier, `amzn1.application-oa2-client...`."""
    client_secret: Secret
    """The application's LWA client secret."""
    refresh_token: Secret
    """The refresh token that the seller's authorization of the application gave, `Atzr|...`."""


if TYPE_CHECKING:
    ScheduleConfig = Section
    NotifyConfig = Section
else:
    ScheduleConfig = create_model(
        "ScheduleConfig",
        __base__=Section,
        __doc__="How often each job runs: an interval, or a cron line.",
        **{
            job.name: (Schedule, Field(default=job.schedule, description=job.title)) for job in JOBS
        },
    )
    NotifyConfig = create_model(
        "NotifyConfig",
        __base__=Section,
        __doc__="What is sent to Amazon. With all switched off, the bridge changes nothing there.",
        **{
            job.notify_amazon.key: (bool, Field(default=True, description=job.notify_amazon.title))
            for job in JOBS
            if job.notify_amazon
        },
    )


class CancellationBrake(Section):
    """Holds a run's cancellations that look like a mistake in Odoo: if either limit is exceeded."""

    orders: int = Field(default=20, ge=0)
    """Hold if more than this many orders were cancelled in Odoo since the last run."""
    percent: float = Field(default=20, ge=0, le=100, allow_inf_nan=False)
    """Hold if more than this percentage of the account's open orders was; never up to five."""


class InvoicingConfig(Section):
    """Invoices and payments in Odoo. Off by default."""

    mode: Literal["manual", "on_delivery"] = "manual"
    """`manual`: the bridge creates no invoices; `on_delivery`: it creates and posts an order's
    invoice when all of it is delivered, with that date."""
    payment_journal: Text | None = None
    """Name of the journal in which the invoice's payment is registered, such as *Amazon Payments*;
    created if missing. Default: no payment."""


class AccountConfig(Section):
    """One seller's account in one of Amazon's regions."""

    name: str = Field(pattern=NAME)
    """Your name for the account; unique: small letters, digits, `-` and `_`."""
    seller_id: str = Field(pattern=SELLER_ID)
    """The seller's id (merchant token), as Seller Central shows it."""
    marketplaces: Marketplaces
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
    prices_include_tax: TaxInclusion = "auto"
    """Whether Amazon's prices include tax. `auto`: by marketplace, North America no, elsewhere
    yes."""
    customers: Literal["known", "per_order"] = "known"
    """Who an order's customer is: `known` finds the contact with the buyer's e-mail address, or the
    company with the VAT number, and creates one if there is none; `per_order` creates one for
    each order."""
    unknown_sku: Literal["fallback", "quarantine"] = "fallback"
    """What to do with an order if no Odoo product matches a SKU: `fallback` uses the product
    *Amazon Sale* for that line, `quarantine` quarantines the order."""
    product_map: ProductMapFile | None = None
    """A CSV or YAML file that maps SKUs, shipping services and gift wraps to internal references of
    Odoo products, where these differ."""
    match_barcode: bool = False
    """Whether a product is also found by a barcode that is the item's SKU or its ASIN."""
    discounts: Literal["lines", "percent"] = "lines"
    """How discounts are written: as separate `lines`, or as the discount in `percent` of the line
    that they apply to."""
    facilitator_tax: Text | None = None
    """Name of a sales tax of 0 % for lines whose tax Amazon collected, for the tax report; created
    if missing. Default: such lines have no tax at all."""
    fiscal_position: Text | None = None
    """Name of the fiscal position of all orders, such as that of a warehouse abroad. Default: the
    one that Odoo finds for each customer."""
    invoicing: InvoicingConfig = InvoicingConfig()
    """Invoices and payments in Odoo."""
    start: Instant | None = None
    """Where the cursor of a new account begins: orders changed since then are imported. Default:
    the moment of its first run."""
    schedule: ScheduleConfig = ScheduleConfig()
    """How often each job runs."""
    notify_amazon: NotifyConfig = NotifyConfig()
    """What is sent to Amazon."""
    carriers: dict[Text, Text] = Field(default={})
    """Amazon's carrier code for a carrier's name in Odoo, where the two names differ."""
    cancel_reason: CancelReason = "NoInventory"
    """The reason sent to Amazon for an order cancelled in Odoo. With any but `NoInventory`
    Amazon adds the units back to its stock count."""
    cancellation_brake: CancellationBrake = CancellationBrake()
    """When to hold cancellations that look like a mistake."""
    stock: StockConfig = StockConfig()
    """Quantities of merchant-fulfilled listings. Off by default."""
    settlements: SettlementsConfig = SettlementsConfig()
    """How settlements are booked. Off by default."""
    tracking_reminder: Interval = Field(
        default=timedelta(days=2), json_schema_extra={"default": "2d"}
    )
    """How long a done delivery order may lack its carrier or tracking reference before an
    activity on it asks for them."""

    @model_validator(mode="after")
    def _clears_what_is_invoiced(self) -> Self:
        clears = self.settlements.orders == "clearing"
        if self.settlements.is_on and clears and not self.invoicing.payment_journal:
            raise ValueError(
                "settlements need `invoicing.payment_journal`, whose account they clear; or"
                " `settlements.orders: revenue`"
            )
        if not clears and self.invoicing.mode != "manual":
            raise ValueError(
                "`settlements.orders: revenue` would book sales that `invoicing` has booked"
                " already: set one of them to its default"
            )
        return self

    @property
    def region(self) -> Region:
        return self.marketplaces[0].region

    def schedule_of(self, job: Job) -> timedelta | str:
        """A job's interval, or its cron line."""
        schedule: timedelta | str = getattr(self.schedule, job.name)
        return schedule

    def runs(self, job: Job) -> bool:
        """False if the account's settings leave off a job that is off by default."""
        return job.is_on(self)

    def is_enabled(self, job: Job) -> bool:
        """False if ``notify_amazon`` switches the job off."""
        switch = job.notify_amazon
        return switch is None or bool(getattr(self.notify_amazon, switch.key))

    def is_active(self, job: Job) -> bool:
        """True if neither its settings nor ``notify_amazon`` leave the job off."""
        return self.runs(job) and self.is_enabled(job)

    @property
    def sends_stock(self) -> bool:
        """True if quantities of any SKU are sent to Amazon."""
        switch: bool = getattr(self.notify_amazon, "stock", True)
        return switch and self.stock.is_on

    def digest(self) -> str:
        """SHA-256 of the account's settings without its secrets: changes when they change."""
        settings = self.model_dump(mode="json", exclude={"credentials"})
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class AlertsConfig(Section):
    """Where to send alerts, and when."""

    ping: SecretUrl | None = None
    """URL of a dead man's switch in the style of healthchecks.io: it is pinged at the start, then
    every 5 minutes with success or failure, and raises an alarm itself if the pings stop."""
    notify: tuple[Secret, ...] = ()
    """Where to send alerts, as URLs of Apprise (`scripts/install FOLDER alerts`): mail, chats,
    webhooks."""
    after_failures: int = Field(default=3, ge=1)
    """Alert after this many consecutive failures of a job."""
    after: Interval = Field(default=timedelta(hours=1), json_schema_extra={"default": "1h"})
    """Alert when a job has been failing for this long."""
    collect: Interval = Field(default=timedelta(minutes=15), json_schema_extra={"default": "15m"})
    """How long to collect quarantined items before one alert about them."""
    before_ship_by: Interval | None = Field(
        default=timedelta(hours=6), json_schema_extra={"default": "6h"}
    )
    """Alert this long before the ship-by date about merchant-fulfilled orders not yet shipped;
    `null`: never."""


class RetentionConfig(Section):
    """How long data is kept."""

    finished: Retention = Field(default=timedelta(days=90), json_schema_extra={"default": "90d"})
    """How long the state store keeps finished items; at least 7 days."""
    buyers: Retention | None = None
    """How long after their last goods left, customers keep their names and addresses in Odoo;
    at least 7 days. `null`: for ever."""


class Config(Section):
    """The whole file, its `defaults` merged into each account."""

    state_password: Secret | None = None
    """Password of the role in `state`, where PostgreSQL wants one."""
    state: StateStore = Path("state/bridge.db")
    """The state store: the path of an SQLite file, created when absent, relative to the folder of
    the configuration file; or a PostgreSQL database, as
    `postgresql://user@host:5432/database`."""
    log: LogConfig = LogConfig()
    """What is logged."""
    http: HttpConfig | None = HttpConfig()
    """Listener for health, metrics and the status page; `null` switches it off."""
    alerts: AlertsConfig = AlertsConfig()
    """Alerts about lasting problems and quarantined items."""
    retention: RetentionConfig = RetentionConfig()
    """Retention of finished items and of buyers' data."""
    odoo: OdooConfig
    """The Odoo database."""
    accounts: Annotated[tuple[AccountConfig, ...], *AT_LEAST_ONE]
    """The seller accounts."""

    @property
    def fba_locations(self) -> frozenset[str]:
        """Complete names of the locations of goods at Amazon that any account names."""
        return frozenset(each.fba_location for each in self.accounts if each.fba_location)

    def account(self, name: str) -> AccountConfig:
        """The account of this name.

        Raises:
            ConfigError: there is no account of this name.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        names = ", ".join(account.name for account in self.accounts)
        meant = did_you_mean(name, (account.name for account in self.accounts)).strip()
        remedy = f"{meant} The file has: {names}.".strip()
        raise ConfigError(f"There is no account {name!r}.", remedy)

    def digest(self) -> str:
        """SHA-256 of what sync runs depend on: state store, Odoo, accounts and their secrets."""
        state = self.state
        where = [str(state.resolve())] if isinstance(state, Path) else [state.url, state.password]
        return hashlib.sha256(json.dumps([where, self.digest_of_runs()]).encode()).hexdigest()

    def digest_of_runs(self) -> str:
        """The same without the state store, of which machines may have different URLs."""
        known = self.model_dump(mode="json", include={"odoo", "accounts"})
        known["secrets"] = [secret.get_secret_value() for secret in self._secrets_of_runs()]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def _secrets_of_runs(self) -> Iterator[SecretStr]:
        yield self.odoo.password
        for account in self.accounts:
            given = account.credentials
            yield from (given.client_id, given.client_secret, given.refresh_token)

    def secrets(self) -> Iterator[SecretStr]:
        """Every secret of the configuration, for the log to hide."""
        yield from self._secrets_of_runs()
        if isinstance(self.state, PostgresqlStore) and self.state.password:
            yield SecretStr(self.state.password)
        yield from self.alerts.notify
        yield from (s for s in (self.alerts.ping, self.http and self.http.token) if s)
