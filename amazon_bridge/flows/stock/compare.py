"""Compares the quantities of SKUs with Amazon's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from amazon_bridge.engine import runner
from amazon_bridge.engine.errors import ItemError
from amazon_bridge.engine.records import Entry, State
from amazon_bridge.engine.stock_records import Comparison, KnownSku, SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.stock import STOCK, flight
from amazon_bridge.flows.stock.decide import Decision, Rules, decide
from amazon_bridge.flows.stock.quantities import Computed, Quantities
from amazon_bridge.odoo.session import PAGE, chunks


@dataclass(frozen=True, slots=True)
class QuantityTask:
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
    tasks: Sequence[QuantityTask] = ()
    settled: Mapping[str, State] = field(default_factory=dict)
    """By SKU, those that were quarantined and need nothing any more."""
    returned: Sequence[str] = ()
    """SKUs with fewer units in flight than before: Amazon may have added them to its count."""
    errors: Mapping[str, ItemError] = field(default_factory=dict)
    """By SKU, those whose quantities can't be computed."""


class Comparing:
    """Compares SKUs of one account during a run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.quantities = Quantities(context, flight.units(context))
        self.entries = _entries(context)
        self._in_flight_before = context.ledger.stock.in_flight(context.name)
        self._in_feeds = _in_feeds(context)
        self._both = frozenset(context.account.stock.both)
        self._digest = context.account.digest()
        self._rules = Rules(
            now=context.clock(),
            raise_after=context.account.stock.raise_after,
            may_increase=flight.is_known(context),
            separate=_separate(context),
        )

    def computed(self, sku: str, places: Sequence[str]) -> Computed:
        """The quantity of one SKU, listed in these marketplaces."""
        return self.quantities.of({sku: places})[sku]

    def pages(self, skus: Collection[str]) -> Iterator[Found]:
        """Compare any number of SKUs, page by page."""
        return (self.compare(page) for page in chunks(sorted(skus)))

    def compare(self, skus: Sequence[str]) -> Found:
        """Compare a page of SKUs."""
        known = self._context.ledger.stock.known(self._context.name, skus)
        selected = {sku: each for sku, each in known.items() if self._is_selected(sku)}
        off = [self._off(sku) for sku in known.keys() - selected.keys()]
        proven = {sku: each for sku, each in selected.items() if self._is_proven(each)}
        computed, errors = self._compute({sku: _places(each) for sku, each in proven.items()})
        compared = [
            self._compared(each, computed.get(sku, Computed())) for sku, each in selected.items()
        ]
        comparisons = [*off, *(comparison for comparison, _ in compared)]
        return Found(
            comparisons=comparisons,
            tasks=[task for _, task in compared if task],
            settled=self._settled(comparisons),
            returned=[each.sku for each, _ in compared if self._may_be_higher(each)],
            errors=errors,
        )

    def _may_be_higher(self, found: Comparison) -> bool:
        """True if an order of the SKU may have lapsed, while its own quantity didn't change."""
        is_unread = found.state in {SkuState.EQUAL, SkuState.WAITING}
        return is_unread and self._in_flight_before.get(found.sku, 0) > found.in_flight

    def _compute(
        self, marketplaces: Mapping[str, Sequence[str]]
    ) -> tuple[dict[str, Computed], dict[str, ItemError]]:
        """Compute quantities. Returns those that Odoo allows, and the errors of the other SKUs."""
        self.quantities.prepare()
        found: dict[str, Computed] = {}

        def compute(skus: Sequence[str]) -> None:
            found.update(self.quantities.of({sku: marketplaces[sku] for sku in skus}))

        context = self._context
        errors = runner.work(
            list(marketplaces),
            compute,
            key=str,
            alive=context.odoo.ping,
            size=PAGE,
            sleep=context.sleep,
            raise_transient=True,
        )
        failed = {s: Computed(state=SkuState.REFUSED, note=e.reason) for s, e in errors.items()}
        return {**found, **failed}, errors

    def _off(self, sku: str) -> Comparison:
        """A SKU that isn't sent; others of its product depend on its units in flight."""
        parts, units = self.quantities.parts_in_flight(sku), self.quantities.units_of(sku)
        return Comparison(sku, SkuState.OFF, parts=parts, in_flight=units)

    def _is_proven(self, known: KnownSku) -> bool:
        decision = decide(known, 0, self._rules, both=known.sku in self._both)
        return decision.state not in {SkuState.UNPROVEN, SkuState.VANISHED}

    def _is_selected(self, sku: str) -> bool:
        return self._context.dry_run or self._context.account.stock.pushes(sku)

    def _compared(
        self, known: KnownSku, computed: Computed
    ) -> tuple[Comparison, QuantityTask | None]:
        quantity = computed.terms.quantity if computed.terms else None
        decision = self._decision(known, computed, quantity)
        task = None
        if quantity is not None and (decision.pushes or self._context.dry_run):
            entry, now = self.entries.get(known.sku), self._fingerprint(known, quantity)
            task = QuantityTask(known, quantity, decision, computed, entry, now)
        comparison = Comparison(
            sku=known.sku,
            state=decision.state,
            note=decision.note,
            parts=computed.parts,
            increase_since=decision.increase_since,
            in_flight=self.quantities.units_of(known.sku),
        )
        return comparison, task

    def _decision(self, known: KnownSku, computed: Computed, quantity: int | None) -> Decision:
        unclear = computed.terms is not None and computed.terms.unclear
        rules = replace(self._rules, unclear=unclear)
        decision = decide(known, quantity or 0, rules, both=known.sku in self._both)
        if decision.state in {SkuState.UNPROVEN, SkuState.VANISHED}:
            return decision
        if quantity is None:
            return Decision(computed.state or SkuState.NO_PRODUCT, computed.note)
        if known.sku in self._in_feeds:
            return Decision(SkuState.SENT, "It is in a feed that Amazon processes.")
        return self._with_entry(known, quantity, decision) if decision.pushes else decision

    def _with_entry(self, known: KnownSku, quantity: int, decision: Decision) -> Decision:
        """Don't send again what is quarantined, before something changes or a person retries it."""
        entry = self.entries.get(known.sku)
        if entry is None or entry.state is not State.QUARANTINED:
            return decision
        if entry.fingerprint == HELD_FINGERPRINT:
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
            if each.sku in self.entries and each.state in needless
        }


