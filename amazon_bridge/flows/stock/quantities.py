"""Computes the quantities of SKUs from Odoo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from amazon_bridge.config.product_map import ITEM, NO_MAP, ProductMap
from amazon_bridge.engine.lazy import Lazy
from amazon_bridge.engine.stock_records import SkuState
from amazon_bridge.flows.context import Context
from amazon_bridge.flows.stock.decide import PiecesInFlight, Terms, left_of
from amazon_bridge.odoo.availability import Availability, Question, read_availability
from amazon_bridge.odoo.kits import read_products
from amazon_bridge.odoo.products import product_ids
from amazon_bridge.odoo.session import chunks
from amazon_bridge.odoo.stock_places import fba_locations, find_places


@dataclass(frozen=True, slots=True)
class Computed:
    """The quantity of a SKU, or why it has none."""

    terms: Terms | None = None
    availability: Availability | None = None
    state: SkuState | None = None
    """Why there is no quantity."""
    note: str = ""

    @property
    def parts(self) -> tuple[int, ...]:
        """The products whose stock decides, itself among them."""
        if self.availability is None:
            return ()
        of_kit = (part.product_id for part in self.availability.parts)
        return tuple(dict.fromkeys((self.availability.product_id, *of_kit)))


_MAPPED_DIFFERENTLY = Computed(
    state=SkuState.NO_PRODUCT,
    note="The product map has different products or units for the marketplaces in which the SKU is"
    " listed. Map it in the same way for all of them, or use another SKU in one of them.",
)


class Quantities:
    """The quantities of one account during a run.

    Args:
        context: of the account.
        units: units in flight by SKU, read before Odoo's quantities: an order that is imported in
            between counts twice for one run, instead of not at all.
    """

    def __init__(self, context: Context, units: Mapping[str, int]) -> None:
        self._context = context
        self._units = {sku: number for sku, number in units.items() if sku}
        self._question = Lazy(self._build_question)
        self._own_pieces = Lazy(self._read_own_pieces)
        self._others = Lazy(self._read_others)
        self._in_flight = Lazy(self._read_in_flight)
        self._products_in_flight: defaultdict[str, set[int]] = defaultdict(set)
        """The products of each SKU in flight: one, unless marketplaces have different ones."""

    def prepare(self) -> None:
        """Read what all quantities depend on: locations and units in flight."""
        self._question.get()
        self._in_flight.get()

    def of(self, marketplaces: Mapping[str, Sequence[str]]) -> dict[str, Computed]:
        """Compute the quantities of at most a page of SKUs.

        Args:
            marketplaces: by SKU, those in which it is listed; at least one.
        """
        differing = {sku for sku, places in marketplaces.items() if self._differs(sku, places)}
        alike = {s: places[0] for s, places in marketplaces.items() if s not in differing}
        return {**self._of(alike), **dict.fromkeys(differing, _MAPPED_DIFFERENTLY)}

    def _differs(self, sku: str, places: Iterable[str]) -> bool:
        """True if the product map has no single product and number of units for marketplaces."""
        return len({(self._reference(sku, p) or sku, self._pieces(sku, p)) for p in places}) > 1

    def _of(self, marketplaces: Mapping[str, str]) -> dict[str, Computed]:
        if not marketplaces:
            return {}
        products = self._products(marketplaces)
        in_flight = self._in_flight.get()
        session, question = self._context.odoo, self._question.get()
        found = read_availability(session, set(products.values()), question)
        return {
            sku: self._computed(sku, place, found.get(products.get(sku, 0)), in_flight)
            for sku, place in marketplaces.items()
        }

    def _computed(
        self, sku: str, place: str, found: Availability | None, in_flight: PiecesInFlight
    ) -> Computed:
        if found is None:
            reference = self._reference(sku, place) or sku
            note = f"No product that can be sold has the internal reference {reference!r}."
            return Computed(state=SkuState.NO_PRODUCT, note=note)
        if not found.parts:
            note = "Odoo doesn't count the stock of its product (Track Inventory is off)."
            return Computed(availability=found, state=SkuState.NOT_COUNTED, note=note)
        return Computed(self._terms(sku, place, found, in_flight), found)

    def _terms(self, sku: str, place: str, found: Availability, in_flight: PiecesInFlight) -> Terms:
        stock = self._context.account.stock
        buffer = stock.buffer_of(sku)
        return Terms(
            left=left_of(found, in_flight),
            in_flight=in_flight.of(found),
            unclear=in_flight.is_unclear(found),
            units=self._pieces(sku, place),
            share=Fraction(str(stock.share)),
            buffer_units=buffer.units,
            buffer_percent=Fraction(str(buffer.percent)),
            cap=stock.cap_of(sku),
        )

    # Products

    def _products(self, marketplaces: Mapping[str, str]) -> dict[str, int]:
        """The product of each SKU that has one."""
        mapped = {sku: self._reference(sku, place) for sku, place in marketplaces.items()}
        references = {*marketplaces, *filter(None, mapped.values())}
        barcodes = set(marketplaces) if self._context.account.match_barcode else set[str]()
        setup = self._context.setup
        by_reference, by_barcode = product_ids(
            self._context.odoo, references, barcodes, setup.company_id
        )
        products = {}
        for sku, reference in mapped.items():
            product = by_reference.get(reference or sku) or by_barcode.get(sku)
            if product:
                products[sku] = product
        return products

    def _reference(self, sku: str, place: str) -> str | None:
        return self._map.reference(ITEM, place, sku)

    def _pieces(self, sku: str, place: str) -> int:
        return self._map.units(place, sku)

    @property
    def _map(self) -> ProductMap:
        return self._context.account.product_map or NO_MAP

    # What is asked of Odoo

    def _build_question(self) -> Question:
        context, stock = self._context, self._context.account.stock
        places = find_places(
            context.odoo,
            stock.locations,
            warehouse_id=context.setup.warehouse_id,
            fba_location_ids=fba_locations(
                context.odoo, context.setup.fba_location_id, context.fba_locations
            ),
            company_id=context.setup.company_id,
        )
        expected = context.clock() + timedelta(days=stock.incoming_days)
        return Question(
            places,
            reserved_only=stock.quantity == "free",
            until=expected if stock.incoming_days else None,
        )

    # Units in flight

    def _read_in_flight(self) -> PiecesInFlight:
        """Pieces in flight by product; of kits, their components' too."""
        pieces: defaultdict[int, Fraction] = defaultdict(Fraction)
        for each in (self, *self._others.get()):
            for product, number in each.own_pieces().items():
                pieces[product] += number
        unclear = {p for each in (self, *self._others.get()) for p in each.unclear_products()}
        return PiecesInFlight(dict(pieces), self._as_parts(pieces), frozenset(unclear))

    def unclear_products(self) -> set[int]:
        """The products of the account's SKUs of which an unknown number of units is in flight."""
        skus = self._context.ledger.in_flight.unclear(self._context.name)
        self.own_pieces()  # finds the products of all SKUs in flight
        return {product for sku in skus for product in self._products_in_flight[sku]}

    def own_pieces(self) -> Mapping[int, Fraction]:
        """Pieces in flight of the account's own SKUs, by product."""
        return self._own_pieces.get()

    def _read_own_pieces(self) -> Mapping[int, Fraction]:
        own: defaultdict[int, Fraction] = defaultdict(Fraction)
        for page in chunks(sorted(self._units)):
            for (sku, product), pieces in self._in_any_marketplace(page).items():
                own[product] += self._units[sku] * pieces
                self._products_in_flight[sku].add(product)
        return own

    def _read_others(self) -> list[Quantities]:
        """Other accounts that sell from the same locations and have units in flight."""
        context = self._context
        return [
            Quantities(replace(context, account=account, others=()), units)
            for account in context.others
            if (units := context.ledger.in_flight.units(account.name))
            and context.shares_stock(account)
        ]

    def products_in_flight_elsewhere(self) -> set[int]:
        """The products that other accounts' units in flight take from."""
        others = {product for each in self._others.get() for product in each.own_pieces()}
        if not others:
            return set()
        as_parts = self._in_flight.get().as_parts
        return others | {part for part, kits in as_parts.items() if others & kits.keys()}

    def _in_any_marketplace(self, skus: Sequence[str]) -> dict[tuple[str, int], int]:
        """Pieces of one unit, by SKU and product: the product map may differ by marketplace."""
        found: dict[tuple[str, int], int] = {}
        for place in self._mapped_otherwise(skus):
            for sku, product in self._products(dict.fromkeys(skus, place)).items():
                pieces = self._pieces(sku, place)
                found[sku, product] = max(found.get((sku, product), 0), pieces)
        return found

    def _mapped_otherwise(self, skus: Sequence[str]) -> Iterable[str]:
        """One marketplace of those for which the product map has the same entries."""
        places = (place.marketplace_id for place in self._context.account.marketplaces)
        return {
            tuple((self._reference(sku, place), self._pieces(sku, place)) for sku in skus): place
            for place in places
        }.values()

    def _as_parts(self, own: Mapping[int, Fraction]) -> dict[int, dict[int, Fraction]]:
        parts: defaultdict[int, dict[int, Fraction]] = defaultdict(dict)
        for page in chunks(sorted(own)):
            company_id = self._context.setup.company_id
            _, kits = read_products(self._context.odoo, page, company_id)
            for kit, needs in kits.items():
                for part, needed in needs.items():
                    parts[part][kit] = own[kit] * needed
        return dict(parts)

    def changed_in_flight(self, before: Mapping[str, int]) -> set[str]:
        """The SKUs whose units in flight aren't those that quantities were computed with."""
        return {
            sku
            for sku in before.keys() | self._units.keys()
            if before.get(sku, 0) != self._units.get(sku, 0)
        }

    def parts_in_flight(self, sku: str) -> tuple[int, ...]:
        """The products whose stock a SKU in flight takes from, itself among them."""
        if sku not in self._units:
            return ()
        in_flight, products = self._in_flight.get(), self._products_in_flight[sku]
        parts = (part for part, kits in in_flight.as_parts.items() if products & kits.keys())
        return (*products, *parts)

    def units_of(self, sku: str) -> int:
        """The units of a SKU in flight."""
        return self._units.get(sku, 0)
