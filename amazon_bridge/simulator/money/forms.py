"""The forms in which Amazon has been seen to write settlements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

COLUMNS = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount",
    "currency", "transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id",
    "marketplace-name", "amount-type", "amount-description", "amount", "fulfillment-id",
    "posted-date", "posted-date-time", "order-item-code", "merchant-order-item-id",
    "merchant-adjustment-item-id", "sku", "quantity-purchased", "promotion-id",
)  # fmt: skip
_SHAPES = {
    "iso": ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S UTC"),
    "dots": ("%d.%m.%Y", "%d.%m.%Y %H:%M:%S UTC"),
    "slashes": ("%d/%m/%y", "%d/%m/%y"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """How a file is written.

    Attributes:
        dates: ``iso``, ``dots``, or ``slashes``, which have the day first and no time.
        decimal_comma: As in some European exports.
        bom: With a byte order mark.
        charset: Of the document; None: that of all reports.
        currency_in_all_rows: Not only in the header row of a settlement.
        blank_marketplaces: No row names its marketplace.
        absent_columns: Left out, heading and all.
        line_end: After each line.
        shuffle: The seed by which rows of each settlement are mixed; None: in their sequence.
    """

    dates: str = "iso"
    decimal_comma: bool = False
    bom: bool = False
    charset: str | None = None
    currency_in_all_rows: bool = False
    blank_marketplaces: bool = False
    absent_columns: tuple[str, ...] = ()
    line_end: str = "\n"
    shuffle: int | None = None

    def day(self, moment: datetime) -> str:
        return moment.strftime(_SHAPES[self.dates][0])

    def time(self, moment: datetime) -> str:
        return moment.strftime(_SHAPES[self.dates][1])

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in COLUMNS if name not in self.absent_columns)
