"""Maps Amazon's addresses to the fields of Odoo's contacts, and compares both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amazon_bridge.model import Address
from amazon_bridge.odoo.geography import Geography
from amazon_bridge.odoo.text import LONGEST, printable, whole

LINES = ("street", "street2", "zip", "city")
FIELDS = (*LINES, "state_id", "country_id", "phone")
"""The fields of a contact that make its address. Of related records, their ids."""

_PLACE = ("street", "zip", "city")
"""Without any of these a contact has no address: a country alone isn't one."""

Row = Mapping[str, Any]
"""A contact as read, with ids in place of Odoo's pairs and "" in place of False."""


@dataclass(frozen=True, slots=True)
class OdooAddress:
    """An address in Odoo's fields."""

    fields: Mapping[str, Any]
    """Values of ``FIELDS``, "" or None where there is none."""
    parts: Mapping[str, str]
    """The same street in the fields that ``Geography.parts_of_streets`` has."""
    has_place: bool
    """Amazon states more than the country."""
    uncut: str = ""
    """All lines, where a field of Odoo can't hold them; else empty."""

    def cells(self) -> dict[str, str]:
        """The cells of a load by column."""
        columns = {column(name): str(value or "") for name, value in self.fields.items()}
        return {**columns, **self.parts}


def column(name: str) -> str:
    """The column of a load for a field whose value is a text or a database id."""
    return f"{name}/.id" if name.endswith("_id") else name


def odoo_address(geography: Geography, address: Address) -> OdooAddress:
    """Map an address to Odoo's fields. Parts without a field of their own go to ``street2``.

    For Brazil, Amazon states the parts of a street (``street_name`` and so on) in addition to the
    lines, or instead of them.
    """
    country_id = geography.country_id(address.country_code)
    state_id = geography.state_id(country_id, address.state_or_region)
    street, *more = _street(geography, address)
    unresolved = (
        *(address.district_or_county, "" if state_id else address.state_or_region),
        *("" if country_id else address.country_code,),
    )
    street2 = ", ".join(_missing([*more, *filter(None, map(whole, unresolved))], street))
    fields = {
        "street": printable(street),
        "street2": printable(street2),
        "zip": printable(address.postal_code),
        "city": printable(address.city),
        "state_id": state_id,
        "country_id": country_id,
        "phone": printable(address.phone),
    }
    too_long = any(len(text) > LONGEST for text in (street, street2, whole(address.city)))
    return OdooAddress(
        fields=fields,
        parts=_parts(geography, address),
        has_place=any(fields[name] for name in _PLACE),
        uncut=", ".join(filter(None, (street, street2, whole(address.city)))) if too_long else "",
    )


def _street(geography: Geography, address: Address) -> list[str]:
    """The street's lines; the first is the street itself, "" if Amazon states none."""
    lines = [line for line in map(whole, address.lines) if line]
    name, number = whole(address.street_name), whole(address.street_number)
    complement, neighborhood = whole(address.complement), whole(address.neighborhood)
    if name and "street_name" in geography.parts_of_streets:
        # As base_address_extended itself puts it together (_inverse_street_data).
        street = f"{name} {number}".strip()
        street = f"{street} - {complement}" if complement else street
        extended = [] if "district" in geography.parts_of_streets else [neighborhood]
        return [street, *_missing([*extended, *lines], street)]
    lines = lines or [name]
    if number and not _holds(" ".join(lines), number):
        lines[0] = f"{lines[0]}, {number}" if lines[0] else number
    return [lines[0], *lines[1:], *_missing([name, complement, neighborhood], " ".join(lines))]


def _parts(geography: Geography, address: Address) -> dict[str, str]:
    if not address.street_name:
        return {}
    parts = {
        "street_name": address.street_name,
        "street_number": address.street_number,
        "street_number2": address.complement,
        "district": address.neighborhood,
    }
    known = geography.parts_of_streets
    return {name: printable(text) for name, text in parts.items() if name in known and text}


def _missing(texts: Iterable[str], present: str) -> list[str]:
    """The texts that are neither contained in ``present`` nor in one before them."""
    kept: list[str] = []
    for text in texts:
        if text and not _holds(" ".join([present, *kept]), text):
            kept.append(text)
    return kept


def _holds(text: str, words: str) -> bool:
    """True if the text contains these words in sequence."""
    return f" {_words(words)} " in f" {_words(text)} "


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


# Comparing


def is_same_place(address: OdooAddress, name: str, row: Row) -> bool:
    """The contact has this name and this whole address.

    A field that only one of the two has makes them different: the second line is the apartment.
    Only the telephone number may be missing on Amazon.
    """
    if _plain(name) != _plain(row["name"]):
        return False
    stated = address.fields
    same = all(_plain(stated[field]) == _plain(row[field]) for field in FIELDS if field != "phone")
    return same and _is_same_phone(stated["phone"], row["phone"])


def is_same_text(value: Any, other: Any) -> bool:
    """True if the values are equal, ignoring case and spaces."""
    return _plain(value) == _plain(other)


def _plain(value: Any) -> str:
    """A value normalised for comparison: case-folded, single spaces."""
    return " ".join(str(value or "").casefold().split())


_FEWEST_DIGITS = 6
"""Of a telephone number; a shorter one is an extension."""


def _is_same_phone(stated: str, stored: str) -> bool:
    """True if both are one number, with or without prefix, or if Amazon states none."""
    ours, theirs = (re.sub(r"\D", "", number).lstrip("0") for number in (stated, stored))
    if not ours or ours == theirs:
        return True
    short, long = sorted((ours, theirs), key=len)
    return len(short) >= _FEWEST_DIGITS and long.endswith(short)


def is_blank(row: Row) -> bool:
    """True if the contact has no address, except perhaps a country."""
    return not any(row[name] for name in _PLACE)


def may_be_filled(address: OdooAddress, row: Row) -> bool:
    """True if the contact has no address and no field that contradicts this one."""
    stated = address.fields
    return is_blank(row) and not any(
        row[name] and _plain(row[name]) != _plain(stated[name])
        for name in (*LINES, "state_id", "country_id")
    )


def blanks(address: OdooAddress, row: Row) -> dict[str, str]:
    """The cells of this address that the contact lacks."""
    lacking = {column(name) for name in FIELDS if not row[name]}
    cells = address.cells()
    return {name: cell for name, cell in cells.items() if cell and name in {*lacking, *_PARTS}}


_PARTS = ("street_name", "street_number", "street_number2", "district")
