"""Odoo's countries and states, by Amazon's codes and names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from amazon_bridge.odoo.session import OdooSession

_PARTS_OF_STREETS = ("street_name", "street_number", "street_number2", "district")
"""Fields of a contact in which some modules keep parts of the street: ``base_address_extended``
(which ``l10n_br`` brings along) the first three, OCA's ``l10n_br_base`` also the district."""

_OTHER_CODES = {"UK": "GB", "EL": "GR"}
"""Codes in use that differ from ISO 3166-1."""


class Geography:
    """Looks countries and states up, in a table read once."""

    def __init__(
        self,
        countries: Mapping[str, int],
        states: Mapping[tuple[int, str], int],
        parts_of_streets: Collection[str] = (),
    ) -> None:
        self._countries = countries
        self._codes = {id_: code for code, id_ in countries.items()}
        self._states = states
        self.parts_of_streets = frozenset(parts_of_streets)
        """Fields in which this Odoo keeps parts of a contact's street, such as the number."""

    def country_id(self, country_code: str | None) -> int | None:
        """The country of an ISO 3166-1 code; Amazon's ``UK`` is ``GB``."""
        code = (country_code or "").strip().upper()
        return self._countries.get(_OTHER_CODES.get(code, code))

    def country_code(self, country_id: int | None) -> str:
        """The ISO 3166-1 code of a country; empty for none."""
        return self._codes.get(country_id or 0, "")

    def state_id(self, country_id: int | None, state: str | None) -> int | None:
        """The state that goes by this code or name in the country; None if there is none."""
        return self._states.get((country_id, _plain(state))) if country_id and state else None


def read_geography(session: OdooSession) -> Geography:
    """Read all countries with their states: some two thousand, in three calls."""
    rows = session.search_read("res.country", [], ["code"])
    countries = {row["code"]: row["id"] for row in rows if row["code"]}
    states = {}
    for row in session.search_read("res.country.state", [], ["country_id", "code", "name"]):
        for name in (row["code"], row["code"].rpartition("-")[2], row["name"]):
            states[row["country_id"][0], _plain(name)] = row["id"]
    return Geography(countries, states, session.fields_of("res.partner", _PARTS_OF_STREETS))


_SUFFIXES = ("-to", "-fu", "-ken", " prefecture", " province", " county", " region")


def _plain(name: str | None) -> str:
    """The name normalised for comparison: case-folded, without the word for its kind."""
    plain = " ".join((name or "").lower().replace(".", "").split())
    for suffix in _SUFFIXES:
        plain = plain.removesuffix(suffix)
    return plain
