"""The rules of stock: quantities, proof, what is sent when, the brake."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.config.stock import StockBrake
from amazon_bridge.engine.stock_records import KnownListing, KnownSku, SkuState
from amazon_bridge.flows.stock.decide import (
    PiecesInFlight,
    Push,
    Recheck,
    Rules,
    Terms,
    becomes_zero,
    decide,
    has_drifted,
    left_of,
    reason_to_hold,
    recheck,
    separate_marketplaces,
)
from amazon_bridge.model import Listing
from amazon_bridge.odoo.availability import Availability, Part

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = Rules(NOON, 10 * MINUTE)
DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"


def terms(left: float = 0, **more: float) -> Terms:
    fractions = ("share", "buffer_percent")
    given = {n: Fraction(str(v)) if n in fractions else v for n, v in more.items()}
    return Terms(Fraction(str(left)), **given)  # type: ignore[arg-type]


class TestFigure:
    @pytest.mark.parametrize(
        ("computed", "quantity"),
        [
            (terms(10), 10),
            (terms(-3), 0),
            (terms(10, cap=4), 4),
            (terms(10, cap=0), 0),
            (terms(10, share=50), 5),
            (terms(11, share=50), 5),
            (terms(10, buffer_units=3), 7),
            (terms(10, buffer_units=30), 0),
            (terms(41, buffer_percent=5), 38),  # 2.05 rounded up to 3
            (terms(40, share=50, buffer_units=2, buffer_percent=5), 17),
            (terms(10, in_flight=4), 6),
            (terms(11, units=2), 5),
            (terms(11, units=2, in_flight=2), 4),
            (terms(11, units=2, buffer_units=1, in_flight=1, cap=3), 3),
            (terms(2.7), 2),
            (terms(2.7, share=50), 1),
        ],
    )
    def test_follows_the_formula(self, computed, quantity):
        assert computed.quantity == quantity

    every = st.builds(
        Terms,
        left=st.fractions(-50, 1000, max_denominator=100),
        in_flight=st.integers(0, 50),
        units=st.integers(1, 12),
        share=st.fractions(0, 100, max_denominator=10),
        buffer_units=st.integers(0, 50),
        buffer_percent=st.fractions(0, 100, max_denominator=10),
        cap=st.none() | st.integers(0, 100),
    )

    @given(every)
    def test_is_never_negative_above_the_cap_or_more_than_there_is(self, computed):
        quantity = computed.quantity
        assert 0 <= quantity <= (math.inf if computed.cap is None else computed.cap)
        assert quantity == 0 or quantity * computed.units + computed.in_flight <= computed.left

    @given(every, st.integers(1, 20))
    def test_more_in_flight_or_less_stock_is_never_more(self, computed, number):

        less = replace(computed, left=computed.left - number)
        more = replace(computed, in_flight=computed.in_flight + number)
        assert less.quantity <= computed.quantity
        assert more.quantity <= computed.quantity


class TestKits:
    kit = Availability(
        9, (Part(1, Fraction(10)), Part(2, Fraction(15), needed=Fraction(2))), is_kit=True
    )

    def test_have_as_many_as_the_scarcest_component_allows(self):
        assert left_of(self.kit, PiecesInFlight()) == 7

    def test_the_measured_case_of_odoo_19(self):
        """10 and 15 kits' worth of two parts; 2 kits and 7 single pieces of the first ordered."""
        parts = (Part(1, Fraction(10), Fraction(9)), Part(2, Fraction(15), Fraction(2)))
        assert left_of(Availability(9, parts, is_kit=True), PiecesInFlight()) == 1

    def test_components_in_flight_are_not_there(self):
        flight = PiecesInFlight({1: Fraction(4)}, {})
        assert left_of(self.kit, flight) == 6

    def test_their_own_units_in_flight_are_subtracted_once(self):
        flight = PiecesInFlight({9: Fraction(2)}, {1: {9: Fraction(2)}, 2: {9: Fraction(4)}})
        assert left_of(self.kit, flight) == 7
        assert flight.of(self.kit) == 2

    def test_components_know_the_kits_in_flight(self):
        flight = PiecesInFlight({1: Fraction(1), 9: Fraction(2)}, {1: {9: Fraction(2)}})
        assert flight.of(Availability(1, (Part(1, Fraction(10)),))) == 3


def listing(place: str = DE, quantity: int | None = 5, **more: object) -> KnownListing:
    fields = {"channels": ("DEFAULT",), "quantity": quantity, **more}
    return KnownListing("MUG", place, **fields)  # type: ignore[arg-type]


