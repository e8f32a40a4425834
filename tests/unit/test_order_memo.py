"""What the state store remembers of an order: written and read back, by this and older versions."""

import json
from dataclasses import replace

from examples import ENTRY
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.engine.codec import encode
from amazon_bridge.flows.orders.memo import ItemMemo, Memo

WORDS = st.text(max_size=20)
UNITS = st.integers(0, 10**6)
MEMOS = st.builds(
    Memo,
    worth=st.decimals(allow_nan=False, allow_infinity=False, places=3),
    marketplace_id=WORDS,
    fulfilled_by=WORDS,
    status=WORDS,
    items=st.none()
    | st.lists(st.builds(ItemMemo, WORDS, UNITS, UNITS, st.booleans(), UNITS, UNITS)).map(tuple),
    reminders=st.lists(WORDS).map(tuple),
)


@given(memo=MEMOS)
def test_a_memo_is_read_as_it_was_written(memo: Memo) -> None:
    assert Memo.read(replace(ENTRY, memo=encode(memo))) == memo


def test_a_memo_of_a_version_that_knew_no_pieces() -> None:
    item = {"order_item_id": "51", "ordered": 2, "to_ship": 2, "cancellation_requested": False}
    values = {"worth": "9", "marketplace_id": "", "fulfilled_by": "MERCHANT", "status": "SHIPPED"}
    text = json.dumps(values | {"items": [item], "place": None, "requests": 0, "reminders": []})
    memo = Memo.read(replace(ENTRY, memo=text))
    assert memo
    assert memo.pieces == {"51": 1}


def test_no_memo() -> None:
    assert Memo.read(None) is None
    assert Memo.read(ENTRY) is None
