"""The section ``stock`` of an account: which quantities are sent to Amazon."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from amazon_bridge.config.section import Section
from amazon_bridge.config.sku_settings import NO_SETTINGS
from amazon_bridge.config.values import Interval, SkuSettingsFile, Text

_LONGEST_LEAD_TIME = 365


class Buffer(Section):
    """What is kept back of each SKU; both add up."""

    units: int = Field(default=0, ge=0)
    """Units of Odoo's product."""
    percent: float = Field(default=0, ge=0, le=100, allow_inf_nan=False)
    """Percentage of what the share leaves, rounded up."""


class StockBrake(Section):
    """Holds decreases to zero that look like a mistake in Odoo: if both limits are exceeded."""

    skus: int = Field(default=20, ge=0)
    """Hold only if more SKUs than this would decrease to zero in one run."""
    percent: float = Field(default=20, ge=0, le=100, allow_inf_nan=False)
    """Hold only if they are also more than this percentage of the account's SKUs."""


def _buffer(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return {"units": value} if is_number else value


def _lead_time(value: object) -> int | None:
    match value:
        case "keep" | None:
            return None
        case bool():
            pass
        case int() if 0 <= value <= _LONGEST_LEAD_TIME:
            return value
    raise ValueError(f"must be `keep` or a number of days up to {_LONGEST_LEAD_TIME}")


BufferOrUnits: TypeAlias = Annotated[
    Buffer,
    BeforeValidator(_buffer),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, Buffer.model_json_schema()]}),
]
LeadTime: TypeAlias = Annotated[
    int | None,
    PlainValidator(_lead_time),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "keep"},
                {"type": "integer", "minimum": 0, "maximum": _LONGEST_LEAD_TIME},
            ]
        }
    ),
]


class StockConfig(Section):
    """Quantities of merchant-fulfilled listings, from Odoo to Amazon. Off by default."""

    push: bool = False
    """Whether quantities are sent to Amazon at all."""
    locations: tuple[Text, ...] = ()
    """Complete names of the stock locations whose goods may be sold, such as `WH/Stock`; their
    children count, the FBA location never does. Default: the warehouse's stock location."""
    quantity: Literal["promised", "free"] = "promised"
    """`promised`: on hand less everything that is to leave; `free`: on hand less what is reserved
    already."""
    incoming_days: int = Field(default=0, ge=0, le=365)
    """Count goods expected within this many days as on hand."""
    buffer: BufferOrUnits = Buffer()
    """What is kept back of each SKU: units, or `{units: 2, percent: 5}`."""
    share: float = Field(default=100, gt=0, le=100, allow_inf_nan=False)
    """Percentage of a product's quantity that this account may sell."""
    cap: int | None = Field(default=None, ge=0)
    """The highest quantity that is sent."""
    raise_after: Interval = Field(
        default=timedelta(minutes=10), json_schema_extra={"default": "10m"}
    )
    """How long a quantity must have been higher before it is sent. A lower one is sent at
    once."""
    lead_time: LeadTime = Field(default=None, json_schema_extra={"default": "keep"})
    """Days until an order is shipped, sent with each quantity; `keep`: the listing's stays."""
    skus: SkuSettingsFile | None = None
    """A CSV or YAML file with `buffer`, `cap` and `push` of single SKUs."""
    both: tuple[Text, ...] = ()
    """SKUs that are sold by FBA and FBM at once, on purpose."""
    stale: Interval = Field(default=timedelta(hours=6), json_schema_extra={"default": "6h"})
    """Alert when the quantities could not be compared for this long."""
    brake: StockBrake = StockBrake()
    """When to hold decreases to zero that look like a mistake."""

    @property
    def is_on(self) -> bool:
        """True if a quantity of any SKU is pushed."""
        return self.push or (self.skus or NO_SETTINGS).any_pushed

    def pushes(self, sku: str) -> bool:
        """True if quantities of the SKU are pushed."""
        push = (self.skus or NO_SETTINGS).of(sku).push
        return self.push if push is None else push

    def buffer_of(self, sku: str) -> Buffer:
        """The buffer of the SKU."""
        units = (self.skus or NO_SETTINGS).of(sku).buffer
        return self.buffer if units is None else Buffer(units=units)

    def cap_of(self, sku: str) -> int | None:
        """The cap of the SKU."""
        cap = (self.skus or NO_SETTINGS).of(sku).cap
        return self.cap if cap is None else cap
