"""Which daemon should work for which seller."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.leases.assignment import assigned

SELLERS = [f"A{number}" for number in range(12)]
DAEMONS = ["a", "b", "c", "d"]
Accounts = dict[str, dict[str, list[str]]]
Holders = dict[str, str | None]
ALL = {seller: ["one"] for seller in SELLERS}
daemons_with_all = st.sets(st.sampled_from(DAEMONS), min_size=1).map(
    lambda names: dict.fromkeys(names, ALL)
)
some = st.dictionaries(st.sampled_from(SELLERS), st.sampled_from([["one"], ["one", "two"]]))
daemons_with_some = st.dictionaries(st.sampled_from(DAEMONS), some)
holders = st.dictionaries(st.sampled_from(SELLERS), st.sampled_from([*DAEMONS, "gone", None]))


def test_one_daemon_works_for_all():
    assert assigned({"a": ALL}, {}) == dict.fromkeys(SELLERS, "a")


def test_a_daemon_that_joins_gets_its_share_and_no_more_moves():
    before = assigned({"a": ALL, "b": ALL}, {})
    after = assigned({"a": ALL, "b": ALL, "c": ALL}, before)
    assert Counter(after.values()) == {"a": 4, "b": 4, "c": 4}
    assert sum(after[seller] != before[seller] for seller in SELLERS) == 4


def test_only_the_sellers_of_a_daemon_that_ended_move():
    before = assigned({"a": ALL, "b": ALL, "c": ALL}, {})
    after = assigned({"a": ALL, "b": ALL}, before)
    assert {s for s in SELLERS if after[s] != before[s]} == {s for s in SELLERS if before[s] == "c"}


def test_a_seller_that_one_daemon_alone_knows_is_its_own():
    """As after an account was added to the configuration of one machine."""
    one, both = {"A1": ["one"], "A2": ["one"]}, {"A1": "a", "A2": "a"}
    found = assigned({"a": {**one, "new": ["one"]}, "b": one}, both)
    assert found["new"] == "a"
    assert Counter(found.values()) == {"a": 2, "b": 1}


def test_a_daemon_that_knows_another_account_of_a_seller_gets_it():
    """As one that was reloaded after the account was added."""
    accounts_of = {"a": {"A1": ["one"]}, "b": {"A1": ["one", "added"]}}
    assert assigned(accounts_of, {"A1": "a"}) == {"A1": "b"}
    renamed = {"a": {"A1": ["old"]}, "b": {"A1": ["new"]}}
    assert assigned(renamed, {"A1": "a"}) == {"A1": "a"}


@given(daemons_with_all, holders)
def test_sellers_are_spread_evenly(sellers_of: Accounts, held: Holders):
    load = Counter(dict.fromkeys(sellers_of, 0))
    load.update(assigned(sellers_of, held).values())
    assert max(load.values()) - min(load.values()) <= 1


@given(daemons_with_some, holders)
def test_each_seller_goes_to_a_daemon_that_can_work_for_it(sellers_of: Accounts, held: Holders):
    found = assigned(sellers_of, held)
    assert set(found) == set().union(*sellers_of.values())
    assert all(seller in sellers_of[daemon] for seller, daemon in found.items())


@given(daemons_with_some, holders)
def test_what_is_assigned_stays(sellers_of: Accounts, held: Holders):
    found = assigned(sellers_of, held)
    assert assigned(sellers_of, found) == found
