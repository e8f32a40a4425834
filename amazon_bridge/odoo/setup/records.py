"""The results of a setup, and what its steps pass to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Products:
    """The database ids of the fallback products."""

    sale: int
    shipping: int
    gift_wrap: int
    discount: int
    rounding: int


@dataclass(frozen=True, slots=True)
class Setup:
    """The database ids of what one account works with."""

    company_id: int
    warehouse_id: int
    fba_location_id: int
    fba_route_id: int
    """Leads the goods of a sale order line out of the FBA location to the customer."""
    sales_team_id: int
    salesperson_id: int | None
    products: Products
    pricelists: Mapping[str, int]
    """By currency, those of the account's marketplaces."""
    facilitator_tax_id: int | None = None
    """Of lines whose tax Amazon collects; None: they get no tax."""
    fiscal_position_id: int | None = None
    """Of all orders; None: Odoo finds the customer's."""
    payment_journal_id: int | None = None
    """Of the payments of invoices; None: none is registered."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that an account needs and Odoo hasn't."""

    what: str
    how: str
    """Where to click and which values to enter. Empty for what is known by its external id alone,
    and can't be made by hand."""
    obstacle: str
    """Why the bridge hasn't made it; empty when it only has not been asked to."""
    archived: bool = False
    """It exists and is archived: `setup` unarchives it, a sync run does not."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that works, and could be better."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an account would work with in Odoo now. Nothing was written."""

    expected: Setup | None
    """With 0 for the ids of records to be created. None without a company or a warehouse."""
    missing: tuple[Missing, ...]
    advice: tuple[Advice, ...]

    @property
    def setup(self) -> Setup | None:
        """What the account works with; None if anything is missing."""
        return None if self.missing else self.expected


@dataclass(frozen=True, slots=True)
class Place:
    """The company and the warehouse, on which all the rest hangs."""

    company_id: int
    warehouse_id: int
    warehouse_code: str


@dataclass(frozen=True, slots=True)
class Need:
    """One kind of thing that an account needs: how to describe it and who may make it."""

    what: str
    how: str
    model: str
    group: str
    operation: str = "create"


@dataclass(frozen=True, slots=True)
class Archived:
    """A record that would serve if it weren't archived."""

    what: str
    menu: str
    """Where people find records of its kind in Odoo."""
    model: str
    id: int

    @property
    def how(self) -> str:
        return f"{self.menu}, filter Archived: open it, Action > Unarchive"
