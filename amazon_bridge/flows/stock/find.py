"""Selects the SKUs that a run compares."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import zip_longest

from amazon_bridge.config.product_map import ITEM, NO_MAP
from amazon_bridge.engine.records import State
from amazon_bridge.engine.scan import OVERLAP, ScanProgress
from amazon_bridge.engine.stock_records import FullComparison, SkuState, StockProgress
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.scanning import Batch, batches
from amazon_bridge.flows.stock import STOCK
from amazon_bridge.flows.stock.catalogue import is_known
from amazon_bridge.flows.stock.compare import Comparing, Found
from amazon_bridge.odoo.paging import ChangedPage
from amazon_bridge.odoo.session import PAGE, chunks
from amazon_bridge.odoo.stock_changes import (
    SOURCES,
    Source,
    codes_of,
    products_of,
    read_changes,
)

JOB = STOCK.name

_FULL_EVERY = timedelta(hours=6)
"""Interval between two comparisons of all SKUs."""

_FIRST_LOOK = OVERLAP
"""How far the first scan of changes looks back: all SKUs are compared then anyway."""


def find(context: Context) -> Iterator[Found]:
    """Compare the SKUs that may differ, batch by batch."""
    if not is_known(context):
        return
    full, compare = _full_comparison(context), Comparing(context)
    due = set() if _is_at_start(full) else _due(context, compare)
    for changed in _changed_products(context):
        if not _is_at_start(full):
            skus = _of_products(context, changed) | _without_product(context, changed)
            yield from compare.pages(skus)
            due -= skus
    yield from compare.pages(due)
    if full:
        yield from _compared_in_full(context, compare, full)


def pages_of_all(context: Context, after: str = "") -> Iterator[list[str]]:
    """The SKUs of an account behind one, page by page."""
    while page := context.ledger.stock.page(context.name, after, PAGE):
        yield page
        after = page[-1]


# All SKUs


def _full_comparison(context: Context) -> FullComparison | None:
    """Return the comparison of all SKUs that is due, or that an earlier run did not finish.

    It is recorded before the scans of Odoo move on, so that what they find is compared even if
    this run is interrupted.
    """
    comparisons, settings = context.ledger.stock_comparisons, context.account.digest()
    progress = comparisons.progress(context.name)
    if _is_full_due(context, progress, settings):
        return comparisons.begin(context.name, settings)
    return progress.unfinished


def _is_full_due(context: Context, progress: StockProgress, settings: str) -> bool:
    """True if a comparison of all SKUs must begin.

    It is due after some hours, a change of the configuration, a new report of listings, or the
    loss of a scan.
    """
    if progress.settings != settings or _is_any_scan_lost(context):
        return True
    if progress.unfinished:
        return False
    if progress.compared is None or abs(context.clock() - progress.compared) >= _FULL_EVERY:
        return True
    places = (place.marketplace_id for place in context.account.marketplaces)
    return any(_is_report_newer(context, place, progress.compared) for place in places)


def _is_any_scan_lost(context: Context) -> bool:
    names = (_scan_name(source) for source in SOURCES)
    return any(context.ledger.scans.progress(context.name, n) == ScanProgress() for n in names)


def _is_report_newer(context: Context, place: str, compared: datetime) -> bool:
    """True if listings were read from a report since all SKUs were compared."""
    catalogue = context.ledger.stock_catalogue
    read = catalogue.of(context.name, place).read
    return read is not None and read > compared and catalogue.has_listings(context.name, place)


def _is_at_start(full: FullComparison | None) -> bool:
    """True if all SKUs are going to be compared, so that none needs to be selected."""
    return full is not None and not full.after


def _compared_in_full(
    context: Context, compare: Comparing, full: FullComparison
) -> Iterator[Found]:
    """Compare the remaining SKUs; each page is recorded when the next one is requested."""
    comparisons = context.ledger.stock_comparisons
    for page in pages_of_all(context, full.after):
        yield compare.compare(page)
        comparisons.note(context.name, page[-1])
    comparisons.finish(context.name)


# What changed in Odoo


def _changed_products(context: Context) -> Iterator[set[int]]:
    """The products of what changed in Odoo.

    The pages of all sources are read before any quantity, so that no later change is taken for one
    that was compared.
    """
    scans = [_scan(context, source) for source in SOURCES]
    for group in zip_longest(*scans):
        products: set[int] = set()
        for source, batch in zip(SOURCES, group, strict=True):
            if batch and batch.changed:
                products |= products_of(context.odoo, source, batch.changed)
        yield products


def _scan(context: Context, source: Source) -> Iterator[Batch[str]]:
    company_id = context.known_setup.company_id

    def read(since: datetime, after: int) -> Iterator[ChangedPage]:
        return read_changes(context.odoo, source, company_id, since=since, after=after)

    return batches(context, _scan_name(source), read, first_look=_FIRST_LOOK)


def _scan_name(source: Source) -> str:
    return f"{JOB} {source.model}"


def _of_products(context: Context, products: Collection[int]) -> set[str]:
    """The SKUs whose quantities depend on the stock of these products."""
    stock, pages = context.ledger.stock, chunks(sorted(products))
    return {sku for page in pages for sku in stock.of_products(context.name, page)}


def _without_product(context: Context, products: Collection[int]) -> set[str]:
    """SKUs that had no product, and that may belong to one of these."""
    found = context.ledger.stock.in_states(context.name, [SkuState.NO_PRODUCT])
    if not (found and products):
        return set()
    references, barcodes = codes_of(context.odoo, products)
    if not context.account.match_barcode:
        barcodes = set()
    return {
        each.sku
        for each in found
        if each.sku in barcodes or not references.isdisjoint(_references(context, each.sku))
    }


def _references(context: Context, sku: str) -> Iterator[str]:
    """The internal references that the product of a SKU may have."""
    product_map = context.account.product_map or NO_MAP
    for place in context.account.marketplaces:
        yield product_map.reference(ITEM, place.marketplace_id, sku) or sku


# What changed on Amazon or with time


def _due(context: Context, compare: Comparing) -> set[str]:
    """The SKUs that are compared although nothing changed in Odoo."""
    stock, name = context.ledger.stock, context.name
    changed = compare.quantities.changed_in_flight(stock.in_flight(name))
    return {
        *(each.sku for each in stock.in_states(name, [SkuState.DUE])),
        *stock.increased_before(name, context.clock() - context.account.stock.raise_after),
        *stock.unclear(name),
        *_with_same_products(context, compare, changed),
        *_of_products(context, compare.quantities.products_in_flight_elsewhere()),
        *(key for key, entry in compare.entries.items() if entry.state is State.PENDING),
    }


def _with_same_products(context: Context, compare: Comparing, skus: Collection[str]) -> set[str]:
    """These SKUs, and all whose quantities depend on the same products."""
    stock, pages = context.ledger.stock, chunks(sorted(skus))
    products = {part for page in pages for part in stock.parts(context.name, page)}
    products |= {part for sku in skus for part in compare.quantities.parts_in_flight(sku)}
    return {*skus, *_of_products(context, products)}
