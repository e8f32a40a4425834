"""How far the confirmation of a delivery order has got: the memo that the state store keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Annotated

from pydantic import AliasChoices, Field

from amazon_bridge.engine.codec import BaseMemo
from amazon_bridge.flows.shipments import SHIPMENTS

JOB = SHIPMENTS.name

# Earlier state stores have the second names.
_READ_BACK = AliasChoices("read_back", "asked")
_SENT_LABEL = AliasChoices("sent_label", "told")


class Stage(StrEnum):
    """How far the confirmation of a delivery order has got."""

    NEW = auto()
    """It cannot have been confirmed yet."""
    UNSURE = auto()
    """It may have been: by the bridge with an earlier state store, or in Seller Central."""
    INCOMPLETE = "waiting"  # as stored since the first version
    """It lacks its carrier or its tracking reference."""
    REMINDED = auto()
    """It lacks them, and an activity asks for them."""
    SENDING = auto()
    SENT = auto()


@dataclass(frozen=True, slots=True)
class ShipmentProgress(BaseMemo):
    """The memo of a delivery order."""

    stage: Stage
    since: datetime
    order_id: str
    lacks: tuple[str, ...] = ()
    """Names of Odoo's fields that are still empty."""
    read_back: Annotated[datetime | None, Field(validation_alias=_READ_BACK)] = None
    """When the package was last read back from Amazon."""
    sent_label: Annotated[str | None, Field(validation_alias=_SENT_LABEL)] = None
    """``label_digest`` of the carrier and tracking reference that were sent to Amazon."""
    corrects: bool = False
    """The last confirmation corrects a package that Amazon had."""
    refused_since: datetime | None = None
    """Since when Amazon doesn't find the package that is to be corrected."""
    done: datetime | None = None
    """When the delivery order was done, as of the last run."""
    stated: str | None = None
    """``statement_digest`` of what a person stated, as of the last run."""
