import unicodedata
import xmlrpc.client

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_bridge.odoo.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        ("", ""),
        ("  Ada\t\n Testwell ", "Ada Testwell"),
        ("Ada\x00\x1b\x0bTestwell", "Ada Testwell"),
        ("a\u202eb\u2066c", "abc"),
        ("a\u2028b", "a b"),
        ("Zoë 👩‍🚒 花子", "Zoë 👩‍🚒 花子"),
        ("\ud800x", "x"),
        ("n" * 500, "n" * 500),
        ("n" * 501, "n" * 499 + "…"),
    ],
)
def test_printable(text: str | None, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(), max_size=600))
def test_whatever_comes_fits_into_xml_and_into_the_database(text: str) -> None:
    shown = printable(text)
    assert len(shown) <= 500
    assert printable(shown) == shown
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    back, _ = xmlrpc.client.loads(xmlrpc.client.dumps((shown,), allow_none=True))
    assert back == (shown,)
