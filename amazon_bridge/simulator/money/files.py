"""Renders settlements as the report GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2 does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from amazon_bridge.simulator.money.events import Event, Row
from amazon_bridge.simulator.money.forms import COLUMNS, FileForm
from amazon_bridge.simulator.money.settlements import Settlement

Cells = dict[str, str]


def render(settlements: Iterable[Settlement], form: FileForm) -> list[Cells]:
    """All rows of a document, each with all columns."""
    return [row for settlement in settlements for row in _settlement(settlement, form)]


def text(rows: Iterable[Cells], form: FileForm) -> str:
    """The document."""
    lines = ["\t".join(form.columns)]
    lines += ["\t".join(row[name] for name in form.columns) for row in rows]
    return ("\ufeff" if form.bom else "") + form.line_end.join(lines) + form.line_end


def _settlement(settlement: Settlement, form: FileForm) -> Iterator[Cells]:
    yield _header(settlement, form)
    rows = [_row(settlement, event, row, form) for event in settlement.events for row in event.rows]
    if form.shuffle is not None:
        random.Random(form.shuffle).shuffle(rows)  # noqa: S311 - the same for each seed
    yield from rows


def _header(settlement: Settlement, form: FileForm) -> Cells:
    return _cells(
        settlement_id=settlement.settlement_id,
        settlement_start_date=_time(settlement.start, form),
        settlement_end_date=_time(settlement.end, form),
        deposit_date=_time(settlement.deposited, form),
        total_amount=_amount(settlement.total, form),
        currency=settlement.currency,
    )


def _row(settlement: Settlement, event: Event, row: Row, form: FileForm) -> Cells:
    kind, amount_type, description = row.triple.texts
    market = event.market if not form.blank_marketplaces else None
    return _cells(
        settlement_id=settlement.settlement_id,
        currency=settlement.currency if form.currency_in_all_rows else "",
        transaction_type=kind,
        order_id=event.order_id or event.reference,
        merchant_order_id=event.merchant_order_id,
        adjustment_id=event.adjustment_id,
        shipment_id=event.shipment_id,
        marketplace_name=market.name if market else "",
        amount_type=amount_type,
        amount_description=description,
        amount=_amount(row.amount, form),
        fulfillment_id=event.network,
        posted_date=form.day(event.posted),
        posted_date_time=form.time(event.posted),
        order_item_code=row.item_code,
        sku=row.sku,
        quantity_purchased="" if row.quantity is None else str(row.quantity),
        promotion_id=row.promotion_id,
    )


def _cells(**values: str) -> Cells:
    cells = dict.fromkeys(COLUMNS, "")
    return cells | {name.replace("_", "-"): value for name, value in values.items()}


def _time(moment: datetime | None, form: FileForm) -> str:
    return form.time(moment) if moment else ""


def _amount(amount: Decimal, form: FileForm) -> str:
    written = f"{amount:f}"
    return written.replace(".", ",") if form.decimal_comma else written
