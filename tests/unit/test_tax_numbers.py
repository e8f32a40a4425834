import pytest

from amazon_bridge.odoo.tax_numbers import canonical, is_placeholder, is_tax_number, spellings


@pytest.mark.parametrize(
    "text",
    [
        *("DE136695976", "de 136.695.976", "FR23334175221", "IE1234567FA", "SM24165", "IS062199"),
        *("CHE-123.456.788 TVA", "529.982.247-25", "45.723.174/0001-10", "GODE561231GR8"),
        *("12/345/67890", "ATU12345675", "NL123456782B90", "91350211M000100Y46"),
    ],
)
def test_tax_numbers(text: str) -> None:
    assert is_tax_number(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "N/A", "n/a", "none", "-", "/", "00000000", "0-0-0-0-0-0", "DE", "DE 1234", "x" * 40),
        *("not registered", "Privat", "9" * 11, "1234 rue Haute 75002 Paris 12345"),
        "<b>123456</b>",
    ],
)
def test_texts_that_are_none(text: str) -> None:
    assert not is_tax_number(text)


def test_placeholders_look_like_numbers() -> None:
    texts = ["DE000000000", "000000000", "999.999.999-99", "DE136695976", "N/A", "DE 1111"]
    assert [text for text in texts if is_placeholder(text)] == texts[:3]


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("DE 136.695.976", "FR", "DE136695976"),
        ("136695976", "DE", "DE136695976"),
        ("A12345674", "ES", "ESA12345674"),
        ("GR123456783", "GR", "EL123456783"),
        ("123456783", "GR", "EL123456783"),
        ("529.982.247-25", "BR", "BR52998224725"),
        ("12345674", "", "12345674"),
    ],
)
def test_numbers_as_compared(text: str, country: str, number: str) -> None:
    assert canonical(text, country) == number


def test_spellings_in_odoo() -> None:
    assert spellings([("DE 136.695.976", "DE")]) == [
        *("136695976", "DE 136.695.976", "DE136.695.976", "DE136695976"),
    ]
    assert spellings([]) == []
