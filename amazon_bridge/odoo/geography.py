"""Odoo's countries and states, by what Amazon writes of them."""

from __future__ import annotations

from collections.abc import Mapping

from amazon_bridge.odoo.session import OdooSession


class Geography:
    """Looks countries and states up, in a table read once."""

    def __init__(self, countries: Mapping[str, int], states: Mapping[tuple[int, str], int]) -> None:
        self._countries = countries
        self._states = states

    def country_id(self, country_code: str | None) -> int | None:
        """The country of an ISO 3166-1 code, where Amazon's ``UK`` serves as ``GB``."""
        code = (country_code or "").strip().upper()
        return self._countries.get("GB" if code == "UK" else code)

    def state_id(self, country_id: int | None, state: str | None) -> int | None:
        """The state that goes by this code or name in the country; None if there is none."""
        return self._states.get((country_id, _plain(state))) if country_id and state else None


def read_geography(session: OdooSession) -> Geography:
    """Read all countries with their states: some two thousand, in two calls."""
    rows = session.search_read("res.country", [], ["code"])
    countries = {row["code"]: row["id"] for row in rows if row["code"]}
    states = {}
    for row in session.search_read("res.country.state", [], ["country_id", "code", "name"]):
        for name in (row["code"], row["code"].rpartition("-")[2], row["name"]):
            states[row["country_id"][0], _plain(name)] = row["id"]
    return Geography(countries, states)


_SUFFIXES = ("-to", "-fu", "-ken", " prefecture", " province", " county", " region")


def _plain(name: str | None) -> str:
    """The name as compared: without case and without the word for its kind."""
    plain = " ".join((name or "").lower().replace(".", "").split())
    for suffix in _SUFFIXES:
        plain = plain.removesuffix(suffix)
    return plain
