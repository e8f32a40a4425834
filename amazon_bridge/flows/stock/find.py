"""Selects the SKUs that a run compares, and compares them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest

from amazon_bridge.engine.errors import RateLimited
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.engine.scan import OVERLAP, ScanProgress
from amazon_bridge.engine.stock_records import Comparison, KnownSku, SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.scanning import Batch, batches
from amazon_bridge.flows.stock import STOCK, flight
from amazon_bridge.flows.stock.catalogue import is_known
from amazon_bridge.flows.stock.decide import Decision, Rules, decide
from amazon_bridge.flows.stock.quantities import Computed, Quantities
from amazon_bridge.odoo.paging import ChangedPage
from amazon_bridge.odoo.session import PAGE, chunks
from amazon_bridge.odoo.stock_changes import (
    SOURCES,
    Source,
    products_of,
    read_changes,
    references_of,
)

JOB = STOCK.name

_WHOLE_EVERY = timedelta(hours=6)
"""Interval between two comparisons of all SKUs."""

_NEW_RELEASED = OVERLAP
"""How far the first scan of changes looks back: all SKUs are compared then anyway."""


@dataclass(frozen=True, slots=True)
class Task:
    """A SKU whose quantity is to be sent; in dry runs, any that was compared."""

    known: KnownSku
    quantity: int
    decision: Decision
    computed: Computed
    entry: Entry | None
    """What the state store has of it, if it was quarantined."""
    fingerprint: str
    """Changes with the quantity, the listing and the configuration."""

    @property
    def sku(self) -> str:
        return self.known.sku


@dataclass(frozen=True, slots=True)
class Found:
    """A batch of compared SKUs."""

    comparisons: Sequence[Comparison] = ()
    tasks: Sequence[Task] = ()
    settled: Mapping[str, State] = field(default_factory=dict)
    """By SKU, those that were quarantined and need nothing any more."""
    limit: RateLimited | None = None
    """Never: nothing is looked up on Amazon."""


def find(context: Context) -> Iterator[Found]:
    """Compare the SKUs that may differ, batch by batch."""
    if not is_known(context):
        return
    began = context.clock()
    stock, settings = context.ledger.stock, context.account.digest()
    compare = Comparing(context)
    is_whole, due = _is_whole_due(context, settings), compare.due()
    for changed in _changed_products(context):
        skus = stock.of_products(context.name, changed) | _new_products(context, changed)
        yield from compare.pages(skus)
        due -= skus
    if is_whole:
        yield from all_compared(context, compare)
        stock.note_compared(context.name, settings, began)
    else:
        yield from compare.pages(due)


def _new_products(context: Context, changed: Collection[int]) -> set[str]:
    """SKUs that had no product, and whose internal reference a changed product has."""
    stock, name = context.ledger.stock, context.name
    without = {each.sku for each in stock.in_states(name, [SkuState.NO_PRODUCT])}
    if not (without and changed):
        return set()
    return without & references_of(context.odoo, changed)


def all_compared(context: Context, compare: Comparing) -> Iterator[Found]:
    """Compare all SKUs of an account."""
    after = ""
    while page := context.ledger.stock.page(context.name, after, PAGE):
        yield compare.compare(page)
        after = page[-1]


def _is_whole_due(context: Context, settings: str) -> bool:
    """True if all SKUs are to be compared.

    That is after some hours, a change of the configuration, a new report of listings, or a loss of
    what is known of Odoo.
    """
    progress = context.ledger.stock.progress(context.name)
    if progress.compared is None or progress.settings != settings:
        return True
    if abs(context.clock() - progress.compared) >= _WHOLE_EVERY:
        return True
    places = (place.marketplace_id for place in context.account.marketplaces)
    if any(_is_report_newer(context, place, progress.compared) for place in places):
        return True
    names = (_scan_name(source) for source in SOURCES)
    return any(context.ledger.scans.progress(context.name, n) == ScanProgress() for n in names)


def _is_report_newer(context: Context, place: str, compared: datetime) -> bool:
    """True if listings were read from a report since all SKUs were compared."""
    catalogue = context.ledger.stock_catalogue
    read = catalogue.of(context.name, place).read
    return read is not None and read > compared and catalogue.has_listings(context.name, place)


def _scan_name(source: Source) -> str:
    return f"{JOB} {source.model}"


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
    company_id = context.setup.company_id

    def read(since: datetime, after: int) -> Iterator[ChangedPage]:
        return read_changes(context.odoo, source, company_id, since=since, after=after)

    return batches(context, _scan_name(source), read, first_look=_NEW_RELEASED)


class Comparing:
    """Compares SKUs of one account during a run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._quantities = Quantities(context, flight.units(context))
        self._entries = _entries(context)
        self._in_feeds = _in_feeds(context)
        self._both = frozenset(context.account.stock.both)
        self._digest = context.account.digest()
        self._rules = Rules(
            now=context.clock(),
            raise_after=context.account.stock.raise_after,
            may_increase=flight.is_known(context),
            separate=_separate(context),
        )

    def due(self) -> set[str]:
        """The SKUs that are compared although nothing changed in Odoo."""
        stock, name = self._context.ledger.stock, self._context.name
        changed = self._quantities.changed_in_flight(stock.in_flight(name))
        pending = {key for key, e in self._entries.items() if e.state is State.PENDING}
        return {
            *(each.sku for each in stock.in_states(name, [SkuState.DUE])),
            *stock.increased_before(name, self._rules.now - self._rules.raise_after),
            *stock.unclear(name),
            *self._with_same_products(changed),
            *self._in_flight_elsewhere(),
            *pending,
        }

    def _in_flight_elsewhere(self) -> set[str]:
        """SKUs of products of which other accounts have units in flight."""
        stock, name = self._context.ledger.stock, self._context.name
        pages = chunks(sorted(self._quantities.products_in_flight_elsewhere()))
        return {sku for page in pages for sku in stock.of_products(name, page)}

    def _with_same_products(self, skus: Collection[str]) -> set[str]:
        """These SKUs, and all whose quantities depend on the same products."""
        stock, name = self._context.ledger.stock, self._context.name
        products = {part for page in chunks(sorted(skus)) for part in stock.parts(name, page)}
        products |= {part for sku in skus for part in self._quantities.parts_in_flight(sku)}
        pages = chunks(sorted(products))
        return set(skus).union(*(stock.of_products(name, page) for page in pages))

    def computed(self, sku: str, places: Sequence[str]) -> Computed:
        """The quantity of one SKU, listed in these marketplaces."""
        return self._quantities.of({sku: places})[sku]

    def pages(self, skus: Collection[str]) -> Iterator[Found]:
        """Compare any number of SKUs, page by page."""
        return (self.compare(page) for page in chunks(sorted(skus)))

    def compare(self, skus: Sequence[str]) -> Found:
        """Compare a page of SKUs."""
        known = self._context.ledger.stock.known(self._context.name, skus)
        selected = {sku: each for sku, each in known.items() if self._is_selected(sku)}
        off = [self._off(sku) for sku in known.keys() - selected.keys()]
        proven = {sku: each for sku, each in selected.items() if self._is_proven(each)}
        places = {sku: _places(each) for sku, each in proven.items()}
        computed = self._quantities.of(places)
        compared = [
            self._compared(each, computed.get(sku, Computed())) for sku, each in selected.items()
        ]
        return Found(
            comparisons=[*off, *(comparison for comparison, _ in compared)],
            tasks=[task for _, task in compared if task],
            settled=self._settled([*off, *(comparison for comparison, _ in compared)]),
        )

    def _off(self, sku: str) -> Comparison:
        """A SKU that isn't sent; others of its product depend on its units in flight."""
        parts, units = self._quantities.parts_in_flight(sku), self._quantities.units_of(sku)
        return Comparison(sku, SkuState.OFF, parts=parts, in_flight=units)

    def _is_proven(self, known: KnownSku) -> bool:
        decision = decide(known, 0, self._rules, both=known.sku in self._both)
        return decision.state not in {SkuState.UNPROVEN, SkuState.VANISHED}

    def _is_selected(self, sku: str) -> bool:
        return self._context.dry_run or self._context.account.stock.pushes(sku)

    def _compared(self, known: KnownSku, computed: Computed) -> tuple[Comparison, Task | None]:
        quantity = computed.terms.quantity if computed.terms else None
        decision = self._decision(known, computed, quantity)
        task = None
        if quantity is not None and (decision.pushes or self._context.dry_run):
            entry, print_ = self._entries.get(known.sku), self._fingerprint(known, quantity)
            task = Task(known, quantity, decision, computed, entry, print_)
        comparison = Comparison(
            sku=known.sku,
            state=decision.state,
            note=decision.note,
            quantity=quantity,
            product_id=computed.product_id,
            parts=computed.parts,
            increase_since=decision.increase_since,
            in_flight=self._quantities.units_of(known.sku),
        )
        return comparison, task

    def _decision(self, known: KnownSku, computed: Computed, quantity: int | None) -> Decision:
        decision = decide(known, quantity or 0, self._rules, both=known.sku in self._both)
        if decision.state in {SkuState.UNPROVEN, SkuState.VANISHED}:
            return decision
        if quantity is None:
            return Decision(computed.state or SkuState.NO_PRODUCT, computed.note)
        if known.sku in self._in_feeds:
            return Decision(SkuState.SENT, "It is in a feed that Amazon processes.")
        return self._with_entry(known, quantity, decision) if decision.pushes else decision

    def _with_entry(self, known: KnownSku, quantity: int, decision: Decision) -> Decision:
        """Don't send again what is quarantined, before something changes or a person retries it."""
        entry = self._entries.get(known.sku)
        if entry is None or entry.state is not State.QUARANTINED:
            return decision
        if entry.fingerprint == HELD_PRINT:
            held = Decision(
                SkuState.HELD, entry.reason or "", increase_since=decision.increase_since
            )
            return decision if quantity else held
        if entry.fingerprint != self._fingerprint(known, quantity):
            return decision
        return Decision(
            SkuState.REFUSED, entry.reason or "", increase_since=decision.increase_since
        )

    def _fingerprint(self, known: KnownSku, quantity: int) -> str:
        return fingerprint(known, quantity, self._digest)

    def _settled(self, comparisons: Iterable[Comparison]) -> dict[str, State]:
        """Quarantined and retried SKUs that need nothing any more."""
        needless = {
            SkuState.EQUAL: State.DONE,
            SkuState.OFF: State.LEFT_OUT,
            SkuState.NO_PRODUCT: State.LEFT_OUT,
            SkuState.NOT_COUNTED: State.LEFT_OUT,
            SkuState.UNPROVEN: State.LEFT_OUT,
            SkuState.VANISHED: State.LEFT_OUT,
        }
        return {
            each.sku: needless[each.state]
            for each in comparisons
            if each.sku in self._entries and each.state in needless
        }


