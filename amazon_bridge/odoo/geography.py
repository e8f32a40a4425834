"""Odoo's countries and states, by Amazon's codes and names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property

from amazon_bridge.odoo.session import OdooSession

_PARTS_OF_STREETS = ("street_name", "street_number", "street_number2", "district")
"""Fields of a contact in which some modules keep parts of the street: ``base_address_extended``
(which ``l10n_br`` brings along) the first three, OCA's ``l10n_br_base`` also the district."""

_OTHER_CODES = {"UK": "GB", "EL": "GR"}
"""Codes in use that differ from ISO 3166-1."""

State = tuple[int, str]
"""The database id of the country, and the state's code or name, normalised."""


class Geography:
    """Looks up countries and states. They are read on first use: a run may need none.

    Args:
        countries: reads the database id of each country by its ISO 3166-1 code.
        states: reads the states of countries, by the country's id and their normalised names.
        parts_of_streets: reads in which fields this Odoo keeps parts of a street.
    """

    def __init__(
        self,
        countries: Callable[[], Mapping[str, int]],
        states: Callable[[Collection[int]], Mapping[State, int]],
        parts_of_streets: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._countries_of_odoo = countries
        self._states_of_odoo = states
        self._parts_of_odoo = parts_of_streets
        self._states: dict[State, int] = {}
        self._complete: set[int] = set()  # countries whose states were read

    @cached_property
    def parts_of_streets(self) -> frozenset[str]:
        """Fields in which this Odoo keeps parts of a contact's street, such as the number."""
        return frozenset(self._parts_of_odoo())

    @cached_property
    def _countries(self) -> Mapping[str, int]:
        return self._countries_of_odoo()

    @cached_property
    def _codes(self) -> Mapping[int, str]:
        return {id_: code for code, id_ in self._countries.items()}

    def country_id(self, country_code: str | None) -> int | None:
        """The country of an ISO 3166-1 code; Amazon's ``UK`` is ``GB``."""
        code = (country_code or "").strip().upper()
        return self._countries.get(_OTHER_CODES.get(code, code)) if code else None

    def country_code(self, country_id: int | None) -> str:
        """The ISO 3166-1 code of a country; empty for none."""
        return self._codes.get(country_id, "") if country_id else ""

    def state_id(self, country_id: int | None, state: str | None) -> int | None:
        """The state that goes by this code or name in the country; None if there is none."""
        if not country_id or not state:
            return None
        self._read_states({country_id})
        return self._states.get((country_id, _plain(state)))

    def read_states(self, country_codes: Iterable[str | None]) -> None:
        """Read the states of these countries in one call, instead of one for each country."""
        found = map(self.country_id, country_codes)
        self._read_states({country_id for country_id in found if country_id})

    def _read_states(self, country_ids: set[int]) -> None:
        if missing := country_ids - self._complete:
            self._states.update(self._states_of_odoo(missing))
            self._complete |= missing


def geography_of(odoo: Callable[[], OdooSession]) -> Geography:
    """The countries and states of an Odoo, read with the session that ``odoo`` returns."""
    return Geography(
        lambda: _countries(odoo()),
        lambda country_ids: _states(odoo(), country_ids),
        lambda: odoo().fields_of("res.partner", _PARTS_OF_STREETS),
    )


def _countries(session: OdooSession) -> dict[str, int]:
    rows = session.search_read("res.country", [], ["code"])
    return {row["code"]: row["id"] for row in rows if row["code"]}


def _states(session: OdooSession, country_ids: Collection[int]) -> dict[State, int]:
    """By code, with and without the country's, and by name."""
    domain = [("country_id", "in", sorted(country_ids))]
    states = session.search_read("res.country.state", domain, ["country_id", "code", "name"])
    return {
        (row["country_id"][0], _plain(name)): row["id"]
        for row in states
        for name in (row["code"], row["code"].rpartition("-")[2], row["name"])
    }


_SUFFIXES = ("-to", "-fu", "-ken", " prefecture", " province", " county", " region")


def _plain(name: str | None) -> str:
    """The name normalised for comparison: case-folded, without the word for its kind."""
    plain = " ".join((name or "").lower().replace(".", "").split())
    for suffix in _SUFFIXES:
        plain = plain.removesuffix(suffix)
    return plain