def known(*listings: KnownListing, **more: object) -> KnownSku:
    return KnownSku("MUG", listings or (listing(),), **more)  # type: ignore[arg-type]


class TestDecisions:
    def test_an_equal_quantity_is_not_sent(self):
        assert decide(known(), 5, RULES).state is SkuState.EQUAL

    def test_a_lower_quantity_is_sent_at_once(self):
        decision = decide(known(), 4, RULES)
        assert decision.pushes == (Push(DE, (DE,)),)
        assert decision.decreases

    def test_a_higher_quantity_waits(self):
        decision = decide(known(), 6, RULES)
        assert (decision.state, decision.pushes) == (SkuState.WAITING, ())
        assert decision.increase_since == NOON

    def test_a_higher_quantity_is_sent_when_it_has_lasted(self):
        decision = decide(known(increase_since=NOON - 10 * MINUTE), 6, RULES)
        assert decision.pushes == (Push(DE, (DE,)),)
        assert not decision.decreases

    def test_a_wobble_starts_over(self):
        assert decide(known(increase_since=NOON - 9 * MINUTE), 5, RULES).increase_since is None

    def test_nothing_is_increased_while_orders_in_flight_are_unknown(self):
        rules = Rules(NOON, MINUTE, may_increase=False)
        before = known(increase_since=NOON - 60 * MINUTE)
        assert decide(before, 6, rules).state is SkuState.WAITING
        assert decide(before, 4, rules).pushes

    def test_what_was_sent_counts_until_it_is_read_back(self):
        sent_before = known(listing(sent=7, sent_at=NOON - MINUTE))
        assert decide(sent_before, 7, RULES).state is SkuState.SENT
        assert decide(sent_before, 5, RULES).pushes

    def test_what_was_sent_unclearly_is_sent_again(self):
        unclear = known(listing(sent=None, sent_at=NOON - MINUTE))
        assert decide(unclear, 5, RULES).pushes
        assert decide(unclear, 6, RULES).pushes

    def test_an_unknown_quantity_is_set_to_zero_at_once(self):
        unknown = known(listing(quantity=None))
        assert decide(unknown, 0, RULES).pushes
        assert decide(unknown, 3, RULES).state is SkuState.WAITING

    def test_one_marketplace_is_updated_for_all(self):
        both = known(listing(DE), listing(FR))
        assert decide(both, 4, RULES).pushes == (Push(DE, (DE, FR)),)

    def test_the_one_that_differs_is_updated(self):
        both = known(listing(DE, 4), listing(FR, 5))
        assert decide(both, 4, RULES).pushes == (Push(FR, (DE, FR)),)

    def test_each_separate_marketplace_is_updated(self):
        rules = Rules(NOON, 10 * MINUTE, separate=frozenset({FR}))
        both = known(listing(DE), listing(FR))
        assert decide(both, 4, rules).pushes == (Push(DE, (DE,)), Push(FR, (FR,)))

    def test_a_listing_that_is_gone_is_vanished(self):
        assert decide(known(listing(gone=True)), 4, RULES).state is SkuState.VANISHED


class TestProof:
    @pytest.mark.parametrize(
        "channels", [(), ("AMAZON_EU",), ("DEFAULT", "AMAZON_EU"), ("AMAZON_NA",), ("OTHER",)]
    )
    def test_any_other_listing_is_never_updated(self, channels):
        decision = decide(known(listing(channels=channels)), 0, RULES)
        assert (decision.state, decision.pushes) == (SkuState.UNPROVEN, ())

    def test_fba_in_one_marketplace_stops_the_sku(self):
        mixed = known(listing(DE), listing(FR, channels=("AMAZON_EU",)))
        assert decide(mixed, 0, RULES).state is SkuState.UNPROVEN

    def test_both_at_once_must_be_configured(self):
        both = known(listing(channels=("DEFAULT", "AMAZON_EU")))
        assert decide(both, 0, RULES, both=True).pushes

    channels = st.lists(
        st.sampled_from(["DEFAULT", "AMAZON_EU", "AMAZON_NA", "OTHER"]), unique=True, max_size=3
    ).map(tuple)
    listings = st.builds(
        KnownListing,
        marketplace_id=st.sampled_from([DE, FR]),
        channels=channels,
        quantity=st.none() | st.integers(0, 9),
        sent=st.none() | st.integers(0, 9),
        sent_at=st.none() | st.just(NOON),
        gone=st.booleans(),
    )

    @given(st.lists(listings, min_size=1, max_size=3), st.integers(0, 9), st.booleans())
    def test_no_push_without_proof(self, listings, quantity, may_increase):
        sku = KnownSku("MUG", tuple(listings), increase_since=NOON - timedelta(days=1))
        decision = decide(sku, quantity, Rules(NOON, MINUTE, may_increase=may_increase))
        proven = {x.marketplace_id for x in listings if "DEFAULT" in x.channels and not x.gone}
        shipped_by_amazon = any(
            c.startswith("AMAZON_") for x in listings if not x.gone for c in x.channels
        )
        targets = {push.marketplace_id for push in decision.pushes}
        assert targets <= proven
        assert not (targets and shipped_by_amazon)

    @given(channels, st.none() | st.integers(0, 9), listings, st.integers(0, 9), st.booleans())
    def test_no_push_without_fresh_proof(self, channels, shown, before, quantity, decreases):
        fresh = Listing("MUG", DE, channels, shown)
        looked = recheck(fresh, before, quantity, both=False, decreases=decreases)
        if fresh.sold_by_amazon or not fresh.sold_by_merchant:
            assert looked is Recheck.UNPROVEN