def _places(known: KnownSku) -> list[str]:
    """The marketplaces in which a SKU is listed."""
    return [each.marketplace_id for each in known.listings if not each.gone]


def fingerprint(known: KnownSku, quantity: int | None, settings: str) -> str:
    """Changes with quantity, listings and settings: then a refused SKU is sent again."""
    listings = "|".join(
        f"{each.marketplace_id} {','.join(each.channels)} {each.status}"
        for each in known.listings
        if not each.gone
    )
    return f"{quantity} {settings[:16]} {listings}"


HELD_PRINT = "held"
"""The fingerprint of SKUs that the brake holds, also after a person retried them."""


def _entries(context: Context) -> dict[str, Entry]:
    """The SKUs that are quarantined or retried."""
    items, name = context.ledger.items, context.name
    quarantined = [entry for entry in items.quarantined(name) if entry.job == JOB]
    return {entry.key: entry for entry in [*quarantined, *items.pending_entries(name, JOB)]}


def _in_feeds(context: Context) -> frozenset[str]:
    feeds = context.ledger.stock_catalogue.open_feeds(context.name)
    return frozenset(sku for feed in feeds if not feed.given_up for sku in feed.skus)


def _separate(context: Context) -> frozenset[str]:
    places = (place.marketplace_id for place in context.account.marketplaces)
    of = partial(context.ledger.stock_catalogue.of, context.name)
    return frozenset(place for place in places if of(place).is_separate)
