"""The results of a setup, and the values that its steps share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from amazon_bridge.odoo.setup.settlement_records import SettlementSetup


@dataclass(frozen=True, slots=True)
class FallbackProducts:
    """The database ids of the fallback products."""

    sale: int
    shipping: int
    gift_wrap: int
    discount: int
    rounding: int


@dataclass(frozen=True, slots=True)
class Setup:
    """The database ids of the records that one account uses."""

    company_id: int
    warehouse_id: int
    fba_location_id: int
    fba_route_id: int
    """The route of sale order lines from the FBA location to the customer."""
    sales_team_id: int
    salesperson_id: int | None
    products: FallbackProducts
    pricelists: Mapping[str, int]
    """By currency, those of the account's marketplaces."""
    facilitator_tax_id: int | None = None
    """Of lines whose tax Amazon collects; None: they get no tax."""
    fiscal_position_id: int | None = None
    """Of all orders; None: Odoo finds the customer's."""
    payment_journal_id: int | None = None
    """Of the payments of invoices; None: none is registered."""
    settlement: SettlementSetup | None = field(default=None, repr=False)
    """Where settlements are booked; None while they are off, or lack something."""
    settlement_missing: tuple[Missing, ...] = ()
    """What settlements lack; the other jobs work without it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that an account needs and that Odoo lacks."""

    what: str
    how: str
    """Where to click and which values to enter. Empty for records that are found by their external
    id only, and can't be created manually."""
    obstacle: str
    """Why the bridge can't create it; empty if it just wasn't requested to."""
    archived: bool = False
    """It exists and is archived: `setup` unarchives it, a sync run does not."""

    @property
    def is_for_people(self) -> bool:
        """True if only a person can correct it, as its obstacle says."""
        return bool(self.obstacle) and self.obstacle == self.how


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice: it works, but could be improved."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """The records that an account would use in Odoo now. Nothing was written."""

    expected: Setup | None
    """With 0 for the ids of records to be created. None without a company or a warehouse."""
    missing: tuple[Missing, ...]
    advice: tuple[Advice, ...]

    @property
    def setup(self) -> Setup | None:
        """The records that the account uses; None if any is missing."""
        return None if self.missing else self.expected

    @property
    def missing_for_all(self) -> tuple[Missing, ...]:
        """What every job lacks; without what only settlements need."""
        own = self.expected.settlement_missing if self.expected else ()
        return tuple(each for each in self.missing if each not in own)


@dataclass(frozen=True, slots=True)
class Place:
    """The company and the warehouse, on which everything else depends."""

    company_id: int
    warehouse_id: int
    warehouse_code: str


@dataclass(frozen=True, slots=True)
class Need:
    """A kind of record that an account needs: its description, and who may create it."""

    what: str
    how: str
    model: str
    group: str
    operation: str = "create"
    blocker: Callable[[], str] = lambda: ""
    """Returns what a person must do before it can be created; empty if nothing."""


@dataclass(frozen=True, slots=True)
class Archived:
    """An archived record that would be suitable."""

    what: str
    menu: str
    """Where people find records of its kind in Odoo."""
    model: str
    id: int

    @property
    def how(self) -> str:
        return f"{self.menu}, filter Archived: open it, Action > Unarchive"