class TestFreshLooks:
    def test_a_quantity_that_amazon_shows_is_not_sent(self):
        fresh = Listing("MUG", DE, ("DEFAULT",), 4)
        assert recheck(fresh, listing(), 4, both=False, decreases=True) is Recheck.EQUAL

    def test_but_it_is_while_another_may_still_take_effect(self):
        fresh, stored = Listing("MUG", DE, ("DEFAULT",), 4), listing(sent=5, sent_at=NOON)
        assert recheck(fresh, stored, 4, both=False, decreases=True) is Recheck.SEND

    def test_a_decrease_that_turns_out_to_be_an_increase_waits(self):
        fresh = Listing("MUG", DE, ("DEFAULT",), 2)
        assert recheck(fresh, listing(), 4, both=False, decreases=True) is Recheck.LOWER
        assert recheck(fresh, listing(), 4, both=False, decreases=False) is Recheck.SEND

    def test_an_increase_waits_again_if_amazon_has_risen_itself(self):
        """An order lapsed, and another was placed that isn't known yet."""
        fresh = Listing("MUG", DE, ("DEFAULT",), 11)
        assert recheck(fresh, listing(quantity=10), 12, both=False, decreases=False) is (
            Recheck.LOWER
        )
        assert recheck(fresh, listing(quantity=11), 12, both=False, decreases=False) is (
            Recheck.SEND
        )


class TestBrake:
    brake = StockBrake(skus=20, percent=20)

    @pytest.mark.parametrize(
        ("decreases", "watched", "held"),
        [(20, 21, False), (21, 100, True), (21, 105, False), (21, 104, True), (500, 50_000, False)],
    )
    def test_holds_beyond_both_limits(self, decreases, watched, held):
        assert bool(reason_to_hold(decreases, watched, self.brake)) is held

    def test_only_what_amazon_sells_can_decrease_to_zero(self):
        assert becomes_zero(known(), 0)
        assert not becomes_zero(known(), 1)
        assert not becomes_zero(known(listing(quantity=0)), 0)
        assert not becomes_zero(known(listing(gone=True)), 0)
        assert becomes_zero(known(listing(quantity=5, sent=None, sent_at=NOON)), 0)


def test_a_marketplace_that_kept_its_quantity_is_separate():
    sku = {
        DE: listing(DE, 5, sent=3, sent_at=NOON),
        FR: listing(FR, 5, sent=3, sent_at=NOON),
    }
    assert separate_marketplaces(sku, {DE: 3, FR: 5}) == {FR}
    assert separate_marketplaces(sku, {DE: 3, FR: 3}) == set()
    assert separate_marketplaces(sku, {DE: 3, FR: 2}) == set()
    assert separate_marketplaces(sku, {DE: 5, FR: 5}) == set()


def test_amazon_has_drifted_if_it_shows_more_or_what_it_showed_before():
    sent = listing(quantity=5, sent=3, sent_at=NOON)
    assert has_drifted(sent, 5)
    assert has_drifted(sent, 4)
    assert has_drifted(sent, None)
    assert not has_drifted(sent, 3)
    assert not has_drifted(sent, 1)  # it has sold some
    assert has_drifted(listing(quantity=1, sent=3, sent_at=NOON), 1)


def test_what_is_read_again_without_an_update_has_not_drifted():
    assert not has_drifted(listing(quantity=3, sent=3, sent_at=NOON), 5)