def _places(known: KnownSku) -> list[str]:
    """The marketplaces in which a SKU is listed."""
    return [each.marketplace_id for each in known.listings if not each.gone]


def fingerprint(known: KnownSku, quantity: int | None, settings: str) -> str:
    """Changes with quantity, listings and settings: then a refused SKU is sent again."""
    listings = "|".join(
        f"{each.marketplace_id} {','.join(each.channels)} {','.join(each.status)}"
        for each in known.listings
        if not each.gone
    )
    return f"{quantity} {settings[:16]} {listings}"


HELD_FINGERPRINT = "held"
"""The fingerprint of SKUs that the brake holds, also after a person retried them."""


def _entries(context: Context) -> dict[str, Entry]:
    """The SKUs that are quarantined or retried."""
    items, name = context.ledger.items, context.name
    quarantined = [entry for entry in items.quarantined(name) if entry.job == STOCK.name]
    return {entry.key: entry for entry in [*quarantined, *items.pending_entries(name, STOCK.name)]}


def _in_feeds(context: Context) -> frozenset[str]:
    feeds = context.ledger.stock_catalogue.open_feeds(context.name)
    return frozenset(sku for feed in feeds if not feed.given_up for sku in feed.skus)


def _separate(context: Context) -> frozenset[str]:
    places = (place.marketplace_id for place in context.account.marketplaces)
    of = partial(context.ledger.stock_catalogue.of, context.name)
    return frozenset(place for place in places if of(place).is_separate)
