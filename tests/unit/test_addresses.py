"""Amazon's addresses in Odoo's fields, and what is the same place."""

from dataclasses import replace

import pytest

from amazon_bridge.model import Address
from amazon_bridge.odoo.addresses import is_same_place, odoo_address
from amazon_bridge.odoo.geography import Geography

PARTS = ("street_name", "street_number", "street_number2")
COUNTRIES, STATES = {"BR": 31, "FR": 75}, {(31, "sp"): 7}
PLAIN = Geography(lambda: COUNTRIES, lambda _: STATES)
EXTENDED = Geography(lambda: COUNTRIES, lambda _: STATES, lambda: PARTS)
FLOWERS = Address(
    country_code="BR",
    state_or_region="SP",
    postal_code="01234-567",
    city="São Paulo",
    name="Maria Exemplo",
    street_name="Rua das Flores",
    street_number="123",
    complement="Apartamento 45",
    neighborhood="Vila Madalena",
)
WITH_LINES = replace(FLOWERS, lines=("Rua das Flores, 123", "Apartamento 45"))


@pytest.mark.parametrize(
    ("geography", "address", "street", "street2"),
    [
        (PLAIN, FLOWERS, "Rua das Flores, 123", "Apartamento 45, Vila Madalena"),
        (PLAIN, WITH_LINES, "Rua das Flores, 123", "Apartamento 45, Vila Madalena"),
        (
            PLAIN,
            replace(FLOWERS, street_name=None, lines=("Rua das Flores",)),
            "Rua das Flores, 123",
            "Apartamento 45, Vila Madalena",
        ),
        (EXTENDED, FLOWERS, "Rua das Flores 123 - Apartamento 45", "Vila Madalena"),
        (EXTENDED, WITH_LINES, "Rua das Flores 123 - Apartamento 45", "Vila Madalena"),
        (
            EXTENDED,
            replace(WITH_LINES, lines=("Rua das Flores, 123", "Fundos")),
            "Rua das Flores 123 - Apartamento 45",
            "Vila Madalena, Fundos",
        ),
        (
            EXTENDED,
            Address(country_code="FR", lines=("1 rue Haute", "Porte B")),
            "1 rue Haute",
            "Porte B",
        ),
    ],
)
def test_brazilian_streets(
    geography: Geography, address: Address, street: str, street2: str
) -> None:
    fields = odoo_address(geography, address).fields
    assert (fields["street"], fields["street2"]) == (street, street2)


def test_parts_of_streets_go_where_odoo_has_fields_for_them() -> None:
    cells = odoo_address(EXTENDED, FLOWERS).cells()
    assert [cells[name] for name in PARTS] == ["Rua das Flores", "123", "Apartamento 45"]
    cells = odoo_address(EXTENDED, Address(country_code="FR", lines=("1 rue Haute",))).cells()
    assert not cells.keys() & set(PARTS)  # an empty column would empty the street
    assert not odoo_address(PLAIN, FLOWERS).cells().keys() & set(PARTS)


def test_a_country_alone_is_no_address() -> None:
    assert not odoo_address(PLAIN, Address(country_code="FR", phone="123")).has_place
    assert odoo_address(PLAIN, Address(country_code=None, city="Paris")).has_place


@pytest.mark.parametrize(
    ("phone", "stored", "same"),
    [
        ("", "0123456789", True),
        ("0123456789", "", False),
        ("+33 1 23 45 67 89", "01 23 45 67 89", True),
        ("+1 415-419-8616 ext. 12345", "+1 415-419-8616 ext. 54321", False),
        ("123", "0123", True),
        ("789", "0123456789", False),
    ],
)
def test_telephone_numbers(phone: str, stored: str, *, same: bool) -> None:
    address = odoo_address(PLAIN, replace(FLOWERS, phone=phone))
    row = {"name": "maria EXEMPLO", **address.fields, "phone": stored}
    assert is_same_place(address, "Maria Exemplo", row) is same
